"""One account as the alerts watch it: its events are folded one by one, and time passes between them.

What alerts there are follows from the events, in order, and their `recorded_at` alone: not from how events are batched,
nor from how often somebody looks whether it is time.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import NamedTuple

from contracts.alerts import AlertDetails, AlertKind
from contracts.events import (
    AccountOpened,
    CustomerChanged,
    Event,
    PackagePurchased,
    PlanDropped,
    TaskClosed,
    TaskPlanned,
    WarrantyMarked,
    WorkResumed,
    WorkSuspended,
)
from contracts.quantities import Instant
from contracts.read_models import ReadModel
from services.projections.balances.holders import Tenure, holders, tenures
from services.projections.balances.movements import OWED, Movement, movements
from services.projections.following.logged import CannotApply, Logged

DEFAULT_LOW_BALANCE_PERCENT = 10
DEFAULT_EXPIRING_DAYS = 14
"""What purchases meant that do not say it themselves: they were recorded before events carried it."""


class Terms(ReadModel):
    """From when on the customer is warned, by the last purchase."""

    purchased_at: Instant
    low_balance_minutes: int
    expiring_days: int


class WatchedLot(ReadModel):
    """What is left in a lot and the money paid for it; `ends_at` follows the successors known (rule 7.5)."""

    ends_at: Instant
    expiring_days: int
    minutes: int = 0
    amount_kopecks: int = 0

    @property
    def warned_at(self) -> datetime:
        """From then on its hours are about to expire."""
        return self.ends_at - timedelta(days=self.expiring_days)

    def moved(self, movement: Movement) -> "WatchedLot":
        """The lot after it gained or gave."""
        left = {
            "minutes": self.minutes + movement.minutes,
            "amount_kopecks": self.amount_kopecks + movement.amount_kopecks,
        }
        return self.model_copy(update=left)


class Episode(ReadModel):
    """The last episode of a kind: which one, how often it has changed, and what it said last."""

    number: int
    changes: int
    opened_at: Instant
    updated_at: Instant
    closed_at: Instant | None
    details: AlertDetails


class Watched(ReadModel):
    """The account at `as_of`, after the event at `position`.

    `customer_name` is in force from the day `named_on` on (rule 16.1); `plans` is the time planned by task (rule 15.2).
    """

    account_id: str
    customer_name: str
    named_on: date = date.min
    as_of: Instant
    position: int
    owed_minutes: int = 0
    suspended: str | None = None
    terms: Terms | None = None
    lots: Mapping[str, WatchedLot] = {}
    tenures: tuple[Tenure, ...] = ()
    plans: Mapping[str, int] = {}
    episodes: Mapping[AlertKind, Episode] = {}

    @property
    def alive(self) -> list[WatchedLot]:
        """Lots with something left that have not ended (rule 7.5)."""
        return [lot for lot in self.lots.values() if lot.minutes and lot.ends_at > self.as_of]

    @property
    def next_at(self) -> datetime | None:
        """When time alone may open, update or close an alert next: hours come near their end, or are gone."""
        times = (time for lot in self.alive for time in (lot.warned_at, lot.ends_at) if time > self.as_of)
        return min(times, default=None)


class Change(NamedTuple):
    """An alert was opened, updated or closed; `watched` is the account then."""

    kind: AlertKind
    type: str
    watched: Watched

    @property
    def episode(self) -> Episode:
        """The episode after the change."""
        return self.watched.episodes[self.kind]


def conditions(watched: Watched) -> dict[AlertKind, AlertDetails]:
    """The conditions that hold (rule 13), and what is to be said of each. Below zero there is debt, not low balance."""
    found: dict[AlertKind, AlertDetails] = {}
    balance = sum(lot.minutes for lot in watched.alive) - watched.owed_minutes
    if balance < 0:
        found["debt"] = AlertDetails(balance_minutes=balance)
    elif watched.terms and balance <= watched.terms.low_balance_minutes:
        threshold = watched.terms.low_balance_minutes
        found["low_balance"] = AlertDetails(balance_minutes=balance, threshold_minutes=threshold)
    planned = sum(watched.plans.values())
    if 0 <= balance < planned:
        found["overplanned"] = AlertDetails(
            balance_minutes=balance, planned_minutes=planned, available_minutes=balance - planned
        )
    if soon := [lot for lot in watched.alive if lot.warned_at <= watched.as_of]:
        found["expiring"] = AlertDetails(
            minutes_at_risk=sum(lot.minutes for lot in soon),
            amount_kopecks_at_risk=sum(lot.amount_kopecks for lot in soon),
            ends_at=min(lot.ends_at for lot in soon),
        )
    if watched.suspended is not None:
        found["suspended"] = AlertDetails(reason=watched.suspended)
    return found


def after(watched: Watched | None, logged: Logged) -> tuple[Watched, list[Change]]:
    """The account after an event, time having passed up to its recording; CannotApply if it was never opened."""
    recorded, event = logged
    if isinstance(event, AccountOpened):
        as_of, name = recorded.recorded_at, event.customer_name
        watched = Watched(account_id=recorded.account_id, customer_name=name, as_of=as_of, position=logged.position)
    if watched is None:
        raise CannotApply(f"it is about the account {recorded.account_id}, which was never opened")
    watched, changes = at(watched, recorded.recorded_at)
    watched = _folded(watched, event).model_copy(update={"position": logged.position})
    watched, more = _judged(watched)
    return watched, changes + more


def at(watched: Watched, instant: datetime) -> tuple[Watched, list[Change]]:
    """The account at a later instant; what time alone has changed until then, each at its own moment."""
    changes: list[Change] = []
    while (time := watched.next_at) and time <= instant:
        watched, more = _judged(watched.model_copy(update={"as_of": time}))
        changes += more
    return watched.model_copy(update={"as_of": max(watched.as_of, instant)}), changes


def _folded(watched: Watched, event: Event) -> Watched:
    """What the event says about hours, debt, ends, suspension, plans and the customer's name."""
    watched = _planned(_named(watched, event), event)
    if isinstance(event, PackagePurchased):
        watched = watched.model_copy(update={"terms": _terms(watched.terms, event)})
    if facts := tenures(event):
        watched = _held(watched, event, facts)
    lots, owed = dict(watched.lots), watched.owed_minutes
    for movement in movements(event):
        if movement.lot_id is OWED:
            owed += movement.minutes
        elif lot := lots.get(movement.lot_id):
            lots[movement.lot_id] = lot.moved(movement)
        else:
            raise CannotApply(f"it is about the lot {movement.lot_id}, which was never opened")
    changed: dict[str, object] = {"lots": lots, "owed_minutes": owed}
    if isinstance(event, WorkSuspended | WorkResumed):
        changed["suspended"] = event.reason if isinstance(event, WorkSuspended) else None
    return watched.model_copy(update=changed)


