"""The decider of an account: a command and a state make events (`decide`), events make a state (`evolve`)."""

from collections.abc import Iterable
from datetime import datetime

from contracts.commands import (
    CloseMonth,
    CloseTask,
    Command,
    MarkWarranty,
    OpenAccount,
    PayDebt,
    PurchasePackage,
    ReopenMonth,
    ReopenTask,
    ResumeWork,
    SuspendWork,
)
from contracts.events import Event
from services.ledger.domain.consents import require_consents, require_past
from services.ledger.domain.course import Course, expire, settle
from services.ledger.domain.deeds import (
    close_month,
    close_task,
    open_account,
    pay_debt,
    purchase_package,
    reopen_month,
    resume_work,
    resumed,
    suspend_work,
    take_back,
)
from services.ledger.domain.evolution import evolve
from services.ledger.domain.local_time import month_after, month_start
from services.ledger.domain.refusals import AccountNotFound, MonthNotOver, UnknownPlan
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
    expire(course)
    return tuple(course.events)


def decide(command: Command, account: Account, terms: Terms, now: datetime) -> tuple[Event, ...]:
    """The events of a command, all or none; a Refusal names why there are none.

    The order inside one command is rule 11.1's. `now` must not run backwards inside one account.
    """
    return tuple(course_of(command, account, terms, now).events)


def course_of(command: Command, account: Account, terms: Terms, now: datetime) -> Course:
    """What `decide` says, with the account that its events lead to, for whoever needs both."""
    if not account.version and not isinstance(command, OpenAccount):
        raise AccountNotFound(account.account_id)
    require_body(command, terms, now)
    course = Course(account, now)
    expire(course)
    so_far = len(course.events)
    deed(command, course, terms)
    triggered_at = course.events[so_far].effective_at
    while settle(course, triggered_at) | expire(course):
        pass
    if course.account.suspended and course.account.balance_minutes > 0:
        course.record(resumed(course, None, automatic=True))
    return course


def require_body(command: Command, terms: Terms, now: datetime) -> None:
    """Refuse what the command alone, with terms and clock, shows to be wrong."""
    match command:
        case CloseTask():
            require_consents(command, terms, now)
        case PurchasePackage():
            if command.plan not in terms.at(min(command.purchased_at, now)).plans:
                raise UnknownPlan(command.plan)
            require_past("purchased_at", command.purchased_at, now)
        case PayDebt():
            require_past("paid_at", command.paid_at, now)
        case CloseMonth():
            if now < month_start(month_after(command.month)):
                raise MonthNotOver(command.month)
        case _:
            pass


def deed(command: Command, course: Course, terms: Terms) -> None:
    """Check the command against the account and record its fact."""
    match command:
        case CloseTask():
            close_task(command, course, terms)
        case PurchasePackage():
            purchase_package(command, course, terms)
        case MarkWarranty() | ReopenTask():
            take_back(command, course, terms)
        case PayDebt():
            pay_debt(command, course, terms)
        case SuspendWork():
            suspend_work(command, course)
        case ResumeWork():
            resume_work(command, course)
        case CloseMonth():
            close_month(command, course)
        case ReopenMonth():
            reopen_month(command, course)
        case OpenAccount():
            open_account(command, course)
