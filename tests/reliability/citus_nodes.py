"""A coordinator and two workers of Citus on loopback, and a Hourbook's logs distributed over them."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest.mock import patch

import asyncpg

from infra import embedded_postgres
from infra.embedded import EmbeddedPostgres

LOGS = 4
NODES = ("coordinator", "first", "second")
SCRIPT = Path(__file__).parents[2] / "infra" / "postgres" / "citus.sql"
SETTINGS = {"shared_preload_libraries": "citus", "wal_level": "logical", "max_prepared_transactions": "400"}

OF_THE_COORDINATOR = ["alert_change", "halted_account"]
"""Tables of the read side that name accounts and are not distributed: numbered over all accounts, and a row or so."""

NOT_DISTRIBUTED = """
    SELECT relname FROM pg_class AS c JOIN pg_attribute ON attrelid = c.oid AND attname = 'account_id'
    WHERE relnamespace = 'projections'::regnamespace AND relkind = 'r' AND c.oid NOT IN (
        SELECT logicalrelid FROM pg_dist_partition
        WHERE colocationid = (SELECT colocationid FROM pg_dist_partition
                              WHERE logicalrelid = 'distribution.shard'::regclass)
    )
    ORDER BY relname
"""


class Node(EmbeddedPostgres):
    """A PostgreSQL that lets in whoever comes from this machine: the nodes work on one another as any role."""

    async def trust(self) -> None:
        rules = self.folder.path / "data" / "pg_hba.conf"
        await asyncio.to_thread(rules.write_text, "host all all 127.0.0.1/32 trust\n")
        await self.execute("SELECT pg_reload_conf()")

    async def execute(self, *statements: str) -> None:
        connection = await asyncpg.connect(self.url)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()


def programs(folder: Path) -> dict[str, str]:
    """PostgreSQL's programs, which find Citus; a sentence and the end where they are not at hand."""
    extension = subprocess.run([folder / "pg_config", "--sharedir"], capture_output=True, text=True, check=False)
    if extension.returncode or not (Path(extension.stdout.strip()) / "extension" / "citus.control").exists():
        sys.exit(f"Citus is not at hand: {folder} has no PostgreSQL with it. Name the folder of one with CITUS=…")
    return {name: str(folder / name) for name in ("postgres", "initdb", "psql")}


@contextmanager
def cluster(folder: Path, found: dict[str, str]) -> Iterator[dict[str, Node]]:
    """Three servers that trust one another."""
    with (
        patch.object(embedded_postgres, "binary", found.__getitem__),
        patch.dict(embedded_postgres.POSTGRES_SETTINGS, SETTINGS),
        ExitStack() as stopping,
    ):
        nodes = {name: stopping.enter_context(Node(folder / name)) for name in NODES}
        for node in nodes.values():
            asyncio.run(node.trust())
        yield nodes


def distribute(nodes: dict[str, Node], psql: str) -> None:
    """As operators are told to."""
    coordinator = nodes["coordinator"]
    environment = os.environ | {"DATABASE_URL": coordinator.url, "HOURBOOK_LOGS": str(LOGS)}
    subprocess.run([sys.executable, "-m", "services", "migrate"], env=environment, check=True)
    for node in nodes.values():
        asyncio.run(node.execute("CREATE EXTENSION citus"))
    asyncio.run(
        coordinator.execute(
            f"SELECT citus_set_coordinator_host('127.0.0.1', {coordinator.port})",
            *(f"SELECT citus_add_node('127.0.0.1', {nodes[name].port})" for name in NODES[1:]),
        )
    )
    line = [psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", str(SCRIPT), coordinator.url]
    subprocess.run(line, check=True, stdout=subprocess.DEVNULL)


async def read_side_elsewhere(nodes: dict[str, Node]) -> list[str]:
    """The tables of accounts that do not stand beside one another on the workers; but for two, it has to be none."""
    connection = await asyncpg.connect(nodes["coordinator"].url)
    try:
        return [row["relname"] for row in await connection.fetch(NOT_DISTRIBUTED)]
    finally:
        await connection.close()
