"""Every question to the read models, asked on Citus and on one server that follows the same log; answers are equal."""

import asyncio
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import asyncpg
import httpx

from infra.data_folder import free_port
from services.operating.up import Hourbook
from services.projections.routes import ROUTES
from tests.end_to_end.access_calls import CALLS, DRY_RUN, IN_PATH
from tests.end_to_end.program import program
from tests.end_to_end.questions import client_of
from tests.end_to_end.test_parts_with_a_door import part
from tests.reliability.citus_nodes import LOGS, Node

ACCOUNT = "/v1/accounts/{account_id}"
NEVER_ENDING = {"/v1/alerts/stream", "follow"}
READY_SECONDS_MAX, EQUAL_SECONDS_MAX = 120, 20
PAGES_MAX = 4

KNOWN_AT = ({}, {"known_at": "40"}, {"known_at": "2026-05-01T00:00:00Z"})
PAST = {"as_of": "2026-04-15T12:00:00Z"}
SPRING = {"from": "2026-03-01T00:00:00Z", "to": "2026-06-01T00:00:00Z"}
SOME = {"limit": "2"}
SORTS = ("account_id", "customer_name", "balance", "-balance", "expiry", "run_out")

OF_EVERYBODY: dict[str, list[dict[str, str]]] = {
    "/v1/accounts": [
        {}, *({"sort": sort} | SOME for sort in SORTS),
        {"debt": "true"}, {"debt": "false"}, {"suspended": "true"}, {"suspended": "false"}, {"q": "c4"}, {"q": "ООО"},
        {"expiring_within": "400"}, {"run_out_before": "2030-01-01"},
        {"debt": "true", "suspended": "false", "expiring_within": "400", "q": "c", "sort": "-balance"} | SOME,
    ],
    "/v1/totals": [{}, {"month": "2026-04"}, {"from": "2026-01", "to": "2026-06"}, {"day": "2026-04-10"}],
    "/v1/projections": [{}],
    "/v1/months/{month}": [{}, SOME, {"account": "{account_id}"}],
    "/v1/months/{month}/documents.zip": [{}],
    "/v1/alerts": [
        {}, SOME, {"open": "true"}, {"open": "false"}, {"account_id": "{account_id}"},
        *({"kind": kind} for kind in ("debt", "low_balance", "overplanned", "expiring", "suspended")),
    ],
    "/v1/alerts/deliveries": [{}],
}  # fmt: skip
"""What is asked, by the path's template: the query of each question."""

OF_AN_ACCOUNT: dict[str, list[dict[str, str]]] = {
    ACCOUNT: [{}],
    f"{ACCOUNT}/customer/history": [{}],
    f"{ACCOUNT}/packages": [
        {}, SOME, SPRING, *({"state": state} for state in ("valid", "expired", "carried_over"))
    ],
    f"{ACCOUNT}/balance": [at | known for at in ({}, PAST) for known in KNOWN_AT],
    f"{ACCOUNT}/balance/history": [period | known for period in ({}, SPRING) for known in KNOWN_AT],
    f"{ACCOUNT}/statement": [{}, SPRING, {"limit": "20"}],
    "/v1/balances/weekly": [{"account": "{account_id}"}, {"account": "{account_id}", "weeks": "60"}],
    f"{ACCOUNT}/tasks": [
        {}, SPRING, {"limit": "20"}, {"planned": "true"}, {"planned": "false"},
        *({"sort": sort} | SOME for sort in ("last_closed_at", "task_id")),
        *({"state": state} for state in ("open", "closed", "warranty")),
        *({"category": category} for category in ("regular", "urgent", "off_hours", "urgent_off_hours", "warranty")),
    ],
    f"{ACCOUNT}/tasks/{{task_id}}": [*KNOWN_AT, {"lang": "en"}],
    f"{ACCOUNT}/reports/{{month}}": [*KNOWN_AT],
    f"{ACCOUNT}/reports/{{month}}.xlsx": [{}],
    f"{ACCOUNT}/acts/{{month}}": [*KNOWN_AT],
    f"{ACCOUNT}/acts/{{month}}.pdf": [{}],
    f"{ACCOUNT}/acts/{{month}}/upd.xml": [*KNOWN_AT],
    f"{ACCOUNT}/reconciliations/2026-01-01/2026-06-30": [*KNOWN_AT],
    f"{ACCOUNT}/reconciliations/2026-01-01/2026-06-30.pdf": [{}],
}  # fmt: skip

VIEWS = "SELECT viewname FROM pg_views WHERE schemaname = 'reporting' ORDER BY viewname"


def require_same_answers(hourbook: Hourbook, nodes: dict[str, Node], account_ids: list[str], month: str) -> int:
    """How many questions were answered alike on both; AssertionError where some are not."""
    published = {route.path for route in ROUTES if "GET" in route.methods} - NEVER_ENDING
    assert {_published(template) for template in (*OF_EVERYBODY, *OF_AN_ACCOUNT)} == published
    with one_server(hourbook, nodes["coordinator"]) as (url, database_url):
        with client_of(hourbook.url) as there, client_of(url) as here:
            _require_no_fault(there, account_ids[0], month)
            _await_ready(here)
            questions = list(_questions(there, account_ids, month))
            differ = [(path, query) for path, query in questions if not _come_to_agree(there, here, path, query)]
            assert differ == []
            for account_id in account_ids:
                path, body = f"/v1/accounts/{account_id}/alerts/foreseen", DRY_RUN | {"account_id": account_id}
                assert _answer(there.post(path, json=body)) == _answer(here.post(path, json=body))
        asyncio.run(_require_same_views(nodes["coordinator"].url, database_url))
    return len(questions)


