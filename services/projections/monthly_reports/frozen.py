"""A closed month is shown only with the figures that its event froze (rule 10.1): a row may have been changed since."""

from contracts.report_hash import Figures, report_hash
from contracts.reports import MonthlyReport


def differing_figures(report: MonthlyReport) -> str | None:
    """A sentence where a closed month's report does not give its hash; months that were closed before there were any
    have none."""
    if report.report_hash is None:
        return None
    lines = (
        Figures(line.task_id, line.closure, line.worked_minutes, line.charged_minutes, line.amount_kopecks)
        for line in report.lines
    )
    balances = (report.opening_balance_minutes, report.closing_balance_minutes)
    if report.report_hash == report_hash(report.account_id, report.month, *balances, lines):
        return None
    return f"The figures of {report.month} of account {report.account_id} are not those that it was closed with."
