"""A second reading of an account's events, written for plainness: rows, sums and scans, and nothing of the domain's.

Balances, and what is left and booked, are worked out from the movements every time. Dicts keep the order of recording.
"""

from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from contracts.events import (
    ClosingFacts,
    DebtPaid,
    DebtSettled,
    Draw,
    Event,
    HoursCarriedOver,
    MonthClosed,
    MonthReopened,
    PackageExpired,
    PackagePurchased,
    PackageRefunded,
    PlanDropped,
    Reversal,
    TakenOver,
    TaskClosed,
    TaskCorrected,
    TaskPlanned,
    WarrantyMarked,
    WorkResumed,
    WorkSuspended,
)
from contracts.report_hash import Figures, report_hash


class Move(NamedTuple):
    """When a lot gave so many minutes (negative: got back), and their money."""

    at: datetime
    minutes: int
    kopecks: int


class Took(NamedTuple):
    """What a closing took from a lot, or (where there is no lot) was paid for it in money."""

    lot_id: str
    minutes: int
    kopecks: int
    at: datetime
    settled: bool
    released: bool


@dataclass
class NaiveLot:
    """Hours bought together. `ends` are those of the packages that have held it, one after another."""

    lot_id: str
    size: int
    price: int
    starts_at: datetime
    ends: list[datetime]
    moves: list[Move] = field(default_factory=list)
    expired: bool = False
    refunded: bool = False

    @property
    def left(self) -> int:
        """Minutes nobody has used."""
        return self.size - sum(move.minutes for move in self.moves)

    @property
    def booked(self) -> int:
        """The money of what was used."""
        return sum(move.kopecks for move in self.moves)

    def held_at(self, instant: datetime) -> int:
        """Minutes it adds to the balance of that instant."""
        if not self.starts_at <= instant < self.ends[-1]:
            return 0
        return self.size - sum(move.minutes for move in self.moves if move.at <= instant)


@dataclass
class NaivePackage:
    """A purchase or a compensation, and the lots in its hands."""

    package_id: str
    starts_at: datetime
    ends_at: datetime
    takes_over: bool
    holds: list[str]
    expired: bool = False
    refunded: bool = False


@dataclass
class NaiveClosing:
    """A closing that stands."""

    number: int
    at: datetime
    given: datetime
    order: int
    worked: int
    charged: int
    owed: int
    took: list[Took]
    reversed: bool = False


