"""A portal's group of each of two accounts of a real ledger, and what people do there."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import httpx

from services.bitrix24.settings import Connector
from tests.bitrix24.fake_portal import SECRET, FakePortal
from tests.end_to_end.joined import joined_service
from tests.projections import questions

WEBHOOK = f"http://127.0.0.1/rest/{SECRET}/"
SELLERS, CUSTOMERS, OKA, VOLGA = 1, 7, 3, 4
MONTH = "2026-03"
SETTINGS = Connector.model_validate(
    {
        "webhook": WEBHOOK,
        "since": "2026-01-01",
        "accounts": {str(OKA): "oka", str(VOLGA): "volga"},
        "categories": {"tags": {"срочно": "urgent"}},
    }
)


def at(text: str) -> datetime:
    """An instant of Moscow, from its day and time: `2026-03-02 10:00`."""
    return datetime.fromisoformat(f"{text}+03:00")


@asynccontextmanager
async def two_accounts(database_url: str, audit_key_file: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a ledger with two accounts."""
    async with (
        joined_service(database_url, audit_key_file) as url,
        httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as client,
    ):
        for name in ("oka", "volga"):
            contract = {"customer_name": name, "contract_number": "1", "contract_date": "2026-01-15"}
            key = {"Idempotency-Key": f"open-{name}"}
            answer = await client.post("/v1/accounts", json={"account_id": name, **contract}, headers=key)
            assert answer.status_code == 201, answer.text
        await caught_up(client)
        yield client


def confirmed(fake: FakePortal, group: int = OKA, day: str = "2026-03-02", minutes: int = 50, **more) -> int:
    """A task on which somebody worked, handed over and accepted on that day."""
    task = fake.create(group, at(f"{day} 09:00"), **more)
    fake.work(task, SELLERS, at(f"{day} 10:00"), minutes * 60)
    fake.set_status(task, 4, SELLERS, at(f"{day} 13:00"))
    fake.set_status(task, 5, CUSTOMERS, at(f"{day} 14:00"))
    return task


async def caught_up(client: httpx.AsyncClient) -> None:
    """Once the read models have all that is recorded."""
    head = (await client.get("/v1/log", params={"limit": 1})).headers["Hourbook-Position"]
    answer = await questions.caught_up(client, "/v1/projections", int(head))
    assert answer.status_code == 200, answer.text
