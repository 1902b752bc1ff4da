"""What happened to packages and debt in a month, as lines that both PDF and workbook show."""

from datetime import date
from typing import Any, NamedTuple

from contracts.reports import MonthlyReport, ReportCarry, ReportPurchase, ReportSettlement
from services.documents.formats import Formats, day_of


class Movement(NamedTuple):
    """One line of the table that its first field names; hours that only moved have no money."""

    table: str
    day: date
    what: str
    hours: str
    minutes: int
    amount_kopecks: int | None


def movements(report: MonthlyReport, formats: Formats) -> list[Movement]:
    """Purchases, hours carried over and forfeited, debt settled and paid, in this order."""

    def movement(table: str, of: Any, what: str) -> Movement:
        amount = getattr(of, "amount_kopecks", None)
        return Movement(table, day_of(of.effective_at), what, of.hours, of.minutes, amount)

    return [
        *(movement("purchases", of, _purchase(of, formats)) for of in report.purchases),
        *(movement("carried_over", of, _carry(of, formats)) for of in report.carried_over),
        *(movement("forfeited", of, of.package_id) for of in report.forfeited),
        *(movement("settled", of, _settlement(of, formats)) for of in report.settled),
        *(movement("paid", of, _settlement(of, formats)) for of in report.paid),
    ]


def _purchase(of: ReportPurchase, formats: Formats) -> str:
    valid = formats.words["valid_through"].format(through=formats.through(of.ends_at, short=True))
    return f"{of.package_id} ({formats.plan(of.plan)}), {valid}"


def _carry(of: ReportCarry, formats: Formats) -> str:
    moved = f"{of.from_package_id} → {of.to_package_id}"
    return f"{moved} ({formats.words['reclaimed']})" if of.reclaimed else moved


def _settlement(of: ReportSettlement, formats: Formats) -> str:
    words = formats.words
    task = f"{words['task']} {of.task_id}"
    if of.lot_id:
        return f"{task}, {words['package'].lower()} {of.lot_id}"
    return f"{task}, {words['payment']} {of.payment_reference}" if of.payment_reference else task
