"""Rules 3.3, 5.8, 15.3 and 16.1 in reports and acts."""

from io import BytesIO

from openpyxl import load_workbook

from contracts.reports import Act
from services.documents import act_pdf, report_pdf, report_xlsx
from services.projections.monthly_reports.acts import act
from tests.documents.reading import whole
from tests.ledger.vocabulary import (
    Step,
    buy,
    change_customer,
    close,
    close_month,
    drop_plan,
    mark_warranty,
    plan,
    reopen,
    reopen_month,
    time_passes,
)
from tests.projections.monthly_reports.conftest import Telling, Told
from tests.projections.tasks.explained import text

BOUGHT = buy("spring", on="2026-03-01")


async def happens(told: Told, *steps: Step) -> None:
    """Everything happens, and nothing is refused."""
    for step in steps:
        await told.tell([step])
        assert told.story.refusal is None


async def act_of(told: Told, month: str) -> Act:
    return await act(told.connection, await told.report(month), told.seller)


async def test_a_package_whose_price_was_agreed_has_no_price_of_an_hour_in_the_act(telling: Telling):
    async with telling() as told:
        await happens(told, buy("whole", on="2026-03-01", minutes=601, price_kopecks=100_000, reason="остаток"))
        await happens(told, buy("size", on="2026-03-02", minutes=60))
        await happens(told, close("T-1", worked=610, on="2026-03-10"))
        made = await act_of(told, "2026-03")
        lines = [(line.package_id, line.hour_price_kopecks, line.hour_prices_kopecks, line.amount_kopecks)
                 for line in made.lines]  # fmt: skip
        assert lines == [("whole", None, (), 100_000), ("size", 319_000, (319_000,), 47_850)]
        shown = whole(act_pdf(made, "en"))
        assert "Rows of packages whose price was agreed as a whole: 1." in shown
        assert "different prices" not in shown


async def test_a_package_of_an_agreed_size_is_called_by_it_and_not_by_its_plan(telling: Telling):
    async with telling() as told:
        await happens(
            told, buy("odd", "hours-100", on="2026-03-01", minutes=601), close("T-1", worked=60, on="2026-03-10")
        )
        report = await told.report("2026-03")
        for document in (report_pdf(report, "ru"), act_pdf(await act_of(told, "2026-03"), "ru")):
            assert "odd (10,02 ч)" in whole(document)
            assert "100 часов" not in whole(document)
        assert [left.agreed_minutes for left in report.packages_left] == [601]
        assert "пакета «odd» (10,02 ч, действует" in text(told.story)


async def test_a_compensation_of_what_had_no_price_of_an_hour_has_none(telling: Telling):
    async with telling() as told:
        await happens(told, buy("gift", on="2026-03-01", price_kopecks=0, ends_on="2026-03-31"))
        await happens(told, close("T-1", worked=60, on="2026-03-10"), mark_warranty("T-1", on="2026-04-02"))
        await happens(told, close("T-2", worked=60, on="2026-04-03"))
        lines = [
            (line.package_id, line.minutes, line.hour_prices_kopecks) for line in (await act_of(told, "2026-04")).lines
        ]
        assert lines[0] == ("compensation-T-1-1", 60, ())


async def test_a_purchase_says_what_was_agreed(telling: Telling):
    async with telling() as told:
        await happens(told, buy("gift", on="2026-03-01", price_kopecks=0, reason="юбилей фирмы"), BOUGHT)
        report = await told.report("2026-03")
        assert [bought.agreed and bought.agreed.reason for bought in report.purchases] == ["юбилей фирмы", None]
        assert "as agreed: юбилей фирмы" in whole(report_pdf(report, "en"))


async def test_a_specification_is_named_as_what_it_is(telling: Telling):
    async with telling() as told:
        spec = close("T-1", kind="specification", package_use_agreed="2026-03-01", on="2026-03-10")
        await happens(told, BOUGHT, spec, close("T-2", on="2026-03-11"))
        report = await told.report("2026-03")
        assert [(line.task_id, line.work_kind, line.kind) for line in report.lines] == [
            ("T-1", "specification", "closing"),
            ("T-2", "work", "closing"),
        ]
        assert whole(report_pdf(report, "ru")).count("подготовка ТЗ") == 1