def _named(watched: Watched, event: Event) -> Watched:
    """The name that holds from the latest day on; of one day, the one recorded last."""
    if not isinstance(event, CustomerChanged) or event.customer_name is None or event.effective_on < watched.named_on:
        return watched
    return watched.model_copy(update={"customer_name": event.customer_name, "named_on": event.effective_on})


def _planned(watched: Watched, event: Event) -> Watched:
    """A closing ends the plan; one of a task marked as warranty counts nothing (rule 15.2)."""
    plans = dict(watched.plans)
    match event:
        case TaskPlanned():
            plans[event.task_id] = event.planned_minutes
        case WarrantyMarked() if event.task_id in plans:
            plans[event.task_id] = 0
        case PlanDropped() | TaskClosed():
            plans.pop(event.task_id, None)
        case _:
            return watched
    return watched.model_copy(update={"plans": plans})


def _terms(known: Terms | None, event: PackagePurchased) -> Terms:
    """Those of the purchase that took effect last, in whatever order they were recorded."""
    if known and event.effective_at < known.purchased_at:
        return known
    low = event.low_balance_minutes
    return Terms(
        purchased_at=event.effective_at,
        low_balance_minutes=event.minutes * DEFAULT_LOW_BALANCE_PERCENT // 100 if low is None else low,
        expiring_days=event.expiring_days or DEFAULT_EXPIRING_DAYS,
    )


def _held(watched: Watched, event: Event, facts: list[Tenure]) -> Watched:
    """The ends of lots, by which package holds them; a compensation has the terms of the last purchase."""
    known = (*watched.tenures, *facts)
    days = watched.terms.expiring_days if watched.terms else DEFAULT_EXPIRING_DAYS
    if isinstance(event, PackagePurchased):
        days = event.expiring_days or DEFAULT_EXPIRING_DAYS
    lots: dict[str, WatchedLot] = {}
    for lot_id, chain in holders(known).items():
        ends_at = chain[-1].ends_at
        lot = watched.lots.get(lot_id)
        lots[lot_id] = (
            lot.model_copy(update={"ends_at": ends_at}) if lot else WatchedLot(ends_at=ends_at, expiring_days=days)
        )
    return watched.model_copy(update={"tenures": known, "lots": lots})


def _judged(watched: Watched) -> tuple[Watched, list[Change]]:
    """The account with its alerts opened, updated and closed as the conditions now are: only an edge changes any."""
    hold = conditions(watched)
    changed = {
        kind: change
        for kind in sorted({*hold, *watched.episodes})
        if (change := _changed(watched.episodes.get(kind), hold.get(kind), watched.as_of, _last_words(kind, hold)))
    }
    if not changed:
        return watched, []
    episodes = {kind: episode for kind, (_, episode) in changed.items()}
    watched = watched.model_copy(update={"episodes": {**watched.episodes, **episodes}})
    return watched, [Change(kind, type_, watched) for kind, (type_, _) in changed.items()]


def _last_words(kind: AlertKind, hold: Mapping[AlertKind, AlertDetails]) -> dict[str, object]:
    """What a closed alert says beside what it said last: one of a balance that became debt, the balance."""
    became_debt = kind in ("low_balance", "overplanned") and "debt" in hold
    return {"balance_minutes": hold["debt"].balance_minutes} if became_debt else {}


def _changed(
    last: Episode | None, details: AlertDetails | None, now: datetime, last_words: Mapping[str, object]
) -> tuple[str, Episode] | None:
    """A kind's last episode changed, or its next one opened; `details` are absent while the condition does not hold."""
    if last is None or last.closed_at:
        number = last.number + 1 if last else 1
        opened = {"number": number, "changes": 1, "opened_at": now, "updated_at": now, "closed_at": None}
        return ("alert.opened", Episode(**opened, details=details)) if details else None
    if details == last.details:
        return None
    later = {"updated_at": now, "changes": last.changes + 1}
    if details:
        return "alert.updated", last.model_copy(update={**later, "details": details})
    closed = {"closed_at": now, "details": last.details.model_copy(update=last_words)}
    return "alert.closed", last.model_copy(update={**later, **closed})
