"""Invoices as PDF and XLSX: what they say, and a payment code that another library reads from the printed page."""

import shutil
import subprocess
from datetime import date
from io import BytesIO
from typing import Any, Literal
from zipfile import ZipFile

import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st

from contracts.invoices import Invoice, InvoicedPackage, InvoiceLine
from contracts.reports import Party, Vat
from contracts.requisites import Bank
from services.documents.invoice_pdf import invoice_pdf
from services.documents.invoice_xlsx import invoice_xlsx
from services.documents.payment_code import PURPOSE_LENGTH_MAX, payment_text, purpose_of
from tests.documents.builder import CUSTOMER, SELLER
from tests.documents.reading import cells, extracted, formulas, pages, values, whole

PDFTOPPM = shutil.which("pdftoppm")
BANK = Bank(
    name="ПАО Сбербанк",
    bic="044525225",
    account="40702810500000001234",
    correspondent_account="30101810400000000225",
)
OBLIGATORY = ("Name", "PersonalAcc", "BankName", "BIC", "CorrespAcc")
Lang = Literal["ru", "en"]


def line(**given: Any) -> InvoiceLine:
    return InvoiceLine.model_validate(
        {"minutes": 1200, "hours": "20.00", "hour_price_kopecks": 319_000, "amount_kopecks": 6_380_000} | given
    )


def invoice(**given: Any) -> Invoice:
    """For a package of 20 hours, unless a test says otherwise."""
    lines = given.pop("lines", (line(),))
    total = sum(each.amount_kopecks for each in lines)
    return Invoice.model_validate(
        {
            "account_id": "oka",
            "number": "2026-17",
            "state": "issued",
            "history": (),
            "issued_on": date(2026, 11, 28),
            "valid_through": date(2026, 12, 3),
            "seller": SELLER,
            "seller_bank": BANK,
            "customer": CUSTOMER,
            "contract_number": "7/26",
            "contract_date": date(2026, 1, 15),
            "package": InvoicedPackage(package_id="spring", plan="hours-20", carry_over=True),
            "debt_minutes": None,
            "lines": lines,
            "total_kopecks": total,
            "vat": Vat(mode="none", amount_kopecks=0),
        }
        | given
    )


def debt(lines: int, title: str = "Настройка прав доступа") -> Invoice:
    made = tuple(
        line(task_id=f"T-{n}", title=title, minutes=60, hours="1.00", amount_kopecks=319_000) for n in range(lines)
    )
    return invoice(package=None, debt_minutes=60 * lines, lines=made, vat=Vat(mode="22", amount_kopecks=0))


def code_on(document: bytes) -> str:
    """What a reader of codes finds on the first page as it is printed, at 150 dots an inch."""
    assert PDFTOPPM is not None
    command = [PDFTOPPM, "-r", "150", "-gray", "-f", "1", "-l", "1", "-"]
    printed = subprocess.run(command, input=document, capture_output=True, check=True).stdout
    kind, size, _, pixels = printed.split(b"\n", 3)
    assert kind == b"P5"
    width, height = map(int, size.split())
    (found,) = zxingcpp.read_barcodes(memoryview(pixels).cast("B", shape=(height, width)))
    return found.text


def fields_of(text: str) -> dict[str, str]:
    kind, *fields = text.split("|")
    assert kind == "ST00012"
    return dict(field.split("=", 1) for field in fields)


@pytest.mark.skipif(PDFTOPPM is None, reason="pdftoppm of poppler is not installed")
@pytest.mark.parametrize("lang", ["ru", "en"])
@pytest.mark.parametrize(
    "made",
    [
        invoice(),
        invoice(seller=SELLER.model_copy(update={"name": "Ы" * 300}), contract_number="7" * 200),
        invoice(seller=SELLER.model_copy(update={"kpp": None, "name": "ООО «А|Б=В»"})),
        debt(200),
    ],
    ids=["package", "longest", "odd signs", "many lines"],
)  # fmt: skip
def test_the_code_on_the_printed_page_is_read_by_another_library(made: Invoice, lang: Lang):
    assert code_on(invoice_pdf(made, lang)) == payment_text(made)


def test_the_code_has_the_fields_of_the_standard():
    found = fields_of(payment_text(invoice()))
    assert tuple(found)[:5] == OBLIGATORY
    assert found == {
        "Name": "ООО «Синтез»", "PersonalAcc": BANK.account, "BankName": BANK.name, "BIC": BANK.bic,
        "CorrespAcc": "30101810400000000225", "PayeeINN": "7701234560", "KPP": "770101001", "Sum": "6380000",
        "Purpose": "Оплата по счёту № 2026-17 от 28.11.2026. НДС не облагается. Договор № 7/26 от 15.01.2026",
    }  # fmt: skip


@given(
    name=st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=300),
    contract=st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=200),
)
def test_no_name_breaks_the_fields_nor_makes_them_longer_than_they_may_be(name: str, contract: str):
    made = invoice(seller=Party(**SELLER.model_dump() | {"name": name}), contract_number=contract)
    found = fields_of(payment_text(made))
    assert tuple(found)[:5] == OBLIGATORY
    assert len(found["Name"]) <= 160
    assert len(found["Purpose"]) <= PURPOSE_LENGTH_MAX
    assert "2026-17" in found["Purpose"]
    assert found["Sum"] == "6380000"


@pytest.mark.parametrize("made", [invoice(), debt(120)], ids=["package", "debt"])
def test_both_forms_say_number_sum_tax_bank_and_purpose(made: Invoice):
    in_cells = cells(values(invoice_xlsx(made, "ru")).active)
    said = {"pdf": whole(invoice_pdf(made, "ru")), "xlsx": " ".join(map(str, in_cells))}
    tax = "НДС не облагается" if made.vat.mode == "none" else "НДС 22"
    for form, text in said.items():
        for expected in ("Счёт на оплату № 2026-17", BANK.account, BANK.bic, tax, "3 декабря 2026", "Договор № 7/26"):
            assert expected in text.replace("\N{NO-BREAK SPACE}", " "), (form, expected)
    purpose = purpose_of(made).replace(" ", "")
    assert all(purpose in text for text in extracted(invoice_pdf(made, "ru")).values())


def test_the_workbooks_sum_is_a_formula_that_comes_to_the_total():
    made = debt(7)
    document = invoice_xlsx(made, "ru")
    sums = [cell for cell in cells(formulas(document).active) if str(cell).startswith("=SUM")]
    assert len(sums) == 1
    assert made.total_kopecks / 100 in cells(values(document).active)
    assert any(name.endswith(".png") for name in ZipFile(BytesIO(document)).namelist())


def test_every_line_stands_on_some_page_and_the_sum_is_not_torn_from_the_last():
    found = pages(invoice_pdf(debt(200), "ru"))
    assert all(f"T-{n}:" in " ".join(found) for n in range(200))
    with_sum = next(page for page in found if "Всего к оплате" in page)
    assert "T-199:" in with_sum


@pytest.mark.parametrize("lang", ["ru", "en"])
def test_the_same_invoice_is_the_same_bytes(lang: Lang):
    for made_by in (invoice_pdf, invoice_xlsx):
        assert made_by(invoice(), lang) == made_by(invoice(), lang)
