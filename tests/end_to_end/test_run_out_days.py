"""Run-out days in lists are those of the accounts' forecasts, also once hours move, days pass and logs go back."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from services.projections.balances.forecasts import forget_forecasts
from services.projections.database import pool
from tests.end_to_end.joined import joined_service

OPENING = {"customer_name": "ООО «Ока»", "contract_number": "7/26", "contract_date": "2026-01-01"}
WAIT_SECONDS_MAX = 60


@pytest.fixture
async def service(database_url: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        joined_service(database_url, tmp_path / "audit.key") as url,
        httpx.AsyncClient(base_url=url, trust_env=False, timeout=WAIT_SECONDS_MAX) as client,
    ):
        yield client


async def post(service: httpx.AsyncClient, path: str, body: dict[str, Any]) -> int:
    """The position of what was recorded."""
    answer = await service.post(f"/v1/accounts{path}", json=body, headers={"Idempotency-Key": uuid4().hex})
    return answer.raise_for_status().json()["position"]


async def move_to(service: httpx.AsyncClient, instant: str) -> None:
    (await service.put("/v1/test-clock", json={"now": instant})).raise_for_status()


async def close(service: httpx.AsyncClient, account_id: str, task_id: str, *, at: str, worked: int) -> int:
    body = {"title": "t", "category": "regular", "worked_minutes": worked, "closed_at": at, "confirmed_at": at}
    return await post(service, f"/{account_id}/tasks/{task_id}/close", {**body, "confirmed_by": "c"})


async def listed(service: httpx.AsyncClient, position: int, before: str = "2100-01-01") -> dict[str, dict[str, Any]]:
    """By run-out day, once no forecast is behind of what was recorded up to that position."""
    asked = {"params": {"run_out_before": before}, "headers": {"Hourbook-Min-Position": str(position)}}
    async with asyncio.timeout(WAIT_SECONDS_MAX):
        while True:
            answer = await service.get("/v1/accounts", **asked)
            if answer.status_code == 200 and answer.json()["forecasts_behind"] == 0:
                return {account["account_id"]: account for account in answer.json()["accounts"]}


async def agree(service: httpx.AsyncClient, accounts: dict[str, dict[str, Any]]) -> bool:
    """Whether each account's day is that of its forecast, and its own view says the same."""
    for account_id, account in accounts.items():
        forecast = (await service.get(f"/v1/accounts/{account_id}/forecast")).raise_for_status().json()
        alone = (await service.get(f"/v1/accounts/{account_id}")).raise_for_status().json()
        if not account["run_out_on"] == forecast["run_out_on"] == alone["run_out_on"]:
            return False
    return True


async def test_lists_have_the_days_of_forecasts_and_say_how_many_are_behind(
    service: httpx.AsyncClient, database_url: str
):
    await move_to(service, "2026-03-01T09:00:00+03:00")
    for account_id in ("busy", "idle", "poor"):
        await post(service, "", {"account_id": account_id, **OPENING})
    for account_id in ("busy", "idle"):
        bought = {"package_id": "p", "plan": "hours-20", "purchased_at": "2026-03-01T09:00:00+03:00"}
        await post(service, f"/{account_id}/packages", bought)
    await move_to(service, "2026-03-22T12:00:00+03:00")
    for day in range(2, 22, 2):
        position = await close(service, "busy", f"T-{day}", at=f"2026-03-{day:02}T12:00:00+03:00", worked=60)
    first = await listed(service, position)
    assert list(first) == ["poor", "busy", "idle"]
    assert await agree(service, first)
    assert first["poor"]["run_out_on"]["p50"] == "2026-03-22", "it has no hours"
    assert first["idle"]["run_out_on"] == dict.fromkeys(("p10", "p50", "p90"), "2026-06-02"), "its package ends"
    assert list(await listed(service, position, before=first["busy"]["run_out_on"]["p50"])) == ["poor"]

    position = await close(service, "idle", "T-1", at="2026-03-22T11:00:00+03:00", worked=1200)
    moved = await listed(service, position)
    assert moved["idle"]["run_out_on"]["p50"] == "2026-03-22"
    assert await agree(service, moved)

    await move_to(service, "2026-03-23T00:00:00+03:00")
    later = await listed(service, position)
    assert {account["forecast_as_of"] for account in later.values()} == {"2026-03-22T21:00:00Z"}
    assert await agree(service, later)

    async with pool(database_url, 1) as database:
        await database.execute("UPDATE projections.forecast SET p50 = '2099-01-01', position = 1000")
        await forget_forecasts(database, [1])
    assert await agree(service, await listed(service, position))


async def test_an_account_that_the_ledger_does_not_know_keeps_no_other_from_its_forecast(
    service: httpx.AsyncClient, database_url: str
):
    for account_id in ("oka", "volga"):
        position = await post(service, "", {"account_id": account_id, **OPENING})
    await listed(service, position)
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("DELETE FROM projections.forecast")
        await connection.execute(
            "INSERT INTO projections.account (account_id, customer_name, contract_number) VALUES ('alien', 'n', '1')"
        )
    finally:
        await connection.close()
    async with asyncio.timeout(WAIT_SECONDS_MAX):
        while True:
            page = (await service.get("/v1/accounts", params={"sort": "run_out"})).json()
            if page["forecasts_behind"] == 1:
                break
    assert [account["account_id"] for account in page["accounts"] if account["run_out_on"]] == ["oka", "volga"]
    assert page["accounts"][-1]["run_out_on"] is None, "those without a forecast come last"
