"""A balance worked out from the events alone, without any projection (rule 12)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from contracts.envelope import RecordedEvent
from contracts.events import (
    ClosingFacts,
    DebtPaid,
    DebtSettled,
    Event,
    PackagePurchased,
    PackageRefunded,
    Reversal,
    TaskCorrected,
    WorkResumed,
    WorkSuspended,
)
from contracts.quantities import KnownAt, decimal_hours
from contracts.read_models import BalanceView, LotView
from services.ledger.domain.account import Account, due, evolve, fold
from services.ledger.domain.lots import Lot
from services.ledger.event_store.known_account import AccountUnreadable, require_next
from services.ledger.event_store.stored_event import StoredEvent

OWED = None
"""Stands for the debt where a lot's id would."""


def replay(account_id: str, recorded: Iterable[RecordedEvent], as_of: datetime, known_at: KnownAt) -> BalanceView:
    """What the balance was at `as_of`, by the events recorded up to `known_at`.

    What is due by `as_of` counts as recorded (rule 7.5); plans stand by the instant of recording alone (15.2).
    `recorded` is the account's whole stream, in order.
    """
    account = Account(account_id)
    minutes: defaultdict[str | None, int] = defaultdict(int)
    purchases: dict[str, PackagePurchased] = {}
    position, suspended, planned = 0, False, 0
    for line in recorded:
        if not known(line, known_at):
            break
        event = line.event()
        account, position = evolve(account, event), line.position or position
        if line.recorded_at <= as_of:
            planned = account.planned_minutes
        for lot_id, moved, at in movements(event):
            minutes[lot_id] += moved if at <= as_of else 0
        if isinstance(event, PackagePurchased):
            purchases[event.package_id] = event
        if isinstance(event, WorkSuspended | WorkResumed) and event.effective_at <= as_of:
            suspended = isinstance(event, WorkSuspended)
    account = fold(account, due(account, as_of))

    lots = alive(account, minutes, as_of)
    held, owed = sum(minutes[lot.lot_id] for lot in lots), minutes[OWED]
    return BalanceView(
        account_id=account_id,
        as_of=as_of,
        known_at=known_at,
        position=position,
        balance_minutes=held - owed,
        balance_hours=decimal_hours(held - owed),
        held_minutes=held,
        owed_minutes=owed,
        planned_minutes=planned,
        available_minutes=held - owed - planned,
        suspended=suspended,
        lots=tuple(
            _view(lot, minutes[lot.lot_id], purchases.get(lot.lot_id), as_of)
            for lot in sorted(lots, key=lambda lot: lot.priority(as_of))
        ),
    )


def replay_stored(account_id: str, events: Sequence[StoredEvent], as_of: datetime, known_at: KnownAt) -> BalanceView:
    """As `replay`, of the events as they are stored; AccountUnreadable where one does not fit those before it."""
    version = 0

    def lines() -> Iterator[RecordedEvent]:
        nonlocal version
        for event in events:
            before, version = version, event.version
            require_next(before, event)
            yield event.recorded()

    try:
        return replay(account_id, lines(), as_of, known_at)
    except Exception as failure:
        raise AccountUnreadable(account_id, version) from failure


def alive(account: Account, minutes: Mapping[str | None, int], as_of: datetime) -> list[Lot]:
    """The lots that have hours then; `account` with everything due by then."""
    return [lot for lot in account.lots.values() if as_of < lot.ends_at and minutes[lot.lot_id]]


def known(line: RecordedEvent, known_at: KnownAt) -> bool:
    """Whether the event was recorded by then (rule 12)."""
    if isinstance(known_at, datetime):
        return line.recorded_at <= known_at
    return known_at is None or line.position is None or line.position <= known_at


def movements(event: Event) -> Iterator[tuple[str | None, int, datetime]]:
    """Signed minutes on a lot, or on the debt, and when they count."""
    at = event.effective_at
    match event:
        case PackagePurchased():
            yield event.package_id, event.minutes, at
        case PackageRefunded():
            yield event.lot_id, -event.refunded_minutes, at
        case ClosingFacts():
            if isinstance(event, TaskCorrected):
                yield from _undone(event)
            yield from ((draw.lot_id, -draw.minutes, draw.effective_at or at) for draw in event.draws)
            yield OWED, event.owed_minutes, at
        case DebtSettled():
            yield from ((event.lot_id, -event.minutes, at), (OWED, -event.minutes, at))
        case DebtPaid():
            yield OWED, -event.minutes, at
        case Reversal():
            yield from _undone(event)
        case _:
            pass


def _undone(event: Reversal | TaskCorrected) -> Iterator[tuple[str | None, int, datetime]]:
    """A settlement that went back is undone on both sides: where it settled, and where the debt arose (rule 8.1)."""
    for back in event.returned:
        yield back.lot_id, back.minutes, back.effective_at
        if back.settlement:
            yield from ((OWED, back.minutes, back.effective_at), (OWED, -back.minutes, event.undone_at))
    yield OWED, -event.cancelled_owed_minutes, event.undone_at
    if event.compensation:
        yield event.compensation.package_id, event.compensation.minutes, event.compensation.starts_at


def _view(lot: Lot, remaining: int, purchase: PackagePurchased | None, as_of: datetime) -> LotView:
    holder = lot.holder_at(as_of)
    return LotView(
        lot_id=lot.lot_id,
        package_id=holder.package_id,
        plan=purchase.plan if purchase else None,
        remaining_minutes=remaining,
        size_minutes=lot.size_minutes,
        price_kopecks=lot.price_kopecks,
        agreed=purchase.agreed if purchase else None,
        starts_at=lot.starts_at,
        ends_at=holder.ends_at,
    )
