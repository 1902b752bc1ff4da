"""A projection rebuilt by hand, in sight of whoever asked for it."""

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from services.access.caller import Caller
from services.process.operator_error import OperatorError
from services.process.postgres_pool import POSTGRES_UNAVAILABLE
from services.process.schema_watch import require_standing
from services.projections.catalogue import PROJECTIONS, standing
from services.projections.database import pool
from services.projections.following.feed import LogFeed
from services.projections.following.identity import FollowedLedger
from services.projections.following.logged import CannotApply
from services.projections.following.rebuild import Rebuild, RebuildFailed, RebuildUnderWay
from services.projections.following.tracking import Cut, Projection, Tracking
from services.projections.settings import Settings


class _Rate(ProgressColumn):
    """Events a second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.finished_speed or task.speed or 0:,.0f} events/s")


async def rebuild_by_hand(
    name: str, settings: Settings, caller: Caller, console: Console, *, accept_differences: bool
) -> Cut:
    """Rebuild the projection of that name with a progress bar; OperatorError says in a sentence why that failed."""
    projection = _projection(name)
    trackings = [Tracking(projection, log) for log in settings.log_names]
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    async with (
        caller.async_client(30) as ledger,
        pool(settings.database_url, 1) as database,
    ):
        with Progress(*columns, console=console) as progress:
            task = progress.add_task(f"rebuilding {name}", total=None)

            def show(position: int, goal: int) -> None:
                progress.update(task, completed=position, total=goal)

            followed = FollowedLedger(database)
            feeds = [LogFeed(ledger, log, followed, settings.logs) for log in settings.log_names]
            rebuilding = Rebuild(settings.database_url, trackings, feeds)
            try:
                require_standing(await standing(settings.database_url, settings.log_names))
                return await rebuilding.run(show, accept_differences=accept_differences)
            except (CannotApply, RebuildFailed, RebuildUnderWay) as refused:
                raise OperatorError(f"{name} stays as it is: {refused}") from refused
            except POSTGRES_UNAVAILABLE as unavailable:
                raise OperatorError(
                    f"{name} stays as it is: the database cannot be reached: {unavailable!r}"
                ) from unavailable


def _projection(name: str) -> Projection:
    for projection in PROJECTIONS:
        if projection.name == name:
            return projection
    names = ", ".join(projection.name for projection in PROJECTIONS)
    raise OperatorError(f"There is no projection {name}; there are {names}.")
