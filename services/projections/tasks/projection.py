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
    TaskClosed,
    TaskReopened,
    WarrantyMarked,
)
from services.projections.following.logged import Logged
from services.projections.rows import insert

ADD_EVENTS = """
    INSERT INTO task_event (account_id, task_id, position, recorded_at, type, data)
    SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::timestamptz[], $5::text[], $6::text[])
"""

PACKAGES = None
"""Stands where a task's id would: the event is about packages of the account."""


async def project(connection: Connection, batch: Sequence[Logged]) -> None:
    """Keep what a batch of events says about tasks and packages, in the caller's transaction."""
    rows = [
        (recorded.account_id, task_id, recorded.position, recorded.recorded_at, recorded.type, said.model_dump_json())
        for recorded, event in batch
        for task_id, said in subjects(event)
    ]
    await insert(connection, ADD_EVENTS, rows)


def subjects(event: Event) -> Iterator[tuple[str | None, Event]]:
    """The tasks that the event is about, or PACKAGES, and what it says of each.

    A task taken back concerns packages too: hours that return, or that compensate, may pay what another task owes.
    """
    match event:
        case TaskClosed() | DebtSettled():
            yield event.task_id, event
        case WarrantyMarked() | TaskReopened():
            yield event.task_id, event
            if event.returned or event.compensation:
                yield PACKAGES, event
        case DebtPaid():
            for task_id in dict.fromkeys(payment.task_id for payment in event.payments):
                theirs = tuple(payment for payment in event.payments if payment.task_id == task_id)
                yield task_id, event.model_copy(update={"payments": theirs})
        case AccountOpened() | PackagePurchased() | HoursCarriedOver() | PackageExpired():
            yield PACKAGES, event
        case _:
            pass
