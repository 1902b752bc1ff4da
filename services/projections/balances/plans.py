"""The time that is planned on each account, and by how much each event changed it (rule 15)."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from asyncpg import Connection

from contracts.events import Event, PlanDropped, TaskClosed, TaskPlanned, WarrantyMarked
from services.projections.following.logged import Logged, of_types
from services.projections.rows import Row, copy, insert

PLAN_CHANGE = ("account_id", "position", "recorded_at", "minutes")

KNOWN = """
    SELECT account_id, task_id, planned_minutes FROM plan
    WHERE (account_id, task_id) IN (SELECT * FROM unnest($1::text[], $2::text[]))
"""

KEEP = """
    INSERT INTO plan (account_id, task_id, planned_minutes) SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[])
    ON CONFLICT (account_id, task_id) DO UPDATE SET planned_minutes = excluded.planned_minutes
"""

END = "DELETE FROM plan WHERE (account_id, task_id) IN (SELECT * FROM unnest($1::text[], $2::text[]))"

ADD_TO_ACCOUNTS = """
    UPDATE account SET planned_minutes = account.planned_minutes + changed.minutes
    FROM unnest($1::text[], $2::bigint[]) AS changed (account_id, minutes)
    WHERE account.account_id = changed.account_id
"""

Task = tuple[str, str]
"""An account's id and a task's."""


class Planned(NamedTuple):
    """What a batch makes of plans: the tasks whose plan is another one or has ended (None), and the changes of sums."""

    plans: Mapping[Task, int | None]
    changes: Sequence[Row]


async def project_plans(connection: Connection, batch: Sequence[Logged]) -> None:
    """Add what a batch of events says of plans, in the caller's transaction."""
    told = of_types(batch, TaskPlanned, PlanDropped, TaskClosed, WarrantyMarked)
    if not told:
        return
    asked = zip(*((logged.recorded.account_id, logged.event.task_id) for logged in told), strict=True)
    rows = await connection.fetch(KNOWN, *asked)
    found = planned(told, {(account_id, task_id): minutes for account_id, task_id, minutes in rows})
    await insert(connection, KEEP, [(*task, minutes) for task, minutes in found.plans.items() if minutes is not None])
    await insert(connection, END, [task for task, minutes in found.plans.items() if minutes is None])
    await copy(connection, "plan_change", PLAN_CHANGE, found.changes)
    sums: defaultdict[str, int] = defaultdict(int)
    for account_id, *_, minutes in found.changes:
        sums[account_id] += minutes
    await insert(connection, ADD_TO_ACCOUNTS, list(sums.items()))


def planned(told: Sequence[Logged], known: Mapping[Task, int]) -> Planned:
    """The plans after those events, of those that were known before."""
    plans: dict[Task, int | None] = {}
    changes: list[Row] = []
    for recorded, event in told:
        task = (recorded.account_id, event.task_id)
        before = plans[task] if task in plans else known.get(task)
        after = _after(event, before)
        if after != before:
            plans[task] = after
        if moved := (after or 0) - (before or 0):
            changes.append((recorded.account_id, recorded.position, recorded.recorded_at, moved))
    return Planned(plans, changes)


def _after(event: Event, before: int | None) -> int | None:
    """What is planned of the task once that has happened; None without a plan. A closing ends it for good."""
    match event:
        case TaskPlanned():
            return event.planned_minutes
        case WarrantyMarked():
            return None if before is None else 0
        case _:
            return None