class NaiveLedger:
    """What all those events amount to."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.lots: dict[str, NaiveLot] = {}
        self.packages: dict[str, NaivePackage] = {}
        self.owed: list[tuple[datetime, int]] = []
        self.closings: dict[str, NaiveClosing] = {}
        self.closed_times: dict[str, int] = {}
        self.warranty: set[str] = set()
        self.plans: dict[str, int] = {}
        self.suspended = False
        self.version = 0
        self.booked: list[tuple[str, int, list[Figures]]] = []
        self.closed: list[str] = []
        for event in events:
            self.read(event)

    def balance_at(self, instant: datetime) -> int:
        """The balance of that instant, once what is due by then has happened (rule 7.5)."""
        then = self.when_due(instant)
        held = sum(lot.held_at(instant) for lot in then.lots.values())
        return held - sum(minutes for at, minutes in then.owed if at <= instant)

    def instants(self) -> set[datetime]:
        """Every moment at which the balance may change."""
        moved = {move.at for lot in self.lots.values() for move in lot.moves}
        spans = {at for lot in self.lots.values() for at in (lot.starts_at, *lot.ends)}
        return moved | spans | {at for at, _ in self.owed}

    def next_due(self, now: datetime) -> NaivePackage | None:
        """The package whose end comes first, of those that have ended (rule 7.1)."""
        due = [package for package in self.packages.values() if not package.expired and package.ends_at <= now]
        return min(due, key=lambda package: (package.ends_at, package.starts_at, package.package_id), default=None)

    def when_due(self, instant: datetime) -> "NaiveLedger":
        """The ledger once all that is due by then has happened (rules 7.1, 7.2)."""
        then = self
        while package := then.next_due(instant):
            then = deepcopy(self) if then is self else then
            then.expire(then.packages[package.package_id])
        return then

    def expire(self, package: NaivePackage) -> None:
        """What is left is carried to the successor, or forfeited (rule 7.2)."""
        package.expired = True
        heir = self.successor(package)
        for lot in [self.lots[lot_id] for lot_id in package.holds]:
            if lot.left and not lot.expired and heir:
                self._carry(lot, package, heir)
            else:
                lot.expired = True

    def successor(self, package: NaivePackage) -> NaivePackage | None:
        """The first bought after it and before its end, willing, with a later end (rule 7.2)."""
        recorded = list(self.packages)
        age = {one.package_id: (one.starts_at, recorded.index(one.package_id)) for one in self.packages.values()}
        may_take_over = [
            one
            for one in self.packages.values()
            if one.takes_over
            and not one.refunded
            and age[one.package_id] > age[package.package_id]
            and one.starts_at < package.ends_at < one.ends_at
        ]
        return min(may_take_over, key=lambda one: age[one.package_id], default=None)

    def standing(self) -> int:
        """The balance by what has been read, whenever it takes effect."""
        held = sum(lot.left for lot in self.lots.values() if not lot.expired)
        return held - sum(minutes for _, minutes in self.owed)

    def frozen(self, account_id: str, month: str) -> list[tuple[str, int, int, str]]:
        """Month, opening and closing balance and hash of each report that closing the month freezes (rule 10.1)."""
        found: list[tuple[str, int, int, str]] = []
        for name in sorted({month, *(booked for booked, _, _ in self.booked)}):
            if name <= month and name > max(self.closed, default=""):
                opening = sum(minutes for booked, minutes, _ in self.booked if booked < name)
                closing = sum(minutes for booked, minutes, _ in self.booked if booked <= name)
                figures = [one for booked, _, of in self.booked if booked == name for one in of]
                lines = [
                    Figures(*key, *(sum(one[column] for one in figures if one[:2] == key) for column in (2, 3, 4)))
                    for key in {one[:2] for one in figures}
                ]
                found.append((name, opening, closing, report_hash(account_id, name, opening, closing, lines)))
        return found

    def read(self, event: Event) -> None:
        """One event more."""
        before = self.standing()
        if isinstance(event, TaskCorrected):
            work = (event.corrected_worked_minutes, event.corrected_charged_minutes, event.corrected_amount_kopecks)
            line = Figures(event.task_id, event.corrected_closure, *(-figure for figure in work))
            self._give_back(event)
            self.booked.append((event.corrected_booking_month, self.standing() - before, [line]))
            before = self.standing()
        self._read(event)
        self.version += 1
        change, figures = self.standing() - before, list(_figures(event))
        if change or figures or isinstance(event, HoursCarriedOver):
            self.booked.append((event.booking_month, change, figures))

    def _read(self, event: Event) -> None:  # noqa: C901 - as many cases as there are events
        match event:
            case PackagePurchased():
                self._bought(event.package_id, event.minutes, event.price_kopecks, event.effective_at, event.ends_at)
                self.packages[event.package_id].takes_over = event.carry_over
            case ClosingFacts():
                self._read_closing(event)
            case PackageRefunded():
                self._read_refund(event)
            case DebtSettled():
                self._took(event.task_id, event, event.effective_at, settled=True)
                self._owes(event.task_id, event.effective_at, -event.minutes)
            case DebtPaid():
                for part in event.payments:
                    took = Took(
                        "", part.minutes, part.amount_kopecks, event.effective_at, settled=False, released=False
                    )
                    self.closings[part.task_id].took.append(took)
                    self._owes(part.task_id, event.effective_at, -part.minutes)
            case HoursCarriedOver():
                for share in event.lots:
                    former, heir = self.packages[event.from_package_id], self.packages[event.to_package_id]
                    self._carry(self.lots[share.lot_id], former, heir)
            case PackageExpired():
                self.packages[event.package_id].expired = True
                for lot_id in self.packages[event.package_id].holds:
                    self.lots[lot_id].expired = True
            case Reversal():
                self._read_reversal(event)
            case WorkSuspended() | WorkResumed():
                self.suspended = isinstance(event, WorkSuspended)
            case MonthClosed():
                self.closed.append(event.month)
            case MonthReopened():
                self.closed = [month for month in self.closed if month < event.month] + [month_before(event.month)]
            case _:
                self._read_plan(event)

    def _read_plan(self, event: Event) -> None:
        if isinstance(event, TaskPlanned):
            self.plans[event.task_id] = event.planned_minutes
        if isinstance(event, PlanDropped):
            del self.plans[event.task_id]

    def _read_refund(self, event: PackageRefunded) -> None:
        self.lots[event.lot_id].moves.append(Move(event.effective_at, event.refunded_minutes, 0))
        self.lots[event.lot_id].refunded = self.packages[event.lot_id].refunded = True

    def _bought(self, lot_id: str, size: int, price: int, starts_at: datetime, ends_at: datetime) -> None:
        self.packages[lot_id] = NaivePackage(lot_id, starts_at, ends_at, takes_over=False, holds=[lot_id])
        self.lots[lot_id] = NaiveLot(lot_id, size, price, starts_at, [ends_at])

    def _carry(self, lot: NaiveLot, package: NaivePackage, heir: NaivePackage) -> None:
        package.holds = [lot_id for lot_id in package.holds if lot_id != lot.lot_id]
        heir.holds = [*heir.holds, lot.lot_id]
        heir.expired = lot.expired = False
        lot.ends.append(heir.ends_at)

    def _read_closing(self, event: ClosingFacts) -> None:
        order, owed, kept = sum(self.closed_times.values()), event.owed_minutes, list[Took]()
        if isinstance(event, TaskCorrected) and event.only_difference:
            standing = self.closings[event.task_id]
            order, owed = standing.order, owed + standing.owed
            kept = [Took(part[0] or "", *part[1:]) for part in map(fields, event.taken_over)]
        self.closed_times[event.task_id] = event.closure
        self.plans.pop(event.task_id, None)
        given = max(event.closed_at, event.confirmed_at)
        work = (event.worked_minutes, event.charged_minutes, owed)
        self.closings[event.task_id] = NaiveClosing(event.closure, event.effective_at, given, order, *work, kept)
        for draw in event.draws:
            self._took(event.task_id, draw, draw.effective_at or event.effective_at, settled=False)
        self.owed.append((event.effective_at, event.owed_minutes))

    def _took(self, task_id: str, part: DebtSettled | Draw, at: datetime, *, settled: bool) -> None:
        self.lots[part.lot_id].moves.append(Move(at, part.minutes, part.amount_kopecks))
        took = Took(part.lot_id, part.minutes, part.amount_kopecks, at, settled, part.released)
        self.closings[task_id].took.append(took)

    def _owes(self, task_id: str, at: datetime, minutes: int) -> None:
        self.closings[task_id].owed += minutes
        self.owed.append((at, minutes))

    def _read_reversal(self, event: Reversal) -> None:
        self._give_back(event)
        standing = self.closings.pop(event.task_id, None)
        if isinstance(event, WarrantyMarked):
            self.warranty.add(event.task_id)
            self.plans |= dict.fromkeys(self.plans.keys() & {event.task_id}, 0)
            if standing:
                self.closings[event.task_id] = replace(standing, charged=0, took=[], reversed=True)

    def _give_back(self, event: Reversal | TaskCorrected) -> None:
        back = [(part.lot_id, part.minutes, part.amount_kopecks, part.effective_at, part.settlement)
                for part in event.returned]  # fmt: skip
        made_up = event.compensation and tuple(event.compensation.model_dump().values())
        self.give_back(event.task_id, event.undone_at, back, event.cancelled_owed_minutes, made_up)

    def give_back(
        self, task_id: str, at: datetime, returned: Iterable[tuple], cancelled: int, made_up: tuple | None
    ) -> None:
        """What a closing that took effect then took goes back (rules 8.1, 8.2)."""
        for lot_id, minutes, kopecks, when, settled in returned:
            self.lots[lot_id].moves.append(Move(when, -minutes, -kopecks))
            if settled:
                self.owed += [(when, minutes), (at, -minutes)]
        self.owed.append((at, -cancelled))
        if cancelled:
            self.closings[task_id].owed -= cancelled
        if made_up:
            self._bought(*made_up)


def fields(part: TakenOver) -> tuple:
    """The fields of `Took`."""
    return (part.lot_id, part.minutes, part.amount_kopecks, part.effective_at, part.settlement, part.released)


def _figures(event: Event) -> Iterator[Figures]:
    """What it says of closings, a row for each thing it says: rule 10.3."""
    match event:
        case TaskClosed():
            yield Figures(event.task_id, event.closure, event.worked_minutes, event.charged_minutes, 0)
            for draw in event.draws:
                yield Figures(event.task_id, event.closure, 0, 0, draw.amount_kopecks)
        case TaskCorrected():
            work = (event.worked_minutes, event.charged_minutes, event.amount_kopecks)
            yield Figures(event.task_id, event.closure, *work)
        case DebtSettled():
            yield Figures(event.task_id, event.closure, 0, 0, event.amount_kopecks)
        case DebtPaid():
            for part in event.payments:
                yield Figures(part.task_id, part.closure, 0, 0, part.amount_kopecks)
        case Reversal() if event.closure:
            yield Figures(event.task_id, event.closure, -event.worked_minutes, -event.charged_minutes, 0)
            for lost in [*event.returned, *filter(None, [event.compensation])]:
                yield Figures(event.task_id, event.closure, 0, 0, -lost.amount_kopecks)
        case _:
            pass


def month_before(month: str) -> str:
    year, number = divmod(int(month[:4]) * 12 + int(month[5:]) - 2, 12)
    return f"{year}-{number + 1:02}"
