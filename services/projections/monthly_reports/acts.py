"""The act of a month: the hours accepted and their money by package (rule 10.4), from its report."""

from collections.abc import Mapping
from datetime import date

from asyncpg import Connection

from contracts.quantities import decimal_hours, hours_column, rounded_division
from contracts.reports import Act, ActLine, MonthlyReport, Vat
from services.projections.monthly_reports.queries import last_day
from services.projections.monthly_reports.seller import Seller

PRICES = "SELECT lot_id, hour_price_kopecks FROM report_lot WHERE account_id = $1"


async def act(connection: Connection, report: MonthlyReport, seller: Seller) -> Act:
    """The act of that report's month; a draft while the month is open. Its money is the report's."""
    prices = dict(await connection.fetch(PRICES, report.account_id))
    act_date = last_day(report.month)
    lines = _lines(report, prices)
    total = sum(line.amount_kopecks for line in lines)
    assert total == report.totals.amount_kopecks, "an act states the money of its report"
    minutes = sum(line.minutes for line in lines)
    return Act(
        number=f"{report.contract_number}-{report.month}",
        act_date=act_date,
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
        vat=vat_within(total, seller, act_date),
    )


def vat_within(amount_kopecks: int, seller: Seller, day: date) -> Vat:
    """The tax contained in an amount, rounded half to even (rule 1.2)."""
    mode = seller.vat_mode(day)
    rate = 0 if mode == "none" else int(mode)
    tax = rounded_division(amount_kopecks * rate, 100 + rate)
    return Vat(mode=mode, amount_kopecks=tax)


def _lines(report: MonthlyReport, prices: Mapping[str, int]) -> tuple[ActLine, ...]:
    """A line for each package that gave hours, and one for each price at which debt was paid with money."""
    given: dict[tuple[str | None, str | None, int], list[int]] = {}
    for line in report.lines:
        for draw in line.draws:
            sums = given.setdefault((draw.lot_id, draw.plan, prices[draw.lot_id]), [0, 0])
            sums[0] += draw.minutes
            sums[1] += draw.amount_kopecks
    for payment in report.paid:
        price = rounded_division(payment.amount_kopecks * 60, payment.minutes)
        sums = given.setdefault((None, None, price), [0, 0])
        sums[0] += payment.minutes
        sums[1] += payment.amount_kopecks
    rows = [(*key, minutes, amount) for key, (minutes, amount) in given.items() if minutes or amount]
    hours = hours_column([minutes for *_, minutes, _ in rows])
    return tuple(
        ActLine(
            package_id=package_id,
            plan=plan,
            hour_price_kopecks=price,
            minutes=minutes,
            hours=shown,
            amount_kopecks=amount,
        )
        for (package_id, plan, price, minutes, amount), shown in zip(rows, hours, strict=True)
    )
