"""Servers of a NATS cluster killed under load, one by one, its leaders, and two of three: `make campaign-clusters`.

A whole Hourbook publishes to three servers and keeps three copies of each stream. After each fault nothing
acknowledged is lost, doubled or changed, projections say what the log says, and the streams are copies.
"""

import asyncio
import os
import sys
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import asyncpg
import httpx
from nats.errors import Error
from nats.js import JetStreamContext
from rich.console import Console
from rich.table import Table

from infra.data_folder import free_port
from infra.embedded import EmbeddedPostgres
from services.operating.up import running
from services.process.nats_connection import connected
from services.process.stopping import end, stopping
from tests.nats_cluster import NODES, STREAM, NatsCluster, started
from tests.reliability.faults import TOLD, Stage
from tests.reliability.load import logs_without_gaps

DOWN_SECONDS = 12.0
ALERTS = "HOURBOOK-ALERTS"


@dataclass
class ClusterStage(Stage):
    """A Hourbook on a NATS cluster, and how long at worst an event took into its stream during faults of a kind."""

    cluster: NatsCluster = field(kw_only=True)
    database_url: str = field(kw_only=True)
    delays: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def kinds(self) -> dict[str, Callable[[float], Awaitable[None]]]:
        one_by_one = {f"server {node} is killed": partial(self._without, [node]) for node in NODES}
        return one_by_one | {"the leader is killed": self._leader, "two of three are killed": self._majority}

    async def _without(self, nodes: list[str], seconds: float) -> None:
        for node in nodes:
            self.cluster.kill(node)
        await asyncio.sleep(seconds)
        for node in nodes:
            self.cluster.start(node)

    async def _leader(self, seconds: float) -> None:
        await self._without([await self.cluster.leader()], seconds)

    async def _majority(self, seconds: float) -> None:
        leader = await self.cluster.leader()
        await self._without([leader, next(node for node in NODES if node != leader)], seconds)

    async def suffer(self, kind: str, seconds: float) -> None:
        """AssertionError also where a stream is no copy of what PostgreSQL has."""
        async with self._watched_stream() as seen:
            await super().suffer(kind, seconds)
            log = await self._streams_are_copies()
        self.delays[kind] = max(self.delays[kind], _longest_delay(log, seen))
        await self.cluster.leader()

    @asynccontextmanager
    async def _watched_stream(self) -> AsyncIterator[list[tuple[datetime, int]]]:
        """When the stream was seen to reach which position."""
        seen: list[tuple[datetime, int]] = []

        async def look() -> None:
            while not stopping():
                with suppress(Error, OSError):
                    async with connected(self.cluster.url("relay")) as client:
                        while client.is_connected and not stopping():
                            stream = await client.jetstream(timeout=1).stream_info(STREAM)
                            seen.append((datetime.now(UTC), stream.state.last_seq))
                            await asyncio.sleep(0.05)

        looking = asyncio.create_task(look())
        try:
            yield seen
        finally:
            await end(looking)

    async def _streams_are_copies(self) -> list[dict[str, Any]]:
        """The log, of which one of them is a copy."""
        async with httpx.AsyncClient(base_url=self.hourbook.url, timeout=60, trust_env=False) as client:
            (log,) = await logs_without_gaps(client)
        recorded = [line["event_id"] for line in log]
        await self._has(STREAM, "relay", recorded)
        database = await asyncpg.connect(self.database_url)
        changes = await database.fetch("SELECT id::text FROM projections.alert_change ORDER BY number")
        await database.close()
        await self._has(ALERTS, "alerts", [change["id"] for change in changes])
        return log

    async def _has(self, stream: str, user: str, ids: list[str]) -> None:
        """Wait until a stream has as many messages as there are to be, and see that it has these."""
        async with asyncio.timeout(60):
            while await self._messages(stream, user) < len(ids):
                await asyncio.sleep(0.1)
        assert await self._messages(stream, user) == len(ids), f"{stream} has messages twice"
        if user == "relay":  # who alone may read single messages
            async with connected(self.cluster.url(user)) as client:
                found = [await _id_at(client.jetstream(), stream, number) for number in range(1, len(ids) + 1)]
            assert found == ids, f"{stream} is no copy"

    async def _messages(self, stream: str, user: str) -> int:
        with suppress(Error, OSError):
            async with connected(self.cluster.url(user)) as client:
                return (await client.jetstream(timeout=1).stream_info(stream)).state.messages
        return -1


def _longest_delay(log: list[dict[str, Any]], seen: list[tuple[datetime, int]]) -> float:
    """How many seconds after it was recorded an event was seen in the stream, at most, of those that came meanwhile."""
    began, before = seen[0]
    places = iter(seen)
    longest, (at, last) = 0.0, (began, before)
    for line in log[before:]:
        while last < line["position"]:
            at, last = next(places)
        longest = max(longest, (at - datetime.fromisoformat(line["recorded_at"])).total_seconds())
    return longest


async def _id_at(jetstream: JetStreamContext, stream: str, sequence: int) -> str | None:
    return ((await jetstream.get_msg(stream, seq=sequence)).headers or {}).get("ce-id")


@asynccontextmanager
async def staged(folder: Path) -> AsyncIterator[ClusterStage]:
    """A Hourbook on a PostgreSQL and a cluster in that folder, each part with its own user of NATS."""
    postgres = EmbeddedPostgres(folder / "postgres")
    async with AsyncExitStack() as stopping:
        await asyncio.to_thread(postgres.start)
        stopping.push_async_callback(asyncio.to_thread, postgres.stop)
        cluster = stopping.enter_context(started(folder))
        await cluster.decides()
        cluster.keep_logins(folder / "logins")
        environment = {
            "DATABASE_URL": postgres.url,
            "NATS_URL": cluster.url("relay"),
            "HOURBOOK_LOGINS": str(folder / "logins"),
            "HOURBOOK_NATS_REPLICAS": "3",
        }
        with patch.dict(os.environ, environment):
            hourbook = running(folder / "data", free_port(), embedded=False)
            at_work = await asyncio.to_thread(hourbook.__enter__)
        stopping.push_async_callback(asyncio.to_thread, hourbook.__exit__, None, None, None)
        yield ClusterStage(at_work, {}, {}, None, cluster=cluster, database_url=postgres.url)


async def campaign(rounds: int) -> int:
    """Every fault so many times; how many of them left something wrong."""
    console, wrong = Console(), 0
    with tempfile.TemporaryDirectory(prefix="hourbook-clusters-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        async with staged(folder) as stage:
            for kind in [*stage.kinds()] * rounds:
                console.print(kind)
                try:
                    await stage.suffer(kind, DOWN_SECONDS)
                except (AssertionError, TimeoutError) as broken:
                    wrong += 1
                    console.print(f"     [red]{TOLD[isinstance(broken, TimeoutError)]}: {broken}")
    console.print(_table(stage))
    console.print(f"left something wrong: {wrong}")
    return wrong


def _table(stage: ClusterStage) -> Table:
    table = Table("fault", "times", "longest without a command, s", "without a query, s", "from commit to stream, s")
    for kind, outage in stage.outages.items():
        figures = (outage.commands, outage.queries, stage.delays[kind])
        table.add_row(kind, str(outage.faults), *(f"{figure:.1f}" for figure in figures))
    return table


if __name__ == "__main__":
    sys.exit(asyncio.run(campaign(int(sys.argv[1]))) > 0)
