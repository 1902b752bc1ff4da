"""Anybody is told whether an application is ready, and how much is to be said of it; its operator, what."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from services.process.application import furnish
from services.process.health import health_routes
from tests.ledger.serving import serving

FAULTS = ["The account romashka has halted.", "What 2026-03 of account kama was closed with is gone."]
NOTICE = "Nothing is recorded on one account: oka."


async def parts(_: Any) -> dict[str, list[str]]:
    return {"queries": FAULTS, "alerts": []}


async def beside(_: Any) -> dict[str, list[str]]:
    return {"portal": ["The portal of romashka cannot be read."]}


async def notices(_: Any) -> list[str]:
    return [NOTICE]


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    def application() -> FastAPI:
        app = FastAPI()
        app.router.routes.extend(health_routes(parts, notices, beside))
        furnish(app)
        return app

    async with serving(application) as url, httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as opened:
        yield opened


async def test_details_are_whole(client: httpx.AsyncClient):
    said = (await client.get("/health/details")).json()
    assert (said["faults"], said["notices"]) == (FAULTS, [NOTICE])
    assert {part["name"]: part["sentence"] for part in said["parts"]} == {
        "queries": " ".join(FAULTS),
        "alerts": "",
        "portal": "The portal of romashka cannot be read.",
    }


@pytest.mark.parametrize("query", ["", "?part=queries"])
async def test_anybody_sees_which_parts_are_not_ready_and_no_account(client: httpx.AsyncClient, query: str):
    answer = await client.get(f"/health/ready{query}")
    assert answer.status_code == 503
    assert {part["name"]: part["state"] for part in answer.json()["parts"]}["queries"] == "not ready"
    assert [(each[:2], "/health/details" in each) for each in answer.json()["faults"]] == [("2 ", True)]
    assert [(each[:2], "/health/details" in each) for each in answer.json()["notices"]] == [("1 ", True)]
    assert not [account for account in ("romashka", "kama", "oka") if account in answer.text]
    assert (await client.get("/health/ready?part=alerts")).status_code == 200


async def test_what_works_beside_is_shown_and_asked_for_by_name(client: httpx.AsyncClient):
    whole = await client.get("/health/ready")
    assert {part["name"]: part["state"] for part in whole.json()["parts"]}["portal"] == "not ready"
    assert [each[:2] for each in whole.json()["faults"]] == ["2 "]
    assert (await client.get("/health/ready?part=portal")).status_code == 503
    assert (await client.get("/health/ready?part=alerts&part=portal")).status_code == 503
