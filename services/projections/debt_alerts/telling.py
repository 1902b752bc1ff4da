"""What is told to others about alerts: durable, numbered, each change once, and nothing that a replay makes again."""

from collections.abc import Iterable
from datetime import datetime
from uuid import uuid4

from asyncpg import Connection, Pool, Record

from contracts.alerts import Alert, AlertChange
from services.projections.debt_alerts.sentences import sentence
from services.projections.debt_alerts.watch import Change
from services.projections.rows import insert

BEGIN = """
    INSERT INTO projections.alert_frontier (position, began_position, began_at) VALUES ($1, $1, $2)
    ON CONFLICT DO NOTHING
"""

FRONTIER = "SELECT position, number, began_position, began_at FROM projections.alert_frontier"

ADVANCE = "UPDATE projections.alert_frontier SET position = greatest(position, $1), number = $2"

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
    """The alerts have not begun: the ledger has not said yet where its log ends."""


async def has_begun(database: Pool | Connection) -> bool:
    """Whether it is settled from where on changes are told."""
    return await database.fetchrow(FRONTIER) is not None


async def begin(database: Pool, head: int, now: datetime) -> None:
    """Changes are told from now on; what lies before the log's present end is silent. Only the first call counts."""
    await database.execute(BEGIN, head, now)


async def tell_of_events(connection: Connection, changes: Iterable[tuple[int, Change]], last: int) -> None:
    """Tell what events up to the position `last` have changed, each with the event's; NotBegun before `begin`."""
    frontier = await connection.fetchrow(FRONTIER)
    if frontier is None:
        raise NotBegun(NotBegun.__doc__)
    if last > frontier["position"]:
        frontier = await connection.fetchrow(f"{FRONTIER} FOR UPDATE")
        loud = [change for position, change in changes if position > frontier["position"]]
        await _tell(connection, frontier, loud, last)


async def tell_of_time(connection: Connection, changes: list[Change]) -> None:
    """Tell what time alone has changed since the alerts began."""
    if not changes:
        return
    frontier = await connection.fetchrow(f"{FRONTIER} FOR UPDATE")
    began = (frontier["began_position"], frontier["began_at"])
    loud = [change for change in changes if change.watched.position > began[0] or change.episode.updated_at > began[1]]
    await _tell(connection, frontier, loud, frontier["position"])


async def _tell(connection: Connection, frontier: Record, changes: list[Change], position: int) -> None:
    """Number what was not told before, and write it down; the frontier is locked."""
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
    untold = [row["n"] - 1 for row in await connection.fetch(UNTOLD, *zip(*keys, strict=True))] if keys else []
    rows: list[tuple[object, ...]] = []
    for number, n in enumerate(untold, frontier["number"] + 1):
        told = _told(changes[n], number)
        rows.append((number, told.id, *keys[n], told.type, told.model_dump_json()))
    await insert(connection, TELL, rows)
    await connection.execute(ADVANCE, position, frontier["number"] + len(rows))


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
