"""A load of closings that keeps sending each command, with its key, until it is answered."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from itertools import pairwise
from typing import Any
from uuid import uuid4

import httpx
import orjson

from contracts.placement import log_of

ACCOUNTS = 4
CLIENTS = 8
PURCHASED_AT = "2026-03-01T12:00:00+03:00"
CLOSED_AT = "2026-03-02T12:00:00+03:00"
GIVE_UP_SECONDS = 90


class Load:
    """Closings on a few shared accounts of its own; `acknowledged` maps each key to the answer it got.

    `turned_away`: how often a command was sent again; `cut_off`: of these, how often a connection ended unanswered.
    """

    give_up_seconds = GIVE_UP_SECONDS

    def __init__(self, urls: list[str], tasks: int) -> None:
        self.urls = urls
        self.tasks = tasks
        self.accounts = [f"acc-{uuid4().hex}" for _ in range(ACCOUNTS)]
        self.acknowledged: dict[str, dict[str, Any]] = {}
        self.turned_away = 0
        self.cut_off = 0
        self.answered_at: list[float] = []

    @property
    def longest_wait(self) -> float:
        """How long no command at all was answered."""
        return max((later - earlier for earlier, later in pairwise(self.answered_at)), default=0.0)

    async def run(self, disturb: Callable[[], Awaitable[None]] | None = None) -> None:
        """Open the accounts, then close all tasks; `disturb` happens once a third of them is acknowledged."""
        async with asyncio.timeout(self.give_up_seconds), httpx.AsyncClient(timeout=60, trust_env=False) as client:
            for account_id in self.accounts:
                await self._open(client, account_id)
            waiting = list(reversed(range(self.tasks)))
            workers = [self._work(client, waiting) for _ in range(CLIENTS)]
            await asyncio.gather(*workers, self._disturb(disturb))

    async def _disturb(self, disturb: Callable[[], Awaitable[None]] | None) -> None:
        while disturb and len(self.acknowledged) < self.tasks // 3:
            await asyncio.sleep(0.01)
        if disturb:
            await disturb()

    async def _open(self, client: httpx.AsyncClient, account_id: str) -> None:
        opening = {"customer_name": "ООО «Ока»", "contract_number": "7", "contract_date": "2026-01-01"}
        await self._send(client, "/v1/accounts", f"open-{account_id}", {"account_id": account_id, **opening})
        purchase = {"package_id": "spring", "plan": "hours-20", "purchased_at": PURCHASED_AT}
        await self._send(client, f"/v1/accounts/{account_id}/packages", f"buy-{account_id}", purchase)

    async def _work(self, client: httpx.AsyncClient, waiting: list[int]) -> None:
        while waiting:
            number = waiting.pop()
            account_id = self.accounts[number % ACCOUNTS]
            closing = {
                "title": "Настройка", "category": "regular", "worked_minutes": 10,
                "closed_at": CLOSED_AT, "confirmed_at": CLOSED_AT, "confirmed_by": "client@example.com",
            }  # fmt: skip
            key = f"close-{account_id}-{number}"
            path = f"/v1/accounts/{account_id}/tasks/T{number}/close"
            self.acknowledged[key] = await self._send(client, path, key, closing)

    async def _send(self, client: httpx.AsyncClient, path: str, key: str, body: dict[str, Any]) -> dict[str, Any]:
        attempt = 0
        while True:
            url = self.urls[(hash(key) + attempt) % len(self.urls)]
            attempt += 1
            try:
                answer = await client.post(url + path, json=body, headers={"Idempotency-Key": key})
            except httpx.TransportError:
                self.turned_away += 1
                self.cut_off += 1
                await asyncio.sleep(0.02)
                continue
            if answer.status_code == 201:
                self.answered_at.append(time.monotonic())
                return answer.json()
            assert answer.status_code == 503, f"{key}: {answer.status_code} {answer.text}"
            assert answer.headers["Retry-After"]
            self.turned_away += 1
            await asyncio.sleep(0.02)

    async def check(self, url: str) -> None:
        """Nothing acknowledged is lost, nothing doubled, positions have no gap, and the projection has caught up."""
        async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as client:
            logs = await logs_without_gaps(client)
            events = {line["event_id"]: line for log in logs for line in log if line["account_id"] in self.accounts}
            closed = [line["data"]["task_id"] for line in events.values() if line["type"] == "TaskClosed"]
            wanted = {f"T{number}" for number in range(self.tasks)}
            missing, doubled = wanted - set(closed), {each for each in closed if closed.count(each) > 1}
            assert (missing, doubled) == (set(), set())
            for answer in self.acknowledged.values():
                assert all(events[event["event_id"]] == event for event in answer["events"])
            for account_id in self.accounts:
                await self._check_account(client, account_id, len(logs[log_of(account_id, len(logs))]))

    async def _check_account(self, client: httpx.AsyncClient, account_id: str, position: int) -> None:
        replayed = (await client.get(f"/v1/accounts/{account_id}/replay")).raise_for_status().json()
        projected = await caught_up(client, f"/v1/accounts/{account_id}/balance", position)
        same = ("balance_minutes", "held_minutes", "owed_minutes")
        assert {name: replayed[name] for name in same} == {name: projected[name] for name in same}


async def logs_without_gaps(client: httpx.AsyncClient) -> list[list[dict[str, Any]]]:
    """The lines of every log."""
    logs: list[list[dict[str, Any]]] = []
    while (answer := await client.get("/v1/log", params={"log": len(logs)})).status_code == 200:
        log = [orjson.loads(line) for line in answer.content.splitlines()]
        assert [line["position"] for line in log] == list(range(1, len(log) + 1))
        logs.append(log)
    assert answer.status_code == 404
    return logs


async def caught_up(client: httpx.AsyncClient, path: str, position: int) -> dict[str, Any]:
    """The answer once the projection has reached that position."""
    async with asyncio.timeout(GIVE_UP_SECONDS):
        while True:
            answer = await client.get(path, headers={"Hourbook-Min-Position": str(position)})
            if answer.status_code == 200:
                return answer.json()
            assert answer.status_code == 503, answer.text
