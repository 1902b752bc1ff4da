"""The monthly report as a workbook: what happened to the balance, then a sheet for each table."""

from decimal import Decimal
from typing import Any, NamedTuple

from xlsxwriter.utility import quote_sheetname, xl_rowcol_to_cell
from xlsxwriter.worksheet import Worksheet

from contracts.quantities import decimal_hours
from contracts.reports import MonthlyReport, ReportLine
from services.documents.formats import Formats, day_of
from services.documents.movements import movements
from services.documents.numerals import Lang
from services.documents.parties import requisites
from services.documents.report_pdf import LINE_TABLES, drawn_from, task_of
from services.documents.sheets import Book, Column

_WIDTHS = (36, 16, 18, 16, 18, 18)
_SUMS = {"worked_hours": 6, "worked_minutes": 7, "charged_hours": 8, "charged_minutes": 9, "amount": 10}
"""Where the sums of a line table stand."""


class LineSheet(NamedTuple):
    """A sheet of lines that the first sheet refers to."""

    title: str
    name: str
    total_row: int
    sums: dict[str, Any]

    def reference(self, sum_name: str) -> str:
        return f"{quote_sheetname(self.name)}!{xl_rowcol_to_cell(self.total_row, _SUMS[sum_name])}"


def report_xlsx(report: MonthlyReport, lang: Lang) -> bytes:
    """The report for a customer's own arithmetic; the same report always gives the same bytes."""
    formats = Formats(lang)
    words = formats.words
    book = Book(formats, f"{words['report']} {words['for_month']} {formats.month(report.month)}", report.seller.name,
                report.month)  # fmt: skip
    draft = None if report.closed else words["report_draft"]
    summary = book.sheet(words["sheet_report"], draft)
    tables = [
        _line_sheet(book, words[title], words[f"sheet_{title}"], lines, draft)
        for kind, title in LINE_TABLES
        if (lines := [line for line in report.lines if line.kind == kind]) or kind == "closing"
    ]
    _movement_sheet(book, report, draft)
    for number, width in enumerate(_WIDTHS):
        summary.set_column(number, number, width)
    row = _totals(book, summary, _balance(book, summary, _opening(book, summary, report), report, tables), tables)
    book.text(summary, row + 1, 0, words["rounding"], "quiet")
    return book.finish()


def _opening(book: Book, sheet: Worksheet, report: MonthlyReport) -> int:
    """Title, parties and contract; the row after them."""
    formats, words = book.formats, book.formats.words
    warning = "" if report.closed else f"{words['report_draft']}. {words['report_draft_why']}"
    book.title(sheet, words["report"], f"{words['for_month']} {formats.month(report.month)}", warning)
    contract = f"{words['number']} {report.contract_number} {words['from']} {formats.long_day(report.contract_date)}"
    origin = f"{words['as_recorded'].capitalize()}{report.position}"
    if report.report_hash:
        origin += f"\nSHA-256 {report.report_hash}"
    about = [
        (words[role], "\n".join([party.name, *requisites(party, formats)]))
        for role, party in (("seller", report.seller), ("customer", report.customer))
    ]
    for row, (label, text) in enumerate([*about, (words["contract"], contract), (words["origin"], origin)], 4):
        book.paragraph(sheet, row, text, label=label, last=len(_WIDTHS) - 1, width=sum(_WIDTHS[1:]))
    return 9


def _balance(book: Book, sheet: Worksheet, row: int, report: MonthlyReport, tables: list[LineSheet]) -> int:
    """Opening + purchased + paid - charged - forfeited = closing, in minutes, as a formula; the row after it."""
    words, totals = book.formats.words, report.totals
    columns = (
        Column(words["balance"], "text"), Column(words["hours"], "hours"), Column(words["minutes"], "minutes")
    )  # fmt: skip
    book.head(sheet, row, columns)
    changes: list[tuple[str, int, str]] = [
        ("opening_balance", report.opening_balance_minutes, report.opening_balance_hours),
        *(
            (word, minutes, decimal_hours(minutes))
            for word, minutes in (
                ("purchased", totals.purchased_minutes),
                ("paid_minutes", totals.paid_minutes),
                ("charged_total", -totals.charged_minutes),
                ("forfeited_total", -totals.forfeited_minutes),
            )
        ),
    ]
    for number, (word, minutes, hours) in enumerate(changes, row + 1):
        book.row(sheet, number, columns, (words[word], float(hours), minutes))
        if word == "charged_total":
            charged = "+".join(table.reference("charged_minutes") for table in tables)
            sheet.write_formula(number, 2, f"=-({charged})", book.styles["minutes"], minutes)
    last = row + len(changes) + 1
    book.total(sheet, last, columns, words["closing_balance"], {2: report.closing_balance_minutes}, row + 1)
    sheet.write_number(last, 1, float(report.closing_balance_hours), book.styles["hours_total"])
    return last + 2


