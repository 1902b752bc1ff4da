"""The whole Hourbook as health and the terminal show it while a part of it is not there."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from infra.data_folder import free_port
from services.operating.up import Hourbook, running
from tests.conftest import reachable_folder
from tests.end_to_end.questions import client_of

PARTS = {"commands", "queries", "relay", "checkpoints", "expiry", "alerts", "documents", "audit"}
OPEN = {"account_id": "oka", "customer_name": "ООО «Ока»", "contract_number": "7", "contract_date": "2026-01-01"}


@pytest.fixture(scope="module")
def hourbook() -> Iterator[Hourbook]:
    with reachable_folder() as folder, running(folder, free_port()) as started:
        yield started


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def health(hourbook: Hourbook, **asked: Any) -> httpx.Response:
    with client_of(hourbook.url) as client:
        return client.get("/health/ready", params=asked)


def lines_until(hourbook: Hourbook, line: str) -> list[str]:
    """What the terminal shows up to that line."""
    shown: list[str] = []

    def seen() -> bool:
        shown.extend(hourbook.health.changes())
        return any(line in each for each in shown)

    until(seen)
    return shown


def test_every_part_is_shown_and_ready(hourbook: Hourbook):
    answer = health(hourbook)
    assert answer.status_code == 200, answer.text
    assert {part["name"]: part["state"] for part in answer.json()["parts"]} == dict.fromkeys(PARTS, "ready")
    assert all(part["since"] and part["sentence"] == "" for part in answer.json()["parts"])


def test_a_part_that_is_not_there_is_refused(hourbook: Hourbook):
    refused = health(hourbook, part="kitchen")
    assert (refused.status_code, refused.json()["fields"][0]["field"]) == (422, "part")


def test_without_nats_commands_and_queries_are_ready_and_the_relay_is_not(hourbook: Hourbook):
    nats = hourbook.servers[1]
    nats.kill()
    lines_until(hourbook, "relay is not ready: NATS cannot be reached")
    assert health(hourbook).status_code == 503
    assert health(hourbook, part=["commands", "queries"]).status_code == 200
    nats.start()
    lines_until(hourbook, "relay is ready again")
    until(lambda: health(hourbook).status_code == 200)


def test_a_worker_that_stands_still_is_seen_in_the_services_health(hourbook: Hourbook):
    worker = next(part for part in hourbook.parts if part.name == "worker")
    assert worker.process
    os.kill(worker.process.pid, signal.SIGSTOP)
    try:
        with client_of(hourbook.url) as client:
            client.post("/v1/accounts", json=OPEN, headers={"Idempotency-Key": "k"}).raise_for_status()
        lines = lines_until(hourbook, "queries is not ready")
        assert any("no worker moves it" in line for line in lines)
        assert health(hourbook, part="commands").status_code == 200
    finally:
        os.kill(worker.process.pid, signal.SIGCONT)
    lines_until(hourbook, "queries is ready again")
