"""What the whole system costs who has one small machine: processor time of all its processes, and their memory."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import httpx
import psutil

from infra import processes
from infra.data_folder import free_port
from infra.embedded import EmbeddedPostgres
from tests.benchmarks import sides
from tests.benchmarks.figures import Figure
from tests.benchmarks.stock_followers import have_caught_up
from tests.benchmarks.visible import visible

SLOW_RATE = 200
REST_SECONDS = 60
SETTLE_SECONDS = 10
START_SECONDS_MAX = 120
CATCH_UP_SECONDS_MAX = 600
NATS = "nats-server"
REACH = 0.1
"""Of the stock library's processor time."""
AT_REST_PERCENT, MEMORY_MB = 1, 400
VISIBLE_MS = ((50, 5.0), (99, 30.0))


class Costs(NamedTuple):
    """What some processes and all that they have started, but NATS, cost."""

    pids: tuple[int, ...]

    def seconds(self) -> float:
        """Of processor time so far. That of processes which have ended is in their parents' times."""
        return self._sum(lambda process: sum(process.cpu_times()[:4]))

    def megabytes(self) -> float:
        """Of memory; what processes share is counted once."""
        return self._sum(lambda process: process.memory_full_info().pss) / 1e6

    def _sum(self, figure: Callable[[psutil.Process], float]) -> float:
        found = 0.0
        for process in (each for pid in self.pids for each in processes.family(pid)):
            with suppress(psutil.NoSuchProcess):  # a connection of PostgreSQL that has ended meanwhile
                found += figure(process) if process.name() != NATS else 0
        return found


class System(NamedTuple):
    """A system under load: where it answers, what it costs, and whether everything has followed."""

    port: int
    costs: Costs
    has_followed: Callable[[], bool]

    def a_closing(self, seconds: float, run: str, rate: float = 0) -> float:
        """Milliseconds of processor time a closing, from HTTP until everything has followed."""
        before = self.costs.seconds()
        closings = sides.http_load(self.port, seconds, run, rate)["requests"]
        for _ in processes.until(time.monotonic() + CATCH_UP_SECONDS_MAX):
            if self.has_followed():
                break
        return (self.costs.seconds() - before) / closings * 1000


def whole_system(folder: Path, postgres: EmbeddedPostgres, seconds: float, rest_seconds: float) -> Iterator[Figure]:
    """At rest, at 200 closings a second and at full load, beside the stock library with the same work."""
    with _hourbook(folder) as ours:
        time.sleep(SETTLE_SECONDS)
        yield _at_rest(ours, rest_seconds)
        sides.open_accounts(f"http://127.0.0.1:{ours.port}")
        with _stock(postgres) as theirs:
            for load, rate in ((f"at {SLOW_RATE} a second", SLOW_RATE), ("at full load", 0)):
                own, other = ours.a_closing(seconds, f"o{rate}", rate), theirs.a_closing(seconds, f"s{rate}", rate)
                measure = f"processor time of a closing with all that follows, {load}"
                yield Figure(measure, "stock, 4 ProjectionRunners", "everything", own, other, "ms", REACH, at_most=True)
        yield from visible(ours.port, SLOW_RATE, seconds, f"at {SLOW_RATE} a second", VISIBLE_MS)
        measure, memory = "memory of all processes", ours.costs.megabytes()
        yield Figure(measure, f"a bound of {MEMORY_MB} MB", "everything", memory, MEMORY_MB, "MB", 1, at_most=True)


def _at_rest(ours: System, seconds: float) -> Figure:
    before, began = ours.costs.seconds(), time.monotonic()
    time.sleep(seconds)
    percent = (ours.costs.seconds() - before) / (time.monotonic() - began) * 100
    measure, against = "processor time at rest", f"a bound of {AT_REST_PERCENT} % of a core"
    return Figure(measure, against, "everything", percent, AT_REST_PERCENT, "%", 1, at_most=True)


@contextmanager
def _hourbook(folder: Path) -> Iterator[System]:
    """`hourbook up` as an operator starts it, with servers of its own."""
    port = free_port()
    line = [sys.executable, "-m", "services", "up", "--port", str(port), "--data", str(folder / "whole")]
    environment = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "NATS_URL"}}
    with (folder / "whole.log").open("wb") as log:
        up = subprocess.Popen(line, env=environment, stdout=log, stderr=log)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as client:
            _await(client)
            yield System(port, Costs((up.pid,)), lambda: _have_followed(client))
    finally:
        up.send_signal(signal.SIGINT)
        up.wait()


def _await(client: httpx.Client) -> None:
    for _ in processes.until(time.monotonic() + START_SECONDS_MAX):
        try:
            if client.get("/health/ready").status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            continue
    raise RuntimeError("Hourbook was not ready in time")


def _have_followed(client: httpx.Client) -> bool:
    """Whether every read model and the newest checkpoint have come to the end of the log."""
    head = client.get("/v1/log", params={"limit": 1}).raise_for_status().headers["Hourbook-Position"]
    read = client.get("/v1/projections", headers={"Hourbook-Min-Position": head})
    signed = client.get("/v1/audit/checkpoint")
    size = signed.text.splitlines()[1] if signed.status_code == httpx.codes.OK else "0"
    return read.status_code == httpx.codes.OK and int(size) >= int(head)


@contextmanager
def _stock(postgres: EmbeddedPostgres) -> Iterator[System]:
    url = sides.database(postgres.url, "stock-whole")
    environment = sides.environment(url)
    with sides.serving(sides.uvicorn("tests.benchmarks.stock:create_app"), environment) as served:
        followers = subprocess.Popen([sys.executable, str(sides.HERE / "stock_followers.py")], env=environment)
        server = int(postgres.pid_file.read_text(encoding="utf-8").split()[0])
        try:
            yield System(served.port, Costs((served.pid, followers.pid, server)), lambda: have_caught_up(url))
        finally:
            followers.send_signal(signal.SIGTERM)
            followers.wait()
