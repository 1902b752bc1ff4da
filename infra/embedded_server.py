"""One server program on loopback in one data folder, as a context or by start, stop and kill."""

import logging
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from infra import processes
from infra.data_folder import NO_ROOM, DataFolder
from services.process.operator_error import OperatorError

logger = logging.getLogger(__name__)

START_SECONDS_MAX = 120  # a crash recovery replays up to max_wal_size
STOP_SECONDS_MAX = 60  # a last checkpoint; after that it is killed, which loses nothing


class EmbeddedServer(ABC):
    """One server in one data folder: on the same port however often it is stopped, killed and started."""

    title: ClassVar[str]
    gentle_signal: ClassVar[signal.Signals]
    passing_failure: ClassVar[str | None] = None
    """What it says when a start fails only because the one before has not quite gone."""
    start_seconds_max: ClassVar[int] = START_SECONDS_MAX

    def __init__(self, path: Path) -> None:
        self.folder = DataFolder(path)
        self.port: int | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """Where clients connect, password included."""

    @property
    @abstractmethod
    def pid_file(self) -> Path:
        """Where the server writes its own pid, so that an orphan is found."""

    @property
    @abstractmethod
    def _mark(self) -> Path:
        """The path in its command line by which it is told from any other process."""

    @abstractmethod
    def _prepare(self) -> None:
        """Make the data folder ready."""

    @abstractmethod
    def _spawn(self) -> subprocess.Popen[bytes]: ...

    @abstractmethod
    def _ready(self, pid: int) -> bool: ...

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> Self:
        """Return when it answers; it may run already. The data folder is this program's until `stop`."""
        if self.alive():
            return self
        self.folder.acquire()
        try:
            self._end_orphan()
            self._prepare()
            self.port = self.port or self.folder.port()
            self._launch()
        except BaseException:
            self.kill()
            self.folder.release()
            raise
        return self

    def stop(self) -> None:
        """Let it finish what it is doing, and give the data folder back."""
        if self._process is not None and self.alive():
            processes.end(self._process.pid, self.gentle_signal, STOP_SECONDS_MAX)
            self._process.wait()
        self.folder.release()

    def kill(self) -> None:
        """SIGKILL it and its children, as a crash would; `start` brings it back."""
        if self._process is not None and self.alive():
            processes.kill(processes.family(self._process.pid))
            self._process.wait()

    def _end_orphan(self) -> None:
        """End a server whose program was killed: nobody else can be using it, since the folder is ours."""
        orphan = processes.find(self.pid_file, lambda line: str(self._mark) in line)
        if orphan is not None:
            logger.warning("ending %s %d, left behind in %s", self.title, orphan, self.folder.path)
            processes.end(orphan, self.gentle_signal, STOP_SECONDS_MAX)

    def _launch(self) -> None:
        deadline = time.monotonic() + self.start_seconds_max
        while True:
            log_start = self.folder.log_size()
            self._process = self._spawn()
            for _ in processes.until(deadline):
                if not self.alive():
                    break
                if self._ready(self._process.pid):
                    return
            said = self.folder.log_since(log_start)
            if self.alive() or not self.passing_failure or self.passing_failure not in said:
                raise OperatorError(self._failure(said))

    def _failure(self, said: str) -> str:
        advice = (
            NO_ROOM if "No space left on device" in said else "Name servers of your own with DATABASE_URL and NATS_URL."
        )
        return f"{self.title} did not start on 127.0.0.1:{self.port}. {advice} The end of {self.folder.log}:\n{said}"

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
