"""Parts are forks of a process that has opened nothing, and end as processes of their own do."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from infra import processes
from services.operating.part_process import KILLED, STARTER
from services.operating.parts import Part
from services.process.version import VERSION

UNREACHABLE = {"DATABASE_URL": "postgresql://127.0.0.1:1/nothing", "NATS_URL": "nats://127.0.0.1:1"}
LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc is Linux's")
ENDS_SECONDS_MAX = 60


def relay(folder: Path) -> Part:
    """It waits for its servers."""
    return Part("relay", ["ledger", "--only", "relay"], {**os.environ, **UNREACHABLE}, folder)


@pytest.fixture
def running_relay(tmp_path: Path) -> Iterator[Part]:
    part = relay(tmp_path)
    part.start()
    try:
        yield part
    finally:
        part.stop()


def starter() -> psutil.Process:
    STARTER.prepare()
    return next(child for child in psutil.Process().children() if "services.operating.starter" in child.cmdline())


def ended(arguments: list[str], folder: Path) -> tuple[int, str]:
    """The exit code of a part, and what it said."""
    part = Part("part", arguments, dict(os.environ), folder)
    part.start()
    assert part.process
    return part.process.wait(ENDS_SECONDS_MAX), part.log.read_text()


def test_a_part_ends_with_its_code_and_all_that_it_said_is_in_its_log(tmp_path: Path):
    assert ended(["--version"], tmp_path) == (0, f"hourbook {VERSION}\n")
    code, said = ended(["--unknown"], tmp_path)
    assert (code, "No such option" in said) == (2, True)


@LINUX
@pytest.mark.usefixtures("running_relay")
def test_the_starter_has_nothing_open_that_a_fork_could_share_with_another():
    assert starter().num_threads() == 1
    assert not [file for file in starter().open_files() if file.fd > 2]
    assert len(starter().net_connections("all")) == 1  # where orders come from


@LINUX
def test_a_part_is_named_in_lists_of_processes(running_relay: Part):
    assert running_relay.process
    pid = running_relay.process.pid
    for _ in processes.until(time.monotonic() + ENDS_SECONDS_MAX):
        if psutil.Process(pid).name() == "hourbook-relay":
            break
    assert psutil.Process(pid).name() == "hourbook-relay"


@LINUX
def test_parts_end_with_the_starter_and_another_starts_them_again(tmp_path: Path):
    part = relay(tmp_path)
    part.start()
    assert part.process
    starter().kill()
    part.process.wait(ENDS_SECONDS_MAX)
    part.start()
    part.process.send_signal(signal.SIGKILL)
    assert part.process.wait(ENDS_SECONDS_MAX) == KILLED


@LINUX
@pytest.mark.parametrize("how", ["prepare", "fork"])
def test_parts_end_when_the_process_that_ordered_them_is_killed(how: str, tmp_path: Path):
    line = (
        f"import pathlib; from tests.operating.test_parts import STARTER, relay; STARTER.{how}(); "
        f"relay(pathlib.Path({str(tmp_path)!r})).start(); print(flush=True); input()"
    )
    with subprocess.Popen([sys.executable, "-c", line], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as ordering:  # fmt: skip
        assert ordering.stdout
        assert ordering.stdout.readline()
        family = processes.family(ordering.pid)
        assert len(family) == 3  # itself, the starter and the relay
        ordering.kill()
        assert processes.wait_gone(family, ENDS_SECONDS_MAX)
