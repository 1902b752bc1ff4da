"""The monthly report: what it says, on paper and in a workbook."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from contracts.reports import MonthlyReport, Party
from services.documents import report_pdf, report_xlsx
from tests.documents.builder import (
    at,
    carry,
    forfeit,
    left,
    line,
    purchase,
    report,
    settlement,
)
from tests.documents.reading import SOFFICE, cells, formulas, pages, recalculated, values, whole

LONG_NAME = (
    "Общество с ограниченной ответственностью «Научно-производственное объединение "
    '"Межрегиональный центр автоматизации, внедрения и сопровождения информационных систем «Северо-Запад»"»'
)


def busy_month(**given: object) -> MonthlyReport:
    return report(
        line("T-1", "Импорт данных", minutes=10, category="urgent", coefficient="1.5", charged=15),
        line("T-2", "Обучение", minutes=10),
        line("T-3", "Телефония", minutes=10),
        line("T-4", "Гарантия", minutes=-40, kind="correction", effective_at=at(11, 1)),
        line("T-5", "Старый долг", minutes=0, amount=319_000, kind="settlement", effective_at=at(3, 2)),
        opening=-60,
        purchases=(purchase(), purchase("compensation-T-4-1", 1, 12_345, plan=None)),
        carried_over=(carry(610), carry(50, reclaimed=True)),
        forfeited=(forfeit(50, 123_456),),
        settled=(settlement("T-5", 60),),
        paid=(settlement("T-6", 30, lot=None, reference="п/п № 118"),),
        **given,
    )


def test_the_report_names_parties_contract_and_month():
    text = whole(report_pdf(busy_month(), "ru"))
    assert "Отчёт о выполненных задачах за март 2026 года" in text
    assert "ООО «Синтез» ИНН 7701234560 · КПП 770101001" in text
    assert "АО «Северный ветер»" in text
    assert "Договор № 42/2026 от 15 января 2026 г." in text


def test_hours_stand_beside_exact_time_and_money_in_russian_notation():
    text = whole(report_pdf(busy_month(), "ru"))
    assert "Импорт данных T-1 · из пакетов: spring 0:15 Срочная 1,5 0,17 0:10 0,25 0:15 647,50 ₽" in text
    assert "−0,67 −0:40" in text
    assert "259 000,00 ₽" in text


def test_hours_and_money_in_english_notation():
    text = whole(report_pdf(busy_month(), "en"))
    assert "Report of completed tasks for March 2026" in text
    assert "Urgent 1.5 0.17 0:10 0.25 0:15 647.50 ₽" in text
    assert "259,000.00 ₽" in text
    assert "page 1 of" in text


def test_corrections_stand_apart_and_everything_adds_up():
    text = whole(report_pdf(busy_month(), "ru"))
    tasks, corrections = text.index("Задачи месяца"), text.index("Корректировки прежних месяцев")
    assert tasks < text.index("Телефония") < corrections < text.index("Гарантия") < text.index("Старый долг")
    assert "Всего за месяц −0,17 −0:10 −0,08 −0:05 2 974,17 ₽" in text


def test_the_balance_is_an_equation():
    text = whole(report_pdf(busy_month(), "ru"))
    assert "Остаток на начало месяца −1,00 −1:00 Приобретено 100,00 100:00 Долг оплачен деньгами 0,50 0:30" in text
    assert "Остаток на конец месяца 98,75 98:45" in text


def test_packages_and_debt_are_told():
    text = whole(report_pdf(busy_month(), "ru"))
    assert "spring (100 часов), действует по 01.03.2027 включительно 100,00 100:00" in text
    assert "compensation-T-4-1 (компенсация)" in text
    assert "winter → spring (возвращены из сгоревших) 0,83 0:50" in text
    assert "autumn 0,83 0:50 1 234,56 ₽" in text
    assert "Задача T-5, пакет spring" in text
    assert "Задача T-6, платёж п/п № 118" in text


def test_days_are_the_sellers():
    midnight = datetime(2026, 3, 4, 21, tzinfo=UTC)
    closed = report(line(effective_at=midnight), purchases=(purchase(ends_at=datetime(2026, 6, 29, 21, tzinfo=UTC)),))
    text = whole(report_pdf(closed, "ru"))
    assert "05.03.2026" in text
    assert "действует по 29.06.2026 включительно" in text


def test_a_thousand_tasks_break_over_pages_with_the_head_repeated():
    long = pages(report_pdf(report(*(line(f"T-{number}", f"Задача {number}") for number in range(1000))), "ru"))
    assert len(long) > 20
    assert all("Наименование" in page or "Задача Категория К Отработано К учёту Сумма" in page for page in long)
    assert f"стр. 2 из {len(long)}" in long[1]
    assert "Задача 999 T-999" in long[-1] + long[-2]


def test_a_month_without_tasks_says_so():
    assert "В этом месяце задач не закрыто." in whole(report_pdf(report(opening=600), "ru"))
    assert "No tasks were closed this month." in whole(report_pdf(report(), "en"))


def test_a_month_of_corrections_alone_has_a_negative_total():
    text = whole(report_pdf(report(line(minutes=-40, kind="correction", effective_at=at(11, 1))), "ru"))
    assert "В этом месяце задач не закрыто." in text
    assert "Всего за месяц −0,67 −0:40 −0,67 −0:40 −1 726,67 ₽" in text


@pytest.mark.parametrize(
    "title",
    [
        '#set text(red); $x^2$ *жирно* _курсив_ @ref <label> // /* ok */ `raw` \\ "кавычки"',
        '#panic() #read("/etc/passwd") #sys.inputs',
        "«Ёлочки», „лапки“ и 🚀🔥✅",
        "= Заголовок",
        "слово" * 60,
        "https://example.org/" + "a" * 300,
        "обратный \u202e порядок и \u200b нулевой \ufeff пробел",
    ],
)
def test_a_title_is_text_and_never_markup(title: str):
    shown = whole(report_pdf(report(line("T-1", title)), "ru"))
    visible = title.translate(dict.fromkeys(map(ord, "\u202e\u200b\ufeff \\")))
    assert visible in shown.replace(" ", "").replace("\\", "")


def test_a_long_company_name_wraps():
    text = whole(report_pdf(report(line(), customer=Party(name=LONG_NAME, inn="7801234564")), "ru"))
    assert "Межрегиональный центр автоматизации, внедрения и сопровождения" in text


def test_a_workbook_has_numbers_days_and_formulas_that_equal_their_values():
    book, shown = formulas(report_xlsx(busy_month(), "ru")), values(report_xlsx(busy_month(), "ru"))
    assert book.sheetnames == ["Отчёт", "Задачи", "Корректировки", "Оплата прежних", "Пакеты и долг"]
    tasks = shown["Задачи"]
    assert [cell.value for cell in tasks[2]][1:11] == [
        datetime(2026, 3, 5, tzinfo=UTC).replace(tzinfo=None), "T-1", "Импорт данных", "Срочная",
        1.5, 0.17, 10, 0.25, 15, 647.5,
    ]  # fmt: skip
    assert [cell.value for cell in book["Задачи"][5]][6:11] == [f"=SUM({at}2:{at}4)" for at in "GHIJK"]
    assert [cell.value for cell in tasks[5]][6:11] == pytest.approx([0.5, 30, 0.58, 35, 1_510.84])
    assert tasks["K2"].number_format == '#,##0.00\\ "₽"'
    assert tasks["B2"].number_format == "dd.mm.yyyy"


def test_the_first_sheet_adds_up_by_reference():
    book, shown = formulas(report_xlsx(busy_month(), "ru"))["Отчёт"], values(report_xlsx(busy_month(), "ru"))["Отчёт"]
    rows = {row[0].value: row for row in reversed(list(shown.iter_rows())) if row[0].value}
    assert [cell.value for cell in rows["Остаток на конец месяца"]][1:3] == [98.75, 98 * 60 + 45]
    assert [cell.value for cell in rows["Итого"]][1:6] == pytest.approx([-0.17, -10, -0.08, -5, 2_974.17])
    assert "=-(Задачи!J5+Корректировки!J3+'Оплата прежних'!J3)" in cells(book)
    spring = [cell.value for cell in rows["spring (100\xa0часов)"]]
    assert spring[1:4] == [datetime(2027, 3, 1), 98.75, 98 * 60 + 45]  # noqa: DTZ001


REOPENED = report(
    *(line(f"T-{number}", minutes=10) for number in range(6)),
    *(line(f"R-{number}", minutes=-10, kind="correction", effective_at=at(11, 1)) for number in range(2)),
    opening=-10,
)
"""Six new tasks of ten minutes beside two that were reopened: each table is a column of its own."""


def test_each_table_adds_up_on_paper():
    text = whole(report_pdf(REOPENED, "ru"))
    assert "Итого 1,00 1:00 1,00 1:00" in text
    assert text.count("0,16 0:10 0,16 0:10") == 2
    assert "Итого −0,33 −0:20 −0,33 −0:20" in text
    assert text.count("−0,16 −0:10 −0,16 −0:10") == text.count("−0,17 −0:10 −0,17 −0:10") == 1
    assert "Всего за месяц 0,67 0:40 0,67 0:40" in text


def test_each_table_of_a_workbook_adds_up():
    shown = values(report_xlsx(REOPENED, "ru"))
    for name, total in (("Задачи", 1.0), ("Корректировки", -0.33)):
        *lines, last = [row[6].value for row in shown[name].iter_rows(min_row=2)]
        assert last == total == pytest.approx(sum(lines))
    summary = {row[0].value: [cell.value for cell in row] for row in shown["Отчёт"].iter_rows() if row[0].value}
    assert summary["Итого"][1] == pytest.approx(
        summary["Задачи месяца"][1] + summary["Корректировки прежних месяцев"][1]
    )


def test_the_rows_of_the_balance_add_up_to_the_closing_balance():
    text = whole(report_pdf(report(line(minutes=10), opening=-10), "ru"))
    assert "Остаток на начало месяца −0,16 −0:10" in text
    assert "Принято к учёту по задачам −0,17 −0:10" in text
    assert "Остаток на конец месяца −0,33 −0:20" in text
    shown = values(report_xlsx(report(line(minutes=10), opening=-10), "ru"))["Отчёт"]
    hours = [row[1].value for row in shown.iter_rows(min_row=11, max_row=16)]
    assert hours[-1] == -0.33 == pytest.approx(sum(hours[:-1]))


@pytest.mark.parametrize("form", ["pdf", "xlsx"])
def test_the_report_ends_with_the_packages_left_their_hours_and_last_days(form: str):
    made = report(
        line(minutes=20),
        opening=130,
        packages_left=(
            left("winter", 60, plan="hours-20", last_day=date(2026, 4, 10)),
            left("compensation-T-1-1", 70, plan=None, last_day=date(2026, 5, 31)),
            left(None, -20),
        ),
    )
    if form == "pdf":
        text = whole(report_pdf(made, "ru"))
        _, end = text.split("Остаток пакетов на конец месяца")
        assert "winter (20 часов) 10.04.2026 1,00 1:00" in end
        assert "compensation-T-1-1 (компенсация) 31.05.2026 1,17 1:10" in end
        assert "Долг −0,33 −0:20 Остаток на конец месяца 1,83 1:50" in end
    else:
        sheet = values(report_xlsx(made, "ru"))["Отчёт"]
        rows = {row[0].value: [cell.value for cell in row[1:4]] for row in sheet.iter_rows() if row[0].value}
        assert rows["winter (20\xa0часов)"] == [datetime(2026, 4, 10), 1.0, 60]  # noqa: DTZ001
        assert rows["Долг"] == [None, -0.33, -20]
        assert rows["Остаток на конец месяца"] == [None, 1.83, 110]


def test_a_workbook_keeps_its_head_in_sight_and_prints_on_a4():
    for sheet in formulas(report_xlsx(busy_month(), "ru")).worksheets[1:]:
        assert sheet.freeze_panes == "A2"
        assert sheet.print_title_rows == "$1:$1"
    for sheet in formulas(report_xlsx(busy_month(), "ru")).worksheets:
        assert sheet.page_setup.paperSize == 9
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert sheet.page_setup.fitToHeight == 0


@pytest.mark.parametrize("start", ["=", "+", "-", "@", '=HYPERLINK("https://example.org")', "https://", "0"])
def test_a_title_is_never_a_formula(start: str):
    title = f"{start}1+1"
    cell = formulas(report_xlsx(report(line("T-1", title)), "ru"))["Задачи"]["D2"]
    assert (cell.value, cell.data_type) == (title, "s")
    assert cell.hyperlink is None
    assert cell.quotePrefix == (start[0] in "=+-@")


def test_a_workbook_without_tasks_has_totals_of_zero():
    shown = values(report_xlsx(report(opening=600), "ru"))
    assert [cell.value for cell in shown["Задачи"][2]][6:11] == [0, 0, 0, 0, 0]


def test_control_characters_do_not_spoil_a_workbook():
    title = "до\u202e\ufffe\U0001fffe после _x0041_ 🚀"
    assert formulas(report_xlsx(report(line("T-1", title)), "ru"))["Задачи"]["D2"].value == "до    после _x0041_ 🚀"


@pytest.mark.skipif(SOFFICE is None, reason="LibreOffice is not installed")
@pytest.mark.parametrize(
    "month",
    [busy_month(), report(opening=600), report(*(line(f"T-{n}", minutes=10 * (n % 40 + 1)) for n in range(300)))],
    ids=["busy", "empty", "300 tasks"],
)
def test_libreoffice_works_out_the_same_totals(month: MonthlyReport, tmp_path: Path):
    document = report_xlsx(month, "ru")
    written, again = values(document), recalculated(document, tmp_path)
    for sheet in written.worksheets:
        numbers = [value for value in cells(sheet) if isinstance(value, int | float)]
        worked_out = [value for value in cells(again[sheet.title]) if isinstance(value, int | float)]
        assert worked_out == pytest.approx(numbers, abs=1e-6)


@pytest.mark.parametrize("tasks", range(8, 20))
def test_the_total_is_not_torn_from_the_last_task(tasks: int):
    made = pages(report_pdf(report(*(line(f"T-{number}-") for number in range(tasks))), "ru"))
    (page,) = [page for page in made if "Всего за месяц" in page]
    assert f"T-{tasks - 1}-" in page


def test_no_page_has_nothing_but_a_note():
    for tasks in (14, 15, 16, 17):
        made = pages(report_pdf(report(*(line(f"T-{number}-") for number in range(tasks))), "ru"))
        assert all("T-" in page for page in made)


def test_amounts_of_any_size_stand_in_their_column():
    text = whole(report_pdf(report(line(minutes=999_990, amount=9_876_543_210_987)), "ru"))
    assert "16 666,50 16666:30 16 666,50 16666:30 98 765 432 109,87 ₽" in text


def test_a_closed_months_report_shows_the_hash_of_its_figures():
    frozen = "0123456789abcdef" * 4
    assert all(f"SHA-256 {frozen}" in page for page in pages(report_pdf(report(line(), report_hash=frozen), "ru")))
    shown = cells(values(report_xlsx(report(line(), report_hash=frozen), "ru"))["Отчёт"])
    assert any(str(value).endswith(f"SHA-256 {frozen}") for value in shown)
    assert "SHA-256" not in whole(report_pdf(report(line(), closed=False), "ru"))
