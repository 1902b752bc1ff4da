"""A person is erased: nothing of the name is left anywhere, and every proof still holds."""

import asyncio
import gzip
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import orjson
import pytest

from infra.data_folder import free_port
from services.auditing.handed_out import verify
from services.operating.up import Hourbook, running
from tests.auditing.paper_log import compressed, lines_in, manifest
from tests.end_to_end.program import program
from tests.end_to_end.questions import caught_up, client_of
from tests.ledger.commands import closing_body

ERASED = ("Xylophia Quendelbaum", "quendelbaum@zwiebel.example", "Квазимодо Щукин")
KEPT = "Вера Холодная"
OPEN = {"command": "OpenAccount", "customer_name": "ООО «Ока»", "contract_number": "7", "contract_date": "2026-01-01"}
TABLES = """
    SELECT c.oid::regclass::text FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'm', 'p') AND n.nspname <> 'pg_toast'
"""

pytestmark = pytest.mark.usefixtures("one_log")
"""Files and positions of one log are spelt out here."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("privacy")


@pytest.fixture(scope="module")
def hourbook(one_log: None, data: Path) -> Iterator[Hourbook]:
    """A running Hourbook in which people confirmed and did work for two customers, one of whom closed a month."""
    with running(data, free_port()) as started:
        signed_by = {"signatory_position": "Директор", "signatory_name": ERASED[2]}
        lines = [OPEN | {"account_id": "oka", "customer_requisites": signed_by}, OPEN | {"account_id": "kama"}]
        lines += [closing("oka", number, ERASED[number % 3]) for number in range(30)] + [closing("kama", 0, KEPT)]
        lines += [{"command": "CloseMonth", "account_id": "oka", "month": "2026-03"}]
        file = data / "commands.ndjson"
        keyed = (line | {"idempotency_key": f"k-{number}"} for number, line in enumerate(lines))
        file.write_bytes(b"\n".join(map(orjson.dumps, keyed)) + b"\n")
        sent = program("import", file, "--url", started.url)
        assert sent.returncode == 0, sent.stdout
        yield started


@pytest.fixture
def client(hourbook: Hourbook) -> Iterator[httpx.Client]:
    """A client that asks once everything is projected and signed."""
    with client_of(hourbook.url) as opened:
        head = opened.get("/v1/log", params={"limit": 1}).headers["Hourbook-Position"]
        while opened.get("/v1/audit/checkpoint").text.split("\n")[1:2] != [head]:
            pass
        caught_up(opened, "/v1/projections", int(head))
        yield opened


def closing(account_id: str, number: int, name: str) -> dict[str, Any]:
    entries = [{"start": "2026-03-02T10:00:00Z", "minutes": 10, "performer": name}]
    names = {"confirmed_by": name, "time_entries": entries}
    times = {"closed_at": "2026-03-02T12:00:00Z", "confirmed_at": "2026-03-02T12:00:00Z"}
    return {
        "command": "CloseTask",
        "account_id": account_id,
        "task_id": f"T-{number}",
        **closing_body(),
        **times,
        **names,
    }


def signatory(client: httpx.Client) -> str | None:
    """Who signs the act for the customer, in its data and where it is printed."""
    act = client.get("/v1/accounts/oka/acts/2026-03").raise_for_status().json()
    assert client.get("/v1/accounts/oka/acts/2026-03.pdf").status_code == 200
    assert act["customer"]["signatory_position"] == "Директор"
    return act["customer"]["signatory_name"]


def exported(hourbook: Hourbook, folder: Path, *options: str) -> Path:
    written = program("audit", "export", "--url", hourbook.url, "--output", folder, *options)
    assert written.returncode == 0, written.stderr
    return folder


def verified(folder: Path) -> tuple[int, str]:
    """The exit code of verify.py, and what it said."""
    with redirect_stdout(StringIO()) as said:
        return verify.main([str(folder)]), said.getvalue()


def holding(folder: Path, names: tuple[str, ...]) -> list[Path]:
    """The files in which one of the names stands, packed or not; what PostgreSQL has yet to recycle aside."""
    found = []
    for file in folder.rglob("*"):
        if file.is_file() and "pg_wal" not in file.parts:
            content = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
            if any(name.encode() in content for name in names):
                found.append(file)
    return found


async def rows_holding(connection: asyncpg.Connection, names: tuple[str, ...]) -> list[str]:
    """Tables of any schema, the system's too, that have one of the names in any column, as text or as bytes."""
    forms = [f"%{form}%" for name in names for form in (name, name.encode().hex())]
    return [
        table
        for (table,) in await connection.fetch(TABLES)
        if await connection.fetchval(f"SELECT EXISTS (SELECT FROM {table} AS t WHERE t::text LIKE ANY ($1))", forms)
    ]


