"""`hourbook audit export` over HTTP: what it writes is what the checkpoint signs, and verify.py agrees."""

import asyncio
from collections.abc import Iterator
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from rich.console import Console

from contracts.placement import every_log
from services.access.caller import Caller
from services.auditing.export import Wanted, export, size_of
from services.auditing.handed_out import verify
from services.auditing.ledger_over_http import recorded_at
from services.ledger.audit.checkpointer import Checkpointer
from services.ledger.audit.statements import Surroundings
from services.ledger.domain.terms import Terms, TermsVersion
from services.ledger.event_store.database import Database
from services.ledger.event_store.roles import SIGNER
from services.ledger.settings import terms
from services.process.operator_error import OperatorError
from tests.auditing.paper_log import lines_in, manifest
from tests.ledger.commands import closing_body

LOGS = 2
DAYS = [datetime(2026, 3, day, tzinfo=UTC) for day in (1, 10, 20)]
ACCOUNTS = [f"account-{number}" for number in range(6)]
OPEN = {"command": "OpenAccount", "customer_name": "ООО «Ока»", "contract_number": "7", "contract_date": "2026-01-01"}


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("audit") / "key.pem"


@pytest.fixture(scope="module")
def environment(key_file: Path) -> dict[str, str]:
    """Appends are sealed; what is signed, and when, is the tests' affair."""
    keys = {"HOURBOOK_AUDIT_KEY_FILE": key_file, "HOURBOOK_SEAL_KEY_FILE": key_file.with_name("seal.pem")}
    return {"HOURBOOK_LOGS": str(LOGS), "HOURBOOK_SANDBOX": "1"} | {name: str(file) for name, file in keys.items()}


@pytest.fixture(scope="module")
async def kept(client: httpx.AsyncClient, file_database_url: str, key_file: Path) -> list[str]:
    """The checkpoints of all logs from half the way; logs of more than one tile."""
    await send(client, DAYS[0], [OPEN | {"account_id": account_id} for account_id in ACCOUNTS])
    await send(client, DAYS[1], [task(ACCOUNTS[number % 6], number) for number in range(299)])
    halfway = await signed(client, file_database_url, key_file)
    new = terms().versions[0].model_copy(update={"name": "later", "in_force_from": DAYS[1] + timedelta(hours=1)})
    (await client.post("/v1/terms", json=new.model_dump(mode="json"))).raise_for_status()
    await send(client, DAYS[2], [task(ACCOUNTS[number % 5], number) for number in range(1000, 1600)])
    await signed(client, file_database_url, key_file)
    return halfway


def task(account_id: str, number: int) -> dict[str, Any]:
    return {"command": "CloseTask", "account_id": account_id, "task_id": f"T-{number}", **closing_body(at=DAYS[0])}


async def send(client: httpx.AsyncClient, at: datetime, commands: list[dict[str, Any]]) -> None:
    """The commands, recorded at that instant."""
    (await client.put("/v1/test-clock", json={"now": at.isoformat()})).raise_for_status()
    lines = [orjson.dumps(one | {"idempotency_key": f"{one['account_id']}-{one.get('task_id')}"}) for one in commands]
    answer = await client.post("/v1/commands", content=b"\n".join(lines))
    assert {orjson.loads(line)["status"] for line in answer.content.splitlines()} == {201}


async def signed(client: httpx.AsyncClient, database_url: str, key_file: Path) -> list[str]:
    """Every log is signed as it stands."""

    async def published() -> Terms:
        versions = (await client.get("/v1/terms")).json()["versions"]
        return Terms(tuple(TermsVersion.model_validate(version) for version in versions))

    surroundings = Surroundings(LOGS, published)
    async with Database.connected(database_url, 2, role=SIGNER) as database:
        for log in every_log(LOGS):
            await Checkpointer(database, log, key_file, surroundings, real_time=False).catch_up()
    return [(await client.get("/v1/audit/checkpoint", params={"log": log})).text for log in range(LOGS)]


async def exported(url: str, output: Path, **wanted: Any) -> Path:
    await asyncio.to_thread(export, Caller(url), output, Wanted(**wanted), Console(file=StringIO()))
    return output


def verified(export: Path, held: list[str] | None = None) -> tuple[int, str]:
    """The exit code and what was said, given checkpoints that the auditor holds."""
    options: list[str] = []
    for number, note in enumerate(held or []):
        file = export.parent / f"kept-{number}"
        file.write_text(note, "utf-8")
        options += ["--checkpoint", str(file)]
    with redirect_stdout(StringIO()) as said:
        code = verify.main([str(export), *options])
    return code, said.getvalue()


def files(folder: Path) -> Iterator[tuple[str, bytes]]:
    return ((file.name, file.read_bytes()) for file in sorted(folder.iterdir()))


