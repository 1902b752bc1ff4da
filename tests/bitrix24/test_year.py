"""After a year of everything that people and machines do, the ledger is what the portal's final state says.

Short here; `make campaign-bitrix24` plays 10,000 tasks over a year, or as TASKS and DAYS say, and a round each day, or
after as many as EVERY says.
"""

import os
from collections import defaultdict
from itertools import pairwise
from random import Random

import httpx
import orjson

from services.bitrix24.answers import mark_of
from tests.bitrix24.fake_portal import FakePortal
from tests.bitrix24.trade import two_accounts
from tests.bitrix24.year import COEFFICIENTS, Mortal, Year

TASKS = int(os.environ.get("BITRIX24_TASKS", "60"))
DAYS = int(os.environ.get("BITRIX24_DAYS", "31"))
EVERY_DAYS = int(os.environ.get("BITRIX24_EVERY_DAYS", "1"))
BOUGHT_MINUTES = 1_000_000


async def bought(client: httpx.AsyncClient, account_id: str) -> None:
    """A package that covers everything."""
    agreed = {"minutes": BOUGHT_MINUTES, "price_kopecks": 0, "ends_on": "2099-12-31", "reason": "a year of work"}
    body = {"package_id": "all", "plan": "hours-100", "purchased_at": "2025-01-01T00:00:00+03:00", "agreed": agreed}
    answer = await client.post(f"/v1/accounts/{account_id}/packages", json=body, headers={"Idempotency-Key": "bought"})
    assert answer.status_code == 201, answer.text


async def test_once_it_is_quiet_the_ledger_is_what_the_portal_says(fake, clock, database_url, tmp_path):
    async with two_accounts(database_url, tmp_path / "key.pem") as client:
        for account_id in ("oka", "volga"):
            await bought(client, account_id)
        chance = Random(16)
        mortal = Mortal(httpx.AsyncHTTPTransport(), chance)
        async with httpx.AsyncClient(transport=mortal, base_url=client.base_url, timeout=60) as hourbook:
            year = Year(fake, clock.now, clock.rest, hourbook, mortal, TASKS, DAYS, EVERY_DAYS, chance)
            await year.play()
            found = await year.found()
            ledger = await year.rounds.ledger.tasks(["oka", "volga"])
            left = {name: (await client.get(f"/v1/accounts/{name}/balance")).json() for name in ("oka", "volga")}
            events = [orjson.loads(line) for line in (await client.get("/v1/log")).content.splitlines()]

    expected = year.expected()
    assert {
        (account, name): (task.worked_minutes, task.category, task.last_closed_at)
        for account, tasks in ledger.items()
        for name, task in tasks.items()
        if task.state != "open"
    } == expected
    for name, balance in left.items():
        charged = [m * COEFFICIENTS[kind] // 2 for (account, _), (m, kind, _) in expected.items() if account == name]
        assert balance["balance_minutes"] == BOUGHT_MINUTES - sum(charged)
    assert [each.differences for each in found if each.differences] == []
    assert [each for each in found if each.portal != each.ledger] == []
    assert sum(each.agreed for each in found) == len(expected) > TASKS // 4
    marks = answers(fake)
    assert max(map(len, marks.values())) == 1
    assert {name: marks.get(name) for _, name in expected} == {
        name: [mark_of(account, ledger[account][name])] for account, name in expected
    }
    assert fake.refusals == 0
    assert min(year.whole_rounds, year.faulty_rounds, year.deaths) > 0
    assert repeated(events) == []


def answers(fake: FakePortal) -> dict[str, list[str]]:
    """The marks of the connector's comments, by task."""
    found = defaultdict(list)
    for task in fake.tasks.values():
        for comment in task.comments:
            found[f"B24-{task.id}"].append(comment["POST_MESSAGE"].splitlines()[-1])
    return found


def repeated(events: list[dict]) -> list[tuple[str, str]]:
    """The tasks of which the same was recorded twice, one after the other."""
    histories = defaultdict(list)
    for event in events:
        if event["type"] in {"TaskClosed", "TaskCorrected", "TaskReopened"}:
            said = [event["data"].get(name) for name in ("worked_minutes", "category", "effective_at", "title")]
            kind = "reopened" if event["type"] == "TaskReopened" else said
            histories[event["account_id"], event["data"]["task_id"]].append(kind)
    return [task for task, said in histories.items() if any(one == other for one, other in pairwise(said))]
