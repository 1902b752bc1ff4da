"""An invoice as a workbook of one sheet, with the code by which a bank fills the payment in."""

from xlsxwriter.worksheet import Worksheet

from contracts.invoices import Invoice
from services.documents.formats import Formats
from services.documents.invoice_content import (
    COLUMNS,
    Cells,
    bank_rows,
    ground_of,
    in_words,
    lines_of,
    subject_of,
    tax_of,
    title_of,
    validity_of,
)
from services.documents.numerals import Lang
from services.documents.parties import requisites
from services.documents.payment_code import as_png, payment_code, purpose_of
from services.documents.sheets import Book, Column

_STYLES = ("count", "text", "hours", "minutes", "money", "money")
_WIDTHS = (26, 52, 11, 10, 16, 18)
_LAST = len(_WIDTHS) - 1
_AMOUNT = _LAST
_PIXELS_EACH = 3


def invoice_xlsx(invoice: Invoice, lang: Lang) -> bytes:
    """The invoice; the same one always gives the same bytes."""
    formats = Formats(lang)
    title = f"{title_of(invoice, formats)} {subject_of(invoice, formats)}"
    book = Book(formats, title, invoice.seller.name, f"{invoice.issued_on:%Y-%m}")
    sheet = book.sheet(formats.words["sheet_invoice"], None)
    row = _table(book, sheet, _opening(book, sheet, invoice), invoice)
    _closing(book, sheet, row + 1, invoice)
    return book.finish()


def _opening(book: Book, sheet: Worksheet, invoice: Invoice) -> int:
    """Number, day, bank, parties and contract; the row of the table."""
    formats, words = book.formats, book.formats.words
    book.title(sheet, (title_of(invoice, formats), subject_of(invoice, formats), ""), last=_LAST, width=sum(_WIDTHS))
    parties = [(words["supplier"], invoice.seller), (words["payer"], invoice.customer)]
    about = [
        *bank_rows(invoice, formats),
        *((label, ", ".join([party.name, *requisites(party, formats)])) for label, party in parties),
        (words["ground"], ground_of(invoice, formats)),
    ]
    for row, (label, text) in enumerate(about, 3):
        book.paragraph(sheet, row, text, label=label, last=_LAST, width=sum(_WIDTHS[1:]))
    return 3 + len(about) + 1


def _table(book: Book, sheet: Worksheet, row: int, invoice: Invoice) -> int:
    """The lines, their sum as a formula, and the tax in it; the row after it."""
    formats, words = book.formats, book.formats.words
    headings = zip((words[name] for name in COLUMNS), _STYLES, _WIDTHS, strict=True)
    columns = tuple(Column(*heading) for heading in headings)
    book.table_head(sheet, row, columns)
    first = row + 1
    lines = lines_of(invoice, formats)
    for number, line in enumerate(lines, first):
        book.row(sheet, number, columns, _values(line))
    row = first + len(lines)
    book.total(sheet, row, columns, words["to_pay"], {_AMOUNT: invoice.total_kopecks / 100}, first)
    tax = tax_of(invoice, formats)
    book.text(sheet, row + 1, 0, tax.label, "plain")
    if tax.amount_kopecks is not None:
        sheet.write_number(row + 1, _AMOUNT, tax.amount_kopecks / 100, book.styles["money"])
    return row + 2


def _values(line: Cells) -> tuple[object, ...]:
    price = None if line.hour_price_kopecks is None else line.hour_price_kopecks / 100
    return (line.number, line.service, float(line.hours), line.minutes, price, line.amount_kopecks / 100)


def _closing(book: Book, sheet: Worksheet, row: int, invoice: Invoice) -> None:
    """The total in words, what to write on the payment, who signs, and the payment code."""
    formats, words = book.formats, book.formats.words
    said = [*in_words(invoice, formats), f"{words['purpose']}: {purpose_of(invoice)}", validity_of(invoice, formats)]
    for number, sentence in enumerate(said, row):
        book.paragraph(sheet, number, sentence, last=_LAST, width=sum(_WIDTHS))
    row += len(said) + 1
    for caption, known in (
        ("position", invoice.seller.signatory_position),
        ("signature", None),
        ("name", invoice.seller.signatory_name),
    ):
        book.block(sheet, row, 0, 1, known or "", "signature")
        book.block(sheet, row + 1, 0, 1, words[caption], "caption")
        row += 2
    code = as_png(payment_code(invoice), _PIXELS_EACH)
    sheet.insert_image(row + 1, 0, "code.png", {"image_data": code, "description": words["pay_by_code"]})
