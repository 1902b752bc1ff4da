"""What both workbooks share: cell formats, page set-up, and bytes that depend on nothing but the data."""

from collections.abc import Iterable
from datetime import datetime
from io import BytesIO
from math import ceil
from typing import Any, NamedTuple
from unicodedata import combining, east_asian_width

import xlsxwriter
from xlsxwriter.utility import xl_rowcol_to_cell
from xlsxwriter.worksheet import Worksheet

from services.documents.formats import Formats, first_and_last, printable

TEXT_MAX = 32_767
_FONT = {"font_name": "Calibri", "font_size": 10, "valign": "top"}
_EDGE = {"bottom": 1, "bottom_color": "#D5DAE0"}
_HEAD = {"bold": True, "text_wrap": True, "bg_color": "#F4F6F8", "bottom": 2, "valign": "vcenter"}
_STYLES: dict[str, dict[str, Any]] = {
    "title": {"font_size": 16, "bold": True, "valign": "vcenter", "text_wrap": True},
    "quiet": {"font_color": "#68727F", "text_wrap": True},
    "wrapped": {"text_wrap": True},
    "strong": {"bold": True, "text_wrap": True},
    "alarm": {"font_color": "#B3362B", "bold": True, "text_wrap": True},
    "head": _HEAD | {"align": "left", "indent": 1},
    "head_left": _HEAD,
    "head_number": _HEAD | {"align": "right"},
    "plain": {},
    "statement": {"valign": "vcenter"},
    "signature": {"bottom": 1, "valign": "bottom", "text_wrap": True},
    "caption": {"font_size": 8, "font_color": "#68727F"},
}  # fmt: skip
_NUMBERS = {"hours": "#,##0.00", "minutes": "#,##0", "money": '#,##0.00\\ "₽"', "coefficient": "General", "count": "0"}


_LEFT = {"day": {"align": "left"}, "count": {"align": "left"}}
_TOTAL = {"bold": True, "top": 1, "valign": "vcenter"}
_LINE_HEIGHT = 13.5


class Column(NamedTuple):
    """A column of a table: its heading, the style of its cells, and its width in characters where it sets one."""

    heading: str
    style: str
    width: float = 0


