"""The reconciliation of an account over any days, from what its months have booked (rules 10.1, 10.3, 10.4, 12)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from asyncpg import Connection, Record

from contracts.quantities import KnownAt, Month, decimal_hours, hours_column, known_bounds
from contracts.reconciliations import DebtKind, DebtRow, ReconciledKind, ReconciledRow, Reconciliation
from services.documents.seller import Seller
from services.projections.lookups import UnknownAccount
from services.projections.monthly_reports.acts import act_numbers
from services.projections.monthly_reports.customers import customers_on, party
from services.projections.monthly_reports.entries import Kind
from services.projections.monthly_reports.periods import last_day, month_of_day
from services.projections.monthly_reports.queries import last_known
from services.projections.monthly_reports.revisions import Change, changes_of_months, revisions

# The day on which an entry counts: its own, but never outside the month whose report and act it stands in.
BOOKED_ON = """
    least(greatest((effective_at AT TIME ZONE 'Europe/Moscow')::date, (booking_month || '-01')::date),
          ((booking_month || '-01')::date + interval '1 month - 1 day')::date)
"""

MOVED = f"""
    SELECT {BOOKED_ON} < $2 AS is_before, booking_month AS month, kind, sum(minutes)::bigint AS minutes,
           sum(amount_kopecks)::bigint AS amount_kopecks
    FROM report_entry
    WHERE account_id = $1 AND booking_month <= $4 AND {BOOKED_ON} <= $3 AND position <= $5 AND recorded_at <= $6
    GROUP BY 1, 2, 3 ORDER BY 2
"""  # noqa: S608 - nothing in it comes from outside

# A payment pays many closings, but is one.
ONE_BY_ONE = f"""
    SELECT entry.position, kind, {BOOKED_ON} AS day, lot_id, payment_reference AS reference,
           sum(minutes)::bigint AS minutes, sum(amount_kopecks)::bigint AS amount_kopecks,
           lot.plan, (lot.agreed ->> 'minutes')::bigint AS agreed_minutes
    FROM report_entry AS entry LEFT JOIN report_lot AS lot USING (account_id, lot_id)
    WHERE account_id = $1 AND booking_month BETWEEN $4 AND $5 AND {BOOKED_ON} BETWEEN $2 AND $3
        AND entry.position <= $6 AND recorded_at <= $7
        AND kind IN ('purchased', 'paid', 'forfeited', 'refunded', 'retained')
    GROUP BY entry.position, kind, day, lot_id, payment_reference, lot.plan, lot.agreed
    ORDER BY day, entry.position, min(entry.ordinal)
"""  # noqa: S608 - nothing in it comes from outside

MONTHS = """
    SELECT DISTINCT booking_month FROM report_entry
    WHERE account_id = $1 AND booking_month BETWEEN $2 AND $3 AND position <= $4 AND recorded_at <= $5
    ORDER BY booking_month
