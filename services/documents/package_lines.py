"""What happened to packages and debt in a month, as lines that both PDF and workbook show."""

from datetime import date
from typing import Any, NamedTuple

from contracts.reports import MonthlyReport, ReportCarry, ReportPurchase, ReportRefund, ReportSettlement
from services.documents.formats import Formats, day_of


class PackageLine(NamedTuple):
    """One line of the table that its first field names; hours that only moved have no money."""

    table: str
    day: date
    what: str
    hours: str
    minutes: int
    amount_kopecks: int | None


def package_lines(report: MonthlyReport, formats: Formats) -> list[PackageLine]:
    """Purchases, hours carried over and forfeited, debt settled and paid, in this order."""

    def package_line(table: str, of: Any, what: str) -> PackageLine:
        amount = getattr(of, "amount_kopecks", None)
        return PackageLine(table, day_of(of.effective_at), what, of.hours, of.minutes, amount)

    return [
        *(package_line("purchases", of, _purchase(of, formats)) for of in report.purchases),
        *(package_line("carried_over", of, _carry(of, formats)) for of in report.carried_over),
        *(package_line("forfeited", of, of.package_id) for of in report.forfeited),
        *(package_line("settled", of, _settlement(of, formats)) for of in report.settled),
        *(package_line("paid", of, _settlement(of, formats)) for of in report.paid),
        *(package_line("refunds", of, _refund(of, formats)) for of in report.refunds or ()),
    ]


def _refund(of: ReportRefund, formats: Formats) -> str:
    said = [of.lot_id, formats.words["refund"].format(reference=of.refund_reference)]
    if of.retained_kopecks:
        said.append(formats.words["retained"].format(money=formats.money(of.retained_kopecks)))
    return ", ".join(said)


def _purchase(of: ReportPurchase, formats: Formats) -> str:
    valid = formats.words["valid_through"].format(through=formats.through(of.ends_at, short=True))
    said = [f"{of.package_id} ({formats.size(of.plan, of.agreed and of.agreed.minutes)})", valid]
    if of.agreed:
        said.append(formats.words["agreed"].format(reason=of.agreed.reason))
    return ", ".join(said)


def _carry(of: ReportCarry, formats: Formats) -> str:
    moved = f"{of.from_package_id} → {of.to_package_id}"
    return f"{moved} ({formats.words['reclaimed']})" if of.reclaimed else moved


def _settlement(of: ReportSettlement, formats: Formats) -> str:
    words = formats.words
    task = f"{words['task']} {of.task_id}"
    if of.lot_id:
        return f"{task}, {words['package'].lower()} {of.lot_id}"
    return f"{task}, {words['payment']} {of.payment_reference}" if of.payment_reference else task
