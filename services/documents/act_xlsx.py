"""The act as a workbook of one sheet, to print and sign or to take into accounting (rule 10.4)."""

from xlsxwriter.worksheet import Worksheet

from contracts.reports import Act, ActLine
from services.documents.act_content import (
    groups,
    hours_in_a_sentence,
    hours_rows,
    notes,
    prices,
    replaces,
    service,
    statement_of,
    subject_of,
    tax_in_words,
    tax_rows,
    title_of,
)
from services.documents.formats import Formats, first_and_last
from services.documents.numerals import Lang
from services.documents.parties import requisites
from services.documents.sheet_signatures import sign
from services.documents.sheets import Book, Column, height_of

_QUANTITY, _MINUTES, _PRICE, _AMOUNT = 3, 4, 5, 6
_WIDTHS = (22, 52, 10, 11, 10, 16, 18)
_SIGNATURES = {"seller": (0, 1), "customer": (3, 6)}
"""The columns that each party's signature takes."""


def act_xlsx(act: Act, lang: Lang) -> bytes:
    """The act for signature by both sides; the same act always gives the same bytes."""
    formats = Formats(lang)
    book = Book(formats, f"{title_of(act, formats)} {subject_of(act, formats)}", act.seller.name, act.month)
    sheet = book.sheet(formats.words["act"], formats.words["act_draft"] if act.draft else None)
    row = _opening(book, sheet, act)
    if act.to_sign:
        row = _table(book, sheet, row, act)
        row = _hours_table(book, sheet, row, act)
        row = _agreed(book, sheet, row + 1, act)
        sign(book, sheet, row + 1, (act.seller, act.customer), _SIGNATURES, _WIDTHS)
    else:
        _nothing_to_sign(book, sheet, row, act)
    return book.finish()


def _opening(book: Book, sheet: Worksheet, act: Act) -> int:
    """Number, day, parties, contract and period; the row of the table."""
    formats, words = book.formats, book.formats.words
    start, end = (formats.long_day(day) for day in first_and_last(act.month))
    warning = f"{words['act_draft']}. {words['act_draft_why']}" if act.draft else ""
    texts = (title_of(act, formats), subject_of(act, formats), warning)
    book.title(sheet, texts, last=len(_WIDTHS) - 1, width=sum(_WIDTHS))
    contract = f"{words['contract']} {words['number']} {act.contract_number} {words['from']}"
    about = [
        (words["seller"], ", ".join([act.seller.name, *requisites(act.seller, formats)])),
        (words["customer"], ", ".join([act.customer.name, *requisites(act.customer, formats)])),
        (words["ground"], f"{contract} {formats.long_day(act.contract_date)}"),
        (words["period"], f"{start} — {end}"),
    ]
    if replaced := replaces(act, formats):
        about.append((words["revision"], replaced))
    for row, (label, text) in enumerate(about, 3):
        book.paragraph(sheet, row, text, label=label, last=len(_WIDTHS) - 1, width=sum(_WIDTHS[1:]))
    row = 3 + len(about)
    if statement := statement_of(act):
        book.text(sheet, row, 0, words[statement], "statement")
        sheet.set_row(row, 26)
    for number, width in enumerate(_WIDTHS):
        sheet.set_column(number, number, width)
    return row + 1


