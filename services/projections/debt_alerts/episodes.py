"""Changes of alerts that are delivered: durable, numbered, each recorded once, and none again in a replay."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import uuid4

from asyncpg import Connection, Pool, Record

from contracts.alerts import Alert, AlertChange
from contracts.placement import log_of
from services.projections.debt_alerts.sentences import sentence
from services.projections.debt_alerts.watch import Change
from services.projections.following.logged import Logged
from services.projections.rows import insert

BEGIN = """
    INSERT INTO projections.alert_frontier (log, position, began_position, began_at)
    SELECT n - 1, head, head, $2 FROM unnest($1::bigint[]) WITH ORDINALITY AS log (head, n)
    ON CONFLICT DO NOTHING
"""

FRONTIERS = "SELECT position, began_position, began_at FROM projections.alert_frontier ORDER BY log"

LOCK_FRONTIER = "SELECT position FROM projections.alert_frontier WHERE log = $1 FOR UPDATE"

ADVANCE = "UPDATE projections.alert_frontier SET position = $2 WHERE log = $1"

GO_BACK = """
    UPDATE projections.alert_frontier AS frontier SET position = least(frontier.position, there.position)
    FROM unnest($1::bigint[]) WITH ORDINALITY AS there (position, n) WHERE frontier.log = n - 1
"""

LOCK_NUMBERING = "SELECT number FROM projections.alert_numbering FOR UPDATE"

NUMBERED = "UPDATE projections.alert_numbering SET number = $1"

NEW = """
    SELECT n FROM unnest($1::text[], $2::text[], $3::integer[], $4::integer[], $5::timestamptz[])
        WITH ORDINALITY AS new (account_id, kind, episode, change, at, n)
    WHERE NOT EXISTS (
        SELECT FROM projections.alert_change AS known
        WHERE (known.account_id, known.kind, known.episode, known.change, known.at)
            = (new.account_id, new.kind, new.episode, new.change, new.at)
    )
    ORDER BY n
"""

RECORD = """
    INSERT INTO projections.alert_change (number, id, account_id, kind, episode, change, at, type, payload)
    SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::text[], $4::text[], $5::integer[], $6::integer[],
                         $7::timestamptz[], $8::text[], $9::json[])
"""


class NotBegun(ConnectionError):
    """The alerts have not begun: no worker has asked the ledger yet where its logs end."""


async def have_begun(database: Pool | Connection) -> bool:
    """Whether it is fixed after which positions changes are delivered."""
    return bool(await database.fetch(FRONTIERS))


async def begin(database: Pool, heads: Sequence[int], now: datetime) -> None:
    """Deliver changes from now on; those of events before the logs' present ends never. Only the first call counts."""
    await database.execute(BEGIN, heads, now)


async def record_changes(connection: Connection, changes: Iterable[tuple[int, Change]], last: Logged) -> None:
    """Record what events of a log up to `last` changed, each with its position; NotBegun before `begin`."""
    frontiers = await connection.fetch(FRONTIERS)
    if not frontiers:
        raise NotBegun(NotBegun.__doc__)
    log = log_of(last.recorded.account_id, len(frontiers))
    if last.position > frontiers[log]["position"]:
        frontier = await connection.fetchval(LOCK_FRONTIER, log)
        await _record(connection, [change for position, change in changes if position > frontier])
        await connection.execute(ADVANCE, log, max(frontier, last.position))


async def deliver_again_after(database: Pool, positions: Sequence[int]) -> None:
    """Record the changes of events after these positions of the logs, which have forgotten others that stood there."""
    await database.execute(GO_BACK, positions)


async def record_changes_by_time(connection: Connection, changes: list[Change]) -> None:
    """Record what time alone has changed since the alerts began."""
    frontiers = await connection.fetch(FRONTIERS) if changes else []
    await _record(connection, [change for change in changes if _is_delivered(change, frontiers)])


def _is_delivered(change: Change, frontiers: Sequence[Record]) -> bool:
    began = frontiers[log_of(change.watched.account_id, len(frontiers))]
    return change.watched.position > began["began_position"] or change.episode.updated_at > began["began_at"]


async def _record(connection: Connection, changes: list[Change]) -> None:
    """Number the changes that are new, and keep them."""
    if not changes:
        return
    last = await connection.fetchval(LOCK_NUMBERING)
    keys = [
        (
            change.watched.account_id,
            change.kind,
            change.episode.number,
            change.episode.changes,
            change.episode.updated_at,
        )
        for change in changes
    ]
    new = [row["n"] - 1 for row in await connection.fetch(NEW, *zip(*keys, strict=True))]
    rows: list[tuple[object, ...]] = []
    for number, n in enumerate(new, last + 1):
        made = _numbered(changes[n], number)
        rows.append((number, made.id, *keys[n], made.type, made.model_dump_json()))
    await insert(connection, RECORD, rows)
    await connection.execute(NUMBERED, last + len(rows))


def _numbered(change: Change, number: int) -> AlertChange:
    watched, episode = change.watched, change.episode
    alert = Alert(
        account_id=watched.account_id,
        customer_name=watched.customer_name,
        kind=change.kind,
        episode=episode.number,
        opened_at=episode.opened_at,
        updated_at=episode.updated_at,
        closed_at=episode.closed_at,
        position=watched.position,
        details=episode.details,
        text=sentence(change.kind, episode.details, episode.closed_at),
    )
    return AlertChange(id=uuid4(), number=number, type=change.type, timestamp=episode.updated_at, data=alert)
