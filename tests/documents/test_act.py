"""The act: all that 402-ФЗ art. 9 asks of a primary document, and its money to the kopeck."""

from pathlib import Path

import pytest

from contracts.reports import Act, Party
from services.documents import act_pdf, act_xlsx
from services.documents.formats import Formats
from services.documents.numerals import Lang
from tests.documents.builder import accepted_by, accepted_rows, act, act_line, at
from tests.documents.reading import SOFFICE, cells, formulas, pages, recalculated, values, whole


def spring_act(**given: object) -> Act:
    return act(
        act_line(610, 2_633_167),
        act_line(290, 1_541_833, 319_000, "winter", plan="hours-20"),
        act_line(20, 86_333, package="compensation-T-1-1", plan=None),
        act_line(30, 159_500, 319_000, None),
        **given,
    )


def test_the_act_has_what_the_law_asks_of_a_primary_document():
    text = whole(act_pdf(spring_act(), "ru"))
    for said in (
        "Акт № 2026-03/c1 об оказании услуг · 31 марта 2026 г.",
        "ИСПОЛНИТЕЛЬ",
        "ООО «Синтез» ИНН 7701234560",
        "ЗАКАЗЧИК",
        "АО «Северный ветер»",
        "Договор № 42/2026 от 15 января 2026 г.",
        "1 марта 2026 г. — 31 марта 2026 г.",
        "Исполнитель оказал, а Заказчик принял по указанному договору следующие услуги:",
        "Ед. изм.",
        "Генеральный директор",
        "Иванова А. П.",
        "Действует на основании: Устава",
    ):
        assert said in text
    assert text.count("подпись") == text.count("должность") == text.count("фамилия, инициалы") == 2


def test_hours_stand_by_package_and_price():
    text = whole(act_pdf(spring_act(), "ru"))
    assert "в счёт пакета часов spring (100 часов) ч 10,17 10:10 2 590,00 ₽ 26 331,67 ₽" in text
    assert "в счёт компенсации часов compensation-T-1-1 ч 0,33 0:20" in text
    assert "сверх пакетов часов ч 0,50 0:30 3 190,00 ₽ 1 595,00 ₽" in text


def test_the_total_stands_in_digits_and_words():
    text = whole(act_pdf(spring_act(), "ru"))
    assert "15,83 ч (15:50) — Пятнадцать часов пятьдесят минут." in text
    assert "44 208,33 ₽ — Сорок четыре тысячи двести восемь рублей 33 копейки, НДС не облагается." in text


def test_the_total_in_english_words():
    text = whole(act_pdf(spring_act(), "en"))
    assert "Act No. 2026-03/c1 of services rendered · 31 March 2026" in text
    assert "44,208.33 ₽ — Forty-four thousand two hundred eight rubles 33 kopecks, Not subject to VAT." in text


@pytest.mark.parametrize(("mode", "tax"), [("5", "21,05"), ("7", "28,92"), ("20", "73,67"), ("22", "79,71")])
def test_vat_is_contained_in_the_amount(mode: str, tax: str):
    text = whole(act_pdf(act(act_line(10, 44_202, vat_mode=mode)), "ru"))
    assert f"В том числе НДС {mode} % {tax} ₽" in text
    assert f"в том числе НДС {mode} % — {tax} ₽." in text


def corrected_act(**given: object) -> Act:
    return act(
        act_line(60, 259_000, vat_mode="22"),
        act_line(-30, -129_500, vat_mode="5", corrects_month="2026-01", corrects_act="42/2026-2026-01"),
        act_line(
            -10, -53_166, 319_000, None, vat_mode="none", corrects_month="2025-12", corrects_act="42/2026-2025-12/2"
        ),
        **given,
    )


SAID_OF_CORRECTIONS = (
    "Услуги за март 2026 года, НДС 22 %",
    "Корректировка к акту № 42/2026-2026-01 за январь 2026 года, НДС 5 %",
    "Корректировка к акту № 42/2026-2025-12/2 за декабрь 2025 года, без НДС",
)


