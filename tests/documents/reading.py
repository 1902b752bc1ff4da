"""Documents read back as a person would: text of pages, values and formulas of sheets."""

import re
import shutil
import subprocess
from io import BytesIO
from pathlib import Path

from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet
from pypdf import PdfReader

SOFFICE = shutil.which("soffice")


def pages(document: bytes) -> list[str]:
    """The text of each page, with every run of white space as one space."""
    return [_plain(page.extract_text()) for page in PdfReader(BytesIO(document)).pages]


def whole(document: bytes) -> str:
    return " ".join(pages(document))


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text.replace("\u200b", ""))


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
