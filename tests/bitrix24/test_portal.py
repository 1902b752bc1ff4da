"""The portal is read whole or not at all, within its limits, whatever it does meanwhile."""

import httpx
import pytest
from pydantic import SecretStr
from starlette.responses import JSONResponse, PlainTextResponse

from services.bitrix24.pace import Pace
from services.bitrix24.portal import ATTEMPTS_MAX, Call, Portal, PortalUnavailable, WebhookRefused, WrongAnswer
from services.bitrix24.portal_tasks import people, tasks_changed, work_on
from services.process.outside import NotAsked
from tests.bitrix24.fake_portal import PAGE, SECRET, problem
from tests.bitrix24.trade import WEBHOOK, at

DAY = at("2026-03-02 10:00")


async def test_every_task_of_the_groups_is_read_and_no_other(fake, portal):
    ids = [fake.create(group, DAY) for _ in range(120) for group in (3, 4, 5)]

    tasks = await tasks_changed(portal, {3, 4}, None)

    assert [task.id for task in tasks] == [each for each in ids if fake.tasks[each].group in {3, 4}]
    assert fake.requests == 240 // PAGE + 1


async def test_only_what_has_changed_is_asked_for(fake, portal):
    fake.create(3, DAY)
    later = fake.create(3, at("2026-03-03 10:00"))

    assert [task.id for task in await tasks_changed(portal, {3}, at("2026-03-03 10:00"))] == [later]


async def test_entries_and_changes_come_in_batches_and_in_pages(fake, portal):
    ids = [fake.create(3, DAY) for _ in range(30)]
    for number in range(PAGE + 3):
        fake.work(ids[0], 1, DAY, 60 + number)
    fake.set_status(ids[1], 4, 1, DAY)

    works = await work_on(portal, await tasks_changed(portal, {3}, None))

    assert len({entry.id for entry in works[0].entries}) == PAGE + 3
    assert [(change.before, change.after) for change in works[1].changes] == [("2", "4")]
    assert fake.requests == 1 + 2 + 2 + 1  # the list, and batches of 25: changes, entries, the second page of entries


async def test_a_task_of_which_entries_are_missing_is_not_taken(fake, portal):
    task = fake.create(3, DAY)
    for number in range(PAGE + 1):
        fake.work(task, 1, DAY, 60 + number)
    page = {"result": {"c0": []}, "result_total": {"c0": PAGE + 1}, "result_error": [], "result_time": []}
    tasks = await tasks_changed(portal, {3}, None)
    whole = JSONResponse({"result": {"result": {"c0": {"list": []}}}})
    fake.faults += [whole, JSONResponse({"result": page})]

    with pytest.raises(WrongAnswer, match="entries of task"):
        await work_on(portal, tasks)


@pytest.mark.parametrize(
    ("total", "second", "read"),
    [(PAGE, (PAGE, PAGE + 10), None), (10, (PAGE, PAGE + 10), None), (PAGE + 10, (0, PAGE), None),
     (PAGE + 10, (PAGE - 5, PAGE + 5), None), (PAGE + 10, (PAGE, PAGE + 10), PAGE + 10)],
    ids=["counts fewer", "counts far fewer", "shows its last page again", "pages overlap", "as it should"],
)  # fmt: skip
async def test_a_task_counts_with_all_its_entries_or_not_at_all(fake, portal, total, second, read):
    """Whatever the portal counts, and whichever page it shows."""
    task = fake.create(3, DAY)
    for number in range(PAGE + 10):
        fake.work(task, 1, DAY, 60 + number)
    tasks, entries = await tasks_changed(portal, {3}, None), fake.tasks[task].entries
    fake.faults += [JSONResponse({"result": {"result": {"c0": {"list": []}}}})] + [
        JSONResponse({"result": {"result": {"c0": page}, "result_total": {"c0": total}}})
        for page in (entries[:PAGE], entries[slice(*second)])
    ]

    if read is None:
        with pytest.raises(WrongAnswer, match="entries of task"):
            await work_on(portal, tasks)
    else:
        (work,) = await work_on(portal, tasks)
        assert len(work.entries) == read


async def test_its_limits_are_never_exceeded(fake, portal, clock):
    began = clock.seconds
    for _ in range(200):
        await portal.call("tasks.task.list", {"start": -1})

    assert fake.refusals == 0
    assert clock.seconds - began == pytest.approx((200 - 40) / 2)


async def test_a_connector_that_is_started_again_and_again_exceeds_them_no_more(fake, clock):
    async with httpx.AsyncClient(transport=httpx.ASGITransport(fake.app)) as client:
        for _ in range(5):
            portal = Portal(SecretStr(WEBHOOK), client, Pace(clock.now, clock.rest))
            for _ in range(30):
                await portal.call("tasks.task.list", {"start": -1})

    assert fake.refusals == 0


