"""The reconciliation as a workbook of one sheet, to sign or to compare with one's own books."""

from xlsxwriter.worksheet import Worksheet

from contracts.reconciliations import Reconciliation
from services.documents.formats import Formats
from services.documents.numerals import Lang
from services.documents.parties import requisites
from services.documents.reconciliation_content import (
    account_rows,
    conclusions,
    debt_rows,
    subject_of,
    title_of,
    turnover,
)
from services.documents.sheet_signatures import sign
from services.documents.sheets import Book, Column, height_of

_HOURS, _MINUTES, _DEBIT, _CREDIT = 2, 3, 4, 5
_WIDTHS = (22, 62, 11, 11, 18, 18)
_SIGNATURES = {"seller": (0, 1), "customer": (2, 5)}
_LAST = len(_WIDTHS) - 1


def reconciliation_xlsx(made: Reconciliation, lang: Lang) -> bytes:
    """The same reconciliation always gives the same bytes."""
    formats = Formats(lang)
    title, subject = title_of(made, formats), subject_of(made, formats)
    book = Book(formats, f"{title} {subject}", made.seller.name, f"{made.until:%Y-%m}")
    sheet = book.sheet(formats.words["sheet_reconciliation"], None if made.closed else formats.words["report_draft"])
    row = _opening(book, sheet, made)
    row = _account(book, sheet, row, made)
    row = _debt(book, sheet, row + 1, made)
    for sentence in (*conclusions(made, formats), formats.words["reconciliation_note"]):
        book.paragraph(sheet, row, sentence, last=_LAST, width=sum(_WIDTHS))
        row += 1
    sign(book, sheet, row + 1, (made.seller, made.customer), _SIGNATURES, _WIDTHS)
    return book.finish()


def _opening(book: Book, sheet: Worksheet, made: Reconciliation) -> int:
    """Title, parties and contract; the row of the table."""
    formats, words = book.formats, book.formats.words
    warning = "" if made.closed else f"{words['report_draft']}. {words['period_draft_why']}"
    book.title(sheet, (title_of(made, formats), subject_of(made, formats), warning), last=_LAST, width=sum(_WIDTHS))
    contract = f"{words['contract']} {words['number']} {made.contract_number} {words['from']}"
    about = (
        (words["seller"], ", ".join([made.seller.name, *requisites(made.seller, formats)])),
        (words["customer"], ", ".join([made.customer.name, *requisites(made.customer, formats)])),
        (words["ground"], f"{contract} {formats.long_day(made.contract_date)}"),
    )
    for row, (label, text) in enumerate(about, 3):
        book.paragraph(sheet, row, text, label=label, last=_LAST, width=sum(_WIDTHS[1:]))
    row = 3 + len(about)
    book.paragraph(sheet, row, words["reconciliation_statement"], last=_LAST, width=sum(_WIDTHS))
    return row + 1


def _account(book: Book, sheet: Worksheet, row: int, made: Reconciliation) -> int:
    """The account between both sides, with the sums of what each gave as formulas; the row after it."""
    formats, words = book.formats, book.formats.words
    names = ("day", "operation", "hours", "minutes", "debit", "credit")
    styles = ("day", "text", "hours", "minutes", "money", "money")
    headings = zip((words[name] for name in names), styles, _WIDTHS, strict=True)
    columns = tuple(Column(*heading) for heading in headings)
    book.table_head(sheet, row, columns)
    opening, *between, closing = (
        (of.day, of.what, float(of.hours), of.minutes, _rubles(of.debit_kopecks), _rubles(of.credit_kopecks))
        for of in account_rows(made, formats)
    )
    book.row(sheet, row + 1, columns, opening)
    first = row = row + 2
    for of in between:
        book.row(sheet, row, columns, of)
        row += 1
    sums = turnover(made)
    totals = {_DEBIT: sums.debit_kopecks / 100, _CREDIT: sums.credit_kopecks / 100}
    book.total(sheet, row, columns, words["turnover"], totals, first)
    book.row(sheet, row + 1, columns, closing)
    return row + 2


def _rubles(kopecks: int | None) -> float | None:
    return None if kopecks is None else kopecks / 100


def _debt(book: Book, sheet: Worksheet, row: int, made: Reconciliation) -> int:
    """What the customer owes, with the closing debt as the sum of the rows; the row after it."""
    formats, words = book.formats, book.formats.words
    rows = debt_rows(made, formats)
    if not rows:
        return row
    book.block(sheet, row, 0, 1, words["debt_of_customer"], "head_left")
    book.text(sheet, row, _HOURS, words["hours"], "head_number")
    book.text(sheet, row, _MINUTES, words["minutes"], "head_number")
    first = row + 1
    for number, (label, of) in enumerate(rows, first):
        is_sum = of.kind == "closing"
        book.block(sheet, number, 0, 1, label, "text_total" if is_sum else "text")
        sheet.set_row(number, height_of(label, sum(_WIDTHS[:2])))
        for column, style, value in ((_HOURS, "hours", float(of.hours)), (_MINUTES, "minutes", of.minutes)):
            if is_sum:
                book.sum(sheet, number, column, style, value, first)
            else:
                sheet.write_number(number, column, value, book.styles[style])
    return first + len(rows) + 1
