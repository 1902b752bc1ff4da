"""What is told to others about alerts: durable, numbered, each change once, and nothing that a replay makes again."""

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

LOCK_NUMBERING = "SELECT number FROM projections.alert_numbering FOR UPDATE"

NUMBERED = "UPDATE projections.alert_numbering SET number = $1"

UNTOLD = """
    SELECT n FROM unnest($1::text[], $2::text[], $3::integer[], $4::integer[], $5::timestamptz[])
        WITH ORDINALITY AS new (account_id, kind, episode, change, at, n)
    WHERE NOT EXISTS (
        SELECT FROM projections.alert_change AS told
        WHERE (told.account_id, told.kind, told.episode, told.change, told.at)
            = (new.account_id, new.kind, new.episode, new.change, new.at)
    )
    ORDER BY n
"""

TELL = """
    INSERT INTO projections.alert_change (number, id, account_id, kind, episode, change, at, type, payload)
    SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::text[], $4::text[], $5::integer[], $6::integer[],
                         $7::timestamptz[], $8::text[], $9::json[])
"""


class NotBegun(ConnectionError):
    """The alerts have not begun: the ledger has not said yet where its logs end."""


async def has_begun(database: Pool | Connection) -> bool:
    """Whether it is settled from where on changes are told."""
    return bool(await database.fetch(FRONTIERS))


async def begin(database: Pool, heads: Sequence[int], now: datetime) -> None:
    """Changes are told from now on; what lies before the logs' present ends is silent. Only the first call counts."""
    await database.execute(BEGIN, heads, now)


async def tell_of_events(connection: Connection, changes: Iterable[tuple[int, Change]], last: Logged) -> None:
    """Tell what events of a log up to that one have changed, each with its position; NotBegun before `begin`."""
    frontiers = await connection.fetch(FRONTIERS)
    if not frontiers:
        raise NotBegun(NotBegun.__doc__)
    log = log_of(last.recorded.account_id, len(frontiers))
    if last.position > frontiers[log]["position"]:
        told = await connection.fetchval(LOCK_FRONTIER, log)
        await _tell(connection, [change for position, change in changes if position > told])
        await connection.execute(ADVANCE, log, max(told, last.position))


async def tell_of_time(connection: Connection, changes: list[Change]) -> None:
    """Tell what time alone has changed since the alerts began."""
    frontiers = await connection.fetch(FRONTIERS) if changes else []
    await _tell(connection, [change for change in changes if _is_loud(change, frontiers)])


def _is_loud(change: Change, frontiers: Sequence[Record]) -> bool:
    began = frontiers[log_of(change.watched.account_id, len(frontiers))]
    return change.watched.position > began["began_position"] or change.episode.updated_at > began["began_at"]


async def _tell(connection: Connection, changes: list[Change]) -> None:
    """Number what was not told before, and write it down."""
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
    untold = [row["n"] - 1 for row in await connection.fetch(UNTOLD, *zip(*keys, strict=True))]
    rows: list[tuple[object, ...]] = []
    for number, n in enumerate(untold, last + 1):
        told = _told(changes[n], number)
        rows.append((number, told.id, *keys[n], told.type, told.model_dump_json()))
    await insert(connection, TELL, rows)
    await connection.execute(NUMBERED, last + len(rows))


def _told(change: Change, number: int) -> AlertChange:
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
