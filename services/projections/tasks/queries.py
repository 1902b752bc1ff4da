"""Why a task cost what it cost, as known now or then (rule 12)."""

from asyncpg import Connection

from contracts.events import EVENT_TYPES
from contracts.quantities import KnownAt, known_bounds
from contracts.tasks import TaskExplanation
from services.documents import Lang
from services.projections.lookups import UnknownAccount, UnknownTask
from services.projections.tasks.explanation import explain
from services.projections.tasks.packages import Fact, Packages
from services.projections.tasks.projection import PACKAGES, subjects

EVENTS = """
    SELECT task_id, position, recorded_at, type, data, actor FROM task_event
    WHERE account_id = $1 AND (task_id = $2 OR task_id IS NULL) ORDER BY position
"""


async def task(
    connection: Connection, account_id: str, task_id: str, known_at: KnownAt, lang: Lang, position: int
) -> TaskExplanation:
    """The task's explanation; UnknownAccount and UnknownTask for what was not recorded, or not known then.

    `position`: how far the projection has come.
    """
    rows = await connection.fetch(EVENTS, account_id, task_id)
    if not rows:
        raise UnknownAccount(account_id)
    until, recorded = known_bounds(known_at)
    about_task: list[Fact] = []
    about_packages: list[Fact] = []
    for row in rows:
        if row["position"] <= until and row["recorded_at"] <= recorded:
            said = EVENT_TYPES[row["type"]].model_validate_json(row["data"])
            event = dict(subjects(said))[row["task_id"]]
            about = about_packages if row["task_id"] is PACKAGES else about_task
            about.append(Fact(row["position"], row["recorded_at"], event, row["actor"]))
    if not about_task:
        raise UnknownTask(task_id)
    asked = {"account_id": account_id, "task_id": task_id, "known_at": known_at, "position": min(until, position)}
    return explain(about_task, Packages(about_packages), lang, **asked)
