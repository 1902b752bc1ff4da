"""A book as rows of cells: a workbook (XLSX, ODS), a folder of CSV files, or one of them."""

import csv
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO
from xml.etree import ElementTree as ET

from python_calamine import CalamineError, CalamineWorkbook

from services.onboarding.cells import Cell
from services.process.operator_error import OperatorError

ROWS_MAX = 200_000
CELLS_MAX = 20_000_000
"""Of the rectangle that a sheet's cells reach over: the reading library keeps all of it in memory."""

UNPACKED_BYTES_MAX = 1 << 29
FORMS = "an .xlsx or .ods workbook, a .csv file named as its sheet, or a folder of such files"
FORMULA_FAULT = "#N/A"
"""What stands here for a cell whose formula has no value: the reading library would show it as empty."""

_REFERENCE = re.compile(r"([A-Z]+)(\d+)")
_ODS_FAULT = re.compile(rb'calcext:value-type="error"')

Rows = list[list[Cell]]
Places = list[tuple[int, int]]
"""Rows and columns, from 0."""


def sheets_in(book: Path) -> Mapping[str, Rows]:
    """By name the rows of each sheet, from the first on; OperatorError where the book cannot be read."""
    if book.is_dir():
        files = sorted(each for each in book.iterdir() if each.suffix.lower() == ".csv")
        if not files:
            raise OperatorError(f"{book}: there is no .csv file in it: give {FORMS}.")
        return {each.stem: _csv(each) for each in files}
    if book.suffix.lower() == ".csv":
        return {book.stem: _csv(book)}
    if book.suffix.lower() not in {".xlsx", ".xlsm", ".ods"}:
        raise OperatorError(f"{book}: this is none of the files that are read: give {FORMS}.")
    try:
        faults = _formula_faults(book)
        found = _workbook(book)
        _mark(found, faults)
    except (CalamineError, zipfile.BadZipFile, ET.ParseError, KeyError) as unreadable:
        raise OperatorError(f"{book}: it cannot be read as a workbook: {unreadable}. Save it anew.") from unreadable
    return found


def _workbook(book: Path) -> dict[str, Rows]:
    with CalamineWorkbook.from_path(str(book)) as opened:
        found: dict[str, Rows] = {}
        for name in opened.sheet_names:
            sheet = opened.get_sheet_by_name(name)
            if sheet.total_height > ROWS_MAX:
                raise OperatorError(f"{book}, {name}: more than {ROWS_MAX} rows: delete those that are empty.")
            found[name] = sheet.to_python(skip_empty_area=False)
        return found


def _formula_faults(book: Path) -> Mapping[str, Places]:
    """By sheet, where formulas have errors or no value; OperatorError for a book that would fill the memory."""
    with zipfile.ZipFile(book) as parts:
        if sum(part.file_size for part in parts.infolist()) > UNPACKED_BYTES_MAX:
            remedy = "copy the rows that are to be taken over into a new one"
            raise OperatorError(f"{book}: it holds more than {UNPACKED_BYTES_MAX >> 20} MiB: {remedy}.")
        if book.suffix.lower() == ".ods":
            if _ODS_FAULT.search(parts.read("content.xml")):
                raise OperatorError(f"{book}: a formula in it has an error, such as #N/A: mend it, and save the book.")
            return {}
        found: dict[str, Places] = {}
        for name, part in _parts_of_sheets(parts):
            with parts.open(part) as content:
                found[name] = _faults_in(content, f"{book}, {name}")
        return found


def _mark(sheets: Mapping[str, Rows], faults: Mapping[str, Places]) -> None:
    for name, places in faults.items():
        rows = sheets[name]
        for row, column in places:
            rows += [[] for _ in range(row + 1 - len(rows))]
            rows[row] += [""] * (column + 1 - len(rows[row]))
            rows[row][column] = FORMULA_FAULT


def _parts_of_sheets(parts: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """Each sheet of an XLSX and the part of the file that has its cells; its names are of one of two namespaces."""
    relations = ET.fromstring(parts.read("xl/_rels/workbook.xml.rels"))  # noqa: S314 - a file of the operator's own
    targets = {each.attrib["Id"]: each.attrib["Target"] for each in relations}
    sheets = ET.fromstring(parts.read("xl/workbook.xml"))  # noqa: S314 - the same
    for sheet in sheets.findall(".//{*}sheet"):
        (target,) = (targets[value] for name, value in sheet.attrib.items() if name.endswith("}id"))
        part = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
        if "worksheets/" in part:
            yield sheet.attrib["name"], part


def _faults_in(content: IO[bytes], sheet: str) -> Places:
    """Where formulas have errors or no value, counted from 0; OperatorError where a cell stands too far out."""
    found: list[tuple[int, int]] = []
    height = width = 0
    for _, element in ET.iterparse(content):  # noqa: S314 - the same
        if element.tag.endswith("}c") and len(element):
            is_fault = element.get("t") == "e" or _lacks_value(element)
            reference = element.attrib["r"] if is_fault else element.get("r", "A1")  # some programs leave it out
            row, column = _place(reference)
            height, width = max(height, row + 1), max(width, column + 1)
            if height * width > CELLS_MAX:
                raise OperatorError(f"{sheet}: {reference} stands far from the table: delete what is there.")
            if is_fault:
                found.append((row, column))
        elif element.tag.endswith("}row"):
            element.clear()
    return found


def _lacks_value(cell: ET.Element) -> bool:
    return cell.find("{*}f") is not None and not cell.findtext("{*}v") and cell.get("t") != "str"


def _place(reference: str) -> tuple[int, int]:
    """Row and column of a reference, from 0.

    >>> _place("AB12")
    (11, 27)
    """
    found = _REFERENCE.fullmatch(reference)
    assert found, reference
    column = 0
    for letter in found[1]:
        column = column * 26 + ord(letter) - ord("A") + 1
    return int(found[2]) - 1, column - 1


def _csv(file: Path) -> Rows:
    """In UTF-8 or Windows-1251, with semicolons, commas or tabs between the cells."""
    raw = file.read_bytes()
    try:
        written = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        written = raw.decode("cp1251", errors="replace")
    lines: Sequence[str] = written.splitlines(keepends=True)
    head = next(filter(str.strip, lines), "")
    try:
        return list(csv.reader(lines, delimiter=max(";,\t", key=head.count)))
    except csv.Error as unreadable:
        raise OperatorError(f"{file}: it cannot be read as CSV: {unreadable}. Save it anew.") from unreadable
