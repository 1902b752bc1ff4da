"""What a server keeps beside its data: a lock, a port, a password and a log."""

import fcntl
import os
import random
import secrets
import shutil
import socket
from pathlib import Path

from services.process.operator_error import OperatorError

# Below the ports that kernels lend to outgoing connections: a client that dials a dead server on such a port
# can be lent that very port, connect to itself, and keep the server from coming back.
PORTS = range(20_000, 32_000)
LOG_LINES_SHOWN = 15


class DataFolder:
    """The folder of one server, in use by one program at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self.log = self.path / "server.log"
        self._lock: int | None = None

    def acquire(self) -> None:
        """Take the folder for this program; the kernel gives it back however the program ends."""
        if self._lock is not None:
            return
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as busy:
            pid = os.read(lock, 20).decode()
            os.close(lock)
            message = f"{self.path} is in use by process {pid}. Stop it, or choose another folder with --data."
            raise OperatorError(message) from busy
        os.ftruncate(lock, 0)
        os.write(lock, str(os.getpid()).encode())
        self._lock = lock

    def release(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def give_to(self, owner: tuple[int, int]) -> None:
        """Make it and everything in it belong to the user that the server runs as."""
        for path in (self.path, *self.path.rglob("*")):
            status = path.lstat()
            if (status.st_uid, status.st_gid) != owner and os.geteuid() == 0:
                os.chown(path, *owner, follow_symlinks=False)
            elif status.st_uid != owner[0]:
                raise PermissionError(
                    f"{path} belongs to another user (uid {status.st_uid}). Delete it, or use --data."
                )

    def make_password(self) -> None:
        """Made once; readable by its owner alone."""
        file = self.path / "password"
        if not file.exists():
            file.touch(mode=0o600)
            file.write_text(secrets.token_hex(24), encoding="ascii")

    def password(self) -> str:
        return (self.path / "password").read_text(encoding="ascii")

    def port(self) -> int:
        """The port of the last time if it is free still, else a free one, remembered for the next time."""
        file = self.path / "port"
        remembered = [int(file.read_text(encoding="ascii"))] if file.exists() else []
        port = next((port for port in remembered if port_is_free(port)), None) or free_port()
        file.write_text(str(port), encoding="ascii")
        return port

    def port_in_use(self) -> int:
        """The port that the program which has this folder chose."""
        return int((self.path / "port").read_text(encoding="ascii"))

    def log_size(self) -> int:
        return self.log.stat().st_size if self.log.exists() else 0

    def log_since(self, offset: int) -> str:
        """The last lines of what the server has said since its log had that size."""
        with self.log.open("rb") as log:
            log.seek(offset)
            lines = log.read().decode(errors="replace").splitlines()
        return "\n".join(lines[-LOG_LINES_SHOWN:])

    def remove(self, name: str) -> None:
        shutil.rmtree(self.path / name, ignore_errors=True)


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    return next(filter(port_is_free, random.sample(PORTS, k=len(PORTS))))
