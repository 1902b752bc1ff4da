"""What the door costs a command: closing tasks over HTTP with a key, with a token and without a door."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

import httpx
import psutil

from contracts.access import KeyRequest, Role
from services.access.principals import LOCAL
from services.ledger.access.keys import Keys
from services.ledger.running import running_ledger
from services.ledger.settings import Settings
from tests.benchmarks import sides
from tests.benchmarks.figures import Figure
from tests.benchmarks.issuer import AUDIENCE

MEASURE = "processor time of closing a task over HTTP"


def cost_of_doors(server_url: str, folder: Path, seconds: float, rounds: int) -> Iterator[Figure]:
    """Processor time of the service alone, in turn: the rest of the machine does the same for all of them.

    The peer, an empty route, compares a constant token.
    """
    opened, closed = (sides.database(server_url, name) for name in ("without-a-door", "with-a-door"))
    key = asyncio.run(_key(closed))
    log = str(folder / "requests.log")
    with sides.serving(sides.uvicorn("tests.benchmarks.issuer:create_app"), sides.environment("")) as issuer:
        token = httpx.get(f"{issuer.url}/token", trust_env=False).raise_for_status().json()
        settings = {
            "HOURBOOK_ACCESS": "closed", "HOURBOOK_OIDC_ISSUER": issuer.url, "HOURBOOK_OIDC_AUDIENCE": AUDIENCE,
            "HOURBOOK_REQUEST_LOG_FILE": log, "NATS_URL": "nats://127.0.0.1:1",
        }  # fmt: skip
        free = settings | {"HOURBOOK_ACCESS": "open"}
        empty_route = sides.uvicorn("tests.benchmarks.empty_route:create_app")
        with (
            sides.serving(sides.ledger_alone(), sides.environment(opened, **free)) as without,
            sides.serving(sides.ledger_alone(), sides.environment(closed, **settings)) as behind,
            sides.serving(empty_route, sides.environment("", BENCH_TOKEN=key)) as peer,
        ):
            sides.open_accounts(without.url)
            sides.open_accounts(behind.url, key)
            asked = {"none": (without, ""), "key": (behind, key), "token": (behind, token), "peer": (peer, key)}
            loads: dict[str, list[Load]] = {name: [] for name in asked}
            for number in range(rounds):
                for name, (served, credential) in asked.items():
                    loads[name].append(_load(served, seconds, f"{name}{number}", credential))
    cost = {name: median(load.microseconds for load in each) for name, each in loads.items()}
    rate = {name: median(load.rate for load in each) for name, each in loads.items()}
    yield Figure(
        f"{MEASURE}, with a key", "without a door", "alone", cost["key"], cost["none"], "µs", 1.05, at_most=True
    )
    yield Figure(f"{MEASURE}, a token", "without a door", "alone", cost["token"], cost["none"], "µs", 1.1, at_most=True)
    close, against = "close-task over HTTP, with a key", "an empty route, a constant token"
    yield Figure(close, against, "alone", rate["key"], rate["peer"], "/s", 0.55)


async def _key(database_url: str) -> str:
    """Made by who owns the server."""
    async with running_ledger(Settings(database_url=database_url)) as ledger:
        asked = KeyRequest(name="bench", roles=frozenset({Role.RECORDER, Role.FINANCE}))
        return (await Keys(ledger.access, LOCAL).make(asked)).credential


class Load(NamedTuple):
    """What came of some seconds of requests."""

    rate: float
    microseconds: float
    """Of processor time of the service itself, for each."""


def _load(served: sides.Served, seconds: float, run: str, credential: str) -> Load:
    process = psutil.Process(served.pid)
    before = sum(process.cpu_times()[:2])
    load = sides.http_load(served.port, seconds, run, credential=credential)
    return Load(load["rate"], (sum(process.cpu_times()[:2]) - before) / load["requests"] * 1e6)