async def test_the_estimate_stands_beside_the_fact_of_tasks_that_were_planned(telling: Telling):
    async with telling() as told:
        await happens(told, BOUGHT, plan("T-1", 60), plan("T-1", 90), plan("T-2", 30), plan("T-3", 50))
        await happens(told, drop_plan("T-2"), close("T-1", worked=100, on="2026-03-10"))
        await happens(
            told, close("T-2", on="2026-03-11"), close("T-3", on="2026-03-12"), reopen("T-3", on="2026-03-13")
        )
        await happens(told, close("T-3", on="2026-03-14"), close("T-4", on="2026-03-15"))
        report = await told.report("2026-03")
        estimates = {(line.task_id, line.closure): line.estimated_minutes for line in report.lines}
        assert estimates == {("T-1", 1): 90, ("T-2", 1): None, ("T-3", 1): 50, ("T-3", 2): 50, ("T-4", 1): None}
        assert "estimate 1:30" in whole(report_pdf(report, "en"))
        sheet = load_workbook(BytesIO(report_xlsx(report, "en")))["Tasks"]
        last = [cell.value for cell in sheet[1]].index("Estimate, min")
        assert [sheet.cell(row, last + 1).value for row in range(2, 7)] == [90, None, 50, 50, None]


async def test_without_plans_the_workbook_has_no_column_for_them(telling: Telling):
    async with telling() as told:
        await happens(told, BOUGHT, close("T-1", on="2026-03-10"))
        sheet = load_workbook(BytesIO(report_xlsx(await told.report("2026-03"), "en")))["Tasks"]
        assert "Estimate, min" not in [cell.value for cell in sheet[1]]


async def test_documents_of_a_month_name_what_was_in_force_on_its_last_day(telling: Telling):
    async with telling() as told:
        await happens(told, BOUGHT, close("T-1", on="2026-03-10"))
        await happens(
            told, change_customer("2026-04-01", contract_number="2", customer_name="АО «Новое»", on="2026-05-04")
        )
        await happens(told, change_customer("2026-05-04", customer_name="ПАО «Новейшее»", on="2026-05-05"))
        named = [(made.customer.name, made.contract_number) for month in ("03", "04", "05")
                 for made in [await told.report(f"2026-{month}")]]  # fmt: skip
        assert named == [("Рога и копыта", "17/24"), ("АО «Новое»", "2"), ("ПАО «Новейшее»", "2")]
        assert [(await act_of(told, f"2026-{month}")).number for month in ("03", "04")] == [
            "17/24-2026-03",
            "2-2026-04",
        ]


async def test_what_was_sent_names_what_was_known_then(telling: Telling):
    async with telling() as told:
        await happens(told, BOUGHT, close("T-1", on="2026-03-10"))
        before = told.position
        then = await told.data(["2026-03"], before)
        await happens(told, change_customer("2026-03-01", customer_name="АО «Новое»", on="2026-03-20"))
        assert await told.data(["2026-03"], before) == then
        assert (await told.report("2026-03")).customer.name == "АО «Новое»"


async def test_closed_documents_never_change_and_a_new_act_names_the_one_that_it_replaces_as_it_was(telling: Telling):
    async with telling() as told:
        await happens(told, BOUGHT, close("T-1", on="2026-03-10"), close_month("2026-03", on="2026-04-02"))
        sent, papers = await told.data(["2026-03"]), await told.papers(["2026-03"])
        await happens(
            told, change_customer("2026-04-01", contract_number="2", on="2026-04-03"), time_passes("2026-04-04")
        )
        assert (await told.data(["2026-03"]), await told.papers(["2026-03"])) == (sent, papers)
        await happens(told, reopen_month("2026-03", on="2026-04-05"))
        await happens(told, change_customer("2026-03-31", contract_number="3", on="2026-04-06"))
        await happens(told, close_month("2026-03", on="2026-04-07"))
        made = await act_of(told, "2026-03")
        assert made.replaces
        assert (made.number, made.replaces.number) == ("3-2026-03/2", "17/24-2026-03")


async def test_a_correction_names_the_act_of_its_month_by_the_contract_of_that_month(telling: Telling):
    async with telling() as told:
        await happens(told, BOUGHT, close("T-1", on="2026-03-10"), close_month("2026-03", on="2026-04-02"))
        await happens(told, change_customer("2026-04-01", contract_number="2", on="2026-04-03"))
        await happens(told, reopen("T-1", on="2026-04-04"))
        made = await act_of(told, "2026-04")
        assert (made.number, [line.corrects_act for line in made.lines]) == ("2-2026-04", ["17/24-2026-03"])
