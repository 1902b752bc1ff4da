"""An earlier program and this one, on the same data: `make campaign-upgrade`.

python -m tests.reliability.upgrade 8fbb8ef: the program of that commit keeps books in a data folder, and this one goes
on with it. Then the program before the newest migration of the log is replaced part by part under load. Earlier
programs come from the repository's history and run with this one's libraries.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from socket import socket
from typing import Any

import httpx
from rich.console import Console

from infra.data_folder import free_port
from infra.embedded import EmbeddedNats, EmbeddedPostgres
from services.ledger.event_store.migrations import MIGRATIONS
from services.process.serving import listening
from tests.conftest import reachable_folder
from tests.end_to_end.program import program
from tests.reliability.load import Load, caught_up, logs_without_gaps
from tests.reliability.restores import Journal

ROOT = Path(__file__).resolve().parents[2]
WAIT_SECONDS_MAX = 180
SIDE_BY_SIDE_SECONDS = 5
TASKS = 200
console = Console()


def program_of(commit: str, folder: Path) -> Path:
    """The tree of that commit."""
    archive = subprocess.run(["git", "archive", commit], cwd=ROOT, stdout=subprocess.PIPE, check=True)
    folder.mkdir()
    subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)
    return folder


def before_newest_migration() -> str:
    """The commit before the one that added the newest migration of the log."""
    added = _git("log", "--diff-filter=A", "-1", "--format=%H", "--", str(MIGRATIONS[-1]))
    return _git("rev-parse", "--short", f"{added}^")


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True).stdout.strip()


@dataclass
class Process:
    """A command of one of the programs, running."""

    tree: Path
    line: list[str]
    environment: dict[str, str]
    log: Path
    taken: socket | None = None
    running: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        files = (self.taken.fileno(),) if self.taken else ()
        with self.log.open("ab") as log:
            self.running = subprocess.Popen(
                [sys.executable, "-m", "services", *self.line],
                cwd=self.tree, env=self.environment | {"PYTHONPATH": str(self.tree)}, stdout=log, stderr=log,
                pass_fds=files,
            )  # fmt: skip

    async def stop(self) -> None:
        """Let it finish what it is doing."""
        self.running.terminate()
        await asyncio.to_thread(self.running.wait, WAIT_SECONDS_MAX)

    async def replaced(self, tree: Path) -> "Process":
        """The same of another program, in its place."""
        await self.stop()
        return Process(tree, self.line, self.environment, self.log, self.taken)


async def until_ready(url: str, *processes: Process) -> None:
    """Return when commands and queries work there."""
    async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as client:
        async with asyncio.timeout(WAIT_SECONDS_MAX):
            while True:
                ended = [each.log.read_text()[-2000:] for each in processes if each.running.poll() is not None]
                assert not ended, ended
                try:
                    if (await client.get("/health/ready?part=commands&part=queries")).status_code == 200:
                        return
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.2)


@contextmanager
def everything(tree: Path, data: Path, port: int) -> Iterator[Process]:
    """`up` of that program with that data folder."""
    environment = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "NATS_URL"}}
    process = Process(tree, ["up", "--data", str(data), "--port", str(port)], environment, data.with_suffix(".log"))
    try:
        yield process
    finally:
        process.running.terminate()
        process.running.wait(WAIT_SECONDS_MAX)


async def books(url: str, accounts: list[str]) -> dict[str, Any]:
    """What a program says of these accounts: balances, reports, and the events of all logs with their hashes."""
    async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as client:
        logs = await logs_without_gaps(client)
        said: dict[str, Any] = {f"log {number}": log for number, log in enumerate(logs)}
        for account_id in accounts:
            for path in ("balance", "reports/2026-03", "tasks"):
                address = f"/v1/accounts/{account_id}/{path}"
                said[address] = await caught_up(client, address, len(logs[0]))
        return said


def same(before: Any, after: Any) -> bool:
    """Whether all that was said is said still; a newer program may say more."""
    if isinstance(before, dict):
        moving = {"as_of", "known_at", "position", "generated_at"}
        return all(name in moving or (name in after and same(each, after[name])) for name, each in before.items())
    if isinstance(before, list):
        return len(before) == len(after) and all(map(same, before, after))
    return before == after


async def data_folder(commit: str, folder: Path) -> None:
    """A data folder of that program, and this program on it."""
    data, port = folder / "data", free_port()
    url = f"http://127.0.0.1:{port}"
    load = Load([url], TASKS)
    with everything(program_of(commit, folder / "earlier"), data, port) as process:
        await until_ready(url, process)
        await load.run()
        await load.check(url)
        before = await books(url, load.accounts)
    console.print(f"{commit}: {len(load.acknowledged)} closings acknowledged, the program stopped")
    with everything(ROOT, data, port) as process:
        await until_ready(url, process)
        after = await books(url, load.accounts)
        differing = [name for name, said in before.items() if not same(said, after[name])]
        assert not differing, differing
        await load.check(url)
        more = Load([url], TASKS)
        await more.run()
        await more.check(url)
        audited = await asyncio.to_thread(program, "audit", "verify", "--full", "--data", data)
        assert audited.returncode == 0, audited.stdout + audited.stderr
    console.print(f"this program: balances, reports, tasks, events as before; {TASKS} closings more, nothing is wrong")


@dataclass
class Rolling:
    """Two services and the other parts of one program, replaced one by one by those of another."""

    ports: dict[str, socket]
    parts: dict[str, Process]

    @property
    def urls(self) -> list[str]:
        return [f"http://127.0.0.1:{taken.getsockname()[1]}" for taken in self.ports.values()]

    async def replace(self, name: str, tree: Path, *, ready: bool = True) -> None:
        """Stop a part and start that program's in its place: whoever connects meanwhile waits."""
        self.parts[name] = await self.parts[name].replaced(tree)
        if ready and name in self.ports:
            await until_ready(f"http://127.0.0.1:{self.ports[name].getsockname()[1]}", self.parts[name])
        await asyncio.sleep(SIDE_BY_SIDE_SECONDS)
        assert self.parts[name].running.poll() is None, self.parts[name].log.read_text()[-2000:]


