"""A crowd that a service has to bear: streams of alerts, followers of the log, and clients that ask and never read.

`make campaign-hostile` lets it loose on real processes and says how long commands and queries take beside it.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from infra.data_folder import free_port

ACCOUNT = "crowded"
LINES = 1000
UNREAD_REQUESTS = 60
ANSWER_SECONDS_MAX = 60
SECONDS_MAX = 1.0
"""What a command and a query may take beside the whole crowd."""

OPENING = {"account_id": ACCOUNT, "customer_name": "ООО «Ока»", "contract_number": "7", "contract_date": "2026-01-01"}
CLOSING = {
    "title": "Настройка", "category": "regular", "worked_minutes": 10, "closed_at": "2026-03-02T12:00:00+03:00",
    "confirmed_at": "2026-03-02T12:00:00+03:00", "confirmed_by": "client@example.com",
}  # fmt: skip


@dataclass
class Listener(asyncio.Protocol):
    """A client that reads whatever comes, and remembers its end, which has what came last."""

    request: bytes
    came: asyncio.Event = field(default_factory=asyncio.Event)
    answered: bytes = b""
    lost: bool = False
    end: bytes = b""
    transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self.answered = self.answered or data[:12]
        self.end = (self.end + data)[-4096:]
        self.came.set()

    def connection_lost(self, _: Exception | None) -> None:
        self.lost = True


@dataclass
class Silent(Listener):
    """A client that has asked for much and reads nothing."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        assert self.transport is not None
        self.transport.pause_reading()


@dataclass(frozen=True)
class Crowd:
    """Everybody who is connected."""

    streams: Sequence[Listener]
    followers: Sequence[Listener]
    silent: Sequence[Silent]

    @property
    def lost(self) -> int:
        """How many that read were disconnected."""
        return sum(each.lost for each in (*self.streams, *self.followers))


def request(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


@asynccontextmanager
async def crowd(url: str, streams: int, followers: int, silent: int, after: int = 0) -> AsyncIterator[Crowd]:
    """So many of each kind, once those that read have their first answer; the log is followed after that position."""
    address = httpx.URL(url)
    loop = asyncio.get_running_loop()
    unread = request(f"/v1/accounts/{ACCOUNT}/statement?limit={LINES}") * UNREAD_REQUESTS
    there = Crowd(
        [Listener(request("/v1/alerts/stream")) for _ in range(streams)],
        [Listener(request(f"/v1/log?follow=true&after={after}")) for _ in range(followers)],
        [Silent(unread) for _ in range(silent)],
    )
    try:
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            for each in (*there.streams, *there.followers, *there.silent):
                await loop.create_connection(lambda each=each: each, address.host, address.port)
            for each in (*there.streams, *there.followers):
                await each.came.wait()
                assert each.answered == b"HTTP/1.1 200", each.end
        yield there
    finally:
        for each in (*there.streams, *there.followers, *there.silent):
            if each.transport:
                each.transport.abort()


async def prepare(client: httpx.AsyncClient) -> None:
    """An account with a long statement."""
    (await client.post("/v1/accounts", json=OPENING, headers={"Idempotency-Key": "opening"})).raise_for_status()
    for first in range(0, LINES, 100):
        await asyncio.gather(*(close(client, f"T-{number}") for number in range(first, first + 100)))


async def close(client: httpx.AsyncClient, task_id: str) -> int:
    """Record a closing; its position."""
    path = f"/v1/accounts/{ACCOUNT}/tasks/{task_id}/close"
    answer = await client.post(path, json=CLOSING, headers={"Idempotency-Key": task_id})
    return answer.raise_for_status().json()["position"]


async def balance(client: httpx.AsyncClient) -> dict[str, Any]:
    return (await client.get(f"/v1/accounts/{ACCOUNT}/balance")).raise_for_status().json()


@dataclass
class Times:
    """How long answers took, in seconds."""

    commands: list[float] = field(default_factory=list)
    queries: list[float] = field(default_factory=list)

    def told(self) -> str:
        """Median and maximum of both."""
        return "; ".join(
            f"{name}: median {statistics.median(taken) * 1000:.0f} ms, at most {max(taken) * 1000:.0f} ms"
            for name, taken in (("commands", self.commands), ("queries", self.queries))
        )


async def measured(client: httpx.AsyncClient, seconds: float, prefix: str) -> Times:
    """A command and a query, one after another, for so long."""
    times, until = Times(), time.monotonic() + seconds
    while (began := time.monotonic()) < until:
        await close(client, f"{prefix}-{len(times.commands)}")
        asked = time.monotonic()
        await balance(client)
        times.commands.append(asked - began)
        times.queries.append(time.monotonic() - asked)
    return times


async def campaign(url: str, streams: int, followers: int, silent: int, seconds: float) -> bool:
    """Whether everybody else was answered in time, and nobody who reads was disconnected."""
    async with httpx.AsyncClient(base_url=url, timeout=ANSWER_SECONDS_MAX, trust_env=False) as client:
        await prepare(client)
        print(f"alone: {(await measured(client, seconds, 'alone')).told()}")
        head = await close(client, "head")
        async with crowd(url, streams, followers, silent, head) as there:
            beside = await measured(client, seconds, "beside")
            print(f"beside {streams} streams, {followers} followers, {silent} that do not read: {beside.told()}")
            last = await close(client, "last")
            with suppress(TimeoutError):
                async with asyncio.timeout(ANSWER_SECONDS_MAX):
                    while any(b'"position":%d,' % last not in each.end for each in there.followers if not each.lost):
                        await asyncio.sleep(0.05)
            behind = sum(b'"position":%d,' % last not in each.end for each in there.followers)
            print(f"disconnected: {there.lost}; followers without the last event: {behind}")
            return max(beside.commands + beside.queries) < SECONDS_MAX and not there.lost and not behind


def main() -> None:
    """Run the campaign; exit code 1 when somebody waited too long."""
    from services.operating.up import running

    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("streams", 300), ("followers", 1000), ("silent", 50), ("seconds", 30)):
        parser.add_argument(f"--{name}", type=int, default=default)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hourbook-") as name:
        Path(name).chmod(0o711)
        with running(Path(name), free_port()) as hourbook:
            went_well = asyncio.run(campaign(hourbook.url, **vars(asked)))
    sys.exit(0 if went_well else 1)


if __name__ == "__main__":
    main()
