"""The peer's read side: four ProjectionRunners that follow the stock application, each with a read model of its own.

    python stock_followers.py

Needs DATABASE_URL; goes on until SIGTERM. Balances, tasks, lines of reports, and the accounts that alerts watch: what
four projections of ours keep of a closing, at its simplest.
"""

import json
import os
import signal
from contextlib import ExitStack
from typing import Any, ClassVar

import psycopg
from eventsourcing.dispatch import singledispatchmethod
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from psycopg.sql import SQL

from tests.benchmarks.stock import Account, Accounts, Balances, BalancesProjection, environment


class Rows(PostgresTrackingRecorder):
    """A read model with a row for each closing, written with its tracking."""

    table: ClassVar[str]
    columns: ClassVar[str]
    insert: ClassVar[str]

    def __init__(self, datastore: Any, **kwargs: Any) -> None:
        kwargs["tracking_table_name"] = f"{self.table}_tracking"
        super().__init__(datastore, **kwargs)
        self.sql_create_statements.append(SQL(f"CREATE TABLE IF NOT EXISTS {self.table} ({self.columns})"))  # type: ignore[arg-type]

    def add(self, row: dict[str, Any], tracking: Tracking) -> None:
        """Write what an event says, and move on."""
        with self.datastore.transaction(commit=True) as curs:
            self._insert_tracking(curs, tracking)
            if row:
                curs.execute(self.insert, row)


class Tasks(Rows):
    """What was done, by task."""

    table = "task"
    columns = "account_id uuid, task_id text, facts json, draws json, PRIMARY KEY (account_id, task_id)"
    insert = "INSERT INTO task VALUES (%(account_id)s, %(task_id)s, %(facts)s, %(draws)s)"


class ReportLines(Rows):
    """What stands in a month's report."""

    table = "report_line"
    columns = (
        "account_id uuid, month text, task_id text, minutes bigint, amount_kopecks bigint, "
        "PRIMARY KEY (account_id, month, task_id)"
    )
    insert = "INSERT INTO report_line VALUES (%(account_id)s, %(month)s, %(task_id)s, %(minutes)s, %(amount)s)"


class Watched(Rows):
    """What an account has used, beside what it is warned at."""

    table = "watched"
    columns = "account_id uuid PRIMARY KEY, used_minutes bigint, state json"
    insert = (
        "INSERT INTO watched VALUES (%(account_id)s, %(minutes)s, %(draws)s) ON CONFLICT (account_id) DO UPDATE "
        "SET used_minutes = watched.used_minutes + excluded.used_minutes, state = excluded.state"
    )


class RowsProjection(Projection[Rows]):
    """From events to rows."""

    @singledispatchmethod
    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        """One event."""
        raise NotImplementedError(type(domain_event))

    @process_event.register
    def _(self, opened: Account.Opened, tracking: Tracking) -> None:  # type: ignore[name-defined]
        self.view.add({}, tracking)

    @process_event.register
    def _(self, closed: Account.TaskClosed, tracking: Tracking) -> None:  # type: ignore[name-defined]
        row = {
            "account_id": closed.originator_id,
            "task_id": closed.task_id,
            "month": closed.facts["booking_month"],
            "minutes": sum(draw["minutes"] for draw in closed.draws),
            "amount": sum(draw["amount_kopecks"] for draw in closed.draws),
            "facts": json.dumps(closed.facts, default=str),
            "draws": json.dumps(closed.draws),
        }
        self.view.add(row, tracking)


class TasksProjection(RowsProjection):
    """From events to tasks."""

    name = "tasks"


class ReportLinesProjection(RowsProjection):
    """From events to reports."""

    name = "report_lines"


class WatchedProjection(RowsProjection):
    """From events to what alerts watch."""

    name = "watched"


FOLLOWERS: tuple[tuple[type[Projection[Any]], type[PostgresTrackingRecorder], str], ...] = (
    (BalancesProjection, Balances, "balances_tracking"),
    (TasksProjection, Tasks, "task_tracking"),
    (ReportLinesProjection, ReportLines, "report_line_tracking"),
    (WatchedProjection, Watched, "watched_tracking"),
)


def have_caught_up(database_url: str) -> bool:
    """Whether all four have applied every event of the application."""
    with psycopg.connect(database_url) as connection:
        ends = [
            connection.execute(f"SELECT coalesce(max(notification_id), 0) FROM {table}").fetchone()  # type: ignore[arg-type]
            for table in ("accounts_events", *(tracking for _, _, tracking in FOLLOWERS))
        ]
    return len(set(ends)) == 1


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: None)
    with ExitStack() as running:
        for projection, view, _ in FOLLOWERS:
            runner = ProjectionRunner(
                application_class=Accounts, projection_class=projection, view_class=view, env=environment()
            )
            running.enter_context(runner)
        signal.pause()


if __name__ == "__main__":
    assert os.environ["DATABASE_URL"]
    main()
