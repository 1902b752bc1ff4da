"""Given, when, then in the words of the trade; what a rule does not speak of is supplied here.

Times are short texts at the seller's (`2026-03-01`, `2026-03-01 12:00`), or have an offset and are taken at their word.
A step takes effect `on` a moment, by default a minute after the step before, and is recorded at once unless it says so.
"""

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

import services.ledger
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
from contracts.envelope import RecordedEvent
from contracts.events import Agreed, Event, Evidence, WorkKind
from contracts.quantities import KnownAt
from contracts.requisites import Requisites
from services.ledger.audit.replay import replay
from services.ledger.domain.account import Account, course_of, due, fold
from services.ledger.domain.refusals import Refusal
from services.ledger.domain.terms import Terms
from tests.ledger.domain.expected_events import Expected, moment

ACCOUNT_ID = "horns-and-hooves"
TERMS_FILE = Path(services.ledger.__file__).parent / "terms.toml"
TERMS = Terms.parse(tomllib.loads(TERMS_FILE.read_text(encoding="utf-8")))
AT_ONCE = "at once"
EVIDENCE = {"source": "bitrix24", "entries": 1, "entries_hash": "5f" * 32, "rounding": "task"}
"""What an evidence says beside its seconds, where a test says nothing else."""

When = str | None
"""A short text, or whenever the story has got to."""


@dataclass(frozen=True)
class Step:
    """Something that happens: a command, or (without one) time that passes; when it takes effect and is recorded."""

    command: Callable[[datetime], Command] | None
    on: When = None
    recorded: When = None


def open_account(*, on: When = None, requisites: Requisites | None = None) -> Step:
    """A customer's contract begins."""

    opened = OpenAccount(
        account_id=ACCOUNT_ID,
        customer_name="Рога и копыта",
        contract_number="17/24",
        contract_date="2024-01-01",
        customer_requisites=requisites,
    )
    return Step(lambda _: opened, on)


def buy(
    package_id: str,
    plan: str = "hours-20",
    *,
    on: When = None,
    recorded: When = None,
    carry_over: bool = True,
    **agreed: int | str,
) -> Step:
    """The customer buys a package; it takes over what its predecessor leaves, unless the test says otherwise.

    What was agreed for it alone: `minutes`, `price_kopecks`, `ends_on`.
    """
    terms = Agreed(**{"reason": "договорились"} | agreed) if agreed else None

    def command(at: datetime) -> PurchasePackage:
        return PurchasePackage(
            account_id=ACCOUNT_ID,
            package_id=package_id,
            plan=plan,
            purchased_at=at,
            carry_over=carry_over,
            agreed=terms,
        )

    return Step(command, on, recorded)


def close(
    task_id: str = "T-1",
    *,
    title: str = "Перенос портала",
    worked: int = 60,
    category: str = "regular",
    on: When = None,
    recorded: When = None,
    started: When = None,
    closed: When = None,
    confirmed: str | None = AT_ONCE,
    agreed: str | bool = False,
    requested: str | bool = False,
    entries: Iterable[tuple[str, int]] | None = None,
    kind: WorkKind = "work",
    package_use_agreed: str | None = None,
    evidence: Mapping[str, Any] | None = None,
) -> Step:
    """A task is closed and confirmed at once; urgency was agreed to, or off-hours work requested, when it started."""

    def command(at: datetime) -> CloseTask:
        closed_at = moment(closed) if closed else at
        started_at = moment(started) if started else None
        if not started_at and True in (agreed, requested):
            started_at = closed_at - timedelta(minutes=worked)
        return CloseTask(
            account_id=ACCOUNT_ID,
            task_id=task_id,
            title=title,
            category=category,
            worked_minutes=worked,
            started_at=started_at,
            closed_at=closed_at,
            confirmed_at=at if confirmed == AT_ONCE else confirmed and moment(confirmed),
            urgency_agreed_at=_consent(agreed, started_at),
            off_hours_requested_at=_consent(requested, started_at),
            time_entries=entries
            and [{"start": moment(start), "minutes": minutes, "performer": "Иванова А."} for start, minutes in entries],
            kind=kind,
            package_use_agreed_at=moment(package_use_agreed) if package_use_agreed else None,
            evidence=evidence and Evidence(**EVIDENCE | evidence),
        )

    return Step(command, on, recorded)


