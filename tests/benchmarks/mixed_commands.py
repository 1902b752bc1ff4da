"""Mixed commands over many accounts, as NDJSON, sent to a ledger in one conversation.

    python mixed_commands.py PORT COMMANDS ACCOUNTS RUN

Prints one JSON object: commands, refused, seconds, rate.
"""

import json
import sys
import time
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any

import httpx
import uvloop

from contracts.quantities import SELLER_ZONE
from tests.benchmarks.http_load import TASK

BLOCK_LINES = 200
PURCHASES = 0.002  # about as many hours as the closings take
REOPENINGS = 0.02
BOUGHT_AT = datetime(2026, 3, 1, 12, tzinfo=SELLER_ZONE)
CATEGORIES = ("regular", "regular", "regular", "urgent", "warranty")


def commands(total: int, accounts: int, run: str) -> Iterator[dict[str, Any]]:
    """Accounts are opened and buy; then they close tasks, and now and then take one back or buy again."""
    chance = Random(run)
    for number in range(accounts):
        account_id = f"{run}-{number}"
        opening = {"customer_name": "ООО «Ока»", "contract_number": "7", "contract_date": "2026-01-01"}
        yield {"command": "OpenAccount", "account_id": account_id, **opening}
        yield _purchase(account_id, 0)
    closed: dict[str, int] = {}
    for number in range(2 * accounts, total):
        account_id = f"{run}-{chance.randrange(accounts)}"
        tasks = closed.get(account_id, 0)
        lot = chance.random()
        if lot < PURCHASES:
            yield _purchase(account_id, number)
        elif lot < PURCHASES + REOPENINGS and tasks:
            task = {"task_id": f"T{tasks}", "reason": "не помогло"}
            yield {"command": "ReopenTask", "account_id": account_id, **task}
            closed[account_id] = tasks - 1
        else:
            closed[account_id] = tasks + 1
            urgent = {"urgency_agreed_at": TASK["started_at"], "category": chance.choice(CATEGORIES)}
            task = {"task_id": f"T{tasks + 1}", **TASK, **urgent, **_times(number, total)}
            yield {"command": "CloseTask", "account_id": account_id, **task}


def _times(number: int, total: int) -> dict[str, str]:
    """Half a year of closings, from the purchase on."""
    closed = BOUGHT_AT + timedelta(days=1, minutes=number * 180 * 24 * 60 // total)
    started = (closed - timedelta(hours=1)).isoformat()
    return {"started_at": started, "urgency_agreed_at": started} | dict.fromkeys(
        ("closed_at", "confirmed_at"), closed.isoformat()
    )


def _purchase(account_id: str, number: int) -> dict[str, Any]:
    package = {"package_id": f"p{number}", "plan": "hours-100", "purchased_at": BOUGHT_AT.isoformat()}
    return {"command": "PurchasePackage", "account_id": account_id, **package}


async def main(port: int, total: int, accounts: int, run: str) -> None:
    blocks: list[bytes] = []
    block: list[str] = []
    for number, command in enumerate(commands(total, accounts, run)):
        block.append(json.dumps({**command, "idempotency_key": f"{run}-{number}"}, ensure_ascii=False))
        if len(block) == BLOCK_LINES:
            blocks.append(("\n".join(block) + "\n").encode())
            block = []
    blocks.append("\n".join(block).encode())

    async def content() -> AsyncIterator[bytes]:
        for each in blocks:
            yield each

    began = time.perf_counter()
    answered = accepted = 0
    async with (
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=600, trust_env=False) as client,
        client.stream("POST", "/v1/commands", content=content()) as response,
    ):
        async for part in response.raise_for_status().aiter_raw():
            answered += part.count(b"\n")
            accepted += part.count(b'"status":201')
    took = time.perf_counter() - began
    print(json.dumps({"commands": answered, "accepted": accepted, "seconds": took, "rate": answered / took}))


if __name__ == "__main__":
    _, port, total, accounts, run = sys.argv
    uvloop.run(main(int(port), int(total), int(accounts), run))
