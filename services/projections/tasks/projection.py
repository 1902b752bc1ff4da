"""From a batch of events to rows: one statement for hundreds of events."""

from collections.abc import Iterator, Sequence

from asyncpg import Connection

from contracts.events import (
    AccountOpened,
    DebtPaid,
    DebtSettled,
    Event,
    HoursCarriedOver,
    PackageExpired,
    PackagePurchased,
    PackageRefunded,
    PlanDropped,
    TaskClosed,
    TaskCorrected,
    TaskPlanned,
    TaskReopened,
    WarrantyMarked,
)
from services.projections.following.logged import Logged
from services.projections.rows import Row, insert
from services.projections.tasks.summary import Summary

ADD_EVENTS = """
    INSERT INTO task_event (account_id, task_id, position, recorded_at, type, data, actor)
    SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::timestamptz[], $5::text[], $6::text[], $7::text[])
"""

SUMMARIES = """
    SELECT account_id, task_id, title, category, state, under_warranty, closings, worked_minutes, charged_minutes,
           nullif(last_closed_at, '-infinity'), estimated_minutes, planned_minutes, planned_start_at
    FROM task JOIN unnest($1::text[], $2::text[]) AS changed (account_id, task_id) USING (account_id, task_id)
"""

KEEP_SUMMARIES = """
    INSERT INTO task (account_id, task_id, title, category, state, under_warranty, closings, worked_minutes,
                      charged_minutes, last_closed_at, estimated_minutes, planned_minutes, planned_start_at)
    SELECT account_id, task_id, title, category, state, under_warranty, closings, worked_minutes, charged_minutes,
           coalesce(last_closed_at, '-infinity'), estimated_minutes, planned_minutes, planned_start_at
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::boolean[], $7::integer[],
                $8::bigint[], $9::bigint[], $10::timestamptz[], $11::bigint[], $12::bigint[], $13::timestamptz[])
        AS changed (account_id, task_id, title, category, state, under_warranty, closings, worked_minutes,
                    charged_minutes, last_closed_at, estimated_minutes, planned_minutes, planned_start_at)
    ON CONFLICT (account_id, task_id) DO UPDATE SET
        title = excluded.title, category = excluded.category, state = excluded.state,
        under_warranty = excluded.under_warranty, closings = excluded.closings,
        worked_minutes = excluded.worked_minutes, charged_minutes = excluded.charged_minutes,
        last_closed_at = excluded.last_closed_at, estimated_minutes = excluded.estimated_minutes,
        planned_minutes = excluded.planned_minutes, planned_start_at = excluded.planned_start_at
"""

FORGET = "DELETE FROM task WHERE (account_id, task_id) IN (SELECT * FROM unnest($1::text[], $2::text[]))"

SUMMARISED = (TaskClosed, TaskCorrected, WarrantyMarked, TaskReopened, TaskPlanned, PlanDropped)

PACKAGES = None
"""Stands where a task's id would: the event is about packages of the account."""


async def project(connection: Connection, batch: Sequence[Logged]) -> None:
    """Keep what a batch of events says about tasks and packages, in the caller's transaction."""
    said = [(logged, *subject) for logged in batch for subject in subjects(logged.event)]
    await insert(connection, ADD_EVENTS, [_row(logged, task_id) for logged, task_id, _ in said])
    changes = [
        ((logged.recorded.account_id, task_id), event)
        for logged, task_id, event in said
        if type(event) in SUMMARISED and task_id is not PACKAGES
    ]
    if changes:
        await _summarise(connection, changes)


def _row(logged: Logged, task_id: str | None) -> Row:
    at = logged.recorded
    return (at.account_id, task_id, at.position, at.recorded_at, at.type, logged.data, at.actor)


async def _summarise(connection: Connection, changes: Sequence[tuple[tuple[str, str], Event]]) -> None:
    """Keep each task's row as its events leave it, one after another."""
    summaries = dict.fromkeys((key for key, _ in changes), Summary())
    kept = await connection.fetch(SUMMARIES, *zip(*summaries, strict=True))
    summaries |= {tuple(row[:2]): Summary(*row[2:]) for row in kept}
    for key, event in changes:
        summaries[key] = summaries[key].after(event)
    known = [(*key, *summary) for key, summary in summaries.items() if summary.is_known]
    await insert(connection, KEEP_SUMMARIES, known)
    await insert(connection, FORGET, [key for key, summary in summaries.items() if not summary.is_known])


def subjects(event: Event) -> Iterator[tuple[str | None, Event]]:
    """The tasks that the event is about, or PACKAGES, and what it says of each.

    A task taken back concerns packages too: hours that return, or that compensate, may pay what another task owes.
    """
    match event:
        case TaskClosed() | DebtSettled() | TaskPlanned() | PlanDropped():
            yield event.task_id, event
        case WarrantyMarked() | TaskReopened() | TaskCorrected():
            yield event.task_id, event
            if event.returned or event.compensation:
                yield PACKAGES, event
        case DebtPaid():
            for task_id in dict.fromkeys(payment.task_id for payment in event.payments):
                theirs = tuple(payment for payment in event.payments if payment.task_id == task_id)
                yield task_id, event.model_copy(update={"payments": theirs})
        case AccountOpened() | PackagePurchased() | PackageRefunded() | HoursCarriedOver() | PackageExpired():
            yield PACKAGES, event
        case _:
            pass
