"""The decider of an account: a command and a state make events (`decide`), events make a state (`evolve`)."""

from collections.abc import Iterable
from datetime import datetime

from contracts.commands import (
    ChangeCustomer,
    CloseMonth,
    CloseTask,
    Command,
    CorrectTask,
    DropPlan,
    MarkWarranty,
    OpenAccount,
    PayDebt,
    PlanTask,
    PurchasePackage,
    RefundPackage,
    ReopenMonth,
    ReopenTask,
    ResumeWork,
    SuspendWork,
)
from contracts.events import CustomerChanged, Event, Reversal
from services.ledger.domain.closing import close_task
from services.ledger.domain.consents import effect_of, require_consents, require_past
from services.ledger.domain.correction import correct_task
from services.ledger.domain.course import Course
from services.ledger.domain.customer import change_customer
from services.ledger.domain.deeds import (
    close_month,
    mark_warranty,
    open_account,
    pay_debt,
    reopen_month,
    reopen_task,
    resume_work,
    resumed,
    suspend_work,
)
from services.ledger.domain.evolution import evolve
from services.ledger.domain.expiry import reclaimed
from services.ledger.domain.local_time import midnight, month_after, month_start
from services.ledger.domain.planning import drop_plan, plan_task, require_estimate
from services.ledger.domain.purchases import purchase_package, require_purchasable
from services.ledger.domain.refund import refund_package
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
    require_body(command, account, terms, now)
    course = Course(account, now)
    course.expire()
    triggered_at = happen(command, course, terms)
    course.settle(triggered_at)
    while course.expire():
        course.settle(triggered_at)
    if course.account.suspended and course.account.balance_minutes > 0:
        course.record([resumed(course.account, now, None, automatic=True)])
    return course


def happen(command: Command, course: Course, terms: Terms) -> datetime:
    """The command's fact, and the hours that change hands by it; returns when it triggers settlements (rule 6.4)."""
    before = course.account
    if isinstance(command, CorrectTask):
        fact = correct_task(command, course, terms)
        course.take_back(fact)
        return min(fact.effective_at, fact.corrected_effective_at)
    fact = fact_of(command, before, terms, course.now)
    if isinstance(fact, Reversal):
        course.take_back(fact)
    else:
        course.record([fact])
        course.record(reclaimed(before, fact))
    return course.now if isinstance(fact, CustomerChanged) else fact.effective_at


def require_body(command: Command, account: Account, terms: Terms, now: datetime) -> None:
    """Refuse what the command alone, with terms and clock, shows to be wrong; a correction, with what it corrects."""
    match command:
        case CloseTask():
            require_consents(command, terms, now, effect_of(command, now))
        case CorrectTask():
            require_consents(command, terms, now, effect_of(command, now, account.task(command.task_id).closing))
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


def fact_of(command: Command, account: Account, terms: Terms, now: datetime) -> Event:  # noqa: C901 - a case a command
    """Check the command against the account; what has happened, if nothing speaks against it."""
    match command:
        case CloseTask():
            return close_task(command, account, terms, now)
        case PurchasePackage():
            return purchase_package(command, account, terms, now)
        case MarkWarranty():
            return mark_warranty(command, account, terms, now)
        case ReopenTask():
            return reopen_task(command, account, terms, now)
        case RefundPackage():
            return refund_package(command, account, now)
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
        case CorrectTask():
            raise TypeError("a correction is decided on a course of its own: correct_task")
