"""`hourbook onboard` as a seller runs it: nothing is recorded while anything is wrong, and nothing twice."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import openpyxl
import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from services.onboarding.books import sheets_in
from services.onboarding.commands import onboard
from services.onboarding.conversation import known, recorded
from services.onboarding.judgement import judged
from services.onboarding.rows import reading_of
from services.onboarding.statements import write_statements
from services.onboarding.template import template
from tests.documents.reading import whole
from tests.end_to_end.joined import joined_service
from tests.end_to_end.program import program
from tests.published import require_declared

pytestmark = pytest.mark.timeout(240)

FIRST_EMPTY_ROW = 4
COMMAND = typer.Typer()
COMMAND.command()(onboard)


@pytest.fixture(scope="module")
async def joined_url(file_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOURBOOK_LOGS", "1")
        async with joined_service(file_database_url, tmp_path_factory.mktemp("audit") / "key.pem") as url:
            yield url


@pytest.fixture
async def client(joined_url: str) -> AsyncIterator[httpx.AsyncClient]:
    hooks = {"response": [require_declared]}
    async with httpx.AsyncClient(base_url=joined_url, trust_env=False, timeout=60, event_hooks=hooks) as opened:
        yield opened


def filled_in(file: Path, **sheets: Sequence[Sequence[Any]]) -> Path:
    """The template with these rows below its examples."""
    file.write_bytes(template("ru"))
    book = openpyxl.load_workbook(file)
    for name, rows in sheets.items():
        page = book[
            {"customers": "Заказчики", "packages": "Пакеты", "tasks": "Задачи", "recipients": "Получатели"}[name]
        ]
        for number, row in enumerate(rows, FIRST_EMPTY_ROW):
            for column, value in enumerate(row, 1):
                page.cell(number, column, value)
    book.save(file)
    return file


def whole_book(file: Path, prefix: str, customers: int = 3) -> Path:
    """Customers with what is left of a package, two tasks, and somebody who gets the documents."""
    accounts = [f"{prefix}-{number}" for number in range(customers)]
    day = "05.03.2026"
    return filled_in(
        file,
        customers=[[each, f"ООО «{each}»", "007/26", "15.01.2026", 7736207543.0] for each in accounts],
        packages=[[each, "p1", "hours-50", "01.03.2026", "12,5", "30 000", "31.12.2150"] for each in accounts],
        tasks=[[each, f"T-{n}", "Настройка", None, "1:30", None, day, day] for each in accounts for n in range(2)],
        recipients=[[each, f"buh@{each}.example", "отчёт, УПД"] for each in accounts],
    )


async def events_of(client: httpx.AsyncClient, account_id: str) -> list[str]:
    answer = await client.get(f"/v1/accounts/{account_id}/events")
    return answer.text.splitlines() if answer.status_code == 200 else []


async def run(*arguments: str | Path) -> Result:
    """The command in this process, which is much cheaper than one of its own."""
    return await asyncio.to_thread(CliRunner().invoke, COMMAND, list(map(str, arguments)))


async def onboarded(file: Path, url: str, *more: str) -> Result:
    return await run(file, "--url", url, "--statements", file.parent / "statements", *more)


async def test_every_wrong_row_is_told_and_nothing_is_recorded(
    client: httpx.AsyncClient, joined_url: str, tmp_path: Path
):
    """What the sheet itself shows, and what only the ledger refuses: at once, each at its cell."""
    file = whole_book(tmp_path / "book.xlsx", "wrong")
    book = openpyxl.load_workbook(file)
    book["Заказчики"].cell(FIRST_EMPTY_ROW, 5, "7736207544")
    book["Пакеты"].cell(FIRST_EMPTY_ROW + 1, 3, "hours-51")
    book["Задачи"].cell(FIRST_EMPTY_ROW + 4, 5, "0,4")
    book["Задачи"].cell(FIRST_EMPTY_ROW + 5, 8, "01.03.2026")
    book.save(file)
    for more in ((), ("--dry-run",)):
        said = await onboarded(file, joined_url, *more)
        assert said.exit_code == 1
        assert [line.partition(": ")[0] for line in said.stdout.splitlines()] == [
            "Заказчики, row 4, ИНН", "Пакеты, row 5, Тариф", "Задачи, row 8, Отработано, часов",
            "Задачи, row 9, Подтверждена",
        ]  # fmt: skip
    assert not any([await events_of(client, f"wrong-{number}") for number in range(3)])
    assert not (tmp_path / "statements").exists()


async def test_thirty_customers_are_taken_in_once_three_wrong_cells_are_mended(
    client: httpx.AsyncClient, joined_url: str, tmp_path: Path
):
    file = whole_book(tmp_path / "book.xlsx", "thirty", customers=30)
    cells = {
        ("Заказчики", FIRST_EMPTY_ROW + 3, 5): "7736207544",
        ("Пакеты", FIRST_EMPTY_ROW + 17, 6): "тридцать тысяч",
        ("Задачи", FIRST_EMPTY_ROW + 41, 7): "31.02.2026",
    }
    right = changed(file, cells)
    said = await onboarded(file, joined_url)
    assert (said.exit_code, len(said.stdout.splitlines())) == (1, 3), said.output
    told = {tuple(line.split(", ")[:2]) for line in said.stdout.splitlines()}
    assert told == {(sheet, f"row {row}") for sheet, row, _ in cells}
    assert not await events_of(client, "thirty-0")

    changed(file, right)
    said = await onboarded(file, joined_url)

    assert said.exit_code == 0, said.output
    assert {len(await events_of(client, f"thirty-{number}")) for number in range(30)} == {4}
    assert len(list((tmp_path / "statements").iterdir())) == 30


def changed(file: Path, cells: Mapping[tuple[str, int, int], Any]) -> dict[tuple[str, int, int], Any]:
    """What stood in these cells of a book, which now have other values."""
    book = openpyxl.load_workbook(file)
    before = {place: book[place[0]].cell(*place[1:]).value for place in cells}
    for (sheet, row, column), value in cells.items():
        book[sheet].cell(row, column, value)
    book.save(file)
    return before


async def test_an_interrupted_book_is_taken_over_once(client: httpx.AsyncClient, joined_url: str, tmp_path: Path):
    file = whole_book(tmp_path / "book.xlsx", "whole")
    dry = await onboarded(file, joined_url, "--dry-run")
    assert (dry.exit_code, "3 customers, 9 packages and tasks" in dry.stdout) == (0, True), dry.stdout
    assert not await events_of(client, "whole-0")
    deeds = judged(reading_of(sheets_in(file))).deeds
    with httpx.Client(base_url=joined_url, trust_env=False, timeout=60) as own:
        assert not (await asyncio.to_thread(recorded, own, deeds[:6], lambda _: None)).faults
    assert [len(await events_of(client, f"whole-{number}")) for number in range(3)] == [4, 2, 0]

    for _ in range(2):
        said = await onboarded(file, joined_url)
        assert said.exit_code == 0, said.output
        assert [len(await events_of(client, f"whole-{number}")) for number in range(3)] == [4, 4, 4]
    named = (await client.get("/v1/accounts/whole-1/recipients")).json()
    assert len(named["lists"]) == 1
    assert (named["lists"][0]["effective_on"], named["in_force"][0]["kinds"]) == ("2026-01-15", ["report", "upd"])
    files = sorted((tmp_path / "statements").iterdir())
    assert [each.name[:8] for each in files] == ["whole-0-", "whole-1-", "whole-2-"]
    text = whole(files[0].read_bytes())
    assert "9,50 ч (9:30) на 22 800,00 ₽" in text.replace("\N{NO-BREAK SPACE}", " ")
    assert "ООО «whole-0»" in text


async def test_an_erased_address_is_not_named_again(client: httpx.AsyncClient, joined_url: str, tmp_path: Path):
    file = whole_book(tmp_path / "book.xlsx", "erased", customers=1)
    assert (await onboarded(file, joined_url)).exit_code == 0
    erasure = {"address": "buh@erased-0.example", "reason": "просьба"}
    (await client.post("/v1/accounts/erased-0/recipients/erasures", json=erasure)).raise_for_status()
    assert (await onboarded(file, joined_url)).exit_code == 0
    assert "buh@" not in (await client.get("/v1/accounts/erased-0/recipients")).text


@asynccontextmanager
async def held(database_url: str, table: str) -> AsyncIterator[None]:
    """Nothing is written into this table of a read model meanwhile."""
    connection = await asyncpg.connect(database_url)
    try:
        async with connection.transaction():
            where = await connection.fetchval("SELECT schemaname FROM pg_tables WHERE tablename = $1", table)
            await connection.execute(f"LOCK TABLE {where}.{table} IN SHARE MODE")
            yield
    finally:
        await connection.close()


async def test_a_statement_waits_for_the_reports_too(
    client: httpx.AsyncClient, joined_url: str, file_database_url: str, tmp_path: Path
):
    """Balances are known before reports here: what is asked of reports then waits until they know as much."""
    file, refused = whole_book(tmp_path / "book.xlsx", "behind", customers=1), asyncio.Event()
    loop = asyncio.get_running_loop()

    def seen(answer: httpx.Response) -> None:
        if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            loop.call_soon_threadsafe(refused.set)

    with httpx.Client(base_url=joined_url, trust_env=False, timeout=60, event_hooks={"response": [seen]}) as own:
        async with held(file_database_url, "report_customer"):
            deeds = judged(reading_of(sheets_in(file))).deeds
            positions = (await asyncio.to_thread(recorded, own, deeds, lambda _: None)).positions
            await asyncio.to_thread(known, own, "/v1/accounts/behind-0/balance", positions["behind-0"])
            writing = asyncio.create_task(
                asyncio.to_thread(write_statements, own, ["behind-0"], tmp_path, "ru", lambda _: None)
            )
            await asyncio.wait([writing, asyncio.create_task(refused.wait())], return_when=asyncio.FIRST_COMPLETED)
        await writing
    assert (refused.is_set(), len(list(tmp_path.glob("behind-0-*.pdf")))) == (True, 1)


async def test_recipients_of_somebody_unknown_are_told(joined_url: str, tmp_path: Path):
    file = filled_in(tmp_path / "book.xlsx", recipients=[["nobody", "a@b.example", None, None, "01.03.2026"]])
    said = await onboarded(file, joined_url)
    assert (said.exit_code, said.stdout.startswith("Получатели, row 4, Код заказчика: nobody")) == (1, True)


async def test_a_template_is_written_once(tmp_path: Path):
    file = tmp_path / "template.xlsx"
    said = await asyncio.to_thread(program, "onboard", "--template", file, "--lang", "en")
    assert said.returncode == 0, said.stderr
    assert (await run("--template", file)).exit_code == 2
    assert "Customers" in openpyxl.load_workbook(file).sheetnames
