"""A PostgreSQL and its synchronous standby, each a real server, and the URL that leads to whichever is the primary."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from infra.embedded_postgres import EmbeddedPostgres
from services.operating.backup.postgres_tools import address_and_password, run_tool

SYNCHRONOUS = ("ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()")
IN_STEP = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"


class Standby(EmbeddedPostgres):
    """It has started once it follows."""

    def _ready(self, pid: int) -> bool:
        lines = self.pid_file.read_text(encoding="utf-8").splitlines() if self.pid_file.exists() else []
        return len(lines) > 7 and int(lines[0]) == pid and lines[7].strip() in {"ready", "standby"}


@dataclass(frozen=True)
class Pair:
    """Both of them."""

    primary: EmbeddedPostgres
    standby: Standby

    @property
    def url(self) -> str:
        """Several hosts, of which the primary is asked, as operators write it."""
        host = f"127.0.0.1:{self.primary.port}"
        both = self.primary.url.replace(host, f"{host},127.0.0.1:{self.standby.port}")
        return f"{both}?target_session_attrs=primary"

    async def fail_over(self) -> None:
        """The primary's machine dies, and the standby takes its place, as whoever looks after both has it do."""
        await asyncio.to_thread(self.primary.kill)
        await asyncio.to_thread(self.standby.start)
        connection = await asyncpg.connect(self.standby.url)
        assert await connection.fetchval("SELECT pg_promote()")
        await connection.close()


@asynccontextmanager
async def pair_of(folder: Path) -> AsyncIterator[Pair]:
    """In step, for the time of the context."""
    primary, standby = EmbeddedPostgres(folder / "first"), Standby(folder / "second")
    try:
        await asyncio.to_thread(primary.start)
        standby.folder.path.mkdir()
        address, environment = address_and_password(primary.url)
        data = standby.folder.path / "data"
        await run_tool(
            "pg_basebackup", "--dbname", address, "--pgdata", data, "--write-recovery-conf", environment=environment
        )
        (standby.folder.path / "password").write_text(primary.folder.password())
        await asyncio.to_thread(standby.start)
        connection = await asyncpg.connect(primary.url)
        for statement in SYNCHRONOUS:
            await connection.execute(statement)
        while not await connection.fetchval(IN_STEP):
            await asyncio.sleep(0.01)
        await connection.close()
        yield Pair(primary, standby)
    finally:
        for server in (primary, standby):
            await asyncio.to_thread(server.kill)
            server.folder.release()
