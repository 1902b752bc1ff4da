"""The whole Hourbook as health and the terminal show it while a part of it is not there."""

import json
import os
import re
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

PARTS = {"commands", "queries", "relay", "checkpoints", "expiry", "alerts", "documents", "billing", "audit"}
OPEN = {"account_id": "oka", "customer_name": "ООО «Ока»", "contract_number": "7", "contract_date": "2026-01-01"}


@pytest.fixture(scope="module")
def hourbook() -> Iterator[Hourbook]:
    """Once every part is ready: `up` waits for all of them ten seconds, and then for commands and queries alone."""
    with reachable_folder() as folder, running(folder, free_port()) as started:
        until(lambda: health(started).status_code == 200)
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


def test_every_process_shows_its_metrics_and_says_where(hourbook: Hourbook):
    targets = json.loads((hourbook.parts[0].folder / "metrics.json").read_text())
    assert {target["labels"]["part"] for target in targets} == {part.name for part in hourbook.parts}
    with httpx.Client(trust_env=False, timeout=60) as client:
        for target in targets:
            (address,) = target["targets"]
            assert client.get(f"http://{address}/health/live").json() == {"status": "live"}
            shown = client.get(f"http://{address}/metrics").text
            assert "hourbook_build_info" in shown
            assert "hourbook_database_connections_max" in shown, target
        requests = 'hourbook_http_requests_total{method="GET",route="/health/ready",status="200"}'
        assert requests in client.get(f"{hourbook.url}/metrics").text


def test_a_request_keeps_its_id_and_logs_are_lines_with_time_level_and_part(hourbook: Hourbook):
    with client_of(hourbook.url) as client:
        assert client.get("/v1/accounts", headers={"X-Request-Id": "call-7"}).headers["X-Request-Id"] == "call-7"
        made = client.get("/v1/accounts", headers={"X-Request-Id": "no good"}).headers["X-Request-Id"]
        assert re.fullmatch("[0-9a-f]{32}", made)
        assert client.get("/nowhere").headers["X-Request-Id"]
    lines = [line for part in hourbook.parts for line in part.log.read_text().splitlines()]
    assert lines
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [A-Z]+ \w+", line) for line in lines), lines


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
