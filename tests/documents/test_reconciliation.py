"""The reconciliation: rows that lead from what was prepaid to what is, and what each side owes."""

from datetime import date
from pathlib import Path

import pytest

from contracts.reconciliations import ReconciledRow, Reconciliation
from contracts.reports import Party
from services.documents import reconciliation_pdf, reconciliation_xlsx
from services.documents.numerals import Lang
from tests.documents.builder import MONTH, debt_row, reconciled, reconciliation
from tests.documents.reading import SOFFICE, cells, formulas, pages, recalculated, values, whole

LONG = "Общество с ограниченной ответственностью «" + "Северо-Западная" * 12 + " торговая компания»"


def full_quarter(**given: object) -> Reconciliation:
    """A row of every kind."""
    return reconciliation(
        reconciled("purchased", 6000, 25_900_000, day=date(2026, 1, 1), package_id="spring", plan="hours-100"),
        reconciled("accepted", -610, -2_633_167, day=date(2026, 1, 31), month="2026-01", act="42/2026-2026-01"),
        reconciled("paid", 30, 159_500, day=date(2026, 2, 2), reference="п/п 42"),
        reconciled("forfeited", -20, -106_333, day=date(2026, 2, 3), package_id="winter", plan="hours-20"),
        reconciled("forfeited", 10, 53_167, day=date(2026, 2, 4), package_id="winter", plan="hours-20"),
        reconciled("refunded", -60, -200_000, day=date(2026, 2, 5), package_id="small", reference="п/п 17"),
        reconciled("retained", 0, -59_000, day=date(2026, 2, 5), package_id="small", reference="п/п 17"),
        reconciled("accepted", 70, 302_167, day=date(2026, 2, 28), month="2026-02", act="42/2026-2026-02/2"),
        reconciled("accepted", -30, -129_500, day=date(2026, 3, 31), month=MONTH),
        opening=(100, 531_667),
        debt=(debt_row("opening", 50), debt_row("owed", 90), debt_row("settled", -30), debt_row("paid", -30),
              debt_row("cancelled", -20)),
        **given,
    )  # fmt: skip


def test_every_kind_of_row_is_said_with_its_day_and_side():
    text = whole(reconciliation_pdf(full_quarter(), "ru"))
    for said in (
        "Акт сверки взаимных расчётов за период с 1 января 2026 г. по 31 марта 2026 г.",
        "Договор № 42/2026 от 15 января 2026 г.",
        "01.01.2026 Сальдо на начало 1,67 1:40 5 316,67 ₽",
        "01.01.2026 Приобретён пакет spring (100 часов) 100,00 100:00 259 000,00 ₽",
        "31.01.2026 Акт № 42/2026-2026-01 за январь 2026 года −10,17 −10:10 26 331,67 ₽",
        "02.02.2026 Оплата долга деньгами, п/п 42 0,50 0:30 1 595,00 ₽",
        "03.02.2026 Сгорели часы пакета winter −0,33 −0:20 1 063,33 ₽",
        "Сгоревшие часы пакета winter возвращены 0,17 0:10 −531,67 ₽",
        "Возврат денег за остаток пакета small, п/п 17 −1,00 −1:00 2 000,00 ₽",
        "Удержано при возврате по пакету small 0,00 0:00 590,00 ₽",
        "Акт № 42/2026-2026-02/2 за февраль 2026 года 1,16 1:10 −3 021,67 ₽",
        "Услуги за март 2026 года, акта ещё нет −0,50 −0:30 1 295,00 ₽",
        "Долг Заказчика в часах",
        "Погашено часами пакетов −0,50 −0:30",
        "Исполнитель должен Заказчику оплаченные и не оказанные услуги: 91,50 ч (91:30) на 238 185,01 ₽",
        "Заказчик должен Исполнителю оплату услуг, оказанных сверх пакетов: 1,00 ч (1:00).",
    ):
        assert said in text, said


