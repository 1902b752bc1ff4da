"""Text in documents: it is what was entered, whole and searchable, and stays in its column whatever it is."""

import logging
import re

import pytest

from contracts.reports import Party
from services.documents import act_pdf, report_pdf, typesetting
from tests.documents.builder import SELLER, act, act_line, line, report, settlement
from tests.documents.reading import extracted, fonts_of, runs, whole

TEXT_MM = 176
NEARLY_MM = 2
"""The reader takes kerned text, and the space that ends a line, for a little wider than they are."""

TITLES_MM = (26, 84)
"""Where titles of tasks stand in a report, from the left margin."""

HARD = {
    "bank account": "р/с 40702810900000001234 в АО «Банк», к/с 30101810400000000225",
    "path": "C:\\Users\\" + "Документы\\" * 22 + "отчёт.xlsx",
    "JSON": '{"id":"' + "a1b2" * 40 + '","ключ":[1,2,3]}',
    "stars": "*" * 200,
    "dashes": "—" * 200,
    "brackets": "[" * 200,
    "letters with marks": "e\u0301" * 150,
    "one word": "слово" * 60,
    "spaces that do not break": "слово\u00a0" * 40 + "слово",
    "address": "https://example.org/?q=" + "%D0%B0" * 50,
    "capitals": "Щ" * 18,
    "emoji": "🚀🔥✅" * 30,
    "Chinese, Japanese, Korean": "深圳市技术有限公司、株式会社テスト「한국어」" * 6,
    "full width": "ＦＵＬＬ　ｗｉｄｔｈ１２３" * 6,
    "mixed": "Заказ№42株式会社test🚀" * 12,
}


def without_spaces(text: str) -> str:
    return re.sub(r"\s+", "", text)


@pytest.mark.parametrize("text", HARD.values(), ids=HARD)
def test_what_is_read_from_a_document_is_what_was_entered(text: str):
    customer = Party(name=text[:300], address=text, bank_details=text, signatory_name=text[:300])
    made = report_pdf(report(line("T-1", text), customer=customer, contract_number=text[:200]), "ru")
    sent = act_pdf(act(act_line(60, 259_000), customer=customer), "ru")
    for reader, said in extracted(made).items():
        assert said.count(without_spaces(text)) >= 3, reader
    for reader, said in extracted(sent).items():
        assert said.count(without_spaces(text)) >= 2, reader


def test_a_bank_account_is_one_piece_of_text():
    """As a person copies it, not only where white space is ignored."""
    assert "40702810900000001234" in whole(act_pdf(act(act_line(60, 259_000)), "ru"))
    assert all("\u200b" not in said for said in extracted(report_pdf(report(line()), "ru")).values())


def crowded(text: str, minutes: int) -> tuple[bytes, bytes]:
    """A report and an act with the text wherever there is room for any."""
    party = Party(**{field: text[:300] for field in SELLER.model_dump() if field not in {"inn", "kpp"}})
    parties = {"seller": party, "customer": party, "contract_number": text[:200]}
    settled = (settlement("T" * 64, 20, lot="L" * 100), settlement("T-2", 20, lot=None, reference=text[:200]))
    lines = line("T" * 64, text, minutes=minutes, amount=minutes * 10_000_000)
    sent = act(act_line(60, 259_000, package="L" * 100), **parties)
    return report_pdf(report(lines, settled=settled, **parties), "ru"), act_pdf(sent, "ru")


@pytest.mark.parametrize("text", [*HARD.values(), "a" + "\u0301" * 200], ids=[*HARD, "marks upon marks"])
def test_nothing_runs_over_its_column_or_off_the_page(text: str):
    for document in crowded(text, 60):
        assert not [run for run in runs(document) if run.end > TEXT_MM + NEARLY_MM]
    first, last = TITLES_MM
    titles = [run for run in runs(report_pdf(report(line("T-1", text)), "ru")) if run.size == 9 and run.start > first]
    assert not [run for run in titles if run.start < last + NEARLY_MM < run.end]


def test_nothing_runs_off_the_page_where_amounts_are_wide():
    for document in crowded(HARD["capitals"] * 3, 999_990):
        assert not [run for run in runs(document) if run.end > TEXT_MM + NEARLY_MM]


EVERY_SCRIPT = (
    "Кириллица Latin Ελληνικά עברית العربية हिन्दी ไทย ქართული Հայերեն 深圳市 株式会社テスト 한국어 ＦＵＬＬ 🚀🔥✅ ₽"
)


def test_every_script_that_is_met_has_its_letters():
    made = report_pdf(report(line("T-1", EVERY_SCRIPT)), "ru")
    for said in extracted(made).values():
        assert without_spaces("深圳市 株式会社テスト 한국어 ＦＵＬＬ 🚀🔥✅ ₽") in said
    assert {"NotoSansCJKsc", "PTSans", "NotoEmoji"} <= fonts_of(made)


@pytest.mark.parametrize("missing", typesetting.FONT_PACKAGES)
def test_without_a_font_package_documents_are_set_in_what_there_is(
    missing: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    with_all = report_pdf(report(line("T-1", "Настройка прав доступа")), "ru")
    packages = tuple("no_such_package" if package == missing else package for package in typesetting.FONT_PACKAGES)
    monkeypatch.setattr(typesetting, "FONT_PACKAGES", packages)
    typesetting._fonts.cache_clear()
    try:
        with caplog.at_level(logging.WARNING):
            made = report_pdf(report(line("T-1", "Настройка прав доступа")), "ru")
    finally:
        typesetting._fonts.cache_clear()
    assert "no_such_package is not installed" in caplog.text
    assert "Настройка прав доступа" in whole(made)
    assert whole(made) == whole(with_all)
