"""Books as people save them: each trap of each form is read rightly, or named by sheet, row and column."""

import zipfile
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import odf.opendocument
import odf.table
import odf.text
import openpyxl
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from services.onboarding import books
from services.onboarding.books import sheets_in
from services.onboarding.judgement import judged
from services.onboarding.rows import Reading, reading_of
from services.onboarding.template import template
from services.process.operator_error import OperatorError

HEADINGS = ["Код заказчика", "Название", "Номер договора", "Дата договора", "ИНН"]
CUSTOMER = ["oka", "ООО «Ока»", "007/26", "15.01.2026", "7736207543"]


def workbook(file: Path, *rows: Sequence[Any], sheet: str = "Заказчики", touch: Callable[[Any], None] = id) -> Reading:
    """What is read of a workbook with these rows in a sheet. `touch` does more to it."""
    made = openpyxl.Workbook()
    page = made.active
    assert page is not None
    page.title = sheet
    for row in rows:
        page.append(list(row))
    touch(made)
    made.save(file)
    return reading_of(sheets_in(file))


def ods(file: Path, rows: Sequence[Sequence[str]]) -> Path:
    made = odf.opendocument.OpenDocumentSpreadsheet()
    page = odf.table.Table(name="Заказчики")
    for cells in rows:
        row = odf.table.TableRow()
        for cell in cells:
            element = odf.table.TableCell(valuetype="string")
            element.addElement(odf.text.P(text=cell))
            row.addElement(element)
        page.addElement(row)
    made.spreadsheet.addElement(page)
    made.save(str(file))
    return file


def customers(reading: Reading) -> list[dict[str, Any]]:
    assert not reading.faults
    return [dict(row.values) for row in reading.rows["customers"]]


def test_headings_are_found_below_titles_and_merged_cells_by_any_case(tmp_path: Path):
    def merge(made: openpyxl.Workbook) -> None:
        page = made.active
        page.merge_cells("A1:E1")
        page["B2"], page["B3"] = "НАЗВАНИЕ", None
        page.merge_cells("B2:B3")
        page["F60"] = " "

    head = ["код  заказчика *", None, "Номер договора", "Дата договора", "ИНН"]
    reading = workbook(tmp_path / "a.xlsx", ["Наши заказчики"], [], head, CUSTOMER, [], sheet=" ЗАКАЗЧИКИ", touch=merge)
    (found,) = customers(reading)
    assert (found["customer_name"], found["contract_number"]) == ("ООО «Ока»", "007/26")
    assert reading.rows["customers"][0].number == 4


def test_days_are_the_same_in_both_epochs_and_numbers_have_no_tail(tmp_path: Path):
    def change_epoch(made: openpyxl.Workbook) -> None:
        made.epoch = CALENDAR_MAC_1904

    row = ["oka", "ООО «Ока»", 100, date(2026, 1, 15), 7736207543.0]
    found = [
        customers(workbook(tmp_path / "e.xlsx", HEADINGS, row, touch=touch)) for touch in (change_epoch, lambda _: None)
    ]
    assert found[0] == found[1]
    assert found[0][0]["contract_date"] == "2026-01-15"
    assert (found[0][0]["contract_number"], found[0][0]["customer_requisites.inn"]) == ("100", "7736207543")


def test_a_formula_with_an_error_or_without_a_value_is_no_empty_cell(tmp_path: Path):
    def spoil(made: openpyxl.Workbook) -> None:
        made.active["E2"] = "#N/A"
        made.active["E2"].data_type = "e"
        made.active["E3"] = "=A1"

    other = ["ob", "ООО «Обь»", "8", "15.01.2026", ""]
    reading = workbook(tmp_path / "f.xlsx", HEADINGS, CUSTOMER, other, touch=spoil)
    assert [(fault.row, fault.column) for fault in reading.faults] == [(2, "ИНН"), (3, "ИНН")]


def rewritten(file: Path, *changes: tuple[bytes, bytes]) -> Path:
    """The workbook with other bytes in all of its parts."""
    with zipfile.ZipFile(file) as parts:
        contents = {name: parts.read(name) for name in parts.namelist()}
    with zipfile.ZipFile(file, "w") as parts:
        for name, content in contents.items():
            for old, new in changes:
                content = content.replace(old, new)  # noqa: PLW2901
            parts.writestr(name, content)
    return file


def test_a_strict_workbook_and_ods_hide_no_formula_with_an_error_either(tmp_path: Path):
    def spoil(made: openpyxl.Workbook) -> None:
        made.active["E2"] = "#N/A"
        made.active["E2"].data_type = "e"

    workbook(tmp_path / "s.xlsx", HEADINGS, CUSTOMER, touch=spoil)
    schemas, purl = b"http://schemas.openxmlformats.org/", b"http://purl.oclc.org/ooxml/"
    strict = rewritten(
        tmp_path / "s.xlsx",
        (schemas + b"spreadsheetml/2006/main", purl + b"spreadsheetml/main"),
        (schemas + b"officeDocument/2006/relationships", purl + b"officeDocument/relationships"),
    )
    assert [fault.column for fault in reading_of(sheets_in(strict)).faults] == ["ИНН"]
    cell = b'office:value-type="string"'
    with_error = rewritten(ods(tmp_path / "s.ods", [HEADINGS, CUSTOMER]), (cell, b'calcext:value-type="error" ' + cell))
    with pytest.raises(OperatorError, match="formula"):
        sheets_in(with_error)


