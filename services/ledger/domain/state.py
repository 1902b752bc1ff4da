"""An account as its events have made it: one consistency boundary (rule 4.1), immutable, every step a new value."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple, TypedDict, TypeVar

from immutables import Map

from contracts.events import RULES_EDITION, Draw
from contracts.quantities import month_of
from services.ledger.domain.bookings import Months
from services.ledger.domain.local_time import month_after
from services.ledger.domain.lots import Lot

Entry = TypeVar("Entry", tuple[datetime, str], tuple[datetime, datetime, str])


class Times(TypedDict):
    """When an event counts, in which month's report it stands (rule 2.1), and by which edition of the rules."""

    effective_at: datetime
    booking_month: str
    rules_edition: int


class Package(NamedTuple):
    """A purchase, or a compensation (rule 8.2), and the lots it holds. `order` is the order of recording.

    `refunded`: money was given back for its own lot, so it is no successor any more (rule 14.3).
    """

    package_id: str
    starts_at: datetime
    ends_at: datetime
    order: int
    takes_over: bool
    lot_ids: tuple[str, ...]
    successor_id: str | None = None
    expired: bool = False
    refunded: bool = False

    @property
    def due_order(self) -> tuple[datetime, datetime, str]:
        """Packages expire in this order (rule 7.1)."""
        return (self.ends_at, self.starts_at, self.package_id)


class Taken(NamedTuple):
    """Minutes a closing took from a lot, by a draw or by a settlement of its debt."""

    lot_id: str
    minutes: int
    amount_kopecks: int
    released: bool
    effective_at: datetime
    settlement: bool


class Paid(NamedTuple):
    """Minutes of a closing that were paid in money."""

    minutes: int
    amount_kopecks: int
    effective_at: datetime
    hour_price_kopecks: int | None


class Closing(NamedTuple):
    """A closing that stands, with what it took or was paid for it, in the order of recording.

    `given_at` is when it would have taken effect if that had not lain ahead (rule 2.1); `order` is its place among
    closings of the same instant, that of the one it corrects if only the difference moved (rule 8.6). `reversed`: a
    warranty mark has taken back what it charged (rule 8.5).
    """

    number: int
    effective_at: datetime
    given_at: datetime
    order: int
    worked_minutes: int
    charged_minutes: int
    parts: tuple[Taken | Paid, ...] = ()
    reversed: bool = False


class Plan(NamedTuple):
    """What an open task is expected to take: the estimate, and the estimate times K (rule 15.2)."""

    estimated_minutes: int
    planned_minutes: int


class Task(NamedTuple):
    """A task that the account knows. `closing` is absent while it is open.

    `compensations` are the lots that made up for its earlier closings, that of the latest first (rule 6.2).
    """

    closures: int = 0
    warranty: bool = False
    closing: Closing | None = None
    compensations: tuple[str, ...] = ()


class Debt(NamedTuple):
    """Owed minutes of one closing; compares by effect, then by order of recording (rule 6.4)."""

    effective_at: datetime
    order: int
    task_id: str
    closure: int
    minutes: int

    @property
    def age(self) -> tuple[datetime, int]:
        """The oldest debt has the smallest."""
        return (self.effective_at, self.order)


