"""What holds for every document: the same bytes every time, and a mark on every page of what is not final."""

import hashlib
import subprocess
import sys
from collections.abc import Callable

import pytest

from services.documents import act_pdf, act_xlsx, reconciliation_pdf, reconciliation_xlsx, report_pdf, report_xlsx
from tests.documents.builder import act, act_line, carry, line, purchase, report, settlement
from tests.documents.reading import formulas, pages
from tests.documents.test_reconciliation import full_quarter

DOCUMENTS = {
    "report_pdf": report_pdf,
    "report_xlsx": report_xlsx,
    "act_pdf": act_pdf,
    "act_xlsx": act_xlsx,
    "reconciliation_pdf": reconciliation_pdf,
    "reconciliation_xlsx": reconciliation_xlsx,
}


def full_report(**given: object):
    return report(
        line("T-1", "Робот «Счета» 🚀"), line("T-2", minutes=50), line("T-3", minutes=-40, kind="correction"),
        purchases=(purchase(),), carried_over=(carry(610),), settled=(settlement("T-2", 20),), **given,
    )  # fmt: skip


def full_act(**given: object):
    lines = (act_line(610, 2_633_167, vat_mode="20"), act_line(20, 106_333, 319_000, None, vat_mode="20"))
    return act(*lines, **given)


FULL = {"report": full_report, "act": full_act, "reconciliation": full_quarter}


def made(name: str, lang: str) -> bytes:
    return DOCUMENTS[name](FULL[name.partition("_")[0]](), lang)


def digest(name: str, lang: str) -> str:
    return hashlib.sha256(made(name, lang)).hexdigest()


@pytest.mark.parametrize("lang", ["ru", "en"])
@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_the_same_every_time(name: str, lang: str):
    assert made(name, lang) == made(name, lang)


def test_another_process_in_another_time_zone_makes_the_same_bytes():
    program = (
        "from tests.documents.test_documents import DOCUMENTS, digest\n"
        "print(*(digest(name, lang) for name in DOCUMENTS for lang in ('ru', 'en')))"
    )
    environment = {"TZ": "Asia/Kamchatka", "PYTHONHASHSEED": "7", "LANG": "C", "PYTHONPATH": "."}
    there = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert there.stdout.split() == [digest(name, lang) for name in DOCUMENTS for lang in ("ru", "en")]


def test_languages_differ():
    assert all(made(name, "ru") != made(name, "en") for name in DOCUMENTS)


@pytest.mark.parametrize(("lang", "mark"), [("ru", "ЧЕРНОВИК"), ("en", "DRAFT")])
def test_every_page_of_an_open_months_report_says_draft(lang: str, mark: str):
    lines = [line(f"T-{number}") for number in range(60)]
    draft = pages(report_pdf(report(*lines, closed=False), lang))
    assert len(draft) > 1
    assert all(mark in page for page in draft)
    assert not any(mark in page for page in pages(report_pdf(report(*lines), lang)))


@pytest.mark.parametrize(("lang", "mark"), [("ru", "ПРОЕКТ"), ("en", "DRAFT")])
def test_every_page_of_a_draft_act_says_so(lang: str, mark: str):
    lines = [act_line(60, 259_000, package=f"package-{number}") for number in range(30)]
    draft = pages(act_pdf(act(*lines, draft=True), lang))
    assert len(draft) > 1
    assert all(mark in page for page in draft)
    assert not any(mark in page for page in pages(act_pdf(act(*lines), lang)))


@pytest.mark.parametrize(
    ("document", "mark"),
    [
        (lambda: report_xlsx(full_report(closed=False), "ru"), "ЧЕРНОВИК"),
        (lambda: act_xlsx(full_act(draft=True), "ru"), "ПРОЕКТ"),
    ],
)
def test_every_printed_sheet_of_a_draft_says_so(document: Callable[[], bytes], mark: str):
    book = formulas(document())
    assert mark in str(book.worksheets[0]["A3"].value)
    assert all(mark in sheet.oddHeader.right.text for sheet in book.worksheets)
