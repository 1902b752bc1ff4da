"""What customers confirm in the portal is charged once, whatever is interrupted; nothing is guessed."""

import asyncio
import os
from datetime import date

import pytest
from starlette.responses import JSONResponse

from services.bitrix24.portal import WrongAnswer
from services.bitrix24.recording import Rounds
from tests.bitrix24.fake_portal import SECRET
from tests.bitrix24.trade import CUSTOMERS, OKA, SELLERS, SETTINGS, at, caught_up, confirmed
from tests.end_to_end.program import program
from tests.ledger.serving import serving


@pytest.fixture
def rounds(portal, hourbook) -> Rounds:
    return Rounds(portal, hourbook, SETTINGS)


async def charged(hourbook, task: int) -> dict:
    """The task as the ledger has it."""
    await caught_up(hourbook)
    return (await hourbook.get(f"/v1/accounts/oka/tasks/B24-{task}")).json()


async def head_of(hourbook) -> str:
    return (await hourbook.get("/v1/log", params={"limit": 1})).headers["Hourbook-Position"]


async def test_a_confirmed_task_is_charged_once(fake, rounds, hourbook):
    task = confirmed(fake)

    first = await rounds.next()
    at_first = await head_of(hourbook)
    await caught_up(hourbook)
    again = await rounds.next()

    assert [(each.task_id, each.outcome) for each in first] == [(f"B24-{task}", "recorded")]
    assert (again, await head_of(hourbook)) == ([], at_first)
    (closing,) = (await charged(hourbook, task))["closings"]
    assert closing["worked_minutes"] == 50


async def test_a_round_that_was_cut_off_is_made_again_by_another_process(fake, portal, hourbook):
    task = confirmed(fake)
    await Rounds(portal, hourbook, SETTINGS).next()
    recorded = await head_of(hourbook)

    again = await Rounds(portal, hourbook, SETTINGS).next()  # read models may be behind: the key says that it is done

    assert {each.outcome for each in again} <= {"recorded"}
    assert await head_of(hourbook) == recorded
    assert len((await charged(hourbook, task))["closings"]) == 1


async def test_a_task_that_was_reopened_in_both_is_charged_anew(fake, rounds, hourbook):
    task = confirmed(fake)
    await rounds.next()
    fake.set_status(task, 3, SELLERS, at("2026-03-05 10:00"))
    reopening = {"json": {"reason": "доработать"}, "headers": {"Idempotency-Key": "reopen"}}
    answer = await hourbook.post(f"/v1/accounts/oka/tasks/B24-{task}/reopen", **reopening)
    assert answer.status_code == 201, answer.text
    await caught_up(hourbook)
    fake.work(task, SELLERS, at("2026-03-06 10:00"), 600)
    fake.set_status(task, 4, SELLERS, at("2026-03-06 12:00"))
    fake.set_status(task, 5, CUSTOMERS, at("2026-03-06 13:00"))

    (outcome,) = await rounds.next()

    assert outcome.outcome == "recorded"
    closings = (await charged(hourbook, task))["closings"]
    assert [each["worked_minutes"] for each in closings] == [50, 60]


async def test_what_the_ledger_refuses_is_said_and_tried_again(fake, rounds, hourbook):
    task = confirmed(fake, tags=("срочно",))
    before = await head_of(hourbook)

    for _ in range(2):
        (outcome,) = await rounds.next()
        assert (outcome.outcome, outcome.reason.partition(",")[0]) == ("refused", "urgency-not-agreed-before-start")
    assert await head_of(hourbook) == before

    fake.tasks[task].tags = ()
    fake.set_status(task, 4, SELLERS, at("2026-03-06 12:00"))
    fake.set_status(task, 5, CUSTOMERS, at("2026-03-06 13:00"))
    assert [each.outcome for each in await rounds.next()] == ["recorded"]


async def test_what_is_not_clear_is_said_and_not_guessed(fake, rounds, hourbook):
    confirmed(fake, minutes=0)
    before = await head_of(hourbook)

    (outcome,) = await rounds.next()

    assert (outcome.outcome, outcome.reason.partition(":")[0]) == ("undecided", "no time is written on it")
    assert await head_of(hourbook) == before


async def test_from_half_a_page_nothing_is_charged(fake, rounds, hourbook):
    confirmed(fake)
    confirmed(fake)
    before = await head_of(hourbook)
    whole = await rounds.portal.call("tasks.task.list", {"order": {"ID": "asc"}, "start": -1})
    half = {"tasks": [whole.result["tasks"][0], whole.result["tasks"][1] | {"status": None}]}
    fake.faults.append(JSONResponse({"result": half}))

    with pytest.raises(WrongAnswer):
        await rounds.next()

    assert await head_of(hourbook) == before


UNCHANGED = int(os.environ.get("BITRIX24_TASKS", "1000"))
"""Ten thousand in `make campaign-bitrix24`."""


async def test_unchanged_tasks_cost_one_request_for_each_fifty(fake, rounds):
    rounds.connector = SETTINGS.model_copy(update={"since": date(2026, 3, 5)})  # so that none of them is charged
    for _ in range(UNCHANGED - 100):
        fake.create(OKA, at("2026-03-06 10:00"))
    for _ in range(100):
        confirmed(fake, day="2026-03-04")
        fake.tasks[max(fake.tasks)].changed = at("2026-03-06 10:00")
    await rounds.next()
    before = fake.requests

    await rounds.next()

    assert fake.requests - before == UNCHANGED // 50 + 1
    assert fake.refusals == 0


async def test_time_that_is_written_later_is_seen_though_no_event_says_so(fake, rounds, hourbook):
    task = confirmed(fake, minutes=0)
    await rounds.next()
    fake.work(task, SELLERS, at("2026-03-02 10:00"), 1800)

    assert [each.outcome for each in await rounds.next()] == ["recorded"]
    (closing,) = (await charged(hourbook, task))["closings"]
    assert closing["worked_minutes"] == 30


async def test_the_command_makes_one_round(fake, hourbook, tmp_path):
    good, unclear = confirmed(fake), confirmed(fake, minutes=0)
    async with serving(lambda: fake.app) as portal_url:
        settings = tmp_path / "portal.toml"
        text = f'webhook = "{portal_url}/rest/{SECRET}/"\nsince = 2026-01-01\n[accounts]\n{OKA} = "oka"\n'
        settings.write_text(text, encoding="utf-8")
        line = ("bitrix24", "run", settings, "--once", "--url", str(hourbook.base_url))

        told = await asyncio.to_thread(program, *line)

    assert told.returncode == 1, told.stderr
    lines = [each.split("\t") for each in told.stdout.splitlines()]
    assert [each[:3] for each in lines] == [["oka", f"B24-{good}", "recorded"], ["oka", f"B24-{unclear}", "undecided"]]
