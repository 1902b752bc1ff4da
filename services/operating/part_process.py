"""A part's process, and how one is had: as a fork of the starter, which has imported already what parts are made of."""

import atexit
import errno
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import Lock

from services.operating import starter
from services.operating.starter import PID_BYTES

KILLED = -1
"""In place of an exit code, of a process that could not say one."""


class PartProcess:
    """No child of this process: on its line it says its pid, later its exit code, and the line ends when it ends."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._said = KILLED
        self._ended = False
        self.pid = int.from_bytes(line.recv(PID_BYTES, socket.MSG_WAITALL))
        if not self.pid:
            raise ChildProcessError(errno.ECHILD, "the process that starts parts has ended")

    def poll(self) -> int | None:
        """Its exit code, or KILLED; None while it runs."""
        try:
            return self.wait(0)
        except BlockingIOError:
            return None

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, or KILLED, as soon as it has ended; TimeoutError if that takes more seconds."""
        if not self._ended:
            self._line.settimeout(timeout)
            with suppress(ConnectionResetError):
                while said := self._line.recv(1):
                    self._said = said[0]
            self._line.close()
            self._ended = True
        return self._said

    def send_signal(self, number: signal.Signals) -> None:
        """Nothing where it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)


class Starter:
    """The other end of `services.operating.starter`: one for all parts of this process, started when it is needed."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._orders: socket.socket | None = None
        self._await_end: Callable[[], object] = lambda: None

    def fork(self) -> None:
        """Have it as a fork of this process, which has opened nothing yet: they share what is imported."""
        starter.prepare()
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            ours.close()
            os.setsid()
            starter.take_orders(theirs.detach())
            sys.exit()
        theirs.close()
        self._orders, self._await_end = ours, partial(os.waitpid, pid, 0)

    def prepare(self) -> socket.socket:
        """Have it, if need be as a program that imports while others start. Returns where orders are given."""
        if self._orders and _is_open(self._orders):
            return self._orders
        self.end()
        self._orders, theirs = socket.socketpair()
        with theirs:
            line = [sys.executable, "-m", "services.operating.starter", str(theirs.fileno())]
            begun = subprocess.Popen(
                line, stdin=subprocess.DEVNULL, cwd="/", pass_fds=[theirs.fileno()], start_new_session=True
            )
        self._await_end = begun.wait
        return self._orders

    def start(
        self,
        name: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        log: Path,
        taken: socket.socket | None = None,
    ) -> PartProcess:
        """A part in a session of its own, on the socket `taken` where it has one; it ends when this process does."""
        line, its_end = socket.socketpair()
        try:
            with self._lock, its_end, log.open("ab") as output:
                files = [its_end.fileno(), output.fileno(), *([taken.fileno()] if taken else [])]
                socket.send_fds(self.prepare(), [b"+"], files)
            line.sendall(json.dumps([name, arguments, dict(environment)]).encode())
            line.shutdown(socket.SHUT_WR)
            return PartProcess(line)
        except OSError:
            line.close()
            raise

    def end(self) -> None:
        """It ends when no orders can come any more."""
        if self._orders:
            self._orders.close()
            self._orders = None
            self._await_end()


def _is_open(line: socket.socket) -> bool:
    """Whether somebody is at its other end, who says nothing."""
    try:
        return bool(line.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
    except BlockingIOError:
        return True
    except ConnectionError:
        return False


STARTER = Starter()
atexit.register(STARTER.end)
