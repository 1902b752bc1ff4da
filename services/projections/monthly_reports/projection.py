"""From a batch of events to rows: a few statements for hundreds of events."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from asyncpg import Connection

from contracts.events import (
    Event,
    MonthClosed,
    MonthReopened,
    PackagePurchased,
    Reversal,
    TaskClosed,
    TaskCorrected,
    TaskReopened,
    WarrantyMarked,
)
from services.projections.balances.holders import tenures
from services.projections.following.logged import Logged, as_said, of_types
from services.projections.monthly_reports.customers import add_customers
from services.projections.monthly_reports.entries import Entry, bookings
from services.projections.monthly_reports.estimates import estimates
from services.projections.monthly_reports.totals import ADD_TO_MONTHS, booked_by_month
from services.projections.rows import Row, copy, insert

ADD_LOTS = """
    INSERT INTO report_lot (account_id, lot_id, plan, hour_price_kopecks, agreed, ends_at, task_id, closure)
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::jsonb[], $6::timestamptz[], $7::text[],
                         $8::integer[])
"""

TENURE = (
    "account_id", "position", "ordinal", "booking_month", "recorded_at", "kind", "subject_id", "package_id", "ends_at",
)  # fmt: skip
CLOSING = (
    "account_id", "task_id", "closure", "title", "category", "coefficient", "effective_at", "work", "estimated_minutes",
)  # fmt: skip
ENTRY = (
    "account_id", "booking_month", "position", "recorded_at", "effective_at", "ordinal", "kind", "minutes",
    "balance_minutes", "amount_kopecks", "task_id", "closure", "lot_id", "to_package_id", "worked_minutes",
    "charged_minutes", "payment_reference", "hour_price_kopecks", "other_closure",
)  # fmt: skip

MONTH = ("account_id", "position", "recorded_at", "month", "closed", "rules_edition", "frozen_months")

ADD_FROZEN = """
    INSERT INTO report_frozen (account_id, month, position, report_hash)
    SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[])
"""


async def project(connection: Connection, batch: Sequence[Logged]) -> None:
    """Add what a batch of events books, in the caller's transaction."""
    await add_customers(connection, batch)
    await insert(connection, ADD_LOTS, _lots(batch))
    await copy(connection, "report_tenure", TENURE, _tenures(batch))
    await copy(connection, "report_closing", CLOSING, _closings(batch, await estimates(connection, batch)))
    await copy(connection, "report_entry", ENTRY, entry_rows(batch))
    await copy(connection, "report_month", MONTH, _months(batch))
    await insert(connection, ADD_FROZEN, _frozen(batch))
    await insert(connection, ADD_TO_MONTHS, booked_by_month(batch))


def _lots(batch: Sequence[Logged]) -> list[Row]:
    lots: list[Row] = []
    for recorded, event in of_types(batch, PackagePurchased, WarrantyMarked, TaskReopened, TaskCorrected):
        match event:
            case PackagePurchased() as new:
                agreed = new.agreed
                price = new.hour_price_kopecks if agreed is None or agreed.price_kopecks is None else None
                said = as_said(agreed)
                lots.append((recorded.account_id, new.package_id, new.plan, price, said, new.ends_at, None, None))
            case Reversal(compensation=new, closure=closure) if new:
                made_up = (None, None, None, new.ends_at, event.task_id, closure)
                lots.append((recorded.account_id, new.package_id, *made_up))
            case TaskCorrected(compensation=new) if new:
                made_up = (None, None, None, new.ends_at, event.task_id, event.corrected_closure)
                lots.append((recorded.account_id, new.package_id, *made_up))
            case _:
                pass
    return lots


def _tenures(batch: Sequence[Logged]) -> list[Row]:
    return [
        (recorded.account_id, recorded.position, ordinal, bookings(event)[0].month, recorded.recorded_at, *tenure)
        for recorded, event in batch
        for ordinal, tenure in enumerate(tenures(event))
    ]


def _closings(batch: Sequence[Logged], estimated: Mapping[int, int]) -> list[Row]:
    return [
        (recorded.account_id, event.task_id, event.closure, event.title, event.category, str(event.coefficient),
         event.effective_at, event.kind, estimated.get(recorded.position))
        for recorded, event in of_types(batch, TaskClosed, TaskCorrected)
    ]  # fmt: skip


def entry_rows(batch: Sequence[Logged]) -> list[Row]:
    """What the events book, a row each with the columns of ENTRY."""
    return [
        (recorded.account_id, month, recorded.position, recorded.recorded_at, effective_at, ordinal, *entry)
        for recorded, event in batch
        for ordinal, (month, effective_at, entry) in enumerate(_booked(event))
    ]


def _booked(event: Event) -> Iterator[tuple[str, datetime, Entry]]:
    """Each entry with its month, and the instant that it counts from."""
    for month, effective_at, entries in bookings(event):
        yield from ((month, effective_at, entry) for entry in entries)


def _months(batch: Sequence[Logged]) -> list[Row]:
    return [
        (recorded.account_id, recorded.position, recorded.recorded_at, event.month, isinstance(event, MonthClosed),
         event.rules_edition, [frozen.month for frozen in event.reports] if isinstance(event, MonthClosed) else [])
        for recorded, event in of_types(batch, MonthClosed, MonthReopened)
    ]  # fmt: skip


def _frozen(batch: Sequence[Logged]) -> list[Row]:
    return [
        (recorded.account_id, frozen.month, recorded.position, frozen.report_hash)
        for recorded, event in batch
        if isinstance(event, MonthClosed)
        for frozen in event.reports
    ]
