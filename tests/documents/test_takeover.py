"""The statement of hours taken over: each package that holds hours, their sum, and what each side owes."""

from datetime import UTC, datetime

import pytest

from contracts.read_models import BalanceView, LotView
from services.documents import takeover_pdf
from services.documents.numerals import Lang
from tests.documents.builder import reconciled, reconciliation
from tests.documents.reading import pages, whole

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)


def lot(lot_id: str, minutes: int) -> LotView:
    return LotView(
        lot_id=lot_id, package_id=lot_id, plan="hours-20", remaining_minutes=minutes, size_minutes=1200,
        price_kopecks=6_380_000, starts_at=datetime(2026, 1, 15, 7, tzinfo=UTC),
        ends_at=datetime(2026, 6, 30, 21, tzinfo=UTC),
    )  # fmt: skip


def balance(*lots: LotView) -> BalanceView:
    held = sum(each.remaining_minutes for each in lots)
    return BalanceView(
        account_id="oka", as_of=NOW, known_at=None, position=7, balance_minutes=held, balance_hours="0.00",
        held_minutes=held, owed_minutes=0, planned_minutes=0, available_minutes=held, suspended=False, lots=lots,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("lang", "title"), [("ru", "Акт о переносе остатка часов"), ("en", "Statement of the hours taken over")]
)
def test_every_package_and_what_is_owed_is_said(lang: Lang, title: str):
    made = reconciliation(reconciled("purchased", 20, 106_333, package_id="p1", plan="hours-20"))
    of_it = balance(lot("p1", 10), lot("p2", 10), lot("used-up", 0))
    text = whole(takeover_pdf(made, of_it, lang)).replace("\N{NO-BREAK SPACE}", " ")
    assert title in text
    assert "p1 hours-20" in text
    assert "used-up" not in text
    assert ("0,17 0:10" in text and "0,16 0:10" in text) if lang == "ru" else "0.16 0:10" in text
    assert ("1 063,33 ₽" if lang == "ru" else "1,063.33") in text
    assert takeover_pdf(made, of_it, lang) == takeover_pdf(made, of_it, lang)


def test_a_customer_with_nothing_and_one_with_many_packages_have_a_statement_too():
    made = reconciliation()
    assert len(pages(takeover_pdf(made, balance(), "ru"))) == 1
    assert len(pages(takeover_pdf(made, balance(*(lot(f"{'p' * 60}{n}", 10) for n in range(90))), "ru"))) > 2
