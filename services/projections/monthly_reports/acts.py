"""The act of a month: the hours accepted and their money by package (rule 10.4), from its report."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from asyncpg import Connection

from contracts.quantities import END_OF_TIME, decimal_hours, hours_column
from contracts.reports import AcceptedRow, Act, ActLine, MonthlyReport, ReplacedAct, Vat, VatMode, VatRate
from services.documents.seller import Seller, vat_within
from services.projections.monthly_reports.accepted import Part, Prices, Source, accepted
from services.projections.monthly_reports.customers import customers_on
from services.projections.monthly_reports.hours_from_report import (
    DebtMoved,
    accepted_rows,
    accepted_rows_of_edition_1,
    debts_moved,
)
from services.projections.monthly_reports.periods import last_day
from services.projections.monthly_reports.revisions import Change, ClosedAt, act_number, changes_of_months, revisions

# All that is known of the tasks that the month booked anything of, and of those that compensations make up for; of a
# closed month's, what was known when it was closed.
HISTORY = """
    SELECT * FROM report_entry
    WHERE account_id = $1 AND position <= $3 AND task_id IN (
        SELECT task_id FROM report_entry WHERE account_id = $1 AND booking_month = $2 AND position <= $3
        UNION ALL SELECT task_id FROM report_lot WHERE account_id = $1
    )
    ORDER BY position, ordinal
"""

LOTS = """
    SELECT lot_id, plan, (agreed ->> 'minutes')::bigint AS agreed_minutes, hour_price_kopecks, task_id
    FROM report_lot WHERE account_id = $1
"""


class Lots(NamedTuple):
    """What lines say of an account's lots."""

    plans: Mapping[str, str | None]
    agreed_minutes: Mapping[str, int | None]
    prices: Prices


async def act(connection: Connection, report: MonthlyReport, seller: Seller) -> Act:
    """The act of that report's month; a draft while the month is open. Its money is the report's."""
    history = await connection.fetch(HISTORY, report.account_id, report.month, report.position)
    changes = await changes_of_months(connection, report.account_id, report.position, END_OF_TIME)
    known = revisions(report.month, changes)
    parts, sources = accepted(report.month, history)
    debts = debts_moved(report.month, history)
    named = {report.month, *(part.corrects for part in parts), *(debt.month for debt in debts)} - {None}
    numbers = await act_numbers(connection, report.account_id, report.position, named, changes)
    lines = _lines(parts, await _lots(connection, report.account_id, sources), seller, numbers)
    total = sum(line.amount_kopecks for line in lines)
    assert total == report.totals.amount_kopecks, "an act states the money of its report"
    minutes = sum(line.minutes for line in lines)
    hours = _hours_from_report(report, debts, numbers)
    assert hours[-1].minutes == minutes, "what an act accepts follows from its report"
    rates = vat_rates(lines)
    modes = {rate.mode for rate in rates} or {seller.vat_mode(last_day(report.month))}
    return Act(
        number=numbers[report.month],
        revision=known.number,
        replaces=known.replaced and await _replaced(connection, report, known.replaced, known.number - 1),
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
        hours_from_report=hours,
        rules_edition=report.rules_edition,
    )


async def _lots(connection: Connection, account_id: str, sources: Mapping[str, Sequence[Source]]) -> Lots:
    rows = await connection.fetch(LOTS, account_id)
    bought = {row["lot_id"]: row["hour_price_kopecks"] for row in rows if row["task_id"] is None}
    plans = {row["lot_id"]: row["plan"] for row in rows}
    return Lots(plans, {row["lot_id"]: row["agreed_minutes"] for row in rows}, Prices(bought, sources))


async def act_numbers(
    connection: Connection, account_id: str, position: int, months: Collection[str], changes: Sequence[Change]
) -> dict[str, str]:
    """The numbers of those months' acts, as they were known at that position."""
    days = {month: last_day(month) for month in months}
    customers = await customers_on(connection, account_id, days.values(), position, END_OF_TIME)
    return {
        month: act_number(customers[day]["contract_number"], month, revisions(month, changes).number)
        for month, day in days.items()
    }


async def _replaced(connection: Connection, report: MonthlyReport, closed: ClosedAt, revision: int) -> ReplacedAct:
    """The act of the month before this one, with the contract's number as it was known then."""
    day = last_day(report.month)
    then = await customers_on(connection, report.account_id, [day], closed.position, closed.recorded_at)
    number = act_number(then[day]["contract_number"], report.month, revision)
    return ReplacedAct(number=number, closed_at=closed.recorded_at, position=closed.position)


def vat_rates(lines: Iterable[ActLine]) -> tuple[VatRate, ...]:
    """What the lines of each rate add up to, in the order in which rates appear, and the tax contained in it."""
    totals: dict[VatMode, int] = {}
    for line in lines:
        totals[line.vat_mode] = totals.get(line.vat_mode, 0) + line.amount_kopecks
    return tuple(
        VatRate(mode=mode, total_kopecks=total, vat_kopecks=vat_within(total, mode)) for mode, total in totals.items()
    )


def _lines(parts: Iterable[Part], lots: Lots, seller: Seller, numbers: Mapping[str, str]) -> tuple[ActLine, ...]:
    """A line for each package and price, those of the month first, then its corrections, month by month.

    `numbers`: those of acts, by month.
    """

    def line_of(part: Part) -> dict[str, Any]:
        prices = lots.prices.of(part.lot_id, part.hour_price_kopecks)
        return {
            "package_id": part.lot_id,
            "plan": part.lot_id and lots.plans[part.lot_id],
            "agreed_minutes": None if part.lot_id is None else lots.agreed_minutes[part.lot_id],
            "hour_price_kopecks": prices[0] if len(prices) == 1 else None,
            "hour_prices_kopecks": prices,
            "vat_mode": seller.vat_mode(last_day(part.vat_month)),
            "corrects_month": part.corrects,
            "corrects_act": part.corrects and numbers[part.corrects],
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


def _hours_from_report(
    report: MonthlyReport, debts: Iterable[DebtMoved], numbers: Mapping[str, str]
) -> tuple[AcceptedRow, ...]:
    """How the act's time follows from the report's, as it was known when the month was closed."""
    charged = report.totals.charged_minutes
    if report.rules_edition == 1:
        return accepted_rows_of_edition_1(charged, debts)
    return accepted_rows(report.month, charged, debts, numbers)