class Account(NamedTuple):
    """The state of one account after `version` events; version 0 is an account nobody has opened.

    `with_hours` are (end, id) of the lots that have something left, expired or not; `to_expire` the packages whose
    end is still to be recorded; both sorted, so that a long history costs nothing.
    """

    account_id: str
    version: int = 0
    packages: Map[str, Package] = Map[str, Package]()
    lots: Map[str, Lot] = Map[str, Lot]()
    tasks: Map[str, Task] = Map[str, Task]()
    with_hours: tuple[tuple[datetime, str], ...] = ()
    to_expire: tuple[tuple[datetime, datetime, str], ...] = ()
    debts: tuple[Debt, ...] = ()
    held_minutes: int = 0
    owed_minutes: int = 0
    suspended: bool = False
    closed_through: str | None = None
    months: Months = Months()
    plans: Map[str, Plan] = Map[str, Plan]()
    planned_minutes: int = 0

    @property
    def balance_minutes(self) -> int:
        """What is left in lots that have not expired, less what is owed (rule 4.2)."""
        return self.held_minutes - self.owed_minutes

    @property
    def available_minutes(self) -> int:
        """What the balance leaves for work that is not planned yet (rule 15.2)."""
        return self.balance_minutes - self.planned_minutes

    @property
    def next_due_at(self) -> datetime | None:
        """The earliest end of a package still to expire."""
        return self.to_expire[0][0] if self.to_expire else None

    def task(self, task_id: str) -> Task:
        """The task; an unknown one is open and was never closed."""
        return self.tasks.get(task_id, Task())

    def owed_for(self, task_id: str) -> int:
        """What is owed for the task's closing; a task has one at a time, so at most one debt."""
        for debt in self.debts:
            if debt.task_id == task_id:
                return debt.minutes
        return 0

    def compensations(self, task: Task) -> list[Lot]:
        """The lots that made up for the task's earlier closings, that of the latest first."""
        return [self.lots[lot_id] for lot_id in task.compensations]

    def successor_of(self, package: Package, but: str | None = None) -> str | None:
        """The first package bought after it and before its end, to take over, with a later end (rule 7.2)."""
        heirs = [
            heir
            for heir in self.packages.values()
            if heir.takes_over
            and not heir.refunded
            and heir.package_id != but
            and (heir.starts_at, heir.order) > (package.starts_at, package.order)
            and heir.starts_at < package.ends_at < heir.ends_at
        ]
        first = min(heirs, key=lambda heir: (heir.starts_at, heir.order), default=None)
        return first.package_id if first else None

    def lots_ending_after(self, instant: datetime) -> Iterator[Lot]:
        """The lots with something left, expired or not, whose end is later."""
        for ends_at, lot_id in reversed(self.with_hours):
            if ends_at <= instant:
                return
            yield self.lots[lot_id]

    def booking_month(self, effective_at: datetime) -> str:
        """The month it takes effect in, or the first open one where that is closed (rule 10.1)."""
        month = month_of(effective_at)
        if self.closed_through is None or month > self.closed_through:
            return month
        return month_after(self.closed_through)

    def times(self, effective_at: datetime) -> Times:
        """Effect and booking month of an event that is decided now."""
        month = self.booking_month(effective_at)
        return {"effective_at": effective_at, "booking_month": month, "rules_edition": RULES_EDITION}

    def with_lots(self, *changed: Lot) -> "Account":
        """The account with these lots new or changed, and all that is derived from them."""
        lots, with_hours, held = self.lots, self.with_hours, self.held_minutes
        for lot in changed:
            before = lots.get(lot.lot_id)
            known = (before.ends_at, lot.lot_id) if before and before.left_minutes else None
            with_hours = _in_place_of(known, (lot.ends_at, lot.lot_id) if lot.left_minutes else None, with_hours)
            held += lot.live_minutes - (before.live_minutes if before else 0)
            lots = lots.set(lot.lot_id, lot)
        return self._replace(lots=lots, with_hours=with_hours, held_minutes=held)

    def with_draws(self, draws: Iterable[Draw]) -> "Account":
        """The account once its lots have given all that."""
        account = self
        for taken in draws:
            account = account.with_lots(account.lots[taken.lot_id].moved(taken.minutes, taken.amount_kopecks))
        return account

    def with_package(self, package: Package) -> "Account":
        """The account with that package new or changed; it is to expire unless it has."""
        before = self.packages.get(package.package_id)
        known = before.due_order if before and not before.expired else None
        to_expire = _in_place_of(known, None if package.expired else package.due_order, self.to_expire)
        return self._replace(packages=self.packages.set(package.package_id, package), to_expire=to_expire)

    def with_plan(self, task_id: str, plan: Plan | None) -> "Account":
        """The account with that plan in place of the task's; without one, the task has none."""
        before = self.plans.get(task_id)
        if plan is before:
            return self
        planned = self.planned_minutes + (plan.planned_minutes if plan else 0)
        planned -= before.planned_minutes if before else 0
        plans = self.plans.set(task_id, plan) if plan else self.plans.delete(task_id) if before else self.plans
        return self._replace(plans=plans, planned_minutes=planned)

    def with_task(self, task_id: str, task: Task) -> "Account":
        """The account with that task new or changed."""
        return self._replace(tasks=self.tasks.set(task_id, task))


def _in_place_of(before: Entry | None, after: Entry | None, entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """The sorted entries with one in place of another; either may be absent."""
    if before == after:
        return entries
    if before is not None:
        at = bisect_left(entries, before)
        entries = entries[:at] + entries[at + 1 :]
    if after is not None:
        at = bisect_left(entries, after)
        entries = (*entries[:at], after, *entries[at:])
    return entries
