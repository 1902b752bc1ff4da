"""Rows under known headings: where a sheet's headings stand, and what each cell of a row gives or lacks."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

from services.onboarding.books import Rows
from services.onboarding.cells import Cell, Misfit
from services.onboarding.sheets import ACCOUNT, EXAMPLE, SHEETS, Column, Sheet

_FORMULA_FAULT = re.compile(r"#(N/A|Н/Д|REF!|ССЫЛКА!|VALUE!|ЗНАЧ!|NAME\?|ИМЯ\?|DIV/0!|ДЕЛ/0!|NUM!|ЧИСЛО!|NULL!|ПУСТО!)")
HEADINGS_WITHIN = 15
"""Rows: titles may stand above the headings."""


class Fault(NamedTuple):
    """What is wrong where, and what to do about it. `row` is as the workbook numbers it."""

    sheet: str
    row: int | None
    column: str
    remedy: str

    def __str__(self) -> str:
        place = [self.sheet, f"row {self.row}" if self.row else "", self.column]
        return f"{', '.join(filter(None, place))}: {self.remedy}"


class Row(NamedTuple):
    """A row that was read: values by the name of their column, without those of empty cells.

    `headings`: how the book calls each column. `written`: what stands in its cell.
    """

    sheet: str
    number: int
    values: Mapping[str, Any]
    headings: Mapping[str, str]
    written: Mapping[str, str]

    def fault(self, column: str, remedy: str) -> Fault:
        """Something wrong with this row, at a column if one is at fault."""
        cell = self.written.get(column, "")
        return Fault(self.sheet, self.number, self.headings.get(column, ""), f"{cell}: {remedy}" if cell else remedy)


EXAMPLE_ROW = Row("", 0, {}, {}, {})


class Reading(NamedTuple):
    """What a book holds: rows by the name of their sheet in code, what is wrong, and what else to say."""

    rows: Mapping[str, Sequence[Row]]
    faults: Sequence[Fault]
    notes: Sequence[str]


def reading_of(book: Mapping[str, Rows]) -> Reading:
    """Every row of every sheet that is known, by whatever case its name is written in."""
    rows: dict[str, list[Row]] = {sheet.name: [] for sheet in SHEETS}
    faults: list[Fault] = []
    examples = 0
    named = {_folded(name): sheet for sheet in SHEETS for name in (*sheet.title, sheet.name)}
    known = {title: named[_folded(title)] for title in book if _folded(title) in named}
    for title, sheet in known.items():
        for found in _rows_of(title, sheet, book[title]):
            if isinstance(found, Fault):
                faults.append(found)
            elif found is EXAMPLE_ROW:
                examples += 1
            else:
                rows[sheet.name].append(found)
    if not known:
        wanted = ", ".join(" or ".join(sheet.title) for sheet in SHEETS)
        faults.append(Fault("the book", None, "", f"none of its sheets is known: name them {wanted}"))
    unread = [title for title in book if title not in known]
    notes = [f"not read: {', '.join(unread)}"] if unread else []
    return Reading(rows, faults, [*notes, *([f"{examples} rows of examples are passed over"] if examples else [])])


def _rows_of(title: str, sheet: Sheet, rows: Rows) -> Iterator[Row | Fault]:
    head = max(range(min(HEADINGS_WITHIN, len(rows))), key=lambda at: len(_known(sheet, rows[at])), default=0)
    headings = _joined(rows, head)
    columns = _known(sheet, headings)
    wrong = list(_wrong_headings(title, sheet, headings, columns, rows[head + 1 :]))
    if wrong:
        yield from wrong
        return
    names = {column.name: _shown(headings[at]).rstrip(" *") for at, column in columns.items()}
    (account_at,) = (at for at, column in columns.items() if column is ACCOUNT)
    for number, cells in enumerate(rows[head + 1 :], head + 2):
        if str(cells[account_at] if account_at < len(cells) else "").strip().casefold().startswith(EXAMPLE):
            yield EXAMPLE_ROW
        elif any(not _is_empty(cell) for cell in cells):
            written = {each.name: _shown(cells[at]) for at, each in columns.items() if at < len(cells)}
            yield from _read(Row(title, number, {}, names, written), cells, columns)


def _joined(rows: Rows, head: int) -> list[Cell]:
    """The headings, those from the row above where cells are merged downwards."""
    above = rows[head - 1] if head else []
    here = rows[head] if rows else []
    return [below if not _is_empty(below) else up for below, up in zip_longest(here, above, fillvalue="")]


def _known(sheet: Sheet, headings: Iterable[Cell]) -> dict[int, Column]:
    """By place, the columns that these headings name."""
    named = {_folded(heading): column for column in sheet.columns for heading in (*column.heading, column.name)}
    return {at: named[_folded(each)] for at, each in enumerate(headings) if _folded(each) in named}


def _wrong_headings(
    title: str, sheet: Sheet, headings: Sequence[Cell], columns: Mapping[int, Column], rows: Rows
) -> Iterator[Fault]:
    found = [column.name for column in columns.values()]
    for column in sheet.columns:
        if column.required and column.name not in found:
            remedy = f"this column is missing: add one with the heading {column.heading[0]} or {column.heading[1]}"
            yield Fault(title, None, column.heading[0], remedy)
        if found.count(column.name) > 1:
            yield Fault(title, None, column.heading[0], "there are two such columns: keep one")
    for at, heading in enumerate(headings):
        filled_in = any(at < len(cells) and not _is_empty(cells[at]) for cells in rows)
        if at not in columns and not _is_empty(heading) and filled_in:
            names = ", ".join(each.heading[0] for each in sheet.columns)
            yield Fault(title, None, _shown(heading), f"this column is not known: delete it, or call it one of {names}")


def _read(row: Row, cells: Sequence[Cell], columns: Mapping[int, Column]) -> Iterator[Row | Fault]:
    values: dict[str, Any] = {}
    wrong = False
    for at, column in columns.items():
        cell = cells[at] if at < len(cells) else ""
        try:
            value = _value(column, cell)
        except Misfit as misfit:
            wrong = True
            yield row.fault(column.name, str(misfit))
        else:
            values |= {} if value is None else {column.name: value}
    if not wrong:
        yield row._replace(values=values)


def _value(column: Column, cell: Cell) -> Any:
    if isinstance(cell, str) and _FORMULA_FAULT.fullmatch(cell):
        raise Misfit(
            "a formula has an error here, or no value: mend it, or write what it should give, and save the book"
        )
    value = None if _is_empty(cell) else column.read(cell)
    if value is None and column.required:
        raise Misfit("this is empty: fill it in")
    return value


def _is_empty(cell: Cell) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _folded(heading: Cell) -> str:
    return " ".join(str(heading).casefold().replace("*", " ").replace("ё", "е").split())


def _shown(cell: Cell) -> str:
    """As people see it."""
    shown = str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
    return " ".join(shown.split())[:60]