def _totals(book: Book, sheet: Worksheet, row: int, tables: list[LineSheet]) -> int:
    """What the line tables add up to, each by a reference to its own total; the row after it."""
    words = book.formats.words
    styles = ("hours", "minutes", "hours", "minutes", "money")
    columns = (
        Column(words["all_lines"], "text"),
        *(Column(words[name], style) for name, style in zip(_SUMS, styles, strict=True)),
    )
    book.head(sheet, row, columns)
    for number, table in enumerate(tables, row + 1):
        book.text(sheet, number, 0, table.title, "label")
        for place, (name, style) in enumerate(zip(_SUMS, styles, strict=True), 1):
            sheet.write_formula(number, place, f"={table.reference(name)}", book.styles[style], table.sums[name])
    last = row + len(tables) + 1
    sums = {
        place: float(sum(Decimal(str(table.sums[name])) for table in tables)) for place, name in enumerate(_SUMS, 1)
    }
    book.total(sheet, last, columns, words["total"], sums, row + 1)
    return last + 1


def _line_sheet(book: Book, title: str, name: str, lines: list[ReportLine], draft: str | None) -> LineSheet:
    words = book.formats.words
    columns = (
        Column(words["number"], "count", 5),
        Column(words["day"], "day", 11),
        Column(words["task_id"], "text", 15),
        Column(words["title"], "text", 50),
        Column(words["category"], "text", 18),
        Column(words["coefficient"], "coefficient", 6),
        *(
            Column(words[sum_name], style, 17 if style == "money" else 13)
            for sum_name, style in zip(_SUMS, ("hours", "minutes", "hours", "minutes", "money"), strict=True)
        ),
        Column(words["packages"], "text", 28),
    )
    sheet = book.sheet(name, draft)
    sheet.set_landscape()
    book.table_head(sheet, 0, columns)
    for number, line in enumerate(lines, 1):
        book.row(sheet, number, columns, _line(number, line, book.formats))
    if lines:
        sheet.autofilter(0, 0, len(lines), len(columns) - 1)
    sums = _sums(lines)
    total_row = len(lines) + 1
    book.total(sheet, total_row, columns, words["total"], {_SUMS[key]: value for key, value in sums.items()}, 1)
    return LineSheet(title, name, total_row, sums)


def _line(number: int, line: ReportLine, formats: Formats) -> tuple[Any, ...]:
    return (
        number,
        day_of(line.effective_at),
        task_of(line, formats),
        line.title,
        formats.words[line.category],
        float(line.coefficient),
        float(line.worked_hours),
        line.worked_minutes,
        float(line.charged_hours),
        line.charged_minutes,
        line.amount_kopecks / 100,
        drawn_from(line, formats),
    )


def _sums(lines: list[ReportLine]) -> dict[str, Any]:
    """What the formulas will find, added up without a float."""
    return {
        "worked_hours": float(sum(Decimal(line.worked_hours) for line in lines)),
        "worked_minutes": sum(line.worked_minutes for line in lines),
        "charged_hours": float(sum(Decimal(line.charged_hours) for line in lines)),
        "charged_minutes": sum(line.charged_minutes for line in lines),
        "amount": sum(line.amount_kopecks for line in lines) / 100,
    }


def _movement_sheet(book: Book, report: MonthlyReport, draft: str | None) -> None:
    words = book.formats.words
    found = movements(report, book.formats)
    if not found:
        return
    columns = (
        Column(words["day"], "day", 12),
        Column(words["movement"], "text", 36),
        Column(words["details"], "text", 60),
        Column(words["hours"], "hours", 14),
        Column(words["minutes"], "minutes", 14),
        Column(words["amount"], "money", 18),
    )
    sheet = book.sheet(words["sheet_movements"], draft)
    book.table_head(sheet, 0, columns)
    for number, of in enumerate(found, 1):
        amount = None if of.amount_kopecks is None else of.amount_kopecks / 100
        book.row(sheet, number, columns, (of.day, words[of.table], of.what, float(of.hours), of.minutes, amount))