def _table(book: Book, sheet: Worksheet, row: int, act: Act) -> int:
    """Hours by package and price, their sums as formulas, and the tax in them; the row after it."""
    formats, words = book.formats, book.formats.words
    names = ("number", "service", "unit", "quantity", "minutes", "hour_price", "amount")
    styles = ("count", "text", "text", "hours", "minutes", "money", "money")
    headings = zip((words[name] for name in names), styles, _WIDTHS, strict=True)
    columns = tuple(Column(*heading) for heading in headings)
    book.table_head(sheet, row, columns)
    first = row = row + 1
    for group in groups(act, formats):
        if group.heading:
            book.paragraph(sheet, row, group.heading, last=len(_WIDTHS) - 1, width=sum(_WIDTHS), style="strong")
            row += 1
        for number, line in group.lines:
            book.row(sheet, row, columns, (number, *_line(line, formats)))
            if line.hour_price_kopecks is None:
                book.text(sheet, row, _PRICE, prices(line, formats))
            row += 1
    sums = {_QUANTITY: float(act.total_hours), _MINUTES: act.total_minutes, _AMOUNT: act.total_kopecks / 100}
    book.total(sheet, row, columns, words["total"], sums, first)
    for tax in tax_rows(act, formats):
        row += 1
        book.text(sheet, row, 0, tax.label, "plain")
        if tax.amount_kopecks is not None:
            sheet.write_number(row, _AMOUNT, tax.amount_kopecks / 100, book.styles["money"])
    return row + 1


def _line(line: ActLine, formats: Formats) -> tuple[object, ...]:
    work, package = service(line, formats)
    return (
        f"{work}: {package}" if package else work,
        formats.words["hours_unit"],
        float(line.hours),
        line.minutes,
        None if line.hour_price_kopecks is None else line.hour_price_kopecks / 100,
        line.amount_kopecks / 100,
    )


def _agreed(book: Book, sheet: Worksheet, row: int, act: Act) -> int:
    """The totals in words, what the customer accepts, and where the figures come from; the row after them."""
    formats, words = book.formats, book.formats.words
    hours = f"{formats.hours(act.total_hours)} {words['hours_unit']} ({formats.clock(act.total_minutes)})"
    money = f"{formats.money(act.total_kopecks)} — {formats.money_in_words(act.total_kopecks)}"
    sentences = [
        f"{words['total_hours']}: {hours} — {formats.hours_in_words(act.total_minutes)}.",
        f"{words['total_amount']}: {money}, {tax_in_words(act, formats)}.",
        *([words["acceptance"]] if statement_of(act) == "statement" else []),
        *filter(None, [hours_in_a_sentence(act, formats)]),
        *notes(act, formats),
    ]
    return _paragraphs(book, sheet, row, sentences)


def _nothing_to_sign(book: Book, sheet: Worksheet, row: int, act: Act) -> None:
    said = [book.formats.words["no_act_why"], *filter(None, [hours_in_a_sentence(act, book.formats)])]
    _hours_table(book, sheet, _paragraphs(book, sheet, row, said), act)


def _hours_table(book: Book, sheet: Worksheet, row: int, act: Act) -> int:
    """How the act's hours follow from the report's, with what it accepts as their sum; the row after it."""
    words = book.formats.words
    rows = hours_rows(act, book.formats)
    if not rows:
        return row
    first = row + 2
    book.block(sheet, row + 1, 0, _QUANTITY - 1, words["hours_from_report"], "head_left")
    book.text(sheet, row + 1, _QUANTITY, words["hours"], "head_number")
    book.text(sheet, row + 1, _MINUTES, words["minutes"], "head_number")
    for number, (label, of) in enumerate(rows, first):
        is_sum = of.kind == "accepted"
        book.block(sheet, number, 0, _QUANTITY - 1, label, "text_total" if is_sum else "text")
        sheet.set_row(number, height_of(label, sum(_WIDTHS[:_QUANTITY])))
        for column, style, value in ((_QUANTITY, "hours", float(of.hours)), (_MINUTES, "minutes", of.minutes)):
            if is_sum:
                book.sum(sheet, number, column, style, value, first)
            else:
                sheet.write_number(number, column, value, book.styles[style])
    return first + len(rows)


def _paragraphs(book: Book, sheet: Worksheet, row: int, sentences: list[str]) -> int:
    """Sentences one below another; the row after them."""
    for number, sentence in enumerate(sentences, row):
        book.paragraph(sheet, number, sentence, last=len(_WIDTHS) - 1, width=sum(_WIDTHS))
    return row + len(sentences)
