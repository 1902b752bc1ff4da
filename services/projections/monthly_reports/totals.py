"""Totals of a month over all accounts, by booking: what the month's reports say together, summed as they are made."""

from collections.abc import Mapping, Sequence
from itertools import groupby

from asyncpg import Connection

from contracts.totals import Totals
from services.projections.following.logged import Logged
from services.projections.monthly_reports.entries import Kind, bookings
from services.projections.rows import Row
from services.projections.totals import totals

ADD_TO_MONTHS = """
    INSERT INTO report_total AS kept (month, kind, minutes, balance_minutes, amount_kopecks, charged_minutes)
    SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])
    ON CONFLICT (month, kind) DO UPDATE SET
        minutes = kept.minutes + excluded.minutes, balance_minutes = kept.balance_minutes + excluded.balance_minutes,
        amount_kopecks = kept.amount_kopecks + excluded.amount_kopecks,
        charged_minutes = kept.charged_minutes + excluded.charged_minutes
"""

UNTIL = """
    SELECT month, kind, minutes, balance_minutes, amount_kopecks, charged_minutes
    FROM report_total WHERE month <= $1 ORDER BY month
"""

Sums = tuple[int, int, int, int]
"""Minutes, balance, money and charged time of one kind of entries."""

NOTHING: Sums = (0, 0, 0, 0)
MONEY_OF_CLOSINGS: tuple[Kind, ...] = ("drawn", "settled", "paid", "returned", "compensated")


def booked_by_month(batch: Sequence[Logged]) -> list[Row]:
    """What a batch of events adds to each month's totals."""
    months: dict[tuple[str, Kind], Sums] = {}
    for _, event in batch:
        for booking in bookings(event):
            for entry in booking.entries:
                key = (booking.month, entry.kind)
                more = (entry.minutes, entry.balance_minutes, entry.amount_kopecks, entry.charged_minutes)
                months[key] = _plus(months.get(key, NOTHING), more)
    return [(*key, *sums) for key, sums in sorted(months.items())]


def _plus(one: Sums, other: Sums) -> Sums:
    return (one[0] + other[0], one[1] + other[1], one[2] + other[2], one[3] + other[3])


async def totals_of_months(connection: Connection, months: Sequence[str]) -> tuple[Totals, ...]:
    """What those months booked, over all accounts, and what stood at the end of each (rule 10.1), in their order."""
    rows = await connection.fetch(UNTIL, months[-1])
    booked = {
        month: {kind: tuple(sums) for _, kind, *sums in group}
        for month, group in groupby(map(tuple, rows), key=lambda row: row[0])
    }
    standing: dict[Kind, Sums] = {}
    found: list[Totals] = []
    for month in sorted({*booked, *months}):
        for kind, sums in booked.get(month, {}).items():
            standing[kind] = _plus(standing.get(kind, NOTHING), sums)
        if month in months:
            found.append(_totals(month, booked.get(month, {}), standing))
    return tuple(found)


def _totals(month: str, booked: Mapping[Kind, Sums], standing: Mapping[Kind, Sums]) -> Totals:
    def of(*kinds: Kind) -> tuple[int, int]:
        sums = [booked.get(kind, NOTHING) for kind in kinds]
        return sum(one[0] for one in sums), sum(one[2] for one in sums)

    compensated, compensated_kopecks = of("compensated")
    held_kopecks, owed = _held_kopecks(standing), _owed_minutes(standing)
    balance = sum(sums[1] for sums in standing.values())
    return totals(
        month,
        "booking",
        sold=of("purchased"),
        used=(booked.get("worked", NOTHING)[3], of(*MONEY_OF_CLOSINGS)[1]),
        carried_over=of("carried", "reclaimed"),
        forfeited=of("forfeited"),
        compensated=(compensated, -compensated_kopecks),
        settled=of("settled"),
        paid=of("paid"),
        refunded=of("refunded"),
        retained_kopecks=of("retained")[1],
        held=(balance + owed, held_kopecks),
        owed_minutes=owed,
    )


def _owed_minutes(standing: Mapping[Kind, Sums]) -> int:
    """Debt grows by what is owed; what a settlement paid and lost again is cancelled with its closing (rule 8.1)."""
    less: tuple[Kind, ...] = ("settled", "paid", "cancelled")
    return standing.get("owed", NOTHING)[0] - sum(standing.get(kind, NOTHING)[0] for kind in less)


def _held_kopecks(standing: Mapping[Kind, Sums]) -> int:
    """The price of all lots, less what was booked on them and what was forfeited (rule 4.4)."""
    less: tuple[Kind, ...] = ("compensated", "drawn", "settled", "returned", "forfeited", "refunded", "retained")
    return standing.get("purchased", NOTHING)[2] - sum(standing.get(kind, NOTHING)[2] for kind in less)
