"""The monthly report as a workbook: what happened to the balance, then a sheet for each table."""

from decimal import Decimal
from typing import Any, NamedTuple

from xlsxwriter.utility import quote_sheetname, xl_rowcol_to_cell
from xlsxwriter.worksheet import Worksheet

from contracts.quantities import hours_column
from contracts.reports import MonthlyReport, ReportLine, ReportTable
from services.documents.formats import Formats, day_of
from services.documents.numerals import Lang
from services.documents.package_lines import package_lines
from services.documents.parties import requisites
from services.documents.report_pdf import BALANCE_WORDS, LINE_TABLES, drawn_from, owed_of, package_left, task_of
from services.documents.sheets import Book, Column

_WIDTHS = (36, 16, 18, 16, 18, 18)
_SUMS = {"worked_hours": 6, "worked_minutes": 7, "charged_hours": 8, "charged_minutes": 9, "amount": 10}
"""Where the sums of a line table stand."""

_MINUTES_OF = {"worked_hours": "worked_minutes", "charged_hours": "charged_minutes"}


class LineSheet(NamedTuple):
    """A sheet of lines that the first sheet refers to."""

    table: ReportTable
    name: str
    total_row: int

    @property
    def sums(self) -> dict[str, Any]:
        """What the formulas below its columns come to."""
        return {
            "worked_hours": float(self.table.worked_hours),
            "worked_minutes": self.table.worked_minutes,
            "charged_hours": float(self.table.charged_hours),
            "charged_minutes": self.table.charged_minutes,
            "amount": self.table.amount_kopecks / 100,
        }

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
        _line_sheet(book, table, lines, draft)
        for table in report.tables
        if (lines := [line for line in report.lines if line.kind == table.kind]) or table.kind == "closing"
    ]
    _package_sheet(book, report, draft)
    for number, width in enumerate(_WIDTHS):
        summary.set_column(number, number, width)
    row = _balance(book, summary, _opening(book, summary, report), report, tables)
    row = _totals(book, summary, row, tables)
    row = _packages_left(book, summary, row + 1, report)
    book.text(summary, row + 1, 0, words["rounding"], "quiet")
    return book.finish()


def _opening(book: Book, sheet: Worksheet, report: MonthlyReport) -> int:
    """Title, parties and contract; the row after them."""
    formats, words = book.formats, book.formats.words
    warning = "" if report.closed else f"{words['report_draft']}. {words['report_draft_why']}"
    texts = (words["report"], f"{words['for_month']} {formats.month(report.month)}", warning)
    book.title(sheet, texts, last=len(_WIDTHS) - 1, width=sum(_WIDTHS))
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
    """Opening + purchased + paid - charged - forfeited - refunded = closing, as formulas; the row after it."""
    words = book.formats.words
    columns = (
        Column(words["balance"], "text"), Column(words["hours"], "hours"), Column(words["minutes"], "minutes")
    )  # fmt: skip
    book.head(sheet, row, columns)
    *changes, closing = report.balance_rows
    for number, moved in enumerate(changes, row + 1):
        book.row(sheet, number, columns, (words[BALANCE_WORDS[moved.kind]], float(moved.hours), moved.minutes))
        if moved.kind == "charged":
            charged = "+".join(table.reference("charged_minutes") for table in tables)
            sheet.write_formula(number, 2, f"=-({charged})", book.styles["minutes"], moved.minutes)
    last = row + len(changes) + 1
    sums = {1: float(closing.hours), 2: closing.minutes}
    book.total(sheet, last, columns, words["closing_balance"], sums, row + 1)
    return last + 2


