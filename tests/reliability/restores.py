"""A database that is put back to an earlier state while everything runs and clients go on: `make campaign-restores`.

Whoever holds something later stops, `hourbook restored` begins a new epoch, and everything runs: what clients were
answered is in the log then, but for what the restore has lost, whose positions were listed.
"""

import asyncio
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console

from contracts.placement import log_of
from infra.data_folder import free_port
from infra.embedded import EmbeddedServer
from services.auditing.auditor import Audit
from services.operating.database_logins import database_url_of
from services.operating.up import Hourbook, another_service, running
from services.process.lost_past import WENT_BACK
from tests.end_to_end.program import program
from tests.ledger.several_logs import LOGS
from tests.reliability.load import Load, logs_without_gaps

EACH_ACKNOWLEDGED = 10
WAIT_SECONDS_MAX = 120
PAUSE_SECONDS = 0.02
LISTED = re.compile(r"^log (\d+) .*positions (\d+) to (\d+), (\d+) events, are lost", re.MULTILINE)


class Journal(Load):
    """Closings that go on until they are told to end."""

    give_up_seconds = 600

    def __init__(self, urls: list[str], pause_seconds: float = PAUSE_SECONDS) -> None:
        super().__init__(urls, 0)
        self.pause_seconds = pause_seconds
        self.ended = False

    async def _work(self, client: httpx.AsyncClient, waiting: list[int]) -> None:
        while not self.ended:
            number, self.tasks = self.tasks, self.tasks + 1
            await super()._work(client, [number])
            await asyncio.sleep(self.pause_seconds)

    async def _disturb(self, disturb: Any) -> None:
        try:
            await super()._disturb(disturb)
        finally:
            self.ended = True

    async def more(self) -> None:
        """So many commands more are acknowledged."""
        goal = len(self.acknowledged) + EACH_ACKNOWLEDGED
        await until(lambda: len(self.acknowledged) >= goal)

    async def send_again(self, keys: list[str]) -> None:
        """As a client does with what it finds to be lost."""
        async with httpx.AsyncClient(timeout=60, trust_env=False) as client:
            for key in keys:
                number = int(key.rpartition("-")[2])
                await super()._work(client, [number])


class Lost(dict[int, range]):
    """The positions of each log that were listed to be lost."""


async def until(holds: Callable[[], bool]) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(WAIT_SECONDS_MAX):
        while not holds():
            await asyncio.sleep(0.02)


