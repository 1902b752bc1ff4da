"""Documents read back as a person would: text of pages, values and formulas of sheets."""

import re
import shutil
import subprocess
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet
from pypdf import PdfReader
from pypdf._text_extraction._layout_mode import text_show_operations
from pypdf.generic import ContentStream

SOFFICE = shutil.which("soffice")
PDFTOTEXT = shutil.which("pdftotext")


def pages(document: bytes) -> list[str]:
    """The text of each page, with every run of white space as one space."""
    return [_plain(page.extract_text()) for page in PdfReader(BytesIO(document)).pages]


def whole(document: bytes) -> str:
    return " ".join(pages(document))


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def extracted(document: bytes) -> dict[str, str]:
    """All text without white space, by each reader there is: where a line breaks, readers see some."""
    found = {"pypdf": "".join(page.extract_text() for page in PdfReader(BytesIO(document)).pages)}
    if PDFTOTEXT:
        read = subprocess.run([PDFTOTEXT, "-", "-"], input=document, capture_output=True, check=True)
        found["pdftotext"] = read.stdout.decode()
    return {reader: re.sub(r"\s+", "", text) for reader, text in found.items()}


class Run(NamedTuple):
    """Text of one line, set at once; where it begins and ends, in millimetres from the left margin, and its points."""

    start: float
    end: float
    size: float
    text: str


def runs(document: bytes) -> list[Run]:
    """Every run of text on every page."""
    found: list[Run] = []
    for page in PdfReader(BytesIO(document)).pages:
        operations = iter(ContentStream(page["/Contents"].get_object(), page.pdf, "bytes").operations)
        found += [
            Run(shown["tx"] * 25.4 / 72, shown["displaced_tx"] * 25.4 / 72, shown["font_size"], shown["text"])
            for shown in text_show_operations(operations, page._layout_mode_fonts())
        ]
    return found


def formulas(document: bytes) -> Workbook:
    return load_workbook(BytesIO(document))


def values(document: bytes) -> Workbook:
    """With what the formulas are said to have come to."""
    return load_workbook(BytesIO(document), data_only=True)


def cells(sheet: Worksheet) -> list[object]:
    return [cell.value for row in sheet.iter_rows() for cell in row if cell.value is not None]


def recalculated(document: bytes, folder: Path) -> Workbook:
    """The workbook as LibreOffice has opened it, worked it out anew, and saved it."""
    assert SOFFICE is not None
    given = folder / "given.xlsx"
    given.write_bytes(document)
    made = folder / "made"
    command = [SOFFICE, f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--headless", "--convert-to"]
    subprocess.run([*command, "xlsx:Calc MS Excel 2007 XML", "--outdir", str(made), str(given)], check=True,
                   capture_output=True, timeout=120)  # fmt: skip
    return values((made / "given.xlsx").read_bytes())


def fonts_of(document: bytes) -> set[str]:
    """The families of the fonts embedded, as the document calls them."""
    names: set[str] = set()
    for page in PdfReader(BytesIO(document)).pages:
        for font in page["/Resources"]["/Font"].values():
            names.add(str(font.get_object()["/BaseFont"]).split("+")[-1].split("-")[0])
    return names