def test_vat_stands_by_rate_and_corrections_name_the_act_they_correct():
    text = whole(act_pdf(corrected_act(), "ru"))
    for said in SAID_OF_CORRECTIONS:
        assert said in text
    assert "Сумма с НДС 22 % 2 590,00 ₽ В том числе НДС 22 % 467,05 ₽" in text
    assert "Сумма с НДС 5 % −1 295,00 ₽ В том числе НДС 5 % −61,67 ₽ Сумма без НДС −531,66 ₽" in text
    assert "в том числе НДС 22 % — 467,05 ₽, НДС 5 % — −61,67 ₽, без НДС — −531,66 ₽." in text


def test_a_workbook_states_vat_by_rate_too():
    sheet = values(act_xlsx(corrected_act(), "ru"))["Акт"]
    rows = {str(row[0].value).replace("\xa0", " "): row[6].value for row in sheet.iter_rows() if row[0].value}
    assert set(SAID_OF_CORRECTIONS) <= set(rows)
    assert [rows[f"Сумма с НДС {rate} %"] for rate in (22, 5)] == [2_590, -1_295]
    assert [rows[f"В том числе НДС {rate} %"] for rate in (22, 5)] == [467.05, -61.67]
    assert rows["Сумма без НДС"] == -531.66
    assert rows["Итого"] == pytest.approx(763.34)


@pytest.mark.parametrize("form", ["pdf", "xlsx"])
def test_an_act_that_replaces_another_says_which(form: str):
    replaced = {"number": "42/2026-2026-03", "closed_at": at(2, 4), "position": 77}
    made = spring_act(number="42/2026-2026-03/2", revision=2, replaces=replaced)
    assert "Акт № 42/2026-2026-03/2" in said_in(made, form)
    assert (
        "При закрытии месяца 2 апреля 2026 г. был составлен акт № 42/2026-2026-03; настоящий акт его заменяет."
        in said_in(made, form)
    )


@pytest.mark.parametrize("form", ["pdf", "xlsx"])
def test_a_price_is_the_one_agreed_and_what_rounding_does_is_explained(form: str):
    made = act(
        act_line(10, 53_167, 319_000, "exact"),
        act_line(20, 106_333, 319_000, None),
        act_line(20, 106_334, 319_000, "kopeck"),
        act_line(20, 96_333, None, "compensation-T-1-1", plan=None, hour_prices_kopecks=(259_000, 319_000)),
    )
    text = said_in(made, form)
    assert "количество часов округлено до сотых, поэтому количество × цена может отличаться от суммы" in text
    assert "Строки, где сумма отличается от точного времени × цену: 3." in text
    assert "Строки с компенсацией за часы разных цен: 4." in text
    assert "2 590,00 ₽; 3 190,00 ₽" in text


RECONCILED = accepted_by(
    ("charged", 1680, "2026-03", "2026-03/c1"),
    ("owed", -60, "2026-04", "2026-04/c1"),
    ("owed", -480, None, None),
    ("settled", 110, "2026-01", "2026-01/c1/2"),
    ("cancelled", 20, "2025-12", "2025-12/c1"),
    ("cancelled", -70, "2026-05", "2026-05/c1"),
)


def reconciled_act() -> Act:
    return act(act_line(1200, 6_380_000, 319_000), **RECONCILED)


