"""A month's documents of all customers in one ZIP file."""

from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import httpx
import pytest

from contracts.events import MonthClosed
from services.projections.monthly_reports.archive import archive
from services.projections.settings import Settings
from tests.projections.monthly_reports.test_upd import REQUISITES, SELLER_FILE
from tests.projections.questions import Queries, caught_up
from tests.projections.vocabulary import Log, closed, moment, opened, purchased, times


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """With a seller whose requisites are known."""
    file = tmp_path / "seller.toml"
    file.write_text(SELLER_FILE, encoding="utf-8")
    return settings.model_copy(update={"seller_file": file})


CUSTOMERS = ("bereza", "romashka", "sosna")


def record_march(log: Log) -> None:
    """Two customers whose March is closed, one of them without work; a third one whose March is open."""
    for account_id in CUSTOMERS:
        requisites = REQUISITES if account_id == "romashka" else None
        log.record(account_id, opened(requisites=requisites), purchased("spring", on="2026-03-01", until="2026-06-02"))
    log.record("romashka", closed("T-1", on="2026-03-05", draws={"spring": 100}, amount=531_667))
    log.clock = moment("2026-04-02")
    for account_id in ("bereza", "romashka"):
        log.record(account_id, MonthClosed(**times("2026-04-02"), month="2026-03"))


async def test_a_month_says_how_many_of_its_tasks_were_recorded_late(log: Log, client: httpx.AsyncClient):
    """One after the month was over, and one of a month that was closed already; what is taken back counts no more."""
    record_march(log)
    log.record("sosna", closed("T-1", on="2026-03-30", draws={"spring": 10}), at="2026-03-31 23:59")
    log.record("sosna", closed("T-2", on="2026-03-31", draws={"spring": 10}), at="2026-04-01 00:00")
    late = closed("T-2", on="2026-03-31", draws={"spring": 10})
    log.record("romashka", late.model_copy(update={"booking_month": "2026-04"}), at="2026-04-02")
    log.clock = moment("2026-04-03")
    counts: dict[str, list[tuple[int, int]]] = {}
    for month in ("2026-03", "2026-04"):
        answer = await caught_up(client, f"/v1/months/{month}", log.position)
        counts[month] = [(each["late_tasks"], each["earlier_tasks"]) for each in answer.json()["accounts"]]
    assert counts == {"2026-03": [(0, 0), (0, 0), (1, 0)], "2026-04": [(0, 0), (0, 1), (0, 0)]}


async def archived(client: httpx.AsyncClient, log: Log, month: str = "2026-03", **asked: str) -> bytes:
    answer = await caught_up(client, f"/v1/months/{month}/documents.zip", log.position, **asked)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/zip")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="Documents-{month}.zip"'
    return answer.content


async def test_one_file_has_every_document_of_the_closed_month_as_its_route_gives_it(
    log: Log, ask: Queries, client: httpx.AsyncClient
):
    record_march(log)
    content = await archived(client, log)
    with ZipFile(BytesIO(content)) as file:
        assert file.testzip() is None
        names = file.namelist()
        assert names[:6] == [
            "bereza/MonthlyReport-bereza-2026-03.pdf",
            "bereza/MonthlyReport-bereza-2026-03.xlsx",
            "romashka/MonthlyReport-romashka-2026-03.pdf",
            "romashka/MonthlyReport-romashka-2026-03.xlsx",
            "romashka/Act-romashka-2026-03.pdf",
            "romashka/Act-romashka-2026-03.xlsx",
        ]
        assert len(names) == 7
        assert names[6].startswith("romashka/ON_NSCHFDOPPR_")
        for name, path in (
            (names[3], "reports/2026-03.xlsx"), (names[4], "acts/2026-03.pdf"), (names[6], "acts/2026-03/upd.xml"),
        ):  # fmt: skip
            assert file.read(name) == (await ask.answer(f"/romashka/{path}")).content
    assert await archived(client, log) == content, "the same documents are the same bytes"
    assert await archived(client, log, lang="en") != content


async def test_an_account_that_was_opened_later_has_no_documents_in_it(log: Log, client: httpx.AsyncClient):
    record_march(log)
    with ZipFile(BytesIO(await archived(client, log, month="2026-02"))) as file:
        assert file.namelist() == []


async def test_a_month_in_which_nothing_is_closed_is_an_empty_file(log: Log, client: httpx.AsyncClient):
    log.record("romashka", opened(), purchased("spring", on="2026-03-01", until="2026-06-02"))
    with ZipFile(BytesIO(await archived(client, log))) as file:
        assert file.namelist() == []


async def test_it_is_sent_one_customer_at_a_time(log: Log, client: httpx.AsyncClient):
    record_march(log)
    await archived(client, log)
    projections = client._transport.app.state.projections  # type: ignore[attr-defined]
    parts = [part async for part in archive(projections, "2026-03", ["bereza", "romashka"], "ru")]
    assert len(parts) == 3, "each customer's documents, then the table of contents"
    assert all(parts)
