"""Faults on a real Hourbook, one after another, under a load whose answers are kept: `make campaign-faults`.

Its processes reach PostgreSQL and NATS through links that can be cut, be slow, or swallow everything. After each fault
nothing acknowledged is lost, doubled or changed, projections say what the log says, and everything is ready again.
"""

import asyncio
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from unittest.mock import patch

import httpx
from rich.console import Console
from rich.table import Table

from infra import processes
from infra.data_folder import free_port
from infra.embedded import EmbeddedNats, EmbeddedPostgres, EmbeddedServer
from services.operating.up import Hourbook, running
from tests.ledger.lossy_link import LossyLink
from tests.reliability.load import Load

PAUSE_SECONDS = 0.05
RECOVERY_SECONDS_MAX = 60
DISK_BYTES = "700m"
SLOW_SECONDS = 0.2
TOLD = ("lost, doubled, changed or diverged", "never recovered")


class SteadyLoad(Load):
    """Closings that go on, a few at a time, for as long as something disturbs them."""

    def __init__(self, url: str) -> None:
        super().__init__([url], 0)
        self._undisturbed = False

    async def _work(self, client: httpx.AsyncClient, waiting: list[int]) -> None:
        while not self._undisturbed:
            number, self.tasks = self.tasks, self.tasks + 1
            await super()._work(client, [number])
            await asyncio.sleep(PAUSE_SECONDS)

    async def _disturb(self, disturb: Callable[[], Awaitable[None]] | None) -> None:
        try:
            await super()._disturb(disturb)
            await asyncio.sleep(1)
        finally:
            self._undisturbed = True


@dataclass
class Outage:
    """How long nobody was answered during faults of a kind, at worst."""

    faults: int = 0
    commands: float = 0.0
    queries: float = 0.0


@dataclass
class Stage:
    """A Hourbook with its servers, links and disk, and what is kept about it."""

    hourbook: Hourbook
    servers: dict[str, EmbeddedServer]
    links: dict[str, LossyLink]
    disk: Path | None
    outages: dict[str, Outage] = field(default_factory=lambda: defaultdict(Outage))

    def kinds(self) -> dict[str, Callable[[float], Awaitable[None]]]:
        """What can go wrong, each for so many seconds."""
        found: dict[str, Callable[[float], Awaitable[None]]] = {}
        for part in self.hourbook.parts:
            found[f"{part.name} is killed"] = lambda _, part=part: self._signal(part.process, signal.SIGKILL, 0)
            found[f"{part.name} stands still"] = lambda seconds, part=part: self._signal(
                part.process, signal.SIGSTOP, seconds
            )
        for name, server in self.servers.items():
            found[f"{name} is killed"] = lambda _, server=server: _killed(server)
            found[f"{name} stands still"] = lambda seconds, server=server: _stands_still(server, seconds)
        for name, link in self.links.items():
            found[f"links to {name} are cut"] = lambda _, link=link: _cut(link)
            found[f"links to {name} swallow"] = lambda seconds, link=link: _swallowing(link, seconds)
            found[f"links to {name} are slow"] = lambda seconds, link=link: _slow(link, seconds)
        if self.disk:
            found["the disk is full"] = self._full
        return found

    async def _signal(self, process: subprocess.Popen[bytes] | None, number: signal.Signals, seconds: float) -> None:
        assert process is not None
        with suppress(ProcessLookupError):
            os.kill(process.pid, number)
            await asyncio.sleep(seconds)
            os.kill(process.pid, signal.SIGCONT)

    async def _full(self, seconds: float) -> None:
        assert self.disk
        filler = self.disk / "filler"
        line = ["dd", "if=/dev/zero", f"of={filler}", "bs=1M"]
        await asyncio.to_thread(subprocess.run, line, capture_output=True, check=False)
        await asyncio.sleep(seconds)
        filler.unlink()

    async def suffer(self, kind: str, seconds: float) -> None:
        """One fault under load; AssertionError where something is not as it was acknowledged, TimeoutError where
        something does not recover."""
        load, outage = SteadyLoad(self.hourbook.url), self.outages[kind]
        fault = self.kinds()[kind]
        async with self._queries() as answered_at:
            await load.run(disturb=lambda: fault(seconds))
        await self.recovered()
        await load.check(self.hourbook.url)
        outage.faults += 1
        outage.commands = max(outage.commands, load.longest_wait)
        outage.queries = max(outage.queries, _longest_wait(answered_at))

    @asynccontextmanager
    async def _queries(self) -> AsyncIterator[list[float]]:
        """When queries were answered, one after another."""
        answered_at = [time.monotonic()]

        async def ask() -> None:
            async with httpx.AsyncClient(base_url=self.hourbook.url, timeout=60, trust_env=False) as client:
                while True:
                    with suppress(httpx.TransportError):
                        if (await client.get("/v1/accounts", params={"limit": 1})).status_code == 200:
                            answered_at.append(time.monotonic())
                    await asyncio.sleep(0.05)

        asking = asyncio.create_task(ask())
        try:
            yield answered_at
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            answered_at.append(time.monotonic())

    async def recovered(self) -> None:
        """Every part is ready again, by itself."""
        async with (
            httpx.AsyncClient(base_url=self.hourbook.url, timeout=60, trust_env=False) as client,
            asyncio.timeout(RECOVERY_SECONDS_MAX),
        ):
            while True:
                with suppress(httpx.TransportError):
                    if (await client.get("/health/ready")).status_code == 200:
                        return
                await asyncio.sleep(0.1)