@asynccontextmanager
async def started(tree: Path, folder: Path, environment: dict[str, str]) -> AsyncIterator[Rolling]:
    """All parts of that program, on sockets that stay when processes are replaced."""
    async with AsyncExitStack() as stopping:
        ports = {name: stopping.enter_context(listening(0)) for name in ("service-1", "service-2")}
        others = {
            "relay": ["ledger", "--only", "relay"],
            "expiry": ["ledger", "--only", "expiry"],
            "worker": ["projections", "--only", "worker"],
        }
        rolling = Rolling(ports, {})
        own = environment | {"HOURBOOK_LEDGER_URL": rolling.urls[0], "HOURBOOK_PROJECTIONS_URL": rolling.urls[0]}

        async def stop() -> None:
            for part in rolling.parts.values():
                await part.stop()

        stopping.push_async_callback(stop)
        for name, taken in ports.items():
            line = ["serve", "--socket", str(taken.fileno())]
            rolling.parts[name] = Process(tree, line, own, folder / f"{name}.log", taken)
        for name, line in others.items():
            rolling.parts[name] = Process(tree, line, own, folder / f"{name}.log")
        for url in rolling.urls:
            await until_ready(url, *rolling.parts.values())
        yield rolling


async def rolling_upgrade(commit: str, folder: Path) -> None:
    """The program of that commit replaced by this one while clients of two services go on."""
    earlier = program_of(commit, folder / "before")
    with EmbeddedPostgres(folder / "postgres") as postgres, EmbeddedNats(folder / "nats") as nats:
        environment = os.environ | {
            "DATABASE_URL": postgres.url, "NATS_URL": nats.url, "HOURBOOK_AUDIT_KEY_FILE": str(folder / "key.pem")
        }  # fmt: skip
        await _migrated(earlier, environment)
        async with started(earlier, folder, environment) as rolling:
            journal = Journal(rolling.urls)

            async def upgrade() -> None:
                await rolling.replace("service-1", ROOT, ready=False)  # too early: it waits
                await _migrated(ROOT, environment)
                await until_ready(rolling.urls[0])
                await rolling.replace("service-1", earlier)  # the way back
                for name in ("worker", "relay", "expiry", "service-1", "service-2"):
                    await rolling.replace(name, ROOT)
                    console.print(f"{name} replaced: {len(journal.acknowledged)} acknowledged by now")

            await journal.run(upgrade)
            for url in rolling.urls:
                await until_ready(url)
                await journal.check(url)
    console.print(
        f"{commit} replaced part by part: {len(journal.acknowledged)} acknowledged, none lost or doubled; "
        f"{journal.turned_away - journal.cut_off} times 503 with Retry-After, {journal.cut_off} connections ended "
        f"unanswered, nothing else was refused; no command answered for {journal.longest_wait:.1f} s at most"
    )


async def _migrated(tree: Path, environment: dict[str, str]) -> None:
    line = [sys.executable, "-m", "services", "migrate"]
    process = await asyncio.create_subprocess_exec(*line, cwd=tree, env=environment | {"PYTHONPATH": str(tree)})
    assert await process.wait() == 0


async def campaign(commit: str) -> None:
    with reachable_folder() as folder:
        await data_folder(commit, folder)
    with reachable_folder() as folder:
        await rolling_upgrade(before_newest_migration(), folder)


if __name__ == "__main__":
    asyncio.run(campaign(sys.argv[1]))
