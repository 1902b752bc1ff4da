"""A month of the portal beside the ledger's: each kind of difference is made, and named rightly."""

import asyncio
from collections import Counter
from datetime import datetime

import httpx
import pytest

from services.bitrix24.comparison import compared
from services.bitrix24.differences import Kind
from services.bitrix24.judgement import Counted, judged, people_named
from services.bitrix24.portal_tasks import people, tasks_changed, work_on
from services.bitrix24.settings import Connector
from services.ledger.settings import terms
from tests.bitrix24.conftest import WEBHOOK, at
from tests.bitrix24.fake_portal import SECRET
from tests.end_to_end.joined import joined_service
from tests.end_to_end.program import program
from tests.ledger.serving import serving

SELLERS, CUSTOMERS, OKA, VOLGA = 1, 7, 3, 4
MONTH = "2026-03"
SETTINGS = Connector.model_validate(
    {
        "webhook": WEBHOOK,
        "accounts": {str(OKA): "oka", str(VOLGA): "volga"},
        "categories": {"tags": {"срочно": "urgent"}},
    }
)


@pytest.fixture
async def hourbook(database_url, tmp_path):
    """A ledger with two accounts."""
    async with (
        joined_service(database_url, tmp_path / "key.pem") as url,
        httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as client,
    ):
        for name in ("oka", "volga"):
            contract = {"customer_name": name, "contract_number": "1", "contract_date": "2026-01-15"}
            await recorded(client, "/v1/accounts", {"account_id": name, **contract}, f"open-{name}")
        await caught_up(client)
        yield client


async def recorded(client: httpx.AsyncClient, path: str, body: dict, key: str) -> None:
    answer = await client.post(path, json=body, headers={"Idempotency-Key": key})
    assert answer.status_code == 201, answer.text


async def charge(client: httpx.AsyncClient, portal, fake, task: int, **otherwise) -> None:
    """Charge a task as the portal has it now, but for what is said otherwise."""
    (work,) = await work_on(
        portal, [each for each in await tasks_changed(portal, {OKA, VOLGA}, None) if each.id == task]
    )
    found = judged(work, SETTINGS, await people(portal, people_named(work)), terms().versions)
    assert isinstance(found, Counted)
    body = found.closing.model_dump(mode="json", exclude_none=True) | otherwise
    await recorded(client, f"/v1/accounts/{found.account_id}/tasks/{found.task_id}/close", body, found.task_id)


def confirmed(fake, group: int = OKA, day: str = "2026-03-02", minutes: int = 50, **more) -> int:
    """A task on which somebody worked, handed over and accepted on that day."""
    task = fake.create(group, at(f"{day} 09:00"), **more)
    fake.work(task, SELLERS, at(f"{day} 10:00"), minutes * 60)
    fake.set_status(task, 4, SELLERS, at(f"{day} 13:00"))
    fake.set_status(task, 5, CUSTOMERS, at(f"{day} 14:00"))
    return task


async def caught_up(client: httpx.AsyncClient) -> None:
    """Once the read models have all that is recorded."""
    head = (await client.get("/v1/log", params={"limit": 1})).headers["Hourbook-Position"]
    answer = await client.get("/v1/projections", headers={"Hourbook-Min-Position": head})
    assert answer.status_code == 200, answer.text


def moment(day: str) -> datetime:
    return at(f"{day} 18:00")


async def test_each_kind_of_difference_is_named_and_agreement_is_counted(fake, portal, hourbook):
    agreed, reopened, moved, deleted, grown, urgent = (confirmed(fake) for _ in range(6))
    for task in (agreed, reopened, moved, deleted, grown, urgent):
        await charge(hourbook, portal, fake, task)
    fake.set_status(reopened, 3, SELLERS, moment("2026-03-04"))
    fake.move(moved, VOLGA, SELLERS, moment("2026-03-04"))
    del fake.tasks[deleted]
    fake.work(grown, SELLERS, at("2026-03-02 15:00"), 600)
    fake.tasks[urgent].tags = ("срочно",)
    missed = confirmed(fake)
    idle = confirmed(fake, minutes=0)
    confirmed(fake, day="2026-04-01")
    await caught_up(hourbook)

    found = await compared(portal, hourbook, SETTINGS, MONTH)

    assert found.agreed == 1
    assert {each.task_id: each.kind for each in found.differences} == {
        f"B24-{reopened}": Kind.NOT_CONFIRMED,
        f"B24-{moved}": Kind.MOVED,
        f"B24-{deleted}": Kind.GONE,
        f"B24-{grown}": Kind.WORKED_TIME,
        f"B24-{urgent}": Kind.CATEGORY,
        f"B24-{missed}": Kind.NOT_CHARGED,
        f"B24-{idle}": Kind.UNDECIDED,
    }
    assert Counter(each.account_id for each in found.differences) == {"oka": 6, "volga": 1}


async def test_what_the_ledger_would_refuse_is_told_in_its_words(fake, portal, hourbook):
    confirmed(fake, tags=("срочно",))

    (found,) = (await compared(portal, hourbook, SETTINGS, MONTH)).differences

    assert found.kind == Kind.NOT_CHARGED
    assert "urgency-not-agreed-before-start" in found.sentence


async def test_the_command_prints_the_differences_and_fails(fake, hourbook, tmp_path):
    missed = confirmed(fake)
    async with serving(lambda: fake.app) as portal_url:
        settings = tmp_path / "portal.toml"
        settings.write_text(f'webhook = "{portal_url}/rest/{SECRET}/"\n[accounts]\n{OKA} = "oka"\n', encoding="utf-8")
        line = ("bitrix24", "check", settings, MONTH, "--url", str(hourbook.base_url))

        told = await asyncio.to_thread(program, *line, COLUMNS="200")
        fake.revoked = True
        refused = await asyncio.to_thread(program, *line)

    assert told.returncode == 1, told.stderr
    assert f"B24-{missed}" in told.stdout
    assert "0 tasks of 2026-03 agree, 1 differ" in told.stdout
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "Nothing can be said of 2026-03" in refused.stderr
    assert SECRET not in told.stdout + told.stderr + refused.stderr


async def test_nothing_is_recorded(fake, portal, hourbook):
    confirmed(fake)
    before = (await hourbook.get("/v1/log")).content

    await compared(portal, hourbook, SETTINGS, MONTH)

    assert (await hourbook.get("/v1/log")).content == before
