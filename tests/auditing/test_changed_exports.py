"""An export of a ledger with four logs, made by the program: verify.py finds every change of one of its logs.

`make campaign-audit` tries each change 24 times.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from random import Random
from shutil import copytree

import httpx
import pytest

from services.auditing.handed_out import verify
from tests.auditing.export_tampering import IN_THE_EXPORT
from tests.auditing.paper_log import manifest
from tests.auditing.projected import projected_sample
from tests.databases import Databases
from tests.end_to_end.joined import joined_service
from tests.end_to_end.program import program

CAMPAIGN = os.environ.get("HYPOTHESIS_PROFILE") == "campaign"
RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID") if CAMPAIGN else "suite"
TIMES = 24 if CAMPAIGN else 1
LOGS = 4


@pytest.fixture(scope="module")
async def exported(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Path]:
    """The sample's ledger, exported whole."""
    folder = tmp_path_factory.mktemp("four-logs")
    async with databases.empty() as url:
        await projected_sample(url, LOGS)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("HOURBOOK_LOGS", str(LOGS))
            async with joined_service(url, folder / "key.pem") as service:
                await until_signed(service)
                line = ("audit", "export", "--url", service, "--output", folder / "export")
                made = await asyncio.to_thread(program, *line)
        assert made.returncode == 0, made.stderr
        yield folder / "export"


async def until_signed(service: str) -> None:
    """Wait until a checkpoint of each log has come to its end."""
    async with httpx.AsyncClient(base_url=service, trust_env=False, timeout=60) as client, asyncio.timeout(200):
        for log_id in range(LOGS):
            head = (await client.get("/v1/log", params={"log": log_id, "limit": 1})).headers["Hourbook-Position"]
            while (await client.get("/v1/audit/checkpoint", params={"log": log_id})).text.split("\n")[1:2] != [head]:
                await asyncio.sleep(0.01)


def verified(export: Path, held: Path) -> tuple[int, str]:
    """The exit code for an auditor who holds the keys, and what is said."""
    with redirect_stdout(StringIO()) as said:
        return verify.main([str(export), "--key", str(held / "keys.json")]), said.getvalue()


def test_what_nobody_has_changed_is_not_accused(exported: Path):
    code, said = verified(exported, exported)
    assert code == 0, said
    assert len(list(exported.glob("log-[0-9]*.ndjson.gz"))) == LOGS


@pytest.mark.parametrize("time", range(TIMES))
@pytest.mark.parametrize("tamper", IN_THE_EXPORT, ids=lambda tamper: tamper.__name__)
def test_a_change_of_any_log_is_found(
    exported: Path, tmp_path: Path, tamper: Callable[[Path, Random], None], time: int
):
    copytree(exported, tmp_path / "export")
    tamper(tmp_path / "export", Random(f"{RUN} {tamper.__name__} {time}"))
    code, said = verified(tmp_path / "export", exported)
    assert code == 1, said


@pytest.mark.parametrize("name", ["access", "2"])
def test_a_log_that_has_begun_and_is_withheld_is_found(exported: Path, tmp_path: Path, name: str):
    """All else is made to fit."""
    copytree(exported, tmp_path / "export")
    for file in tmp_path.glob(f"export/*-{name}.*"):
        file.unlink()
    said = json.loads((exported / "manifest.json").read_text("utf-8"))
    said["logs"] = [entry for entry in said["logs"] if str(entry["log"]) != name]
    if name == "access":
        del said["access"]
    manifest(tmp_path / "export", said)
    code, printed = verified(tmp_path / "export", exported)
    assert code == 1, printed
    assert f"log {name}" in printed.partition("FINDING")[2]