@dataclass
class Restores:
    """A Hourbook with a second service, whose database is put back."""

    hourbook: Hourbook
    other: str
    data: Path
    saved: Path
    pause_seconds: float = PAUSE_SECONDS
    """Of each client, between its commands."""

    @property
    def urls(self) -> list[str]:
        """Of both services."""
        return [self.hourbook.url, self.other]

    @property
    def _postgres(self) -> EmbeddedServer:
        return self.hourbook.servers[0]

    async def put_back(self, pause: Callable[[], float], papers: Path | None = None) -> Lost:
        """Save the database, go on, put it back, and begin a new epoch; what was listed to be lost.

        `papers`: where an auditor keeps an export of before, and compares one of after it with that.

        AssertionError where a client was answered something that the log does not have, and that was not listed.
        """
        journal, listed = Journal(self.urls, self.pause_seconds), Lost()

        async def disturb() -> None:
            nonlocal listed
            await journal.more()
            await asyncio.sleep(pause())
            await self._with_postgres_down(self._save)
            await journal.more()
            await self.audited()
            if papers:
                await self._exported(papers / "earlier")
            await journal.more()
            await asyncio.sleep(pause())
            await self._with_postgres_down(self._bring_back)
            await asyncio.gather(*map(self._has_stopped, self.urls))
            listed = await self._begin_epoch()
            await journal.more()

        await journal.run(disturb)
        await self._check(journal, listed)
        await self.audited()
        await asyncio.gather(*map(self._is_ready, self.urls))
        if papers:
            await self._is_signed()
            await self._exported(papers / "later")
            await self._compared(papers, listed)
        return listed

    async def audited(self) -> None:
        """Everything is verified, and nothing is wrong. The command does the same, but all others go before it."""
        url = database_url_of("auditor", self.data)
        found = await Audit(url, LOGS, self.data / "audit" / "verified.json").run(full=False)
        assert [fault for findings in found.values() for fault in findings.faults] == []

    async def _exported(self, folder: Path) -> None:
        line = ("audit", "export", "--url", self.hourbook.url, "--output", folder)
        done = await asyncio.to_thread(program, *line)
        assert done.returncode == 0, done.stdout + done.stderr

    async def _compared(self, papers: Path, listed: Lost) -> None:
        """By verify.py, for each log that lost something: it says so, and finds no fault."""
        for log, positions in listed.items():
            kept = papers / "earlier" / f"log-{log}.checkpoints.gz"
            line = [sys.executable, papers / "later" / "verify.py", "--checkpoint", kept]
            done = await asyncio.to_thread(subprocess.run, line, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
            said = f"the ledger was restored to {positions.start - 1} at .*; {len(positions)} events were lost"
            assert re.search(f"line \\d+: {said}, and this is of the time before", done.stdout), done.stdout

    async def _with_postgres_down(self, work: Callable[[Path], None]) -> None:
        await asyncio.to_thread(self._postgres.kill)
        await asyncio.to_thread(work, self.data / "postgres" / "data")
        await asyncio.to_thread(self._postgres.start)

    def _save(self, there: Path) -> None:
        shutil.rmtree(self.saved, ignore_errors=True)
        subprocess.run(["cp", "-a", str(there), str(self.saved)], check=True)

    def _bring_back(self, there: Path) -> None:
        shutil.rmtree(there)
        subprocess.run(["cp", "-a", str(self.saved), str(there)], check=True)
        (there / "postmaster.pid").unlink(missing_ok=True)

    async def _has_stopped(self, url: str) -> None:
        """It says so, and refuses commands with a problem of its own."""
        async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as client:
            async with asyncio.timeout(WAIT_SECONDS_MAX):
                while WENT_BACK not in (await client.get("/health/details")).text:
                    await asyncio.sleep(0.1)
            body = {"account_id": "lost", "customer_name": "ООО «Ока»", "contract_number": "7"}
            opening = body | {"contract_date": "2026-01-01"}
            refused = await client.post("/v1/accounts", json=opening, headers={"Idempotency-Key": "lost"})
            assert (refused.status_code, refused.json()["type"]) == (503, "urn:hourbook:problem:log-went-back")
            assert WENT_BACK in refused.json()["detail"]
            assert refused.headers["Retry-After"]

    async def _begin_epoch(self) -> Lost:
        done = await asyncio.to_thread(program, "restored", "--yes", "--data", self.data)
        assert done.returncode == 0, done.stdout + done.stderr
        listed = Lost()
        for each in LISTED.finditer(done.stdout):
            log, first, last, count = map(int, each.groups())
            assert count == last - first + 1 > 0
            listed[log] = range(first, last + 1)
        assert listed, done.stdout
        return listed

    async def _check(self, journal: Journal, listed: Lost) -> None:
        """What is missing was listed; sent again, it is recorded, and nothing is there twice."""
        async with httpx.AsyncClient(base_url=self.hourbook.url, timeout=60, trust_env=False) as client:
            logs = await logs_without_gaps(client)
        recorded = {line["event_id"]: line for log in logs for line in log}
        lost = {
            key: answer
            for key, answer in journal.acknowledged.items()
            if any(recorded.get(event["event_id"]) != event for event in answer["events"])
        }
        assert len(lost) >= 2 * EACH_ACKNOWLEDGED
        for answer in lost.values():
            positions = listed[log_of(answer["account_id"], len(logs))]
            assert answer["position"] in positions, f"{answer} is lost, and not listed: {positions}"
        await journal.send_again(list(lost))
        await journal.check(self.hourbook.url)
        await journal.check(self.other)

    async def _is_signed(self) -> None:
        """Checkpoints cover all that the logs have: an export ends where they end."""
        async with httpx.AsyncClient(base_url=self.hourbook.url, timeout=60, trust_env=False) as client:
            async with asyncio.timeout(WAIT_SECONDS_MAX):
                for log in range(LOGS):
                    end = await client.get("/v1/log", params={"log": log, "limit": 1})
                    while await _size_signed(client, log) < int(end.headers["Hourbook-Position"]):
                        await asyncio.sleep(0.2)

    async def _is_ready(self, url: str) -> None:
        async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as client:
            async with asyncio.timeout(WAIT_SECONDS_MAX):
                while (answer := await client.get("/health/ready")).status_code != 200:
                    with suppress(TimeoutError):
                        await asyncio.sleep(0.2)
                assert answer.json()["status"] == "ready"


async def _size_signed(client: httpx.AsyncClient, log: int) -> int:
    """Of a log's newest checkpoint; 0 before the first."""
    answer = await client.get("/v1/audit/checkpoint", params={"log": log})
    return int(answer.text.split("\n")[1]) if answer.status_code == 200 else 0


def campaign(times: int, seed: int) -> int:
    """So many restores at random instants; how many left something wrong."""
    chance, console, wrong = random.Random(seed), Console(), 0
    console.print(f"{times} restores, seed {seed}")
    with tempfile.TemporaryDirectory(prefix="hourbook-restores-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        data = folder / "data"
        with running(data, free_port()) as hourbook, another_service(hourbook, free_port()) as other:
            restores = Restores(hourbook, other, data, folder / "saved")
            for number in range(times):
                try:
                    listed = asyncio.run(restores.put_back(lambda: chance.uniform(0, 3)))
                    said = ", ".join(f"{each.start} to {each.stop - 1} of log {log}" for log, each in listed.items())
                    console.print(f"{number + 1:>3}  positions {said} were lost, and nothing else")
                except (AssertionError, TimeoutError) as broken:
                    wrong += 1
                    console.print(f"{number + 1:>3}  [red]{broken!r}")
    console.print(f"wrong: {wrong}")
    return wrong


if __name__ == "__main__":
    sys.exit(campaign(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else time.time_ns()) > 0)
