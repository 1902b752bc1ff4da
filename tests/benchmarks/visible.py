"""From the answer to a command to its sight in the read model, under half the load that the service can bear."""

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence

import httpx

from tests.benchmarks import sides
from tests.benchmarks.figures import Figure
from tests.benchmarks.http_load import TASK

HALF_LOAD_MS = ((50, 10.0), (99, 50.0))
PAUSE_SECONDS = 0.02


def visible(
    port: int,
    load_rate: float,
    seconds: float,
    when: str = "at half the load",
    bounds_ms: Sequence[tuple[int, float]] = HALF_LOAD_MS,
) -> Iterator[Figure]:
    """The wait that `Hourbook-Min-Position` makes, its request included, in milliseconds."""
    _catch_up(port)
    load = subprocess.Popen(
        [
            sys.executable,
            str(sides.HERE / "http_load.py"),
            *map(str, (port, sides.CONNECTIONS, seconds, f"v{load_rate:.0f}", load_rate)),
        ],
        env=sides.environment(""),
        stdout=subprocess.DEVNULL,
    )
    try:
        waits = sorted(_waits(port, load))
    finally:
        load.wait()
    for percent, bound in bounds_ms:
        wait = waits[len(waits) * percent // 100] * 1000
        measure = f"commit to visible {when}, p{percent}"
        yield Figure(measure, f"a bound of {bound:g} ms", "everything", wait, bound, "ms", 1, at_most=True)


def _catch_up(port: int) -> None:
    """Let the projections work off what the measurements before have left them."""
    with httpx.Client(base_url=f"http://127.0.0.1:{port}/v1", timeout=10, trust_env=False) as client:
        head = client.get("/log", params={"limit": 1}).raise_for_status().headers["Hourbook-Position"]
        while client.get("/projections", headers={"Hourbook-Min-Position": head}).status_code != httpx.codes.OK:
            continue


def _waits(port: int, load: "subprocess.Popen[bytes]") -> Iterator[float]:
    run = f"{time.time_ns()}"
    with httpx.Client(base_url=f"http://127.0.0.1:{port}/v1/accounts/acc-0", trust_env=False) as client:
        number = 0
        while load.poll() is None:
            number += 1
            task = f"{run}-{number}"
            answer = client.post(f"/tasks/{task}/close", json=TASK, headers={"Idempotency-Key": task})
            began = time.perf_counter()
            position = answer.raise_for_status().headers["Hourbook-Position"]
            while client.get("/balance", headers={"Hourbook-Min-Position": position}).status_code != httpx.codes.OK:
                continue  # it waits by itself, two seconds at most
            yield time.perf_counter() - began
            time.sleep(PAUSE_SECONDS)
