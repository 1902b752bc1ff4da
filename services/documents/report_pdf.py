"""The monthly report as PDF: what `report.typ` is given, every quantity already written out."""

from itertools import groupby
from operator import attrgetter
from typing import Any

from contracts.quantities import decimal_hours
from contracts.reports import MonthlyReport, PackageLeft, ReportLine, ReportTable, ReportTotals
from services.documents.formats import Formats, day_of
from services.documents.numerals import Lang
from services.documents.package_lines import PackageLine, package_lines
from services.documents.parties import foot, party_block
from services.documents.typesetting import pdf

LINE_TABLES = {"closing": "tasks", "correction": "corrections", "settlement": "settlements"}
"""The kinds of lines, and the headings they stand under: corrections stand apart (rule 10.3)."""

BALANCE_WORDS = {
    "opening": "opening_balance",
    "purchased": "purchased",
    "paid": "paid_minutes",
    "charged": "charged_total",
    "forfeited": "forfeited_total",
    "refunded": "refunded_total",
    "closing": "closing_balance",
}
"""What the rows from opening to closing balance are called."""

_AMOUNT_MAX = 16
"""Characters that the column of amounts has room for; wider ones take from the room of titles."""


def report_pdf(report: MonthlyReport, lang: Lang) -> bytes:
    """The report for a customer; the same report always gives the same bytes."""
    formats = Formats(lang)
    return pdf("report.typ", _document(report, formats))


def _document(report: MonthlyReport, formats: Formats) -> dict[str, Any]:
    return {
        "lang": formats.lang,
        "words": formats.words,
        "month": formats.month(report.month),
        "draft": not report.closed,
        "parties": [party_block("seller", report.seller, formats), party_block("customer", report.customer, formats)],
        "contract_number": report.contract_number,
        "contract_date": formats.long_day(report.contract_date),
        "foot": foot(report, formats),
        **({"hash": report.report_hash} if report.report_hash else {}),
        "wide": any(len(formats.money(line.amount_kopecks)) > _AMOUNT_MAX for line in report.lines),
        "balance": _balance(report, formats),
        "line_tables": [_line_table(report, table, formats) for table in report.tables],
        "all_lines": _sums(report.totals, formats),
        "package_tables": _package_tables(report, formats),
        "packages_left": [_left(left, formats) for left in report.packages_left],
    }


def _hours(decimal: str, minutes: int, formats: Formats) -> dict[str, str]:
    return {"hours": formats.hours(decimal), "clock": formats.clock(minutes)}


def _balance(report: MonthlyReport, formats: Formats) -> dict[str, Any]:
    """Opening + purchased + paid - charged - forfeited = closing; what moves within the balance stands below."""
    totals = report.totals

    def row(word: str, minutes: int, hours: str) -> dict[str, Any]:
        return {"label": formats.words[word], "nothing": minutes == 0, **_hours(hours, minutes, formats)}

    opening, *changes, closing = (
        row(BALANCE_WORDS[moved.kind], moved.minutes, moved.hours) for moved in report.balance_rows
    )
    within = (
        ("settled_total", totals.settled_minutes),
        ("carried_total", totals.carried_over_minutes),
        ("compensated_total", totals.compensated_minutes),
    )
    return {
        "opening": opening,
        "changes": changes,
        "closing": closing,
        "negative": report.closing_balance_minutes < 0,
        "within": [row(word, minutes, decimal_hours(minutes)) for word, minutes in within if minutes],
    }


def _line_table(report: MonthlyReport, table: ReportTable, formats: Formats) -> dict[str, Any]:
    lines = (line for line in report.lines if line.kind == table.kind)
    return {
        "title": formats.words[LINE_TABLES[table.kind]],
        "rows": [_line(number, line, formats) for number, line in enumerate(lines, 1)],
        "total": _sums(table, formats),
    }


def _line(number: int, line: ReportLine, formats: Formats) -> dict[str, Any]:
    return {
        "number": number,
        "day": formats.short_day(day_of(line.effective_at)),
        "title": line.title,
        "task": " · ".join(filter(None, (task_of(line, formats), estimate_of(line, formats)))),
        "draws": drawn_from(line, formats),
        "owed": owed_of(line, formats),
        "category": formats.words[line.category],
        "coefficient": formats.coefficient(line.coefficient),
        "worked": _hours(line.worked_hours, line.worked_minutes, formats),
        "charged": _hours(line.charged_hours, line.charged_minutes, formats),
        "amount": formats.money(line.amount_kopecks),
    }


def task_of(line: ReportLine, formats: Formats) -> str:
    """The task's id, with the number of the closing from the second one on, and that it was a specification."""
    said = [line.task_id]
    if line.closure > 1:
        said.append(f"{formats.words['closure']} {line.closure}")
    for word, closure in (("corrects_closing", line.corrects_closure), ("corrected_by", line.corrected_by_closure)):
        if closure is not None:
            said.append(formats.words[word].format(closure=closure))
    if line.work_kind == "specification":
        said.append(formats.words["specification"])
    return " · ".join(said)


def estimate_of(line: ReportLine, formats: Formats) -> str:
    """What a task that was planned was expected to take (rule 15.3)."""
    minutes = line.estimated_minutes
    return "" if minutes is None else f"{formats.words['estimate']} {formats.clock(minutes)}"


def owed_of(line: ReportLine, formats: Formats) -> str:
    """What the month left owed of it; of a settlement, which pays debt, nothing is said."""
    if not line.owed_minutes or line.kind == "settlement":
        return ""
    return formats.words["line_owed"].format(time=formats.clock(line.owed_minutes))


def drawn_from(line: ReportLine, formats: Formats) -> str:
    """Which lots gave how much, in exact time."""
    given = (draw for draw in line.draws if draw.minutes or draw.amount_kopecks)
    return ", ".join(f"{draw.lot_id} {formats.clock(draw.minutes)}" for draw in given)


def _sums(of: ReportTotals | ReportTable, formats: Formats) -> dict[str, Any]:
    return {
        "worked": _hours(of.worked_hours, of.worked_minutes, formats),
        "charged": _hours(of.charged_hours, of.charged_minutes, formats),
        "amount": formats.money(of.amount_kopecks),
    }


def package_left(left: PackageLeft, formats: Formats) -> str:
    """A package with its plan, or the debt."""
    if left.package_id is None:
        return formats.words["owed_left"]
    return f"{left.package_id} ({formats.size(left.plan, left.agreed_minutes)})"


def _left(left: PackageLeft, formats: Formats) -> dict[str, str]:
    day = formats.short_day(left.last_day) if left.last_day else ""
    return {"package": package_left(left, formats), "last_day": day, **_hours(left.hours, left.minutes, formats)}


def _package_tables(report: MonthlyReport, formats: Formats) -> list[dict[str, Any]]:
    """A table for each sort of line that there is."""
    return [
        {
            "title": formats.words[table],
            "money": table != "carried_over",
            "rows": [_package_line(line, formats) for line in found],
        }
        for table, found in groupby(package_lines(report, formats), key=attrgetter("table"))
    ]


def _package_line(of: PackageLine, formats: Formats) -> dict[str, Any]:
    return {
        "day": formats.short_day(of.day),
        "what": of.what,
        "amount": "" if of.amount_kopecks is None else formats.money(of.amount_kopecks),
        **_hours(of.hours, of.minutes, formats),
    }
