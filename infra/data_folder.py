"""What a server keeps beside its data: a lock, a port, a password and a log."""

import errno
import fcntl
import os
import random
import secrets
import shutil
import socket
from pathlib import Path

from services.process.file_replacement import replace_file
from services.process.operator_error import OperatorError

# Below the ports that kernels lend to outgoing connections: a client that dials a dead server on such a port
# can be lent that very port, connect to itself, and keep the server from coming back.
PORTS = range(20_000, 32_000)
LOG_LINES_SHOWN = 15
ROOM_BYTES = 1 << 20
NO_ROOM = (
    "The disk is full: make it larger, or free space outside of Hourbook's folder. What is in the folder is the ledger."
)


class DataFolder:
    """The folder of one server, or of backups, in use by one program at a time; `option` is how one is named."""

    def __init__(self, path: Path, option: str = "--data") -> None:
        self.path = path.resolve()
        self._option = option
        self.log = self.path / "server.log"
        self._lock: int | None = None

    def acquire(self) -> None:
        """Take the folder for this program; the kernel gives it back however the program ends."""
        if self._lock is not None:
            return
        make_usable(self.path, 0o700, self._option)
        lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as busy:
            pid = os.read(lock, 20).decode()
            os.close(lock)
            message = f"{self.path} is in use by process {pid}. Stop it, or choose another folder with {self._option}."
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
                raise OperatorError(
                    f"{path} belongs to another user (uid {status.st_uid}): start Hourbook as that user, or choose "
                    f"another folder with {self._option}."
                )

    def make_password(self, *, data: Path | None = None) -> None:
        """Made once; readable by its owner alone. `data` that is there already was made with the one that was there."""
        file = self.path / "password"
        if file.exists() and file.stat().st_size:
            return
        if data and data.exists():
            raise OperatorError(
                f"{file} is missing or empty, and {data} was made with the password that stood in it: bring the file "
                "from a backup."
            )
        replace_file(file, secrets.token_hex(24))

    def password(self) -> str:
        return (self.path / "password").read_text(encoding="ascii")

    def port(self) -> int:
        """The port of the last time if it is free still, else a free one, remembered for the next time."""
        remembered = self._remembered_port()
        port = remembered if remembered and port_is_free(remembered) else free_port()
        replace_file(self.path / "port", str(port))
        return port

    def port_in_use(self) -> int:
        """The port that the program which has this folder chose; OperatorError where that cannot be read."""
        port = self._remembered_port()
        if port is None:
            raise OperatorError(
                f"{self.path / 'port'} names no port: stop the program that uses this folder, and start it again."
            )
        return port

    def _remembered_port(self) -> int | None:
        """What the file says, if it is a port: it can be empty, or anything that a hand has written there."""
        try:
            port = int((self.path / "port").read_text(encoding="ascii"))
        except (FileNotFoundError, ValueError):
            return None
        return port if port in range(1, 65536) else None

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


def make_usable(folder: Path, mode: int = 0o777, option: str = "--data") -> None:
    """Make the folder, and prove that it can be written to; OperatorError says why it cannot.

    Several programs may do it at once.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=mode)
        proof = folder / ".room"
        replace_file(proof, bytes(ROOM_BYTES))
        proof.unlink(missing_ok=True)
    except (FileExistsError, NotADirectoryError) as misfit:
        raise OperatorError(f"{misfit.filename} is a file: name a folder with {option}.") from misfit
    except PermissionError as refused:
        raise OperatorError(
            f"This user may not write to {folder}: start Hourbook as the user to whom it belongs, or choose another "
            f"folder with {option}."
        ) from refused
    except OSError as failure:
        raise OperatorError(
            f"{folder} cannot be written to: {failure.strerror}. {advice_of(failure, option)}"
        ) from failure


def advice_of(failure: OSError, option: str = "--data") -> str:
    """What to do about a disk; never to delete what is on it, for it may be the ledger."""
    if failure.errno in {errno.ENOSPC, errno.EDQUOT}:
        return NO_ROOM
    return f"Choose another folder with {option}."


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
