"""The streams of a revoked key end in every process, and a process that was killed knows of it when it is back."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from contracts.access import KeyRequest, Role
from infra.data_folder import free_port
from services.access.principals import LOCAL
from services.ledger.access.keys import Keys
from services.ledger.running import running_ledger
from services.ledger.settings import Settings

SECONDS_MAX = 60
STREAMS = {
    "the log": ("GET /v1/log?follow=true HTTP/1.1", ""),
    "alerts": ("GET /v1/alerts/stream HTTP/1.1", ""),
    "many commands": (
        "POST /v1/commands HTTP/1.1\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked",
        "1\r\n\n\r\n",
    ),
}
"""How each is asked for; of the last, an empty line is sent, and its end never."""


class Process:
    """One process of the joined application."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.port = free_port()
        self._environment = {**os.environ, **environment, "HOURBOOK_LEDGER_URL": self.url}
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """It answers then."""
        line = ("-m", "uvicorn", "--factory", "services.app:create_app", "--port", str(self.port))
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, *line, env=self._environment, stderr=asyncio.subprocess.DEVNULL
        )
        async with httpx.AsyncClient(base_url=self.url, trust_env=False) as client, asyncio.timeout(SECONDS_MAX):
            while True:
                try:
                    await client.get("/health/live")
                except httpx.TransportError:
                    assert self._process.returncode is None
                    await asyncio.sleep(0.05)
                else:
                    return

    async def kill(self) -> None:
        """As kill -9 does."""
        if self._process and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def opened(self, stream: str, credential: str) -> "asyncio.Task[None]":
        """A stream whose answer has begun; the task is done when it has ended."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        head, body = STREAMS[stream]
        said = f"{head}\r\nHost: 127.0.0.1:{self.port}\r\nAuthorization: Bearer {credential}\r\n\r\n{body}"
        writer.write(said.encode())
        async with asyncio.timeout(SECONDS_MAX):
            assert (await reader.readline()).split()[1] == b"200", stream

        async def ended() -> None:
            try:
                await reader.read()
            except ConnectionError:
                pass
            finally:
                writer.close()

        return asyncio.create_task(ended())

    async def status(self, credential: str) -> int:
        async with httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=SECONDS_MAX) as client:
            return (await client.get("/v1/me", headers={"Authorization": f"Bearer {credential}"})).status_code

    async def revoke(self, owner: str, credential: str) -> None:
        path = f"/v1/access/keys/{credential.split('_')[1]}/revocation"
        async with httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=SECONDS_MAX) as client:
            answer = await client.post(path, json={"reason": "lost"}, headers={"Authorization": f"Bearer {owner}"})
            assert answer.status_code == 201, answer.text


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(SECONDS_MAX):
        while not await condition():
            await asyncio.sleep(0.02)


@pytest.fixture
async def credentials(database_url: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Three keys that may everything: the owner's, and two to be revoked."""
    monkeypatch.setenv("HOURBOOK_ACCESS", "closed")
    async with running_ledger(Settings(database_url=database_url, nats_url=None, logs=1)) as ledger:
        keys = Keys(ledger.access, LOCAL)
        asked = KeyRequest(name="of a test", roles=frozenset(Role))
        return [(await keys.make(asked)).credential for _ in range(3)]


@pytest.fixture
async def processes(
    credentials: list[str], database_url: str, tmp_path: Path
) -> AsyncIterator[tuple[Process, Process]]:
    """Two, on one database."""
    (tmp_path / "owner.key").write_text(credentials[0])
    environment = {
        "DATABASE_URL": database_url,
        "HOURBOOK_ACCESS": "closed",
        "HOURBOOK_LOGS": "1",
        "HOURBOOK_LEDGER_KEY_FILE": str(tmp_path / "owner.key"),
    }
    async with AsyncExitStack() as stack:
        started = Process(environment), Process(environment)
        for process in started:
            stack.push_async_callback(process.kill)
            await process.start()
        yield started


async def test_a_revocation_ends_the_streams_of_a_key_in_every_process(
    credentials: list[str], processes: tuple[Process, Process]
):
    owner, first, second = credentials
    here, there = processes
    kept = [await each.opened("the log", owner) for each in processes]
    ending = [await each.opened(stream, first) for each in processes for stream in STREAMS]
    await here.revoke(owner, first)
    async with asyncio.timeout(SECONDS_MAX):
        await asyncio.gather(*ending)
    assert [await each.status(first) for each in processes] == [401, 401]

    await until(lambda: _is(there, second, 200))
    cut_off = await there.opened("the log", second)
    ending = [await here.opened(stream, second) for stream in STREAMS]
    await there.kill()
    await cut_off
    await here.revoke(owner, second)
    await there.start()
    assert await there.status(second) == 401
    async with asyncio.timeout(SECONDS_MAX):
        await asyncio.gather(*ending)
    assert not kept[0].done()  # what ends is the key's, and nobody else's
    kept[0].cancel()


async def _is(process: Process, credential: str, status: int) -> bool:
    return await process.status(credential) == status
