"""Two PostgreSQL servers that Patroni looks after, and a third vote: as docs/operating.md describes it, on loopback."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from infra import processes
from infra.data_folder import free_port
from infra.embedded_postgres import binary

SECONDS_MAX = 120
SERVER = "from patroni.__main__ import main; main()"
VOTE = "from patroni.raft_controller import main; main()"
PASSWORD = "of-the-campaign"
TIMES = {"ttl": 20, "loop_wait": 3, "retry_timeout": 5, "primary_start_timeout": 0}
"""The shortest that Patroni takes: a primary that is gone is replaced within `ttl` and a round."""


@dataclass
class Member:
    """A machine, as it were: PostgreSQL and Patroni, or a vote alone."""

    name: str
    folder: Path
    votes_only: bool
    postgres: int = field(default_factory=free_port)
    api: int = field(default_factory=free_port)
    raft: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self, others: list["Member"]) -> None:
        program = VOTE if self.votes_only else SERVER
        self.folder.mkdir(exist_ok=True)
        settings = self.folder / "patroni.json"
        settings.write_text(json.dumps(self._settings(others)), encoding="utf-8")
        line = [sys.executable, "-c", program, str(settings)]
        identity = processes.unprivileged_identity()
        self.process = processes.spawn(line, identity, signal.SIGTERM, self.folder / "log", dict(os.environ))

    def die(self) -> None:
        """Everything on the machine at once; PostgreSQL is no child of Patroni's."""
        found = processes.family(self.process.pid) if self.process else []
        pid_file = self.folder / "data" / "postmaster.pid"
        if postmaster := processes.find(pid_file, lambda line: str(self.folder / "data") in line):
            found += processes.family(postmaster)
        processes.kill(found)

    def _settings(self, others: list["Member"]) -> dict[str, Any]:
        address = f"127.0.0.1:{self.postgres}"
        parameters = {
            "max_connections": 200,
            "shared_buffers": "64MB",
            "wal_log_hints": "on",
            "synchronous_commit": "on",
        }
        cluster = {"use_pg_rewind": True, "parameters": parameters}
        locale = ["no-locale", {"encoding": "UTF8"}, {"locale-provider": "builtin"}, {"builtin-locale": "C.UTF-8"}]
        users = {"superuser": "hourbook", "replication": "copy", "rewind": "rewind"}
        return {
            "scope": "hourbook",
            "name": self.name,
            "restapi": {"listen": f"127.0.0.1:{self.api}", "connect_address": f"127.0.0.1:{self.api}"},
            "raft": {
                "data_dir": str(self.folder / "raft"),
                "self_addr": f"127.0.0.1:{self.raft}",
                "partner_addrs": [f"127.0.0.1:{other.raft}" for other in others],
            },
            "bootstrap": {
                "dcs": TIMES | {"synchronous_mode": True, "postgresql": cluster},
                "initdb": [*locale, "data-checksums"],
            },
            "postgresql": {
                "listen": address,
                "connect_address": address,
                "data_dir": str(self.folder / "data"),
                "bin_dir": str(Path(binary("postgres")).parent),
                "pgpass": str(self.folder / "pgpass"),
                "authentication": {use: {"username": name, "password": PASSWORD} for use, name in users.items()},
                "parameters": {"unix_socket_directories": ""},
                "pg_hba": [
                    "host all all 127.0.0.1/32 scram-sha-256",
                    "host replication copy 127.0.0.1/32 scram-sha-256",
                ],
            },
        }


@dataclass(frozen=True)
class PatroniCluster:
    """Of two servers, `a` and `b`, and the vote `c`."""

    members: dict[str, Member]

    @property
    def url(self) -> str:
        """As an operator writes it: both servers, and the primary of them."""
        hosts = ",".join(f"127.0.0.1:{each.postgres}" for each in self.members.values() if not each.votes_only)
        return f"postgresql://hourbook:{PASSWORD}@{hosts}/postgres?target_session_attrs=primary"

    def start(self, name: str) -> None:
        self.members[name].start([other for other in self.members.values() if other.name != name])

    async def roles(self) -> dict[str, str]:
        """Of the servers that run, as Patroni says."""
        for member in self.members.values():
            if member.votes_only:
                continue
            with suppress(httpx.HTTPError):
                async with httpx.AsyncClient(trust_env=False, timeout=2) as client:
                    said = (await client.get(f"http://127.0.0.1:{member.api}/cluster")).json()
                running = (each for each in said["members"] if each["state"] in {"running", "streaming"})
                return {each["name"]: each["role"] for each in running}
        return {}

    async def primary(self, other_than: str = "") -> str:
        """Its name, once there is one."""
        async with asyncio.timeout(SECONDS_MAX):
            while True:
                for name, role in (await self.roles()).items():
                    if role == "leader" and name != other_than:
                        return name
                await asyncio.sleep(0.1)

    async def in_step(self) -> None:
        """Until a standby has all that the primary acknowledges."""
        async with asyncio.timeout(SECONDS_MAX):
            while sorted((await self.roles()).values()) != ["leader", "sync_standby"]:
                await asyncio.sleep(0.1)


@asynccontextmanager
async def patroni_in(folder: Path) -> AsyncIterator[PatroniCluster]:
    """In step, for the time of the context."""
    cluster = PatroniCluster({name: Member(name, folder / name, votes_only=name == "c") for name in "abc"})
    try:
        for name in cluster.members:
            await asyncio.to_thread(cluster.start, name)
        await cluster.in_step()
        yield cluster
    finally:
        for member in cluster.members.values():
            await asyncio.to_thread(member.die)
