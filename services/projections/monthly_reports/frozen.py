"""A closed month is shown only with the figures that its event froze (rule 10.1): a row may have been changed since."""

from contracts.report_hash import Figures, report_hash
from contracts.reports import MonthlyReport

GONE = ""
"""In place of the hash that an event froze, and that is not there any more."""


def differing_figures(report: MonthlyReport) -> str | None:
    """A sentence where a closed month's report does not give its hash, or that is gone; months that were closed before
    there were any have none."""
    if report.report_hash is None:
        return None
    if report.report_hash == GONE:
        return f"What {report.month} of account {report.account_id} was closed with is gone."
    lines = (
        Figures(line.task_id, line.closure, line.worked_minutes, line.charged_minutes, line.amount_kopecks)
        for line in report.lines
    )
    balances = (report.opening_balance_minutes, report.closing_balance_minutes)
    if report.report_hash == report_hash(report.account_id, report.month, *balances, lines):
        return None
    return f"The figures of {report.month} of account {report.account_id} are not those that it was closed with."
