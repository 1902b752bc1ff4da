"""Ready means that what callers need works now: each part says what is against it, and is ready again by itself."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest

from infra.embedded import EmbeddedNats, EmbeddedPostgres
from services.ledger import readiness
from services.ledger.event_store import writability
from services.ledger.event_store.database import LedgerUnavailable
from services.ledger.running import Ledger, running_ledger
from services.ledger.settings import Settings
from tests.ledger.commands import closing, opening, purchase
from tests.ledger.lossy_link import LossyLink
from tests.ledger.test_outages import holding_the_log


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while not await condition():
            await asyncio.sleep(0.02)


async def until_said(ledger: Ledger, part: str, sentence: str) -> None:
    """The part says so."""

    async def said() -> bool:
        return any(sentence in each for each in (await ledger.parts())[part])

    await until(said)


async def until_ready(ledger: Ledger) -> None:
    async def ready() -> bool:
        return not await ledger.faults()

    await until(ready)


@asynccontextmanager
async def ledger_at(url: str, nats_url: str | None = None, **settings: object) -> AsyncIterator[Ledger]:
    settings = {"sandbox": False, "projections_url": None} | settings
    async with running_ledger(Settings(database_url=url, nats_url=nats_url, **settings)) as running:
        yield running


async def test_commands_are_not_ready_while_the_writers_hang_and_are_again_afterwards(database_url: str):
    async with LossyLink.to(database_url) as link, ledger_at(link.url) as ledger:
        await ledger.submit(opening("a"), "k1")
        assert (await ledger.parts())["commands"] == []
        link.swallowing = True
        await until_said(ledger, "commands", "PostgreSQL")
        link.swallowing = False
        await until_ready(ledger)


async def test_commands_are_not_ready_while_an_append_waits_for_long(
    ledger: Ledger, database_url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(writability, "WAITING_SECONDS_MAX", 0.1)
    async with holding_the_log(database_url):
        sent = ledger.submit(opening("a"), "k1")
        await until_said(ledger, "commands", "An append has been waiting")
    await sent
    await until_ready(ledger)


async def test_commands_are_not_ready_on_a_server_that_takes_no_writes(ledger: Ledger, database_url: str):
    """As a standby that took the place of the server that failed, before it is promoted."""
    await ledger.store.writability.require()
    name = database_url.rpartition("/")[2]
    connection = await asyncpg.connect(database_url)
    await connection.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    try:
        async with ledger_at_readonly(database_url) as other:
            await until_said(other, "commands", "PostgreSQL cannot be reached")
    finally:
        await connection.execute("SET default_transaction_read_only = off")
        await connection.execute(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
        await connection.close()


@asynccontextmanager
async def ledger_at_readonly(url: str) -> AsyncIterator[Ledger]:
    """Its schema is there already."""
    with pytest.MonkeyPatch.context() as patch:

        async def nothing(*_: object) -> None:
            pass

        patch.setattr("services.ledger.running.prepared", nothing)
        async with ledger_at(url) as running:
            yield running


async def test_commands_are_not_ready_while_the_password_is_not_the_right_one_any_more(database_url: str):
    """At the start it is said at once; later on it is an outage like others, and no bug."""
    login, name = f"changing_{uuid4().hex}", urlsplit(database_url).path
    server = urlsplit(database_url).netloc.rpartition("@")[2]
    connection = await asyncpg.connect(database_url)
    await connection.execute(f"CREATE ROLE {login} SUPERUSER LOGIN PASSWORD 'old'")
    try:
        async with LossyLink.to(f"postgresql://{login}:old@{server}{name}") as link, ledger_at(link.url) as ledger:
            await ledger.submit(opening("a"), "k1")
            await connection.execute(f"ALTER ROLE {login} PASSWORD 'new'")
            link.cut()
            await until_said(ledger, "commands", "InvalidPassword")
            with pytest.raises(LedgerUnavailable):
                await ledger.submit(closing("a"), "k2")
            await connection.execute(f"ALTER ROLE {login} PASSWORD 'old'")
            await until_ready(ledger)
    finally:
        await connection.execute(f"REASSIGN OWNED BY {login} TO CURRENT_USER; DROP OWNED BY {login}; DROP ROLE {login}")
        await connection.close()


@pytest.fixture
def small_disk(server_folder: Path) -> Iterator[Path]:
    """A disk of its own, as large as PostgreSQL needs to start."""
    disk = server_folder / "disk"
    disk.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200m", "tmpfs", disk], capture_output=True, check=False)
    if os.geteuid() != 0 or made.returncode != 0:
        pytest.skip("this machine lets nobody mount a small disk")
    disk.chmod(0o711)
    yield disk
    subprocess.run(["umount", disk], check=True)


def fill(file: Path) -> None:
    """Until there is no room."""
    filled = subprocess.run(["dd", "if=/dev/zero", f"of={file}"], capture_output=True, check=False)
    assert b"No space left" in filled.stderr


async def test_commands_are_not_ready_while_the_disk_is_full(small_disk: Path):
    with EmbeddedPostgres(small_disk / "postgres") as server:
        async with ledger_at(server.url) as ledger:
            await ledger.submit(opening("a"), "k1")
            filler = small_disk / "filler"
            fill(filler)
            await until_said(ledger, "commands", "DiskFull")
            filler.unlink()
            await until_ready(ledger)


async def test_the_relay_is_not_ready_while_nats_is_unavailable_or_nobody_publishes(
    database_url: str, server_folder: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(readiness, "LATE_SECONDS_MAX", 0.2)
    monkeypatch.setattr(readiness, "EVERY_SECONDS", 0.05)
    server = await asyncio.to_thread(EmbeddedNats(server_folder / "nats").start)
    try:
        async with ledger_at(database_url, server.url) as ledger:
            await until_ready(ledger)
            await asyncio.to_thread(server.kill)
            await until_said(ledger, "relay", "NATS cannot be reached")
            assert (await ledger.parts())["commands"] == []
            await asyncio.to_thread(server.start)
            await until_ready(ledger)
            await ledger.submit(opening("a"), "k1")
            await until_said(ledger, "relay", "nobody publishes the rest")
    finally:
        await asyncio.to_thread(server.stop)


async def test_checkpoints_are_not_ready_while_nobody_signs_or_the_key_is_missing(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(readiness, "LATE_SECONDS_MAX", 0.2)
    monkeypatch.setattr(readiness, "EVERY_SECONDS", 0.05)
    key = tmp_path / "key.pem"
    async with ledger_at(database_url, audit_key_file=key) as ledger:
        await ledger.submit(opening("a"), "k1")
        await until_said(ledger, "checkpoints", "nobody signs new ones")
        signer = Settings(database_url=database_url, nats_url=None, audit_key_file=key)
        async with running_ledger(signer, expiry=True):
            await until_ready(ledger)
        key.rename(tmp_path / "lost.pem")
        async with running_ledger(signer, expiry=True):
            await until_said(ledger, "checkpoints", "The key that signs checkpoints is missing")
            (tmp_path / "lost.pem").rename(key)
            await until_ready(ledger)


async def test_the_expiry_is_not_ready_while_an_end_is_not_recorded(database_url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(readiness, "LATE_SECONDS_MAX", 0.2)
    monkeypatch.setattr(readiness, "EVERY_SECONDS", 0.05)
    monkeypatch.setattr(readiness, "EXPIRY_MINUTES_MAX", timedelta())
    async with ledger_at(database_url, sandbox=True) as ledger:
        await ledger.submit(opening("a"), "k1")
        await ledger.submit(purchase("a"), "k2")
        await ledger.submit(closing("a"), "k3")
        now = await ledger.clock.now()
        await ledger.clock.move(now + timedelta(days=1000))  # type: ignore[union-attr]
        await until_said(ledger, "expiry", "and nobody records that")
        await ledger.expire("a")
        await until_ready(ledger)


async def test_what_cannot_be_asked_in_time_is_not_ready(ledger: Ledger, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(writability, "PROOF_SECONDS_MAX", 0)
    monkeypatch.setattr(writability, "PROVEN_SECONDS", -1)
    with pytest.raises(LedgerUnavailable, match="in time"):
        await ledger.store.writability.require()
