"""The monthly report as PDF: what `report.typ` is given, every quantity already written out."""

from collections.abc import Iterable
from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from typing import Any

from contracts.quantities import decimal_hours
from contracts.reports import MonthlyReport, ReportLine
from services.documents.formats import Formats, day_of
from services.documents.movements import Movement, movements
from services.documents.numerals import Lang
from services.documents.parties import foot, party_block
from services.documents.typesetting import pdf

LINE_TABLES = (("closing", "tasks"), ("correction", "corrections"), ("settlement", "settlements"))
"""The kinds of lines, and the headings they stand under: corrections stand apart (rule 10.3)."""


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
        **_hash(report),
        "wide": any(len(formats.money(line.amount_kopecks)) > _AMOUNT_MAX for line in report.lines),
        "balance": _balance(report, formats),
        "line_tables": [_line_table(report, kind, title, formats) for kind, title in LINE_TABLES],
        "all_lines": _total(report, formats),
        "movements": _movements(report, formats),
    }


def _hash(report: MonthlyReport) -> dict[str, list[str]]:
    """In pieces too short to be broken at the edge of a line: whoever copies it copies nothing else."""
    if report.report_hash is None:
        return {}
    return {"hash": [report.report_hash[start : start + 16] for start in range(0, 64, 16)]}


def _hours(decimal: str, minutes: int, formats: Formats) -> dict[str, str]:
    return {"hours": formats.hours(decimal), "clock": formats.clock(minutes)}


def _balance(report: MonthlyReport, formats: Formats) -> dict[str, Any]:
    """Opening + purchased + paid - charged - forfeited = closing; what moves within the balance stands below."""
    totals = report.totals

    def row(word: str, minutes: int, hours: str | None = None) -> dict[str, Any]:
        shown = _hours(decimal_hours(minutes) if hours is None else hours, minutes, formats)
        return {"label": formats.words[word], "nothing": minutes == 0, **shown}

    return {
        "opening": row("opening_balance", report.opening_balance_minutes, report.opening_balance_hours),
        "changes": [
            row("purchased", totals.purchased_minutes),
            row("paid_minutes", totals.paid_minutes),
            row("charged_total", -totals.charged_minutes),
            row("forfeited_total", -totals.forfeited_minutes),
        ],
        "closing": row("closing_balance", report.closing_balance_minutes, report.closing_balance_hours),
        "negative": report.closing_balance_minutes < 0,
        "within": [
            shown
            for word, minutes in (
                ("settled_total", totals.settled_minutes),
                ("carried_total", totals.carried_over_minutes),
                ("compensated_total", totals.compensated_minutes),
            )
            if not (shown := row(word, minutes))["nothing"]
        ],
    }


def _line_table(report: MonthlyReport, kind: str, title: str, formats: Formats) -> dict[str, Any]:
    lines = [line for line in report.lines if line.kind == kind]
    return {
        "title": formats.words[title],
        "rows": [_line(number, line, formats) for number, line in enumerate(lines, 1)],
        "total": {
            "worked": _column(lines, "worked", formats),
            "charged": _column(lines, "charged", formats),
            "amount": formats.money(sum(line.amount_kopecks for line in lines)),
        },
    }


def _column(lines: Iterable[ReportLine], name: str, formats: Formats) -> dict[str, str]:
    """The sum of a column of hours as it is shown, beside the sum of its exact minutes."""
    lines = list(lines)
    hours = sum((Decimal(getattr(line, f"{name}_hours")) for line in lines), Decimal("0.00"))
    return _hours(str(hours), sum(getattr(line, f"{name}_minutes") for line in lines), formats)


def _line(number: int, line: ReportLine, formats: Formats) -> dict[str, Any]:
    return {
        "number": number,
        "day": formats.short_day(day_of(line.effective_at)),
        "title": line.title,
        "task": task_of(line, formats),
        "draws": drawn_from(line, formats),
        "category": formats.words[line.category],
        "coefficient": formats.coefficient(line.coefficient),
        "worked": _hours(line.worked_hours, line.worked_minutes, formats),
        "charged": _hours(line.charged_hours, line.charged_minutes, formats),
        "amount": formats.money(line.amount_kopecks),
    }


def task_of(line: ReportLine, formats: Formats) -> str:
    """The task's id, with the number of the closing from the second one on."""
    return f"{line.task_id} · {formats.words['closure']} {line.closure}" if line.closure > 1 else line.task_id


def drawn_from(line: ReportLine, formats: Formats) -> str:
    """Which lots gave how much, in exact time."""
    given = (draw for draw in line.draws if draw.minutes or draw.amount_kopecks)
    return ", ".join(f"{draw.lot_id} {formats.clock(draw.minutes)}" for draw in given)


def _total(report: MonthlyReport, formats: Formats) -> dict[str, Any]:
    totals = report.totals
    return {
        "worked": _hours(totals.worked_hours, totals.worked_minutes, formats),
        "charged": _hours(totals.charged_hours, totals.charged_minutes, formats),
        "amount": formats.money(totals.amount_kopecks),
    }


def _movements(report: MonthlyReport, formats: Formats) -> list[dict[str, Any]]:
    """A table for each sort of movement that there was."""
    return [
        {
            "title": formats.words[table],
            "money": table != "carried_over",
            "rows": [_movement(movement, formats) for movement in found],
        }
        for table, found in groupby(movements(report, formats), key=attrgetter("table"))
    ]


def _movement(of: Movement, formats: Formats) -> dict[str, Any]:
    return {
        "day": formats.short_day(of.day),
        "what": of.what,
        "amount": "" if of.amount_kopecks is None else formats.money(of.amount_kopecks),
        **_hours(of.hours, of.minutes, formats),
    }
