"""The act of a month: the hours accepted and their money by package (rule 10.4), from its report."""

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any, NamedTuple

from asyncpg import Connection

from contracts.quantities import decimal_hours, hours_column, known_bounds, rounded_division
from contracts.reports import AcceptedRow, Act, ActLine, MonthlyReport, ReplacedAct, Vat, VatMode, VatRate
from services.projections.monthly_reports.accepted import Booked, Part, Prices, Source, accepted, closings_taken_back
from services.projections.monthly_reports.periods import last_day
from services.projections.monthly_reports.revisions import Change, act_number, changes_of_months, revisions
from services.projections.monthly_reports.seller import Seller

BOOKED = """
    SELECT * FROM report_entry
    WHERE account_id = $1 AND booking_month = $2 AND position <= $3 AND recorded_at <= $4
    ORDER BY position, ordinal
"""

# All that was given for some closings; whatever takes it back is recorded later.
GIVEN = """
    SELECT * FROM report_entry
    WHERE account_id = $1 AND kind IN ('drawn', 'settled', 'paid')
      AND (task_id, closure) IN (SELECT * FROM unnest($2::text[], $3::integer[]))
      AND position <= $4 AND recorded_at <= $5
    ORDER BY position, ordinal
"""

LOTS = "SELECT lot_id, plan, hour_price_kopecks FROM report_lot WHERE account_id = $1"

# What could not go back of the closings that compensations make up for (rule 8.2).
SOURCES = """
    SELECT lot.lot_id AS compensation, entry.lot_id, entry.hour_price_kopecks
    FROM report_lot AS lot JOIN report_entry AS entry USING (account_id, task_id, closure)
    WHERE account_id = $1 AND entry.kind IN ('drawn', 'settled', 'paid', 'returned')
    GROUP BY lot.lot_id, entry.lot_id, entry.hour_price_kopecks
    HAVING sum(CASE entry.kind WHEN 'returned' THEN -entry.minutes ELSE entry.minutes END) > 0
    ORDER BY lot.lot_id, entry.lot_id, entry.hour_price_kopecks
"""


class Lots(NamedTuple):
    """What lines say of an account's lots."""

    plans: Mapping[str, str | None]
    prices: Prices


async def act(connection: Connection, report: MonthlyReport, seller: Seller) -> Act:
    """The act of that report's month; a draft while the month is open. Its money is the report's."""
    bounds = known_bounds(report.known_at)
    entries = await connection.fetch(BOOKED, report.account_id, report.month, *bounds)
    back = closings_taken_back(entries)
    given = await connection.fetch(GIVEN, report.account_id, *_columns(back), *bounds) if back else []
    changes = await changes_of_months(connection, report.account_id, *bounds)
    parts = accepted(report.month, entries, given)
    lines = _lines(report, parts, await _lots(connection, report.account_id), seller, changes)
    total = sum(line.amount_kopecks for line in lines)
    assert total == report.totals.amount_kopecks, "an act states the money of its report"
    minutes = sum(line.minutes for line in lines)
    rates = vat_rates(lines)
    modes = {rate.mode for rate in rates} or {seller.vat_mode(last_day(report.month))}
    return Act(
        **_named(report, changes),
        to_sign=bool(lines),
        act_date=last_day(report.month),
        draft=not report.closed,
        account_id=report.account_id,
        month=report.month,
        position=report.position,
        seller=report.seller,
        customer=report.customer,
        contract_number=report.contract_number,
        contract_date=report.contract_date,
        lines=lines,
        total_minutes=minutes,
        total_hours=decimal_hours(minutes),
        total_kopecks=total,
        vat=Vat(mode=modes.pop() if len(modes) == 1 else "mixed", amount_kopecks=sum(one.vat_kopecks for one in rates)),
        vat_rates=rates,
        hours_from_report=_hours_from_report(entries, report.totals.charged_minutes, minutes),
    )


def _columns(closings: Iterable[tuple[str, int]]) -> tuple[list[str], list[int]]:
    closings = list(closings)
    return [task_id for task_id, _ in closings], [closure for _, closure in closings]


async def _lots(connection: Connection, account_id: str) -> Lots:
    rows = await connection.fetch(LOTS, account_id)
    bought = {row["lot_id"]: price for row in rows if (price := row["hour_price_kopecks"]) is not None}
    compensations: dict[str, list[Source]] = {}
    if len(bought) < len(rows):
        for row in await connection.fetch(SOURCES, account_id):
            compensations.setdefault(row["compensation"], []).append(Source(row["lot_id"], row["hour_price_kopecks"]))
    return Lots({row["lot_id"]: row["plan"] for row in rows}, Prices(bought, compensations))