def test_the_explanation_of_a_task_reads_well_without_the_name(client: httpx.Client):
    task = client.get("/v1/accounts/oka/tasks/T-1", params={"lang": "en"}).json()
    assert "was closed and confirmed on 2\N{NO-BREAK SPACE}March 2026. It is" in task["explanation"]
    assert task["closings"][0]["confirmed_by"].startswith("sha256-2:")


@pytest.mark.parametrize("field", ["text", "salt", "position", "commitment"])
def test_a_name_that_is_not_the_one_recorded_is_found_in_an_export(
    hourbook: Hourbook, client: httpx.Client, tmp_path: Path, field: str
):
    folder = exported(hourbook, tmp_path / "export")
    names = folder / "personal-0.ndjson.gz"
    lines = [orjson.loads(line) for line in lines_in(names)]
    one, other = lines[0], next(each for each in lines if each["text"] != lines[0]["text"])
    one[field], other[field] = other[field], one[field]
    compressed(names, list(map(orjson.dumps, sorted(lines, key=lambda each: (each["position"], each["commitment"])))))
    manifest(folder)
    code, said = verified(folder)
    assert (code, "FINDING personal-0.ndjson.gz, line" in said) == (1, True), said


def test_an_export_without_names_says_that_they_are_withheld(hourbook: Hourbook, client: httpx.Client, tmp_path: Path):
    folder = exported(hourbook, tmp_path / "export", "--without-personal-data", "--account", "kama")
    code, said = verified(folder)
    assert (code, "0 names shown, 1 erased or withheld, 0 recorded in the log itself" in said) == (0, True), said
    assert holding(folder, (KEPT,)) == []


async def test_nothing_is_left_of_what_was_erased_and_every_proof_holds(
    hourbook: Hourbook, client: httpx.Client, data: Path, tmp_path: Path
):
    before = exported(hourbook, tmp_path / "before")
    code, said = verified(before)
    assert (code, "32 names shown, 0 erased or withheld" in said) == (0, True), said
    assert [file.name for file in holding(before, ERASED)] == ["personal-0.ndjson.gz"]
    connection = await asyncpg.connect(hourbook.servers[0].url)
    assert signatory(client) == ERASED[2]
    await connection.execute("ANALYZE")
    await connection.execute("CHECKPOINT")
    assert await rows_holding(connection, ERASED) == ["ledger.personal"]
    assert len(holding(data / "postgres", ERASED)) == 1
    (data / "commands.ndjson").unlink()

    erased = await asyncio.to_thread(program, "privacy", "erase", "oka", "--reason", "отзыв", "--url", hourbook.url)
    assert (erased.returncode, erased.stdout) == (0, "31 erased\n"), erased.stderr
    await connection.execute("CHECKPOINT")
    assert await rows_holding(connection, ERASED) == []
    assert await rows_holding(connection, (KEPT,)) == ["ledger.personal"]
    await connection.close()
    assert holding(data, ERASED) == []
    assert signatory(client) is None, "it is left to be written by hand"
    assert [file for file in holding(data, ("sha256-2:",)) if "nats" in file.parts], "the stream holds commitments"

    after = exported(hourbook, tmp_path / "after")
    assert holding(after, ERASED) == []
    code, said = verified(after)
    assert (code, "1 names shown, 31 erased or withheld" in said) == (0, True), said
    assert "2 add up in every lot" in said
    audited = await asyncio.to_thread(program, "audit", "verify", "--full", "--data", data)
    assert (audited.returncode, "nothing is wrong" in audited.stdout) == (0, True), audited.stderr