def _longest_wait(answered_at: list[float]) -> float:
    return max(later - earlier for earlier, later in pairwise(answered_at))


async def _killed(server: EmbeddedServer) -> None:
    await asyncio.to_thread(server.kill)


async def _stands_still(server: EmbeddedServer, seconds: float) -> None:
    stopped = processes.family(int(server.pid_file.read_text(encoding="ascii").split()[0]))
    for process in stopped:
        with suppress(processes.psutil.NoSuchProcess):
            process.suspend()
    await asyncio.sleep(seconds)
    for process in stopped:
        with suppress(processes.psutil.NoSuchProcess):
            process.resume()


async def _cut(link: LossyLink) -> None:
    link.cut()


async def _swallowing(link: LossyLink, seconds: float) -> None:
    link.swallowing = True
    await asyncio.sleep(seconds)
    link.swallowing = False


async def _slow(link: LossyLink, seconds: float) -> None:
    link.slow_seconds = SLOW_SECONDS
    await asyncio.sleep(seconds)
    link.slow_seconds = 0


@asynccontextmanager
async def staged(folder: Path, disk: Path | None = None) -> AsyncIterator[Stage]:
    """A Hourbook on servers in that folder, reached through links; whatever dies is started again."""
    postgres, nats = EmbeddedPostgres((disk or folder) / "postgres"), EmbeddedNats(folder / "nats")
    async with AsyncExitStack() as stopping:
        for server in (postgres, nats):
            await asyncio.to_thread(server.start)
            stopping.push_async_callback(asyncio.to_thread, server.stop)
        links = {
            "PostgreSQL": await stopping.enter_async_context(LossyLink.to(postgres.url)),
            "NATS": await stopping.enter_async_context(LossyLink.to(nats.url)),
        }
        urls = {"DATABASE_URL": links["PostgreSQL"].url, "NATS_URL": links["NATS"].url}
        with patch.dict(os.environ, urls):
            started = running(folder / "data", free_port(), embedded=False)
            hourbook = await asyncio.to_thread(started.__enter__)
        stopping.push_async_callback(asyncio.to_thread, started.__exit__, None, None, None)
        hourbook.servers.extend((postgres, nats))
        reviving = asyncio.create_task(_keep_reviving(hourbook))
        stopping.push_async_callback(_ended, reviving)
        yield Stage(hourbook, {"PostgreSQL": postgres, "NATS": nats}, links, disk)


async def _keep_reviving(hourbook: Hourbook) -> None:
    while True:
        await asyncio.to_thread(hourbook.revive, lambda _: None)
        await asyncio.sleep(0.1)


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _small_disk(folder: Path) -> Path | None:
    """A disk of its own, where this machine lets us mount one."""
    disk = folder / "disk"
    disk.mkdir()
    line = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=0711", "tmpfs", str(disk)]
    return disk if subprocess.run(line, capture_output=True, check=False).returncode == 0 else None


async def campaign(faults: int, seed: int) -> int:
    """So many random faults; how many of them left something wrong."""
    chance, console, wrong = random.Random(seed), Console(), defaultdict[str, int](int)
    console.print(f"{faults} faults, seed {seed}")
    with tempfile.TemporaryDirectory(prefix="hourbook-faults-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        disk = await asyncio.to_thread(_small_disk, folder)
        try:
            async with staged(folder, disk) as stage:
                kinds = sorted(stage.kinds())
                chance.shuffle(kinds)
                for number in range(faults):
                    kind, seconds = kinds[number % len(kinds)], chance.uniform(1, 8)
                    console.print(f"{number + 1:>3}  {kind}, {seconds:.1f} s")
                    try:
                        await stage.suffer(kind, seconds)
                    except (AssertionError, TimeoutError) as broken:
                        told = TOLD[isinstance(broken, TimeoutError)]
                        wrong[told] += 1
                        console.print(f"     [red]{told}: {broken}")
        finally:
            if disk:
                await asyncio.to_thread(subprocess.run, ["umount", str(disk)], check=False)
    console.print(_table(stage.outages))
    console.print(*(f"{told}: {wrong[told]}" for told in TOLD), sep=", ")
    return sum(wrong.values())


def _table(outages: dict[str, Outage]) -> Table:
    table = Table("fault", "times", "longest without a command, s", "without a query, s")
    for kind, outage in sorted(outages.items(), key=lambda each: -each[1].commands):
        table.add_row(kind, str(outage.faults), f"{outage.commands:.1f}", f"{outage.queries:.1f}")
    return table


if __name__ == "__main__":
    sys.exit(asyncio.run(campaign(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else time.time_ns())) > 0)