async def test_everything_is_exported_and_verified_with_checkpoints_from_before(
    client: httpx.AsyncClient, url: str, kept: list[str], tmp_path: Path
):
    folder = await exported(url, tmp_path / "all")
    code, said = verified(folder, kept)
    assert code == 0, said
    assert said.count("as you kept it") == LOGS
    assert "log access: 3 events of 3, 2 signed checkpoints, as signed" in said
    versions = orjson.loads((folder / "terms.json").read_bytes())["versions"]
    assert [version["name"] for version in versions] == [terms().versions[0].name, "later"]
    assert "who was entitled: not judged: in a sandbox" in said
    assert said.count("events sealed by the ledger, 0 from before it sealed") == LOGS + 1
    logs = [(await client.get("/v1/log", params={"log": log})).content.splitlines() for log in range(LOGS)]
    assert [lines_in(folder / f"log-{log}.ndjson.gz") for log in range(LOGS)] == logs
    assert max(map(len, logs)) > 512, "of more than two tiles"


async def test_a_log_that_is_left_out_is_found_in_a_real_export(url: str, kept: list[str], tmp_path: Path):
    folder = await exported(url, tmp_path / "all")
    said = orjson.loads((folder / "manifest.json").read_bytes())
    for file in folder.glob("*-1.*"):
        file.unlink()
    manifest(folder, said | {"logs": said["logs"][:1]})
    code, found = verified(folder)
    assert (code, "log 1 is left out" in found, found.count("FINDING")) == (1, True, 1)


async def test_the_same_log_makes_the_same_bytes_as_a_folder_and_as_an_archive(
    url: str, kept: list[str], tmp_path: Path
):
    one, other = await exported(url, tmp_path / "one"), await exported(url, tmp_path / "other")
    assert list(files(one)) == list(files(other))
    archive = await exported(url, tmp_path / "all.tar.gz")
    (tmp_path / "again").mkdir()
    assert archive.read_bytes() == (await exported(url, tmp_path / "again" / "all.tar.gz")).read_bytes()
    assert verified(archive) == verified(one)


async def test_one_account_is_exported_with_the_hashes_of_all_others(url: str, kept: list[str], tmp_path: Path):
    for account_id in ACCOUNTS:
        folder = await exported(url, tmp_path / account_id, account_id=account_id)
        code, said = verified(folder)
        assert code == 0, said
        assert "1 add up" in said
        assert "log access: 3 events of 3" in said


async def test_a_part_is_compared_with_a_checkpoint_that_the_export_was_told_of(
    url: str, kept: list[str], tmp_path: Path
):
    cuts = tuple(map(size_of, kept))
    folder = await exported(url, tmp_path / "told", account_id=ACCOUNTS[5], cuts=cuts)
    [(log, lines)] = [(log, lines) for log in range(LOGS) for lines in folder.glob(f"log-{log}.ndjson.gz")]
    code, said = verified(folder, kept[log : log + 1])
    assert (code, "as you kept it" in said) == (0, True), said
    assert len(lines_in(lines)) < 60
    untold = await exported(url, tmp_path / "untold", account_id=ACCOUNTS[5])
    code, said = verified(untold, kept[log : log + 1])
    assert (code, "exported again with --checkpoint" in said) == (1, True), said


async def test_a_range_of_dates_is_exported_with_a_neighbour_on_either_side(
    client: httpx.AsyncClient, url: str, kept: list[str], tmp_path: Path
):
    minute = timedelta(minutes=1)
    ranges = {
        "middle": (DAYS[1] - minute, DAYS[2]),
        "start": (None, DAYS[1]),
        "end": (DAYS[1] + 9 * minute, None),
        "nothing": (DAYS[1] + 9 * minute, DAYS[2] - 9 * minute),
    }
    for name, (since, before) in ranges.items():
        folder = await exported(url, tmp_path / name, since=since, before=before)
        code, said = verified(folder)
        assert code == 0, said
        for log in range(LOGS):
            lines = (await client.get("/v1/log", params={"log": log})).content.splitlines()
            inside = [
                index
                for index, line in enumerate(lines)
                if (since or DAYS[0]) - 5 * minute <= recorded_at(line) < (before or DAYS[2] + minute) + 5 * minute
            ]
            shown = lines_in(folder / f"log-{log}.ndjson.gz")
            first, after = (inside[0], inside[-1] + 1) if inside else (lines.index(shown[1]),) * 2
            assert shown == lines[max(first - 1, 0) : after + 1]


async def test_an_export_never_writes_over_another(url: str, tmp_path: Path):
    with pytest.raises(OperatorError, match="Give the export a name of its own"):
        await exported(url, tmp_path)


async def test_an_account_that_nobody_opened_is_refused_and_leaves_nothing(url: str, kept: list[str], tmp_path: Path):
    with pytest.raises(OperatorError, match="nobody"):
        await exported(url, tmp_path / "export", account_id="nobody")
    assert list(tmp_path.iterdir()) == []
