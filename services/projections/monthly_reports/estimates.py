"""What tasks were expected to take, for the lines of those that were planned (rule 15.3)."""

from collections.abc import Mapping, Sequence

from asyncpg import Connection

from contracts.events import ClosingFacts, PlanDropped, TaskClosed, TaskCorrected, TaskPlanned
from services.projections.following.logged import Logged, of_types
from services.projections.rows import insert

KNOWN = """
    SELECT account_id, task_id, estimated_minutes FROM report_plan
    WHERE (account_id, task_id) IN (SELECT * FROM unnest($1::text[], $2::text[]))
"""

KEEP = """
    INSERT INTO report_plan (account_id, task_id, estimated_minutes)
    SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[])
    ON CONFLICT (account_id, task_id) DO UPDATE SET estimated_minutes = excluded.estimated_minutes
"""

DROP = "DELETE FROM report_plan WHERE (account_id, task_id) IN (SELECT * FROM unnest($1::text[], $2::text[]))"


async def estimates(connection: Connection, batch: Sequence[Logged]) -> Mapping[int, int]:
    """Keep the plans of a batch of events; the estimates of its closings, by position, where the task was planned.

    A plan that a closing has ended stays what the task was expected to take, also where it is closed again.
    """
    told = of_types(batch, TaskPlanned, PlanDropped, TaskClosed, TaskCorrected)
    if not told:
        return {}
    asked = zip(*((logged.recorded.account_id, logged.event.task_id) for logged in told), strict=True)
    rows = await connection.fetch(KNOWN, *asked)
    known = {(account_id, task_id): minutes for account_id, task_id, minutes in rows}
    changed: dict[tuple[str, str], int | None] = {}
    found: dict[int, int] = {}
    for logged in told:
        recorded, event = logged
        task = (recorded.account_id, event.task_id)
        if not isinstance(event, ClosingFacts):
            changed[task] = event.estimated_minutes if isinstance(event, TaskPlanned) else None
        elif (estimate := changed[task] if task in changed else known.get(task)) is not None:
            found[logged.position] = estimate
    await insert(connection, KEEP, [(*task, estimate) for task, estimate in changed.items() if estimate is not None])
    await insert(connection, DROP, [task for task, estimate in changed.items() if estimate is None])
    return found