def test_turnover_is_the_sum_of_each_side():
    text = whole(reconciliation_pdf(full_quarter(), "ru"))
    assert "Обороты за период 27 726,66 ₽ 260 595,00 ₽ 31.03.2026 Сальдо на конец 91,50 91:30 238 185,01 ₽" in text


def test_who_owes_nothing_is_said():
    text = whole(reconciliation_pdf(reconciliation(), "ru"))
    assert "На 31 марта 2026 г. оплаченных и не оказанных услуг нет." in text
    assert "На 31 марта 2026 г. долга Заказчика нет." in text
    assert "Долг Заказчика в часах" not in text


def test_in_english():
    text = whole(reconciliation_pdf(full_quarter(), "en"))
    assert "Reconciliation of accounts for the period from 1 January 2026 to 31 March 2026" in text
    assert "Act No. 42/2026-2026-01 for January 2026 −10.17 −10:10 26,331.67 ₽" in text
    assert "the Contractor owes the Customer services paid for and not rendered: 91.50 h (91:30), 238,185.01 ₽" in text


@pytest.mark.parametrize(("lang", "mark"), [("ru", "ЧЕРНОВИК"), ("en", "DRAFT")])
def test_an_open_period_is_a_draft_on_every_page(lang: Lang, mark: str):
    found = pages(reconciliation_pdf(many(closed=False), lang))
    assert len(found) > 1
    assert all(mark in page for page in found)


def test_a_part_of_a_month_is_called_so():
    row = reconciled("accepted", -30, -129_500, day=date(2026, 3, 15), month=MONTH)
    text = whole(reconciliation_pdf(reconciliation(row, until=date(2026, 3, 15)), "ru"))
    assert "Услуги за март 2026 года, дни этого периода" in text


def purchase_rows(count: int) -> list[ReconciledRow]:
    return [
        reconciled("purchased", 1200, 6_380_000, package_id=f"package-{number}-" + "w" * 60, plan="hours-20")
        for number in range(count)
    ]


def many(**given: object) -> Reconciliation:
    return reconciliation(*purchase_rows(60), **given)


def test_a_long_account_repeats_its_headings_and_keeps_its_sums_together():
    found = pages(reconciliation_pdf(many(), "ru"))
    assert len(found) > 2
    holding = [page for page in found if "package-" in page]
    assert all("Дебет Кредит" in page for page in holding)
    sums = next(page for page in found if "Обороты за период" in page)
    assert "package-59" in sums, "the last row stands with its sums"
    assert "Сальдо на конец" in sums


def test_long_names_stay_within_the_page():
    party = Party(name=LONG, address="г. Москва, " + "ул" * 200, signatory_name="И" * 200)
    made = full_quarter(customer=party, contract_number="7" * 200)
    assert LONG.replace(" ", "") in whole(reconciliation_pdf(made, "ru")).replace(" ", "")


def test_the_workbook_says_the_same_and_its_sums_are_formulas():
    book = values(reconciliation_xlsx(full_quarter(), "ru"))
    [sheet] = book.worksheets
    said = cells(sheet)
    assert "Акт № 42/2026-2026-01 за январь 2026 года" in said
    assert [value for value in said if value == 26_331.67]
    written = {cell.coordinate: cell.value for row in formulas(reconciliation_xlsx(full_quarter(), "ru")).active
               for cell in row if isinstance(cell.value, str) and cell.value.startswith("=")}  # fmt: skip
    assert len(written) == 4, "two sums of money, and the hours and minutes of the debt"


@pytest.mark.skipif(SOFFICE is None, reason="LibreOffice is not installed")
def test_libreoffice_works_out_the_same_sums(tmp_path: Path):
    given = reconciliation_xlsx(full_quarter(), "ru")
    there, here = cells(recalculated(given, tmp_path).active), cells(values(given).active)
    assert [value for value in there if value] == [value for value in here if value]