def _totals(book: Book, sheet: Worksheet, row: int, tables: list[LineSheet]) -> int:
    """What the line tables add up to; the row after it.

    Exact minutes and money refer to the sheets; hours are a column of their own, rounded to their own total.
    """
    words = book.formats.words
    styles = ("hours", "minutes", "hours", "minutes", "money")
    columns = (
        Column(words["all_lines"], "text"),
        *(Column(words[name], style) for name, style in zip(_SUMS, styles, strict=True)),
    )
    book.head(sheet, row, columns)
    sums: dict[int, Any] = {}
    for place, (name, style) in enumerate(zip(_SUMS, styles, strict=True), 1):
        shown = [table.sums[name] for table in tables]
        if style == "hours":
            shown = [float(hours) for hours in hours_column([table.sums[_MINUTES_OF[name]] for table in tables])]
        sums[place] = float(sum(Decimal(str(one)) for one in shown))
        for number, (table, value) in enumerate(zip(tables, shown, strict=True), row + 1):
            if style == "hours":
                sheet.write_number(number, place, value, book.styles[style])
            else:
                sheet.write_formula(number, place, f"={table.reference(name)}", book.styles[style], value)
    for number, table in enumerate(tables, row + 1):
        book.text(sheet, number, 0, words[LINE_TABLES[table.table.kind]], "label")
    last = row + len(tables) + 1
    book.total(sheet, last, columns, words["total"], sums, row + 1)
    return last + 1


def _packages_left(book: Book, sheet: Worksheet, row: int, report: MonthlyReport) -> int:
    """What packages hold at the end of the month, and what is owed: the closing balance; the row after it."""
    formats, words = book.formats, book.formats.words
    columns = (
        Column(words["packages_left"], "text", _WIDTHS[0]),
        Column(words["last_day"], "day"),
        Column(words["hours"], "hours"),
        Column(words["minutes"], "minutes"),
    )
    book.head(sheet, row, columns)
    for number, left in enumerate(report.packages_left, row + 1):
        package = package_left(left, formats)
        book.row(sheet, number, columns, (package, left.last_day, float(left.hours), left.minutes))
    last = row + len(report.packages_left) + 1
    sums = {2: float(report.closing_balance_hours), 3: report.closing_balance_minutes}
    book.total(sheet, last, columns, words["closing_balance"], sums, row + 1)
    return last + 1


def _line_sheet(book: Book, table: ReportTable, lines: list[ReportLine], draft: str | None) -> LineSheet:
    words = book.formats.words
    name = words[f"sheet_{LINE_TABLES[table.kind]}"]
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
        *([Column(words["estimated_minutes"], "minutes", 13)] if _is_planned(lines) else []),
    )
    sheet = book.sheet(name, draft)
    sheet.set_landscape()
    book.table_head(sheet, 0, columns)
    for number, line in enumerate(lines, 1):
        book.row(sheet, number, columns, _line(number, line, book.formats)[: len(columns)])
    if lines:
        sheet.autofilter(0, 0, len(lines), len(columns) - 1)
    made = LineSheet(table, name, len(lines) + 1)
    sums = {_SUMS[key]: value for key, value in made.sums.items()}
    book.total(sheet, made.total_row, columns, words["total"], sums, 1)
    return made


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
        "; ".join(filter(None, (drawn_from(line, formats), owed_of(line, formats)))),
        line.estimated_minutes,
    )


def _is_planned(lines: list[ReportLine]) -> bool:
    """Whether any of them has an estimate to stand beside the fact (rule 15.3)."""
    return any(line.estimated_minutes is not None for line in lines)


def _package_sheet(book: Book, report: MonthlyReport, draft: str | None) -> None:
    words = book.formats.words
    found = package_lines(report, book.formats)
    if not found:
        return
    columns = (
        Column(words["day"], "day", 12),
        Column(words["operation"], "text", 36),
        Column(words["details"], "text", 60),
        Column(words["hours"], "hours", 14),
        Column(words["minutes"], "minutes", 14),
        Column(words["amount"], "money", 18),
    )
    sheet = book.sheet(words["sheet_packages"], draft)
    book.table_head(sheet, 0, columns)
    for number, of in enumerate(found, 1):
        amount = None if of.amount_kopecks is None else of.amount_kopecks / 100
        book.row(sheet, number, columns, (of.day, words[of.table], of.what, float(of.hours), of.minutes, amount))