def _come_to_agree(there: httpx.Client, here: httpx.Client, path: str, query: dict[str, str]) -> bool:
    """Forecasts, and alerts of them, are there some time after the events."""
    deadline = time.monotonic() + EQUAL_SECONDS_MAX
    while _answers(there, path, query) != _answers(here, path, query):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.5)
    return True


def _published(template: str) -> str:
    """The path of the route as it is published: a document's file, and the days of a reconciliation, are parameters."""
    if "/reconciliations/" in template:
        return f"{ACCOUNT}/reconciliations/{{since}}/{{file}}"
    head, _, last = template.rpartition("/")
    return f"{head}/{{file}}" if head.endswith(("/reports", "/acts")) else f"{head}/{last}"


@contextmanager
def one_server(hourbook: Hourbook, coordinator: Node) -> Iterator[tuple[str, str]]:
    """The read side once more, in a database without Citus: where it answers, and that database."""
    asyncio.run(coordinator.execute("CREATE DATABASE alone"))
    database_url = f"{coordinator.url.rpartition('/')[0]}/alone"
    settings = {
        "DATABASE_URL": database_url, "HOURBOOK_LEDGER_URL": hourbook.url, "HOURBOOK_SANDBOX": "1",
        "HOURBOOK_LOGS": str(LOGS),
    }  # fmt: skip
    with patch.dict(os.environ):
        os.environ.pop("NATS_URL", None)  # what is published is not published twice
        migrated = program("migrate", **settings)
        assert migrated.returncode == 0, migrated.stderr
        with part("projections", free_port(), settings) as url:
            yield url, database_url


def _await_ready(client: httpx.Client) -> None:
    deadline = time.monotonic() + READY_SECONDS_MAX
    while (answer := client.get("/health/ready")).status_code != 200:
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.5)


def _questions(client: httpx.Client, account_ids: list[str], month: str) -> Iterator[tuple[str, dict[str, str]]]:
    for account_id in account_ids:
        tasks = client.get(f"/v1/accounts/{account_id}/tasks").raise_for_status().json()["tasks"]
        names = {"account_id": account_id, "task_id": tasks[0]["task_id"], "month": month}
        yield from _filled(OF_AN_ACCOUNT, names)
    yield from _filled(OF_EVERYBODY, names)


def _filled(asked: dict[str, list[dict[str, str]]], names: dict[str, str]) -> Iterator[tuple[str, dict[str, str]]]:
    for template, queries in asked.items():
        for query in queries:
            yield template.format_map(names), {name: value.format_map(names) for name, value in query.items()}


def _answers(client: httpx.Client, path: str, query: dict[str, str]) -> list[Any]:
    """The answer, and the pages after it."""
    found = [_answer(client.get(path, params=query))]
    while len(found) < PAGES_MAX and isinstance(found[-1][1], dict) and (cursor := found[-1][1].get("next_cursor")):
        found.append(_answer(client.get(path, params=query | {"cursor": cursor})))
    return found


def _answer(answer: httpx.Response) -> tuple[int, Any]:
    """Its status and what it says; but for a number that counts in the order in which changes were found."""
    assert answer.status_code < 500, (answer.url, answer.text)
    if "json" not in answer.headers["Content-Type"]:
        return answer.status_code, answer.content
    said = answer.json()
    if isinstance(said, dict):
        said = {name: value for name, value in said.items() if name not in {"last_change", "instance"}}
    return answer.status_code, said


def _require_no_fault(client: httpx.Client, account_id: str, month: str) -> None:
    """Every other GET of the whole program: of the log, of evidence, of billing."""
    names = IN_PATH | {"account_id": account_id, "month": month}
    for (method, template), calls in CALLS.items():
        for call in calls:
            if method == "GET" and template.startswith("/v1/") and not {template, *call.query} & NEVER_ENDING:
                path = template.replace(":path", "").format_map(names | call.path)
                answer = client.get(path, params=dict(call.query))
                assert answer.status_code < 500, (answer.url, answer.text)


async def _require_same_views(*database_urls: str) -> None:
    """As the role of dashboards reads them."""
    said = []
    for url in database_urls:
        connection = await asyncpg.connect(url)
        try:
            names = [row["viewname"] for row in await connection.fetch(VIEWS)]
            await connection.execute("SET ROLE hourbook_reader")
            rows = [await connection.fetch(f"SELECT * FROM reporting.{name}") for name in names]
            said.append({name: sorted(map(repr, of_view)) for name, of_view in zip(names, rows, strict=True)})
        finally:
            await connection.close()
    assert said[0]
    assert said[0] == said[1]