@pytest.mark.parametrize(
    ("lang", "labels"),
    [
        (
            "ru",
            [
                "Принято к учёту по отчёту за март 2026 года",
                "Из них в долг, погашены позже: стоят в акте № 2026-04/c1 за апрель 2026 года",
                "Из них в долг: войдут в акт месяца, в котором долг будет погашен",
                "Погашен долг по отчёту за январь 2026 года (в акт № 2026-01/c1/2 эти часы не вошли)",
                "Снят долг по отчёту за декабрь 2025 года (в акт № 2025-12/c1 эти часы не вошли)",
                "Из них в долг, снят позже: исправлено отчётом за май 2026 года",
                "Принято по настоящему акту",
            ],
        ),
        (
            "en",
            [
                "Charged by the report for March 2026",
                "Of these owed and paid later: they stand in act No. 2026-04/c1 for April 2026",
                "Of these owed: they will stand in the act of the month that pays them",
                "Debt paid now that the report for January 2026 charged (act No. 2026-01/c1/2 left it out)",
                "Debt cancelled that the report for December 2025 charged (act No. 2025-12/c1 left it out)",
                "Of these owed and cancelled later: corrected by the report for May 2026",
                "Accepted by this act",
            ],
        ),
    ],
)
def test_an_act_reconciles_row_by_row_with_the_report_and_names_the_acts(lang: Lang, labels: list[str]):
    hours = ["28.00", "-1.00", "-8.00", "1.84", "0.33", "-1.17", "20.00"]
    clocks = ["28:00", "−1:00", "−8:00", "1:50", "0:20", "−1:10", "20:00"]
    formats = Formats(lang)
    text = whole(act_pdf(reconciled_act(), lang))
    for label, decimal, clock in zip(labels, hours, clocks, strict=True):
        assert f"{label} {formats.hours(decimal)} {clock}" in text
    sheet = values(act_xlsx(reconciled_act(), lang))[formats.words["act"]]
    rows = [(row[0].value, row[3].value, row[4].value) for row in sheet.iter_rows() if row[0].value in labels]
    minutes = [row.minutes for row in reconciled_act().hours_from_report]
    assert rows == list(zip(labels, map(float, hours), minutes, strict=True))


def test_a_usual_act_with_its_reconciliation_is_one_page():
    assert len(pages(act_pdf(reconciled_act().model_copy(update={"customer": CUSTOMER}), "ru"))) == 1


@pytest.mark.parametrize("form", ["pdf", "xlsx"])
def test_an_act_of_the_first_edition_says_in_a_sentence_how_its_hours_follow_from_the_reports(form: str):
    made = act(act_line(1200, 6_380_000, 319_000), hours_from_report=accepted_rows(1190, owed=10, settled=20))
    assert (
        "Часы акта следуют из отчёта: принято к учёту 19,84 ч (19:50); записано в долг −0,17 ч (−0:10); "
        "погашено прежнего долга 0,33 ч (0:20); принято по акту 20,00 ч (20:00)." in said_in(made, form)
    )


def said_in(made: Act, form: str) -> str:
    """All text of the document, with plain spaces."""
    if form == "pdf":
        return whole(act_pdf(made, "ru"))
    return " ".join(str(value) for value in cells(values(act_xlsx(made, "ru"))["Акт"])).replace("\xa0", " ")


def test_an_act_that_takes_back_claims_no_services():
    text = whole(act_pdf(act(act_line(-50, -215_833)), "ru"))
    assert "Минус две тысячи сто пятьдесят восемь рублей 33 копейки" in text
    assert "Стороны уточняют" in text
    assert "претензий" not in text


@pytest.mark.parametrize("form", ["pdf", "xlsx"])
def test_a_month_of_which_all_is_owed_says_so_where_there_is_no_act(form: str):
    owed = accepted_by(("charged", 600, "2026-03", "x"), ("owed", -600, None, None))
    text = said_in(act(**owed), form)
    assert "Из них в долг: войдут в акт месяца, в котором долг будет погашен" in text
    assert "К приёмке" in text
    assert "настоящему акту" not in text


