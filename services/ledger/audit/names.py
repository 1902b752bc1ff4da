"""The names that stand beside a log: each is the one that its event holds a commitment to, or was erased on record."""

from collections.abc import Iterable, Sequence

from services.ledger.event_store.commitments import commitments_in, stands_for
from services.ledger.event_store.database import Database
from services.ledger.event_store.stored_event import StoredEvent

_NAMES = "SELECT position, commitment, salt, text FROM ledger.personal WHERE log_id = $1 AND position BETWEEN $2 AND $3"
_ERASED = """
    SELECT account_id, commitment FROM ledger.erasure, unnest(commitments) AS commitment
    WHERE log_id = $1 AND account_id = ANY ($2) AND commitment = ANY ($3)
"""


async def wrong_names(database: Database, log_id: int, events: Sequence[StoredEvent]) -> list[str]:
    """What is wrong with the names of consecutive events, a sentence each."""
    if not events:
        return []
    first, last = events[0].position, events[-1].position
    named = {(event.position, name): event for event in events for name in commitments_in(event.type, event.data)}
    faults: list[str] = []
    for row in await database.rows(_NAMES, log_id, first, last):
        if named.pop((row["position"], row["commitment"]), None) is None:
            faults.append(f"a name stands beside event {row['position']}, which holds no commitment to it")
        elif not stands_for(row["commitment"], row["salt"], row["text"]):
            faults.append(f"a name beside event {row['position']} is not the one that was recorded")
    # After the names: an erasure deletes them and is recorded in one transaction.
    return faults + await _missing(database, log_id, [(event, name) for (_, name), event in named.items()])


async def _missing(database: Database, log_id: int, without: Iterable[tuple[StoredEvent, str]]) -> list[str]:
    absent = {(event.account_id, name): event.position for event, name in without}
    if not absent:
        return []
    accounts, names = map(list, zip(*absent, strict=True))
    erased = {tuple(row) for row in await database.rows(_ERASED, log_id, accounts, names)}
    return [
        f"a name that event {position} holds a commitment to is gone, and no erasure was recorded"
        for key, position in sorted(absent.items(), key=lambda item: item[1] or 0)
        if key not in erased
    ]
