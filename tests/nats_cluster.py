"""A cluster of three nats-servers on loopback, configured as operators are told to; each can be killed and started."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from nats.errors import Error
from nats.js.errors import NotFoundError

from infra import processes
from infra.data_folder import free_port
from infra.embedded_nats import binary
from services.process.logins import nats_file
from services.process.nats_connection import connected

CONFIGURATION = Path(__file__).parents[1] / "infra" / "nats" / "cluster.conf"
USERS = ("relay", "ledger", "expiry", "keeper", "worker", "alerts", "customer-oka")
NODES = ("a", "b", "c")
PASSWORD = "not-secret"
STREAM = "HOURBOOK-0"


class NatsCluster:
    """Its servers by name. Whoever enters names all of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.ports = {node: free_port() for node in NODES}
        self._routes = {node: free_port() for node in NODES}
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def keep_logins(self, folder: Path) -> None:
        """A file with the URL of each user."""
        folder.mkdir()
        for user in USERS:
            nats_file(folder, user).write_text(self.url(user))

    def url(self, user: str) -> str:
        servers = ",".join(f"127.0.0.1:{port}" for port in self.ports.values())
        return f"nats://{user}:{PASSWORD}@{servers}"

    def start(self, node: str) -> None:
        """It answers some time later."""
        routes = {
            f"ROUTE_{each.upper()}": f"nats-route://route:{PASSWORD}@127.0.0.1:{port}"
            for each, port in self._routes.items()
        }
        passwords = {f"{user.upper().replace('-', '_')}_PASSWORD": PASSWORD for user in (*USERS, "route")}
        names = {"SERVER_NAME": node, "ROUTE_LISTEN": f"127.0.0.1:{self._routes[node]}"}
        line = [binary(), "-c", str(CONFIGURATION), "-a", "127.0.0.1", "-p", str(self.ports[node])]
        line += ["-sd", str(self._folder / node)]
        self._running[node] = processes.spawn(
            line, processes.own_identity(), signal.SIGTERM, self._folder / f"{node}.log",
            os.environ | passwords | routes | names,
        )  # fmt: skip

    def kill(self, node: str) -> None:
        server = self._running.pop(node)
        server.kill()
        server.wait()

    @property
    def running(self) -> list[str]:
        return sorted(self._running)

    async def decides(self) -> None:
        """Return when a majority answers for JetStream."""
        async with asyncio.timeout(90):
            while True:
                with suppress(Error, OSError):
                    async with connected(self.url("relay")) as client:
                        with suppress(NotFoundError):
                            await client.jetstream(timeout=1).stream_info(STREAM)
                        return
                await asyncio.sleep(0.05)

    async def leader(self) -> str:
        """The node that leads the log's stream, once all copies of it are complete."""
        async with asyncio.timeout(90):
            while True:
                with suppress(Error, OSError):
                    async with connected(self.url("relay")) as client:
                        cluster = (await client.jetstream(timeout=1).stream_info(STREAM)).cluster
                        copies = (cluster.replicas if cluster else None) or []
                        if cluster and cluster.leader and len(copies) == 2 and all(copy.current for copy in copies):
                            return cluster.leader
                await asyncio.sleep(0.05)


@contextmanager
def started(folder: Path) -> Iterator[NatsCluster]:
    cluster = NatsCluster(folder)
    try:
        for node in NODES:
            cluster.start(node)
        yield cluster
    finally:
        for node in cluster.running:
            cluster.kill(node)
