"""The template of a seller's book: a sheet of explanations, and sheets with headings, choices and rows of examples."""

from typing import Any

from xlsxwriter.worksheet import Worksheet

from services.documents.formats import Formats
from services.documents.numerals import Lang
from services.documents.sheets import Book
from services.documents.sheets import Column as Heading
from services.onboarding.cells import money
from services.onboarding.columns import Column
from services.onboarding.sheets import SHEETS

ROWS_OFFERED = 5000
MESSAGE_MAX = 255
NO_MONTH = "2000-01"
"""The bytes depend on nothing but the language."""

_TITLE = ("Перенос истории в Hourbook", "A seller's history for Hourbook")
_EXPLANATIONS = ("Пояснения", "Explanations")
_HEADS = (("Лист", "Столбец", "Обязателен", "Что писать"), ("Sheet", "Column", "Required", "What to write"))
_YES = ("да", "yes")
_STEPS = (
    (
        "Строки, у которых код заказчика начинается с example, — примеры: при загрузке они пропускаются.",
        "Один заказчик — один договор. Код заказчика связывает листы; пакеты и задачи без кода не загружаются.",
        "Остаток проданного раньше пакета — строка листа «Пакеты» с числом оставшихся часов и последним днём.",
        "Долг в часах — задача на эти часы, закрытая и подтверждённая в день переноса, без пакета с остатком.",
        "Сначала проверка: hourbook onboard КНИГА.xlsx --dry-run. Ничего не записывается, пока есть хоть одна ошибка.",
        "Загрузку можно прервать и повторить: записанное второй раз не записывается.",
    ),
    (
        "Rows of customers whose id begins with example are examples: they are passed over.",
        "One customer is one contract. The customer id joins the sheets; no row goes without it.",
        "What is left of a package sold before is a row of Packages with the hours left and the last day.",
        "Owed hours are a task of as many hours, closed and confirmed on the day of takeover, with no package left.",
        "Check first: hourbook onboard BOOK.xlsx --dry-run. Nothing is recorded while anything is wrong.",
        "You may interrupt and repeat it: what is recorded is not recorded twice.",
    ),
)


def template(lang: Lang) -> bytes:
    """A workbook to fill in."""
    at = 0 if lang == "ru" else 1
    book = Book(Formats(lang), _TITLE[at], "Hourbook", NO_MONTH)
    look = {"font_name": "Calibri", "font_size": 10}
    as_text = book.book.add_format({**look, "num_format": "@"})
    example = book.book.add_format(
        {**look, "num_format": "@", "italic": True, "font_color": "#68727F", "bg_color": "#F4F6F8"}
    )
    _explain(book, at)
    for sheet in SHEETS:
        page = book.sheet(sheet.title[at], None)
        page.set_landscape()
        headings = tuple(
            Heading(each.heading[at] + (" *" if each.required else ""), "text", _width(each, at))
            for each in sheet.columns
        )
        book.table_head(page, 0, headings)
        for number, column in enumerate(sheet.columns):
            page.set_column(number, number, headings[number].width, None if column.read is money else as_text)
            _offer(page, number, column, at)
            for row in (1, 2):
                page.write_string(row, number, _example(column, row - 1), example)
    return book.finish()


def _explain(book: Book, at: int) -> None:
    page = book.sheet(_EXPLANATIONS[at], None)
    headings = tuple(Heading(each, "text", width) for each, width in zip(_HEADS[at], (16, 34, 12, 90), strict=True))
    steps = _STEPS[at]
    book.block(page, 0, 0, 3, _TITLE[at], "title")
    page.set_row(0, 24)
    for row, step in enumerate(steps, 1):
        book.paragraph(page, row, f"{row}. {step}", last=3, width=150)
    book.table_head(page, len(steps) + 2, headings)
    page.freeze_panes(0, 0)
    row = len(steps) + 3
    for sheet in SHEETS:
        for column in sheet.columns:
            values = (sheet.title[at], column.heading[at], _YES[at] if column.required else "", _said(column, at))
            book.row(page, row, headings, values)
            row += 1


def _said(column: Column, at: int) -> str:
    offered = ", ".join(column.offered[at])
    return "; ".join(filter(None, (column.hint[at], offered)))


def _offer(page: Worksheet, number: int, column: Column, at: int) -> None:
    """What may be chosen, and what to write, said while a cell is filled in."""
    options: dict[str, Any] = {"validate": "any"}
    if column.offered[at]:
        options = {"validate": "list", "source": list(column.offered[at]), "error_type": "warning"}
    if message := column.hint[at]:
        options |= {"input_title": column.heading[at][:32], "input_message": message[:MESSAGE_MAX]}
    if len(options) > 1:
        page.data_validation(1, number, ROWS_OFFERED, number, options)


def _example(column: Column, place: int) -> str:
    return column.examples[place] if place < len(column.examples) else ""


def _width(column: Column, at: int) -> float:
    longest = max(map(len, (column.heading[at], *column.examples)))
    return max(14.0, min(36.0, longest + 3.0))