def correct(task_id: str = "T-1", **closing: Any) -> Step:
    """A closing should have been this one: `closing` is what `close` takes; it takes effect `on` that moment."""
    step = close(task_id, **closing)

    def command(at: datetime) -> CorrectTask:
        assert step.command, "a closing is a command"
        given = step.command(at)
        return CorrectTask(**dict(given) | {"command": "CorrectTask", "reason": "время исправлено"})

    return Step(command, step.on, step.recorded)


def refund(package_id: str, amount: int | None = None, *, on: When = None) -> Step:
    """The customer gets money back for what is left in a lot: all that is not booked, or an amount agreed."""
    refunded = RefundPackage(
        account_id=ACCOUNT_ID,
        package_id=package_id,
        reason="по заявлению",
        refund_reference="п/п 17",
        amount_kopecks=amount,
    )
    return Step(lambda _: refunded, on)


def _consent(said: str | bool, started_at: datetime | None) -> datetime | None:
    return moment(said) if isinstance(said, str) else started_at if said else None


def mark_warranty(task_id: str = "T-1", *, on: When = None) -> Step:
    """The seller takes a task back as warranty."""
    return Step(lambda _: MarkWarranty(account_id=ACCOUNT_ID, task_id=task_id, reason="ошибка наша"), on)


def reopen(task_id: str = "T-1", *, on: When = None) -> Step:
    """A closed task turns out not to be done."""
    return Step(lambda _: ReopenTask(account_id=ACCOUNT_ID, task_id=task_id, reason="не доделано"), on)


def plan(task_id: str = "T-1", estimated: int = 60, *, category: str = "regular", on: When = None) -> Step:
    """The seller says what a task is expected to take."""

    def command(_: datetime) -> PlanTask:
        return PlanTask(
            account_id=ACCOUNT_ID,
            task_id=task_id,
            title="Перенос портала",
            category=category,
            estimated_minutes=estimated,
        )

    return Step(command, on)


def drop_plan(task_id: str = "T-1", *, on: When = None) -> Step:
    """The seller takes a plan back."""
    return Step(lambda _: DropPlan(account_id=ACCOUNT_ID, task_id=task_id, reason="отложено"), on)


def change_customer(since: str, *, on: When = None, **new: Any) -> Step:
    """The customer has another name, contract or requisites from a day on."""
    return Step(lambda _: ChangeCustomer(account_id=ACCOUNT_ID, effective_on=since, **new), on)


def pay(minutes: int, *, on: When = None, recorded: When = None) -> Step:
    """The customer pays owed minutes with money."""

    def command(at: datetime) -> PayDebt:
        return PayDebt(account_id=ACCOUNT_ID, minutes=minutes, paid_at=at, payment_reference="п/п 42")

    return Step(command, on, recorded)


def suspend(*, on: When = None) -> Step:
    """The seller suspends work."""
    return Step(lambda _: SuspendWork(account_id=ACCOUNT_ID, reason="задолженность"), on)


def resume(*, on: When = None) -> Step:
    """The seller resumes work at will."""
    return Step(lambda _: ResumeWork(account_id=ACCOUNT_ID, reason="договорились"), on)


def close_month(month: str, *, on: When = None) -> Step:
    """The seller's accountant closes a month."""
    return Step(lambda _: CloseMonth(account_id=ACCOUNT_ID, month=month), on)


def reopen_month(month: str, *, on: When = None) -> Step:
    """The seller's accountant opens a month again."""
    return Step(lambda _: ReopenMonth(account_id=ACCOUNT_ID, month=month, reason="ошибка в акте"), on)


