"""A server program as a child process: who it runs as, how it starts, how it ends, what it said."""

import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import psutil

from services.process.operator_error import OperatorError

LAUNCH = Path(__file__).with_name("launch.py")

# The kernel ties a child to the thread that made it, not to the process: one thread that lives as long as the
# process makes them all, so that a server may be started from any thread.
_spawner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="embedded-servers")


@dataclass(frozen=True)
class Identity:
    """The user that a server runs as."""

    kind: Literal["same", "namespace", "user"]
    uid: int
    gid: int

    @property
    def owner(self) -> tuple[int, int]:
        """The uid and gid that its files must have, seen from here."""
        return (self.uid, self.gid) if self.kind == "user" else (os.geteuid(), os.getegid())


def own_identity() -> Identity:
    return Identity("same", os.geteuid(), os.getegid())


def unprivileged_identity() -> Identity:
    """This user; for root, `nobody`: in a user namespace where the kernel allows one, by setuid where not."""
    if os.geteuid() != 0:
        return own_identity()
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError as missing:
        raise OperatorError("PostgreSQL will not run as root, and there is no user `nobody` to run it as.") from missing
    kind: Literal["namespace", "user"] = "namespace" if namespaces_allowed() else "user"
    return Identity(kind, nobody.pw_uid, nobody.pw_gid)


@cache
def namespaces_allowed() -> bool:
    """Whether root may make user namespaces here: Linux says yes, most containers say no."""
    if not sys.platform.startswith("linux"):
        return False
    probe = Identity("namespace", 65534, 65534)
    return run(["/bin/sh", "-c", "true"], probe).returncode == 0


def command_line(command: list[str], identity: Identity, death_signal: int) -> list[str]:
    launch = [sys.executable, "-I", "-S", str(LAUNCH), str(os.getpid()), str(int(death_signal))]
    return [*launch, identity.kind, str(identity.uid), str(identity.gid), "--", *command]


def run(command: list[str], identity: Identity, text: str = "") -> subprocess.CompletedProcess[str]:
    """Run a program to its end, its errors in its output, and killed if this process dies first."""
    line = command_line(command, identity, signal.SIGKILL)
    return _spawner.submit(
        subprocess.run,
        line,
        input=text,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        cwd="/",
    ).result()


def spawn(
    command: list[str],
    identity: Identity,
    death_signal: int,
    log: Path,
    environment: dict[str, str] | None = None,
    files: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a server in a session of its own, so that Ctrl-C reaches it only through us; it inherits open `files`."""
    line = command_line(command, identity, death_signal)
    with log.open("ab") as output:
        return _spawner.submit(
            subprocess.Popen,
            line,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            cwd="/",
            env=environment,
            pass_fds=files,
        ).result()


def until(deadline: float) -> Iterator[None]:
    """Iterations of a wait for a condition, a hundred a second, up to an instant of the monotonic clock."""
    while time.monotonic() < deadline:
        yield
        time.sleep(0.01)


def family(pid: int) -> list[psutil.Process]:
    """A process and its descendants; empty when it is gone."""
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def is_alive(process: psutil.Process) -> bool:
    """Alive means able to hold files: a zombie that nobody reaps is dead."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_gone(processes: list[psutil.Process], seconds: float) -> bool:
    """Wait until all of them are gone; False when some are not by then."""
    return any(not any(map(is_alive, processes)) for _ in until(time.monotonic() + seconds))


def end(pid: int, gentle: signal.Signals, seconds: float) -> None:
    """End a process and its descendants: ask, give it time, then kill whatever is left."""
    processes = family(pid)
    for number in (gentle, signal.SIGCONT):  # a stopped process would never see the first
        _signal(processes[:1], number)
    if not wait_gone(processes, seconds):
        kill(processes)


def kill(processes: list[psutil.Process]) -> None:
    """SIGKILL, parents first so that none can replace a child, and wait until they are gone."""
    _signal(processes, signal.SIGKILL)
    if not wait_gone(processes, seconds=10):
        raise OSError(f"processes survived SIGKILL: {[p.pid for p in processes if is_alive(p)]}")


def _signal(processes: list[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        try:
            process.send_signal(number)
        except psutil.NoSuchProcess:
            continue


def find(pid_file: Path, belongs: Callable[[list[str]], bool]) -> int | None:
    """The pid in that file, if it is alive and its command line says that the number was not reused."""
    try:
        pid = int(pid_file.read_text(encoding="ascii").split()[0])
        process = psutil.Process(pid)
        return pid if is_alive(process) and belongs(process.cmdline()) else None
    except (FileNotFoundError, IndexError, ValueError, psutil.Error):
        return None