"""

SIGNS: Mapping[str, int] = {"purchased": 1, "paid": 1, "forfeited": -1, "refunded": -1, "retained": -1}
"""What moves one by one, and what it does to what is prepaid."""

ACCEPTED: Mapping[Kind, int] = {"drawn": 1, "settled": 1, "paid": 1, "returned": -1, "compensated": -1}
"""The minutes that acts accept, and those that they take back; the money of all of them is signed as it is."""

DEBT: Mapping[DebtKind, int] = {"owed": 1, "settled": -1, "paid": -1, "cancelled": -1}
"""What entries do to what is owed."""


class AskedPeriod(NamedTuple):
    """Of which account and days, both of them included, and by what was known when."""

    account_id: str
    since: date
    until: date
    known_at: KnownAt


class Moved(NamedTuple):
    """Minutes and money of one kind of entries."""

    minutes: int = 0
    amount_kopecks: int = 0

    def plus(self, other: "Moved") -> "Moved":
        return Moved(self.minutes + other.minutes, self.amount_kopecks + other.amount_kopecks)


NOTHING = Moved()
Sums = Mapping[str, Moved]
"""By kind."""


class Booked(NamedTuple):
    """What was booked before the period, and in it by month."""

    before: Sums
    months: Mapping[Month, Sums]

    @property
    def within(self) -> Sums:
        sums: defaultdict[str, Moved] = defaultdict(Moved)
        for month in self.months.values():
            for kind, moved in month.items():
                sums[kind] = sums[kind].plus(moved)
        return sums


async def reconciliation(connection: Connection, asked: AskedPeriod, position: int, seller: Seller) -> Reconciliation:
    """What the period booked, in hours and in money; UnknownAccount for an account that was never opened.

    `position`: how far the projection has come.
    """
    bounds = known_bounds(asked.known_at)
    customers = await customers_on(connection, asked.account_id, [asked.until], *bounds)
    if not (customer := customers.get(asked.until)):
        raise UnknownAccount(asked.account_id)
    changes = await changes_of_months(connection, asked.account_id, *bounds)
    closed_by = revisions(month_of_day(asked.until), changes).closed_by
    position = closed_by or await last_known(connection, asked.account_id, asked.known_at, position)
    booked = await _booked(connection, asked)
    rows = [*await _one_by_one(connection, asked), *await _accepted(connection, asked, position, booked, changes)]
    opening, held = _prepaid(booked.before), _prepaid(booked.before).plus(_prepaid(booked.within))
    prepaid, debt = _with_hours(asked, opening, rows), _debt(booked)
    assert (prepaid[-1].minutes, prepaid[-1].amount_kopecks) == held, "the rows lead from opening to closing"
    balance = held.minutes - debt[-1].minutes
    return Reconciliation(
        account_id=asked.account_id,
        since=asked.since,
        until=asked.until,
        closed=closed_by is not None,
        known_at=asked.known_at,
        position=position,
        seller=seller.party_on(asked.until),
        customer=party(customer),
        contract_number=customer["contract_number"],
        contract_date=customer["contract_date"],
        prepaid=prepaid,
        debt=debt,
        held_minutes=held.minutes,
        held_hours=prepaid[-1].hours,
        held_kopecks=held.amount_kopecks,
        owed_minutes=debt[-1].minutes,
        owed_hours=debt[-1].hours,
        balance_minutes=balance,
        balance_hours=decimal_hours(balance),
    )


async def months_booked(connection: Connection, asked: AskedPeriod) -> list[Month]:
    """The months of the period that have booked anything."""
    months = (month_of_day(asked.since), month_of_day(asked.until))
    rows = await connection.fetch(MONTHS, asked.account_id, *months, *known_bounds(asked.known_at))
    return [row["booking_month"] for row in rows]


async def _booked(connection: Connection, asked: AskedPeriod) -> Booked:
    days = (asked.since, asked.until, month_of_day(asked.until))
    before: defaultdict[str, Moved] = defaultdict(Moved)
    months: defaultdict[Month, dict[str, Moved]] = defaultdict(dict)
    for is_before, month, kind, *moved in await connection.fetch(
        MOVED, asked.account_id, *days, *known_bounds(asked.known_at)
    ):
        if is_before:
            before[kind] = before[kind].plus(Moved(*moved))
        else:
            months[month][kind] = Moved(*moved)
    return Booked(before, months)


def _accepted_of(sums: Sums) -> Moved:
    """What acts accept, less what they take back."""
    found = [(sums.get(kind, NOTHING), sign) for kind, sign in ACCEPTED.items()]
    return Moved(
        sum(sign * moved.minutes for moved, sign in found),
        sum(moved.amount_kopecks for moved, _ in found),
    )


def _prepaid(sums: Sums) -> Moved:
    """What is prepaid and not used yet."""
    moved = [(sums.get(kind, NOTHING), sign) for kind, sign in SIGNS.items()]
    accepted = _accepted_of(sums)
    return Moved(
        sum(sign * one.minutes for one, sign in moved) - accepted.minutes,
        sum(sign * one.amount_kopecks for one, sign in moved) - accepted.amount_kopecks,
    )


Row = dict[str, Any]


async def _one_by_one(connection: Connection, asked: AskedPeriod) -> list[Row]:
    months = (month_of_day(asked.since), month_of_day(asked.until))
    found = await connection.fetch(
        ONE_BY_ONE, asked.account_id, asked.since, asked.until, *months, *known_bounds(asked.known_at)
    )
    return [_row_of(entry) for entry in found if entry["minutes"] or entry["amount_kopecks"]]


def _row_of(entry: Record) -> Row:
    sign = SIGNS[entry["kind"]]
    return {
        "kind": entry["kind"],
        "day": entry["day"],
        "minutes": sign * entry["minutes"],
        "amount_kopecks": sign * entry["amount_kopecks"],
        "package_id": entry["lot_id"],
        "plan": entry["plan"],
        "agreed_minutes": entry["agreed_minutes"],
        "reference": entry["reference"],
    }


async def _accepted(
    connection: Connection, asked: AskedPeriod, position: int, booked: Booked, changes: Sequence[Change]
) -> list[Row]:
    """A row a month, at its end or at that of the period."""
    accepted = {month: moved for month, sums in booked.months.items() if any(moved := _accepted_of(sums))}
    stated = [
        month
        for month in accepted
        if asked.since <= date.fromisoformat(f"{month}-01")
        and last_day(month) <= asked.until
        and revisions(month, changes).is_closed
    ]
    numbers = await act_numbers(connection, asked.account_id, position, stated, changes)
    return [
        {
            "kind": "accepted",
            "day": min(last_day(month), asked.until),
            "minutes": -moved.minutes,
            "amount_kopecks": -moved.amount_kopecks,
            "month": month,
            "act": numbers.get(month),
        }
        for month, moved in accepted.items()
    ]


def _with_hours(asked: AskedPeriod, opening: Moved, rows: Iterable[Row]) -> tuple[ReconciledRow, ...]:
    """The rows by day between opening and closing, whose hours are one column."""
    first: Row = {"kind": "opening", "day": asked.since, **opening._asdict()}
    shown = [first, *sorted(rows, key=lambda row: row["day"])]
    minutes = [row["minutes"] for row in shown]
    closing: ReconciledKind = "closing"
    return (
        *(ReconciledRow(**row, hours=hours) for row, hours in zip(shown, hours_column(minutes), strict=True)),
        ReconciledRow(
            kind=closing,
            day=asked.until,
            minutes=sum(minutes),
            hours=decimal_hours(sum(minutes)),
            amount_kopecks=sum(row["amount_kopecks"] for row in shown),
        ),
    )


def _debt(booked: Booked) -> tuple[DebtRow, ...]:
    """From what was owed to what is; a kind that did not happen is no row."""
    opening = sum(sign * booked.before.get(kind, NOTHING).minutes for kind, sign in DEBT.items())
    within = booked.within
    moved: dict[DebtKind, int] = {"opening": opening}
    for kind, sign in DEBT.items():
        if minutes := within.get(kind, NOTHING).minutes:
            moved[kind] = sign * minutes
    closing = sum(moved.values())
    column = zip(moved.items(), hours_column(list(moved.values())), strict=True)
    return (
        *(DebtRow(kind=kind, minutes=minutes, hours=hours) for (kind, minutes), hours in column),
        DebtRow(kind="closing", minutes=closing, hours=decimal_hours(closing)),
    )
