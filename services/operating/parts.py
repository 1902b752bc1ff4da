"""One process of Hourbook under `up`: started, watched, started again when it dies, and stopped."""

import os
import shutil
import signal
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from infra import processes
from services.operating.part_process import STARTER, PartProcess
from services.process.file_replacement import replace_file
from services.process.operator_error import CANNOT_START, OperatorError

STOP_SECONDS_MAX = 20
RESTART_SECONDS = 0.1
RESTART_SECONDS_MAX = 10
LOG_BYTES_MAX = 10_000_000
COMMANDS: Mapping[str, tuple[str, ...]] = {
    "service": ("serve",),
    "relay": ("ledger", "--only", "relay"),
    "expiry": ("ledger", "--only", "expiry"),
    "worker": ("projections", "--only", "worker"),
    "billing": ("billing",),
    "sender": ("sender",),
    "auditor": ("audit", "verify", "--every", "60"),
    "bitrix24": ("bitrix24", "run"),
}
"""The parts that make up a Hourbook, and the command of each. The service alone answers requests; the sender runs where
there is a mail server, the connector to a portal where there are settings of one."""

DEATHS_MAX = 5
"""So often a process may die before Hourbook is ready; then the operator is told instead."""


@dataclass
class Part:
    """What makes a process, and its present incarnation. It answers on the socket `taken`, where it has one."""

    name: str
    arguments: list[str]
    environment: dict[str, str]
    folder: Path
    taken: socket.socket | None = None
    process: PartProcess | None = None
    starts: list[float] = field(default_factory=list)
    _log_start: int = 0
    _said: str = ""

    @property
    def log(self) -> Path:
        """What it printed."""
        return self.folder / f"{self.name}.log"

    def start(self) -> None:
        """Start it; its pid is in a file, for operators."""
        self.starts = [*(at for at in self.starts if time.monotonic() - at < 60), time.monotonic()]
        self._log_start = self.log.stat().st_size if self.log.exists() else 0
        self.process = STARTER.start(self.name, self.arguments, self.environment, self.log, self.taken)
        replace_file(self.folder / f"{self.name}.pid", f"{self.process.pid}\n", mode=0o644)

    def dead(self) -> bool:
        """Whether it has ended, though nobody has stopped it."""
        return self.process is not None and self.process.poll() is not None

    def revive(self, say: Callable[[str], None]) -> None:
        """Start it again if it has died, and rested: the longer, the oftener it did in a minute."""
        rest = min(RESTART_SECONDS * 2 ** len(self.starts), RESTART_SECONDS_MAX)
        if not self.dead() or time.monotonic() - self.starts[-1] <= rest:
            return
        news = "; ".join(self.complaints()) or f"it died and is started again; see {self.log}"
        if news != self._said or not self.complaints():
            say(f"{self.name}: {news}")
        self._said = news
        try:
            self.start()
        except OSError as hindrance:  # no room for its pid, for example: it is tried again
            say(f"{self.name} cannot be started: {hindrance.strerror}")

    def require_start(self) -> None:
        """OperatorError with what stands against its start, or once it has died again and again."""
        if self.dead() and (complaints := self.complaints()):
            raise OperatorError(*complaints, exit_code=CANNOT_START)
        if self.dead() and len(self.starts) >= DEATHS_MAX:
            raise OperatorError(f"{self.name} died {DEATHS_MAX} times while it started; see the end of {self.log}.")

    def complaints(self) -> list[str]:
        """The sentences with which it has ended, where its operator has to put something right."""
        if self.process is None or self.process.poll() != CANNOT_START:
            return []
        with self.log.open("rb") as log:
            log.seek(min(self._log_start, self.log.stat().st_size))
            lines = log.read().decode(errors="replace").splitlines()
        mark = "hourbook: "
        return [line.removeprefix(mark) for line in lines if line.startswith(mark)]

    def stop(self) -> None:
        """Let it finish what it is doing."""
        if self.process is not None:
            processes.end(self.process.pid, signal.SIGTERM, STOP_SECONDS_MAX)
            self.process.wait()


def bound(log: Path) -> None:
    """Keep a log that others write to from filling the disk: one that is too long is put aside, and emptied."""
    if log.exists() and log.stat().st_size > LOG_BYTES_MAX:
        with suppress(OSError):  # no room for a second one
            shutil.copyfile(log, log.with_name(f"{log.name}.1"))
        os.truncate(log, 0)  # whoever has it open appends, and so goes on at its beginning