def _named(report: MonthlyReport, changes: Iterable[Change]) -> dict[str, Any]:
    """Its number, and which act of the month it replaces."""
    known = revisions(report.month, changes)
    number, contract = known.number, report.contract_number
    replaces = known.replaced and ReplacedAct(
        number=act_number(contract, report.month, number - 1),
        closed_at=known.replaced.recorded_at,
        position=known.replaced.position,
    )
    return {"number": act_number(contract, report.month, number), "revision": number, "replaces": replaces}


def vat_within(amount_kopecks: int, mode: VatMode) -> int:
    """The tax contained in an amount, in kopecks, rounded half to even (rule 1.2)."""
    rate = 0 if mode == "none" else int(mode)
    return rounded_division(amount_kopecks * rate, 100 + rate)


def vat_rates(lines: Iterable[ActLine]) -> tuple[VatRate, ...]:
    """What the lines of each rate add up to, in the order in which rates appear, and the tax contained in it."""
    totals: dict[VatMode, int] = {}
    for line in lines:
        totals[line.vat_mode] = totals.get(line.vat_mode, 0) + line.amount_kopecks
    return tuple(
        VatRate(mode=mode, total_kopecks=total, vat_kopecks=vat_within(total, mode)) for mode, total in totals.items()
    )


def _lines(
    report: MonthlyReport, parts: Iterable[Part], lots: Lots, seller: Seller, changes: tuple[Change, ...]
) -> tuple[ActLine, ...]:
    """A line for each package and price, those of the month first, then its corrections, month by month."""

    def line_of(part: Part) -> dict[str, Any]:
        prices = lots.prices.of(part.lot_id, part.hour_price_kopecks)
        return {
            "package_id": part.lot_id,
            "plan": part.lot_id and lots.plans[part.lot_id],
            "hour_price_kopecks": prices[0] if len(prices) == 1 else None,
            "hour_prices_kopecks": prices,
            "vat_mode": seller.vat_mode(last_day(part.vat_month)),
            "corrects_month": part.corrects,
            "corrects_act": part.corrects and _number_of(report.contract_number, part.corrects, changes),
        }

    sums: dict[tuple[Any, ...], tuple[dict[str, Any], list[int]]] = {}
    for part in sorted(parts, key=lambda part: part.corrects or ""):
        line = line_of(part)
        _, sum_of = sums.setdefault(tuple(line.values()), (line, [0, 0]))
        sum_of[0] += part.minutes
        sum_of[1] += part.amount_kopecks
    rows = [(line, minutes, amount) for line, (minutes, amount) in sums.values() if minutes or amount]
    hours = hours_column([minutes for _, minutes, _ in rows])
    return tuple(
        ActLine(**line, minutes=minutes, hours=shown, amount_kopecks=amount)
        for (line, minutes, amount), shown in zip(rows, hours, strict=True)
    )


def _number_of(contract_number: str, month: str, changes: Iterable[Change]) -> str:
    """The number of another month's act, as it is known now."""
    return act_number(contract_number, month, revisions(month, changes).number)


def _hours_from_report(entries: Iterable[Booked], charged: int, accepted_minutes: int) -> tuple[AcceptedRow, ...]:
    """Charged, less what is newly owed, and earlier debt paid now; debt that its own month has paid is neither."""
    owed = earlier = 0
    of_tasks = [entry for entry in entries if entry["task_id"]]
    for _, group in groupby(sorted(of_tasks, key=_closing), key=_closing):
        minutes = dict.fromkeys(("owed", "cancelled", "settled", "paid"), 0)
        for entry in group:
            if entry["kind"] in minutes:
                minutes[entry["kind"]] += entry["minutes"]
        paid = minutes["settled"] + minutes["paid"]
        owed += minutes["owed"] - minutes["cancelled"] - (paid if minutes["owed"] else 0)
        earlier += 0 if minutes["owed"] else paid
    assert charged - owed + earlier == accepted_minutes, "what is accepted follows from the report"
    moved = {"charged": charged, "owed": -owed, "settled": earlier}
    hours = [*hours_column(list(moved.values())), decimal_hours(accepted_minutes)]
    rows = zip((moved | {"accepted": accepted_minutes}).items(), hours, strict=True)
    return tuple(AcceptedRow(kind=kind, minutes=minutes, hours=shown) for (kind, minutes), shown in rows)


def _closing(entry: Booked) -> tuple[str, int]:
    return entry["task_id"], entry["closure"]