@pytest.mark.parametrize(
    ("rows", "row", "column"),
    [
        ([HEADINGS[1:], CUSTOMER[1:]], None, "Код заказчика"),
        ([[*HEADINGS, "ИНН"], [*CUSTOMER, "1"]], None, "ИНН"),
        ([[*HEADINGS, "Телефон"], [*CUSTOMER, "1"]], None, "Телефон"),
        ([HEADINGS, ["oka", "", "7", "15.01.2026", ""]], 2, "Название"),
        ([HEADINGS, [*CUSTOMER[:3], 46037, ""]], 2, "Дата договора"),
        ([HEADINGS, [*CUSTOMER[:2], date(2026, 3, 5), *CUSTOMER[3:]]], 2, "Номер договора"),
        ([HEADINGS, CUSTOMER, CUSTOMER], 3, "Код заказчика"),
        ([HEADINGS, ["ока 1", *CUSTOMER[1:]]], 2, "Код заказчика"),
        ([HEADINGS, [*CUSTOMER[:4], "7736207544"]], 2, "ИНН"),
    ],
)
def test_what_is_wrong_is_named_by_row_and_column(tmp_path: Path, rows: list[list[Any]], row: int | None, column: str):
    (fault,) = judged(workbook(tmp_path / "w.xlsx", *rows)).faults
    assert (fault.sheet, fault.row, fault.column) == ("Заказчики", row, column)
    assert len(fault.remedy) > 10


def test_a_column_nobody_filled_in_may_have_any_heading(tmp_path: Path):
    assert customers(workbook(tmp_path / "n.xlsx", [*HEADINGS, "Телефон"], CUSTOMER))


def test_ods_is_read_as_xlsx_is(tmp_path: Path):
    from_ods = reading_of(sheets_in(ods(tmp_path / "a.ods", [HEADINGS, CUSTOMER])))
    assert customers(from_ods) == customers(workbook(tmp_path / "a.xlsx", HEADINGS, CUSTOMER))


@pytest.mark.parametrize(
    ("encoding", "between"), [("cp1251", ";"), ("utf-8", ","), ("utf-8-sig", ";"), ("utf-8", "\t")]
)
def test_csv_is_read_in_each_encoding(tmp_path: Path, encoding: str, between: str):
    for name, cells in (("Заказчики", [HEADINGS, CUSTOMER]), ("прочее", [["x"]])):
        text = "\r\n".join(between.join(row) for row in cells) + "\r\n\r\n"
        (tmp_path / f"{name}.csv").write_bytes(text.encode(encoding))
    folder = reading_of(sheets_in(tmp_path))
    assert customers(folder) == customers(reading_of(sheets_in(tmp_path / "Заказчики.csv")))
    assert customers(folder)[0]["customer_name"] == "ООО «Ока»"
    assert folder.notes == ["not read: прочее"]


def test_the_template_is_read_and_its_examples_are_passed_over(tmp_path: Path):
    for lang in ("ru", "en"):
        file = tmp_path / f"{lang}.xlsx"
        file.write_bytes(template(lang))
        assert template(lang) == file.read_bytes()
        reading = reading_of(sheets_in(file))
        assert not reading.faults
        assert not any(reading.rows.values())
        assert reading.notes[-1] == "8 rows of examples are passed over"
        offered = openpyxl.load_workbook(file).worksheets[2].data_validations.dataValidation
        assert any("hours-50" in (each.formula1 or "") for each in offered)


def test_what_is_no_book_is_refused(tmp_path: Path):
    (tmp_path / "a.xlsx").write_text("no workbook")
    (tmp_path / "a.txt").write_text("no workbook")
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.csv").write_text(f"a;{'x' * 200_000}")
    for name in ("a.xlsx", "a.txt", "empty", "a.csv"):
        with pytest.raises(OperatorError):
            sheets_in(tmp_path / name)
    assert judged(workbook(tmp_path / "b.xlsx", ["x"], sheet="Лист1")).faults


@pytest.mark.parametrize("name", ["nowhere.xlsx", "nowhere.ods", "nowhere.csv"])
def test_a_book_that_is_not_there_is_named(tmp_path: Path, name: str):
    """As the program says it: by the file that an error of the system names."""
    with pytest.raises(FileNotFoundError) as missing:
        sheets_in(tmp_path / name)
    assert missing.value.filename


def test_a_cell_far_out_and_a_book_that_unpacks_to_too_much_fill_no_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with pytest.raises(OperatorError, match="Заказчики: ZZ150000 stands far from the table"):
        workbook(tmp_path / "far.xlsx", HEADINGS, CUSTOMER, touch=lambda made: made.active.cell(150_000, 702, "x"))
    monkeypatch.setattr(books, "UNPACKED_BYTES_MAX", 1000)
    with pytest.raises(OperatorError, match="copy the rows"):
        workbook(tmp_path / "large.xlsx", HEADINGS, CUSTOMER)


def test_cells_may_do_without_their_references(tmp_path: Path):
    workbook(tmp_path / "a.xlsx", HEADINGS, CUSTOMER)
    without = [(f'r="{letter}{row}"'.encode(), b"") for letter in "ABCDE" for row in (1, 2)]
    assert customers(reading_of(sheets_in(rewritten(tmp_path / "a.xlsx", *without))))
