"""Balances of one account at several instants, by one walk through its events: what projections are compared with."""

from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from services.ledger.audit.replay import OWED, alive, movements
from services.ledger.domain.account import Account, due, evolve, fold
from services.ledger.event_store.known_account import AccountUnreadable, require_next
from services.ledger.event_store.store import COLUMNS, EventStore
from services.ledger.event_store.stored_event import StoredEvent

PAGE_EVENTS = 2000

_BY_ACCOUNT = f"""
    SELECT {COLUMNS} FROM ledger.event WHERE log_id = $1 AND (account_id, version) > ($2, $3) AND position <= $4
    ORDER BY account_id, version LIMIT $5
"""  # noqa: S608 - nothing in it comes from outside


class Holdings(NamedTuple):
    """What an account holds and owes, in minutes."""

    held: int
    owed: int


class Replayed(NamedTuple):
    """An account as its events state it."""

    at: tuple[Holdings, ...]
    """At each of the instants asked, what is due by then included (rule 7.5)."""
    booked_minutes: int
    """The balance by what is recorded alone: what all months' reports add up to."""


def replayed(account_id: str, events: Iterable[StoredEvent], instants: Sequence[datetime]) -> Replayed:
    """The account's balances; `events` is its stream, in order, as far as it is to be known.

    AccountUnreadable where an event does not fit those before it.
    """
    account, version = Account(account_id), 0
    minutes: list[defaultdict[str | None, int]] = [defaultdict(int) for _ in instants]
    try:
        for stored in events:
            before, version = version, stored.version
            require_next(before, stored)
            event = stored.event()
            account = evolve(account, event)
            for lot_id, moved, at in movements(event):
                for sums, as_of in zip(minutes, instants, strict=True):
                    if at <= as_of:
                        sums[lot_id] += moved
        holdings = [_holdings(account, sums, as_of) for sums, as_of in zip(minutes, instants, strict=True)]
    except Exception as failure:
        raise AccountUnreadable(account_id, version) from failure
    return Replayed(tuple(holdings), account.balance_minutes)


def _holdings(account: Account, minutes: Mapping[str | None, int], as_of: datetime) -> Holdings:
    lots = alive(fold(account, due(account, as_of)), minutes, as_of)
    return Holdings(sum(minutes[lot.lot_id] for lot in lots), minutes[OWED])


async def streams(
    store: EventStore, log_id: int, until: int, account_ids: Collection[str] | None
) -> AsyncIterator[tuple[str, list[StoredEvent]]]:
    """Accounts, all of a log or some, each with its events up to a position; one account at a time is held whole."""
    if account_ids is not None:
        for account_id in account_ids:
            yield account_id, [event async for event in _stream(store, log_id, account_id, until)]
        return
    stream: list[StoredEvent] = []
    last = ("", 0)
    while rows := await store.readers.rows(_BY_ACCOUNT, log_id, *last, until, PAGE_EVENTS):
        for event in (StoredEvent(*row) for row in rows):
            if stream and stream[0].account_id != event.account_id:
                yield stream[0].account_id, stream
                stream = []
            stream.append(event)
        last = (stream[-1].account_id, stream[-1].version)
    if stream:
        yield stream[0].account_id, stream


async def _stream(store: EventStore, log_id: int, account_id: str, until: int) -> AsyncIterator[StoredEvent]:
    version = 0
    while page := await store.account_page(log_id, account_id, version, PAGE_EVENTS):
        for event in page:
            if (event.position or 0) > until:
                return
            yield event
        version = page[-1].version
