"""The process that parts are forks of: what they all import is imported once, and is in memory once.

    python -m services.operating.starter SOCKET

A process of its own because only one without threads, loops and connections may be forked. `hourbook up` forks it
before it opens anything; for others it is a program. By SOCKET come the open files of each part: a line to who asks for
it, its log, and the socket it answers on, where it has one.
"""

import gc
import json
import os
import signal
import socket
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path

from infra.launch import die_with

PROGRAM = "services.__main__"
IMPORTED = (
    PROGRAM,
    "services.app",
    "services.auditing.auditor",
    "services.billing.background",
    "services.billing.sending.sender",
    "services.bitrix24.running",
    "services.ledger.running",
    "services.operating.start_conditions",
    "services.projections.running",
    "uvicorn.protocols.http.httptools_impl",
)
"""What parts are made of."""

FILES_MAX, PID_BYTES = 3, 4
NAME_LENGTH_MAX = 15
"""Of a process in Linux's lists."""


def prepare() -> None:
    """Import what parts are made of."""
    for module in IMPORTED:
        import_module(module)
    gc.collect()
    gc.freeze()  # a garbage collector that walks over all of this would copy it into each fork


def take_orders(orders: int) -> None:
    """Fork a part for each order, until who gives them is gone. In a fork: be that part."""
    _be_called("starter")
    if files := _files_of_a_part(orders):
        _be_part(*files)


def _files_of_a_part(orders: int) -> list[int]:
    """In each fork, the files of its part; in the starter, none when there will be no more orders."""
    starter = os.getpid()
    ignored = (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)  # parts are stopped one by one, by who ordered them
    before = {number: signal.signal(number, signal.SIG_IGN) for number in ignored}
    with socket.socket(fileno=orders) as ordered:
        while files := socket.recv_fds(ordered, 1, FILES_MAX)[1]:
            if os.fork() == 0:
                for number, handler in before.items():
                    signal.signal(number, handler)
                die_with(starter, signal.SIGTERM)
                return files
            for file in files:
                os.close(file)
    return []


def _be_part(line: int, log: int, *taken: int) -> None:
    """Be the part whose name, arguments and environment come on the line; its exit code goes back on it."""
    with socket.socket(fileno=line) as asker:
        asker.set_inheritable(True)  # it ends with this process, also where that becomes another program
        asker.sendall(os.getpid().to_bytes(PID_BYTES))
        with asker.makefile("rb") as order:
            name, arguments, environment = json.load(order)
        _leave_the_starter(name, log, environment)
        sys.argv = ["hourbook", *arguments, *(f"--socket={number}" for number in taken)]
        code = 1
        try:
            import_module(PROGRAM).main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else code
            raise
        finally:
            with suppress(OSError):  # nobody is left to hear it
                asker.sendall(bytes([code]))


def _leave_the_starter(name: str, log: int, environment: dict[str, str]) -> None:
    """Have a session, an environment and a log of its own, and a name in lists of processes."""
    os.setsid()
    os.chdir("/")
    nothing = os.open(os.devnull, os.O_RDONLY)
    for file, standard in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(file, standard)
    os.close(nothing)
    os.close(log)
    os.environ.clear()
    os.environ.update(environment)
    _be_called(name)


def _be_called(name: str) -> None:
    with suppress(FileNotFoundError):  # only Linux has it
        Path("/proc/self/comm").write_text(f"hourbook-{name}"[:NAME_LENGTH_MAX], encoding="utf-8")


if __name__ == "__main__":
    prepare()
    take_orders(int(sys.argv[1]))