async def test_a_method_rests_before_the_portal_blocks_it(fake, portal, clock):
    fake.seconds_a_call = 30

    for _ in range(60):
        await portal.call("tasks.task.list", {"start": -1})

    assert fake.refusals == 0


async def test_a_blocked_method_in_a_batch_is_called_again_alone(fake, portal, clock):
    task = fake.create(3, DAY)
    refused = {"error": "OPERATION_TIME_LIMIT"}
    done = {"result": {"c0": {"list": []}}, "result_error": {"c1": refused}}
    fake.faults.append(JSONResponse({"result": done}))
    history = Call("tasks.task.history.list", {"taskId": task})

    answers = await portal.batch([history, history])

    assert [answer.result for answer in answers] == [{"list": []}, {"list": []}]
    assert fake.calls["tasks.task.history.list"] == 1


@pytest.mark.parametrize(
    "busy",
    [
        problem(503, "QUERY_LIMIT_EXCEEDED"),
        problem(429, "OPERATION_TIME_LIMIT"),
        PlainTextResponse("nginx", 502),
        PlainTextResponse("cut", headers={"Content-Encoding": "gzip"}),
    ],
    ids=["too many requests", "blocked", "no gateway", "cut within what is compressed"],
)
async def test_a_portal_that_is_busy_is_asked_again(fake, portal, busy):
    task = fake.create(3, DAY)
    fake.faults += [busy] * 3

    assert [each.id for each in await tasks_changed(portal, {3}, None)] == [task]


@pytest.mark.parametrize(("told", "seconds"), [("77", 77), ("86400", 3600), ("9" * 400, 3600)])
async def test_it_waits_as_long_as_the_portal_says_and_an_hour_at_most(fake, portal, clock, told, seconds):
    began = clock.seconds
    fake.faults.append(problem(503, "QUERY_LIMIT_EXCEEDED", **{"Retry-After": told}))

    await tasks_changed(portal, {3}, None)

    assert clock.seconds - began == seconds


async def test_a_portal_that_may_not_be_asked_is_named_with_the_setting_that_allows_it(clock):
    class Private(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request):
            raise NotAsked("portal is at 10.0.0.1, a private address: HOURBOOK_PRIVATE_HOSTS may allow it")

    async with httpx.AsyncClient(transport=Private()) as client:
        with pytest.raises(PortalUnavailable, match="HOURBOOK_PRIVATE_HOSTS"):
            await Portal(SecretStr(WEBHOOK), client, Pace(clock.now, clock.rest)).call("tasks.task.list", {})


async def test_a_portal_that_stays_busy_is_unavailable(fake, portal):
    fake.faults += [PlainTextResponse("", 502)] * ATTEMPTS_MAX

    with pytest.raises(PortalUnavailable):
        await tasks_changed(portal, {3}, None)


@pytest.mark.parametrize(
    "answer",
    [
        PlainTextResponse("<html>"),
        JSONResponse([]),
        JSONResponse({"result": []}),
        JSONResponse({"result": {"tasks": [{"id": "1"}]}}),
        JSONResponse({"result": {"tasks": [{"id": True}]}}),
        JSONResponse({"result": {"tasks": "none"}}),
        JSONResponse({"time": {}}),
        JSONResponse({"result": {"tasks": []}}, 302, {"Location": "https://elsewhere.example"}),
        JSONResponse({"result": {"tasks": []}}, 404),
    ],
    ids=[
        "no JSON",
        "no object",
        "no tasks",
        "half a task",
        "a truth value as id",
        "a text for a list",
        "no result",
        "another address",
        "not there",
    ],
)
async def test_half_an_answer_is_none(fake, portal, answer):
    fake.faults.append(answer)

    with pytest.raises(WrongAnswer, match=r"^tasks\.task\.list: "):
        await tasks_changed(portal, {3}, None)


async def test_a_page_that_begins_again_is_refused(fake, portal):
    for _ in range(PAGE + 1):
        fake.create(3, DAY)
    first = await portal.call("tasks.task.list", {"order": {"ID": "asc"}, "start": -1})
    fake.faults += [JSONResponse({"result": first.result})] * 2

    with pytest.raises(WrongAnswer, match="order of their ids"):
        await tasks_changed(portal, {3}, None)


async def test_a_revoked_webhook_is_named_and_never_repeated(fake, portal):
    fake.revoked = True

    with pytest.raises(WebhookRefused, match="make a new one") as refused:
        await tasks_changed(portal, {3}, None)

    assert SECRET.rpartition("/")[2] not in repr(refused.value)
    assert WEBHOOK not in str(refused.value)


async def test_people_are_known_by_name_and_company(portal):
    found = await people(portal, {1, 7, 99})

    assert {user: (person.name, person.type) for user, person in found.items()} == {
        1: ("Пётр Мастер", "employee"),
        7: ("Анна Иванова", "extranet"),
    }
