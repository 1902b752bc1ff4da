"""The decider of an account: a command and a state make events (`decide`), events make a state (`evolve`)."""

from collections.abc import Iterable
from datetime import datetime

from contracts.commands import (
    ChangeCustomer,
    CloseMonth,
    CloseTask,
    Command,
    DropPlan,
    MarkWarranty,
    OpenAccount,
    PayDebt,
    PlanTask,
    PurchasePackage,
    ReopenMonth,
    ReopenTask,
    ResumeWork,
    SuspendWork,
)
from contracts.events import CustomerChanged, Event
from services.ledger.domain.consents import require_consents, require_past
from services.ledger.domain.course import Course
from services.ledger.domain.customer import change_customer
from services.ledger.domain.deeds import (
    close_month,
    close_task,
    open_account,
    pay_debt,
    reopen_month,
    resume_work,
    resumed,
    suspend_work,
    take_back,
)
from services.ledger.domain.evolution import evolve
from services.ledger.domain.expiry import reclaimed
from services.ledger.domain.local_time import midnight, month_after, month_start
from services.ledger.domain.planning import drop_plan, plan_task, require_estimate
from services.ledger.domain.purchases import purchase_package, require_purchasable
from services.ledger.domain.refusals import AccountNotFound, MonthNotOver
from services.ledger.domain.state import Account
from services.ledger.domain.terms import Terms

__all__ = ["Account", "course_of", "decide", "due", "evolve", "fold"]


def fold(account: Account, events: Iterable[Event]) -> Account:
    """The account after all those events."""
    for event in events:
        account = evolve(account, event)
    return account


def due(account: Account, now: datetime) -> tuple[Event, ...]:
    """What has to be recorded because its time has come (rule 7.1)."""
    course = Course(account, now)
    course.expire()
    return tuple(course.events)


def decide(command: Command, account: Account, terms: Terms, now: datetime) -> tuple[Event, ...]:
    """The events of a command, all or none; a Refusal names why there are none.

    The order inside one command is rule 11.1's. `now` must not run backwards inside one account.
    """
    return tuple(course_of(command, account, terms, now).events)


def course_of(command: Command, account: Account, terms: Terms, now: datetime) -> Course:
    """What `decide` says, with the account that its events lead to, for a caller who needs both."""
    if not account.version and not isinstance(command, OpenAccount):
        raise AccountNotFound(account.account_id)
    require_body(command, terms, now)
    course = Course(account, now)
    course.expire()
    before = course.account
    fact = fact_of(command, before, terms, now)
    course.record([fact])
    course.record(reclaimed(before, fact))
    since = now if isinstance(fact, CustomerChanged) else fact.effective_at
    course.settle(since)
    while course.expire():
        course.settle(since)
    if course.account.suspended and course.account.balance_minutes > 0:
        course.record([resumed(course.account, now, None, automatic=True)])
    return course


def require_body(command: Command, terms: Terms, now: datetime) -> None:
    """Refuse what the command alone, with terms and clock, shows to be wrong."""
    match command:
        case CloseTask():
            require_consents(command, terms, now)
        case PurchasePackage():
            require_purchasable(command, terms, now)
        case PlanTask():
            require_estimate(command, terms, now)
        case ChangeCustomer():
            require_past("effective_on", midnight(command.effective_on), now)
        case PayDebt():
            require_past("paid_at", command.paid_at, now)
        case CloseMonth():
            if now < month_start(month_after(command.month)):
                raise MonthNotOver(command.month)
        case _:
            pass


def fact_of(command: Command, account: Account, terms: Terms, now: datetime) -> Event:
    """Check the command against the account; what has happened, if nothing speaks against it."""
    match command:
        case CloseTask():
            return close_task(command, account, terms, now)
        case PurchasePackage():
            return purchase_package(command, account, terms, now)
        case MarkWarranty() | ReopenTask():
            return take_back(command, account, terms, now)
        case PlanTask():
            return plan_task(command, account, terms, now)
        case DropPlan():
            return drop_plan(command, account, now)
        case ChangeCustomer():
            return change_customer(command, account, now)
        case PayDebt():
            return pay_debt(command, account, terms, now)
        case SuspendWork():
            return suspend_work(command, account, now)
        case ResumeWork():
            return resume_work(command, account, now)
        case CloseMonth():
            return close_month(command, account, now)
        case ReopenMonth():
            return reopen_month(command, account, now)
        case OpenAccount():
            return open_account(command, account, now)