def time_passes(until: str) -> Step:
    """Nobody does anything; the scheduler records what becomes due."""
    return Step(None, until)


class Story:
    """An account and what has happened to it so far."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.now = moment("2024-01-01")
        self.account = Account(ACCOUNT_ID)
        self.recorded: list[RecordedEvent] = []
        self.command: Command | None = None
        self.latest: tuple[Event, ...] = ()
        self.refusal: Refusal | None = None

    def when(self, step: Step) -> Self:
        """The step happens, or is refused."""
        at = moment(step.on) if step.on else self.now + timedelta(minutes=1)
        earlier, self.now = self.now, moment(step.recorded) if step.recorded else max(at, self.now)
        assert earlier <= self.now, "a story is recorded in order"
        self.command = step.command(at) if step.command else None
        self.latest, self.refusal = (), None
        try:
            self._happens()
        except Refusal as refusal:
            self.refusal = refusal
        self.recorded += [self._recorded(*numbered) for numbered in enumerate(self.latest, len(self.recorded) + 1)]
        return self

    def _happens(self) -> None:
        if self.command is None:
            self.latest = due(self.account, self.now)
            self.account = fold(self.account, self.latest)
        else:
            course = course_of(self.command, self.account, self.terms, self.now)
            self.account, self.latest = course.account, tuple(course.events)

    def _recorded(self, position: int, event: Event) -> RecordedEvent:
        return RecordedEvent(
            position=position,
            event_id=None,
            account_id=ACCOUNT_ID,
            version=self.account.version,
            type=type(event).__name__,
            schema_version=event.schema_version,
            recorded_at=self.now,
            data=event.model_dump(mode="json"),
        )

    def then(self, *expected: Expected) -> Self:
        """Exactly these events, in this order, with exactly the listed fields."""
        if self.refusal:
            raise self.refusal
        happened = [type(event).__name__ for event in self.latest]
        assert happened == [one.kind.__name__ for one in expected], self.latest
        for event, one in zip(self.latest, expected, strict=True):
            assert one.seen_in(event) == one.said, event
        return self

    def then_refused(self, why: type[Refusal]) -> Self:
        """The step was refused for this reason and left nothing behind."""
        assert type(self.refusal) is why, self.refusal or self.latest
        return self

    def then_balance(self, minutes: int, *, as_of: When = None, known_at: KnownAt = None) -> Self:
        """The balance now, or at another instant; as everything recorded shows it, or as it was known then."""
        at = moment(as_of) if as_of else self.now
        assert replay(ACCOUNT_ID, self.recorded, at, known_at).balance_minutes == minutes
        return self

    def then_planned(self, minutes: int, *, as_of: When = None, known_at: KnownAt = None) -> Self:
        """The time planned now, or by what was recorded by an instant; the balance less it is available."""
        at = moment(as_of) if as_of else self.now
        view = replay(ACCOUNT_ID, self.recorded, at, known_at)
        assert (view.planned_minutes, view.available_minutes) == (minutes, view.balance_minutes - minutes)
        return self

    def then_lots(self, *lots: tuple[str, int], as_of: When = None) -> Self:
        """The lots alive, in the order in which they would pay, and what is left in them."""
        at = moment(as_of) if as_of else self.now
        alive = replay(ACCOUNT_ID, self.recorded, at, None).lots
        assert [(lot.lot_id, lot.remaining_minutes) for lot in alive] == list(lots)
        return self


def no_account(terms: Terms = TERMS) -> Story:
    """Nobody has opened the account yet."""
    return Story(terms)


def given(*steps: Step, terms: Terms = TERMS) -> Story:
    """An open account to which all that has happened."""
    story = no_account(terms).when(open_account())
    for step in steps:
        if refusal := story.when(step).refusal:
            raise refusal
    return story
