"""Where the settings allow it each charged task says in one comment what it cost: edited, and never there twice."""

import httpx
import pytest
from pydantic import SecretStr, ValidationError

from services.bitrix24.pace import Pace
from services.bitrix24.portal import Portal
from services.bitrix24.recording import Rounds
from services.bitrix24.settings import Connector
from services.bitrix24.wording import Charge, charged_text
from tests.bitrix24.fake_portal import WEBHOOK_USER, FakePortal
from tests.bitrix24.trade import CUSTOMERS, OKA, SELLERS, SETTINGS, VOLGA, WEBHOOK, at, confirmed

PAGES = "https://hours.example"
ANSWERING = Connector.model_validate(
    SETTINGS.model_dump(exclude={"webhook"})
    | {"webhook": WEBHOOK, "apply": ["correct", "reopen", "move"], "answers": {"url": f"{PAGES}/"}}
)


@pytest.fixture
def rounds(portal, hourbook) -> Rounds:
    return Rounds(portal, hourbook, ANSWERING)


def comments(fake: FakePortal, task: int) -> list[str]:
    return [each["POST_MESSAGE"] for each in fake.tasks[task].comments]


async def test_a_charged_task_says_what_it_cost_and_where_it_stands_why(fake, rounds):
    task = confirmed(fake)
    open_yet = fake.create(OKA, at("2026-03-02 09:00"))

    for _ in range(2):
        await rounds.next()

    link = f"{PAGES}/customers/oka/tasks/B24-{task}"
    said = "Учтено 0,83 ч: отработано 0,83 ч × 1. В долг: 0,83 ч. Остаток после этого: -0,83 ч."
    assert comments(fake, task) == [f"{said}\nПочему столько: {link}\nhourbook:B24-{task}:oka:1-closed"]
    assert comments(fake, open_yet) == []


async def test_the_comment_follows_what_becomes_of_the_charge(fake, rounds):
    task = confirmed(fake)
    fake.write(task, CUSTOMERS, f"Что за hourbook:B24-{task}:oka:1-closed?", at("2026-03-02 14:00"))
    await rounds.next()
    others, first = comments(fake, task)

    fake.work(task, SELLERS, at("2026-03-02 15:00"), 600)
    await rounds.next()
    assert comments(fake, task) == [others, first.replace("0,83", "1,00").replace(":oka:1-closed", ":oka:2-closed")]

    fake.set_status(task, 3, SELLERS, at("2026-03-05 10:00"))
    await rounds.next()
    taken_back = comments(fake, task)[1]
    assert taken_back.startswith("Учтённое время снято")

    fake.move(task, VOLGA, SELLERS, at("2026-03-05 11:00"))
    fake.set_status(task, 4, SELLERS, at("2026-03-05 12:00"))
    fake.set_status(task, 5, CUSTOMERS, at("2026-03-05 13:00"))
    await rounds.next()
    assert (comments(fake, task)[0], len(comments(fake, task))) == (others, 2)
    assert "/customers/volga/" in comments(fake, task)[1]


class Deaf(httpx.ASGITransport):
    """The portal hears what is written, and its answer is lost."""

    lost = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await super().handle_async_request(request)
        if request.url.path.endswith("task.commentitem.add"):
            self.lost += 1
            raise httpx.ReadError("cut")
        return answer


@pytest.mark.parametrize("killed", [False, True], ids=["the same process", "another process"])
async def test_a_comment_whose_answer_was_lost_is_not_written_again(fake, clock, portal, hourbook, killed):
    task = confirmed(fake)
    line = Deaf(fake.app)
    async with httpx.AsyncClient(transport=line) as client:
        rounds = Rounds(Portal(SecretStr(WEBHOOK), client, Pace(clock.now, clock.rest)), hourbook, ANSWERING)
        outcomes = await rounds.next()
        assert [(each.outcome, each.reason.partition(":")[0]) for each in outcomes] == [
            ("recorded", ""), ("refused", "no more comments are written now"),
        ]  # fmt: skip
        again = Rounds(portal, hourbook, ANSWERING) if killed else rounds

        assert [each for each in await again.next() if each.outcome != "recorded"] == []

    assert (line.lost, len(comments(fake, task))) == (1, 1)


async def test_a_task_that_takes_no_comment_holds_up_no_other(fake, rounds):
    tasks = [confirmed(fake), confirmed(fake)]
    await Rounds(rounds.portal, rounds.hourbook, SETTINGS).next()
    refused = {"error": "ERROR_CORE", "error_description": "ACTION_NOT_ALLOWED"}
    fake.before["task.commentitem.add"] = lambda params: refused if int(params["TASKID"]) == tasks[0] else None

    said = [each for each in await rounds.next() if each.outcome != "recorded"]

    assert [(each.task_id, each.reason[:21]) for each in said] == [(f"B24-{tasks[0]}", "no comment is written")]
    assert [len(comments(fake, task)) for task in tasks] == [0, 1]


async def test_an_earlier_connectors_comments_are_found_without_asking_the_ledger_again(fake, portal, hourbook):
    for _ in range(3):
        confirmed(fake)
    await Rounds(portal, hourbook, ANSWERING).next()
    before = fake.calls.copy()

    await Rounds(portal, hourbook, ANSWERING).next()

    assert fake.calls["task.commentitem.add"] - before["task.commentitem.add"] == 0
    assert fake.calls["task.commentitem.update"] == 0
    assert fake.calls["task.commentitem.getlist"] - before["task.commentitem.getlist"] == 3


async def test_a_long_conversation_is_read_to_its_end(fake, rounds):
    task = confirmed(fake)
    for number in range(120):
        fake.write(task, CUSTOMERS, f"{number}", at("2026-03-02 14:00"))
    fake.write(task, WEBHOOK_USER, f"… hourbook:B24-{task}:oka:1-closed", at("2026-03-02 14:00"))

    await rounds.next()

    assert len(comments(fake, task)) == 121


async def test_a_portal_that_fails_meanwhile_takes_nothing_back(fake, rounds):
    task = confirmed(fake)
    await Rounds(rounds.portal, rounds.hourbook, SETTINGS).next()
    fake.before["task.commentitem.getlist"] = lambda _: {"error": "OPERATION_TIME_LIMIT"}
    (outcome,) = [each for each in await rounds.next() if each.outcome != "recorded"]
    assert outcome.reason.startswith("no more comments are written now")

    fake.before.clear()
    assert [each for each in await rounds.next() if each.outcome != "recorded"] == []
    assert len(comments(fake, task)) == 1


def test_the_text_names_packages_and_what_is_owed_in_both_languages():
    charge = Charge(180, 120, "1.5", ("spring", "summer"), 30, -30)
    assert charged_text(charge, "https://h/t", "ru") == (
        "Учтено 3,00 ч: отработано 2,00 ч × 1,5. Пакет: spring, summer. В долг: 0,50 ч. "
        "Остаток после этого: -0,50 ч.\nПочему столько: https://h/t"
    )
    assert charged_text(charge, "https://h/t", "en") == (
        "Charged 3.00 h: 2.00 h of work × 1.5. Package: spring, summer. Owed: 0.50 h. "
        "Left after that: -0.50 h.\nWhy so much: https://h/t"
    )


@pytest.mark.parametrize("url", ["hours.example", "https://", "javascript:alert(1)"])
def test_an_address_that_is_none_is_refused(url: str):
    with pytest.raises(ValidationError, match="no address of Hourbook"):
        Connector.model_validate(
            SETTINGS.model_dump(exclude={"webhook"}) | {"webhook": WEBHOOK, "answers": {"url": url}}
        )
