"""Reports and acts of corrections and refunds (rules 8.6, 10.3, 10.4, 14.4)."""

from contracts.reports import MonthlyReport
from services.documents import act_pdf, report_pdf, report_xlsx
from tests.documents.reading import cells, values, whole
from tests.ledger.vocabulary import Step, buy, close, close_month, correct, mark_warranty, pay, refund, reopen
from tests.projections.monthly_reports.conftest import Telling
from tests.projections.monthly_reports.test_acts import act_of, said

HUNDRED, TWENTY = buy("spring", "hours-100", on="2026-03-01"), buy("small", on="2026-03-01")
MARCH_CLOSED = close_month("2026-03", on="2026-04-02")


async def report_of(telling: Telling, month: str, *steps: Step) -> MonthlyReport:
    async with telling() as told:
        await told.tell(steps)
        assert told.story.refusal is None
        return await told.report(month)


def lines_of(report: MonthlyReport) -> list[tuple[object, ...]]:
    """What lines say of a closing, what it came to, and of the one that stands in its place."""
    return [
        (
            line.closure,
            line.kind,
            line.charged_minutes,
            line.amount_kopecks,
            line.corrects_closure,
            line.corrected_by_closure,
        )
        for line in report.lines
    ]  # fmt: skip


async def test_an_old_line_is_taken_back_and_a_new_one_stands_each_naming_the_other(telling: Telling):
    report = await report_of(
        telling, "2026-04", HUNDRED, close(worked=600, on="2026-03-10"), MARCH_CLOSED,
        correct(worked=540, on="2026-03-10", recorded="2026-04-05"),
    )  # fmt: skip
    assert lines_of(report) == [
        (1, "correction", -600, -25_900_00, None, 2),
        (2, "correction", 540, 23_310_00, 1, None),
    ]
    for lang, old, new in (
        ("ru", "T-1 · исправлено закрытием 2", "T-1 · закрытие 2 · вместо закрытия 1"),
        ("en", "T-1 · corrected by closing 2", "T-1 · closing 2 · in place of closing 1"),
    ):
        text = whole(report_pdf(report, lang))
        assert old in text
        assert new in text
        sheets = values(report_xlsx(report, lang))
        shown = " ".join(str(value) for sheet in sheets for value in cells(sheet))
        assert old in shown
        assert new in shown


async def test_an_act_states_only_the_difference_and_corrects_the_act_that_stated_it(telling: Telling):
    made = await act_of(
        telling, "2026-04", HUNDRED, close(worked=600, on="2026-03-10"), MARCH_CLOSED,
        correct(worked=540, on="2026-03-10", recorded="2026-04-05"),
    )  # fmt: skip
    assert said(made.lines) == [("spring", 2590_00, -60, -2590_00, "5", "2026-03")]
    assert made.lines[0].corrects_act == "17/24-2026-03"
    assert "Корректировка к акту № 17/24-2026-03 за март 2026 года" in whole(act_pdf(made, "ru"))


async def test_a_correction_that_changes_nothing_leaves_the_act_as_it_would_be(telling: Telling):
    made = await act_of(
        telling, "2026-04", HUNDRED, close(worked=600, on="2026-03-10"), MARCH_CLOSED,
        correct(worked=600, on="2026-03-10", recorded="2026-04-05"),
    )  # fmt: skip
    assert (made.lines, made.to_sign, [row.kind for row in made.hours_from_report]) == (
        (),
        False,
        ["charged", "accepted"],
    )


async def test_what_was_taken_over_goes_back_to_the_act_that_stated_it_whichever_closing_has_it(telling: Telling):
    """Of three parts, one is taken back by a correction in April and the others, at last, in May."""
    made = await act_of(
        telling, "2026-05", HUNDRED, close(worked=600, on="2026-03-10"), MARCH_CLOSED,
        correct(worked=660, on="2026-03-10", recorded="2026-04-05"), close_month("2026-04", on="2026-05-02"),
        reopen(on="2026-05-05"),
    )  # fmt: skip
    assert said(made.lines) == [
        ("spring", 2590_00, -600, -25_900_00, "5", "2026-03"),
        ("spring", 2590_00, -60, -2590_00, "5", "2026-04"),
    ]


async def test_debt_that_a_correction_takes_over_stays_that_of_the_report_that_charged_it(telling: Telling):
    made = await act_of(
        telling, "2026-04", TWENTY, close(worked=1680, on="2026-03-10"), MARCH_CLOSED,
        correct(worked=1740, on="2026-03-10", recorded="2026-04-03"), pay(500, on="2026-04-05"),
    )  # fmt: skip
    assert [(row.kind, row.minutes, row.month) for row in made.hours_from_report] == [
        ("charged", 60, "2026-04"), ("owed", -40, None), ("settled", 480, "2026-03"), ("accepted", 500, "2026-04"),
    ]  # fmt: skip


async def test_what_a_line_leaves_owed_stands_on_it(telling: Telling):
    report = await report_of(telling, "2026-03", TWENTY, close(worked=1680, on="2026-03-10"))
    assert [line.owed_minutes for line in report.lines] == [480]
    assert "из пакетов: small 20:00 · в долг 8:00" in whole(report_pdf(report, "ru"))


async def test_a_refund_is_shown_with_its_reference_and_with_what_the_seller_kept(telling: Telling):
    report = await report_of(
        telling, "2026-03", TWENTY, close(worked=600, on="2026-03-10"), refund("small", 20_000_00, on="2026-03-20")
    )
    assert (report.refunded_minutes, report.refunded_kopecks, report.retained_kopecks) == (600, 20_000_00, 11_900_00)
    assert [(refund.lot_id, refund.minutes, refund.amount_kopecks) for refund in report.refunds or ()] == [
        ("small", 600, 20_000_00)
    ]
    assert report.closing_balance_minutes == 0
    text = whole(report_pdf(report, "ru"))
    assert "Возвращено деньгами −10,00 −10:00" in text
    assert "Возврат денег за остаток" in text
    assert "small, возврат п/п 17, удержано 11 900,00 ₽ 10,00 10:00 20 000,00 ₽" in text
    assert "small, refund п/п 17, kept 11,900.00 ₽" in str(
        [value for sheet in values(report_xlsx(report, "en")) for value in cells(sheet)]
    ).replace("\\xa0", " ")


async def test_a_warranty_mark_and_a_reopening_after_a_correction_take_the_worked_time_out(telling: Telling):
    report = await report_of(
        telling, "2026-03", HUNDRED, close(worked=600, on="2026-03-10"),
        correct(worked=540, on="2026-03-10", recorded="2026-03-11"),
        mark_warranty(on="2026-03-12"), reopen(on="2026-03-13"),
    )  # fmt: skip
    assert [(line.closure, line.worked_minutes, line.charged_minutes) for line in report.lines] == [
        (1, 0, 0),
        (2, 0, 0),
    ]