class Book:
    """A workbook in memory, with every style it may use."""

    def __init__(self, formats: Formats, title: str, author: str, month: str) -> None:
        self.formats = formats
        self._bytes = BytesIO()
        self.book = xlsxwriter.Workbook(
            self._bytes,
            {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False},
        )
        created = datetime.combine(first_and_last(month)[1], datetime.min.time())
        self.book.set_properties({"title": printable(title), "author": printable(author), "created": created})
        day = "dd.mm.yyyy" if formats.lang == "ru" else "d mmm yyyy"
        numbers = _NUMBERS | {"day": day}
        looks = {name: {"num_format": shown, **_EDGE, **_LEFT.get(name, {})} for name, shown in numbers.items()}
        looks |= {f"{name}_total": {"num_format": shown, **_TOTAL} for name, shown in numbers.items()}
        text = {"text_wrap": True, "align": "left", "indent": 1, **_EDGE}
        looks |= {
            "text": text,
            "quoted": text | {"quote_prefix": True},
            "label": _EDGE,
            "text_total": _TOTAL,
        }
        self.styles = {name: self.book.add_format(_FONT | look) for name, look in (_STYLES | looks).items()}

    def sheet(self, name: str, draft: str | None) -> Worksheet:
        """A sheet that prints on A4, as wide as the page, with the draft mark and page numbers on every page."""
        sheet = self.book.add_worksheet(name)
        sheet.set_paper(9)
        sheet.set_margins(left=0.6, right=0.5, top=0.8, bottom=0.7)
        sheet.fit_to_pages(1, 0)
        sheet.hide_gridlines(2)
        words = self.formats.words
        sheet.set_header(f"&R&B{draft}" if draft else "")
        sheet.set_footer(f"&R{words['page']} &P {words['of_pages']} &N")
        return sheet

    def text(self, sheet: Worksheet, row: int, column: int, text: str, style: str = "text") -> None:
        """Text that stays text, whatever it begins with."""
        shown = "\n".join(printable(line) for line in text.split("\n"))[:TEXT_MAX]
        if style == "text" and shown[:1] in set("=+-@"):
            style = "quoted"
        sheet.write_string(row, column, shown, self.styles[style])

    def head(self, sheet: Worksheet, row: int, columns: tuple[Column, ...]) -> None:
        """The headings of a table."""
        for number, column in enumerate(columns):
            left = number == 0 or column.style in _LEFT
            style = "head_left" if left else "head" if column.style == "text" else "head_number"
            self.text(sheet, row, number, column.heading, style)
        sheet.set_row(row, _height(_lines(column.heading, column.width) for column in columns) + 6)

    def table_head(self, sheet: Worksheet, row: int, columns: tuple[Column, ...]) -> None:
        """The headings of a long table: they stay in sight, and stand on every printed page."""
        self.head(sheet, row, columns)
        for number, column in enumerate(columns):
            sheet.set_column(number, number, column.width)
        sheet.freeze_panes(row + 1, 0)
        sheet.repeat_rows(row)

    def paragraph(
        self, sheet: Worksheet, row: int, text: str, *, label: str = "", last: int, width: float, style: str = "wrapped"
    ) -> None:
        """Text across columns, in a row as high as it needs; beside a label, or from the first column on."""
        self.block(sheet, row, 1 if label else 0, last, text, style)
        if label:
            self.text(sheet, row, 0, label, "quiet")
        sheet.set_row(row, height_of(text, width))

    def title(self, sheet: Worksheet, texts: tuple[str, str, str], *, last: int, width: float) -> None:
        """The first rows of a document, across all its columns: title, subtitle, and that it is a draft."""
        title, subtitle, warning = texts
        self.block(sheet, 0, 0, last, title, "title")
        sheet.set_row(0, height_of(title, width * _FONT["font_size"] / 16) * 16 / _FONT["font_size"])
        for row, (text, style) in enumerate(((subtitle, "quiet"), (warning, "alarm")), 1):
            self.block(sheet, row, 0, last, text, style)
            sheet.set_row(row, height_of(text, width))

    def block(self, sheet: Worksheet, row: int, first: int, last: int, text: str, style: str) -> None:
        """Text across columns of one row."""
        sheet.merge_range(row, first, row, last, "", self.styles[style])
        self.text(sheet, row, first, text, style)

    def row(self, sheet: Worksheet, row: int, columns: tuple[Column, ...], values: tuple[Any, ...]) -> None:
        """A line of a table; text as text, days as days, everything else as a number."""
        for number, (column, value) in enumerate(zip(columns, values, strict=True)):
            style = self.styles[column.style]
            if value is None:
                sheet.write_blank(row, number, None, style)
            elif column.style == "text":
                self.text(sheet, row, number, value, "text" if number else "label")
            elif column.style == "day":
                sheet.write_datetime(row, number, datetime.combine(value, datetime.min.time()), style)
            else:
                sheet.write_number(row, number, value, style)
        texts = zip(columns, values, strict=True)
        sheet.set_row(row, _height(_lines(text, column.width) for column, text in texts if column.style == "text"))

    def total(
        self, sheet: Worksheet, row: int, columns: tuple[Column, ...], label: str, sums: dict[int, Any], first: int
    ) -> None:
        """Sums of the columns from row `first` on, as formulas that already hold their value."""
        for number, column in enumerate(columns):
            if number in sums:
                self.sum(sheet, row, number, column.style, sums[number], first)
            else:
                sheet.write_blank(row, number, None, self.styles[f"{column.style}_total"])
        self.text(sheet, row, 0, label, "text_total")
        sheet.set_row(row, 20)

    def sum(self, sheet: Worksheet, row: int, column: int, style: str, value: float, first: int) -> None:
        """The sum of a column from row `first` on, as a formula that already holds its value."""
        look = self.styles[f"{style}_total"]
        if row > first:
            cells = f"{xl_rowcol_to_cell(first, column)}:{xl_rowcol_to_cell(row - 1, column)}"
            sheet.write_formula(row, column, f"=SUM({cells})", look, value)
        else:
            sheet.write_number(row, column, value, look)

    def finish(self) -> bytes:
        self.book.close()
        return self._bytes.getvalue()


def height_of(text: str, width: float) -> float:
    """How high a row has to be for a text in so wide a cell."""
    return _height([sum(_lines(part, width) for part in text.split("\n"))])


def _lines(text: str, width: float) -> int:
    """How many lines a text takes in a column: spreadsheets do not raise every row by themselves."""
    return max(1, ceil(sum(map(_columns, text)) / (width * 0.85))) if width else 1


def _columns(letter: str) -> int:
    """East Asian letters and emoji are twice as wide as others; marks stand on the letter before."""
    return 0 if combining(letter) else 2 if east_asian_width(letter) in "WF" else 1


def _height(lines: Iterable[int]) -> float:
    return _LINE_HEIGHT * max(lines, default=1) + 4