@pytest.mark.parametrize("form", ["pdf", "xlsx"])
@pytest.mark.parametrize("charged", [0, 10])
def test_a_month_without_anything_accepted_has_no_act_to_sign(form: str, charged: int):
    text = said_in(act(hours_from_report=accepted_rows(charged, owed=charged)), form)
    assert "Акт не составляется за март 2026 года" in text
    assert "нет ни часов, ни денег к приёмке, поэтому акта нет и подписывать нечего." in text
    for never in ("подпись", "претензий", "Ноль рублей", "2026-03/c1"):
        assert never not in text


def test_the_workbook_adds_up_by_formulas():
    twenty = (line.model_copy(update={"vat_mode": "20"}) for line in spring_act().lines)
    document = act_xlsx(act(*twenty), "ru")
    book, shown = formulas(document)["Акт"], values(document)["Акт"]
    assert [book.cell(14, column).value for column in (4, 5, 7)] == ["=SUM(D10:D13)", "=SUM(E10:E13)", "=SUM(G10:G13)"]
    assert [shown.cell(14, column).value for column in (4, 5, 7)] == pytest.approx([15.83, 950, 44_208.33])
    assert shown.cell(15, 7).value == pytest.approx(7_368.06)
    assert any("Сорок четыре тысячи двести восемь рублей 33 копейки" in str(value) for value in cells(shown))
    assert any(value == "Иванова А. П." for value in cells(shown))


def test_the_workbook_keeps_its_head_in_sight_and_prints_on_a4():
    sheet = formulas(act_xlsx(spring_act(), "ru"))["Акт"]
    assert sheet.freeze_panes == "A10"
    assert sheet.print_title_rows == "$9:$9"
    assert sheet.page_setup.paperSize == 9


@pytest.mark.parametrize(
    "made",
    [spring_act(), act(), corrected_act(), act(act_line(-50, -215_833)), reconciled_act()],
    ids=["usual", "empty", "mixed", "negative", "reconciled"],
)
@pytest.mark.skipif(SOFFICE is None, reason="LibreOffice is not installed")
def test_libreoffice_works_out_the_same_totals(made: Act, tmp_path: Path):
    document = act_xlsx(made, "ru")
    written, again = values(document)["Акт"], recalculated(document, tmp_path)["Акт"]
    numbers = [value for value in cells(written) if isinstance(value, int | float)]
    assert [value for value in cells(again) if isinstance(value, int | float)] == pytest.approx(numbers, abs=1e-6)


CUSTOMER = Party(
    name="АО «Северный ветер»",
    inn="7801234564",
    kpp="780101001",
    address="190000, г. Санкт-Петербург, наб. реки Мойки, д. 100",
    bank_details="р/с 40702810555000009876",
    signatory_position="Заместитель генерального директора по информационным технологиям",
    signatory_name="Рождественская А. В.",
    signatory_authority="доверенности № 17/2026",
)


@pytest.mark.parametrize("form", ["pdf", "xlsx"])
def test_the_customers_requisites_stand_beside_the_sellers(form: str):
    made = spring_act(customer=CUSTOMER)
    text = (
        whole(act_pdf(made, "ru")) if form == "pdf" else " ".join(map(str, cells(values(act_xlsx(made, "ru"))["Акт"])))
    )
    for said in CUSTOMER.model_dump().values():
        assert said in text


@pytest.mark.parametrize("packages", range(1, 9))
def test_signatures_stand_on_the_page_of_the_sum_in_words(packages: int):
    *_, last = pages(act_pdf(act(*[act_line(60, 259_000)] * packages, customer=CUSTOMER), "ru"))
    assert "На сумму:" in last
    assert last.count("подпись") == 2


@pytest.mark.parametrize("packages", range(8, 15))
def test_the_total_is_not_torn_from_the_last_line(packages: int):
    made = pages(act_pdf(act(*(act_line(60, 259_000, package=f"package-{n}-") for n in range(packages))), "ru"))
    (page,) = [page for page in made if "Итого" in page]
    assert f"package-{packages - 1}-" in page
    assert "НДС не облагается" in page
