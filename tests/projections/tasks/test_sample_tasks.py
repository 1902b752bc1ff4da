"""Every task of the sample, explained over HTTP: draws + owed = charged, and money is what all reports say together."""

from collections import Counter

import asyncpg
import httpx
import pytest

from services.projections.following.logged import Logged
from services.projections.monthly_reports import MONTHLY_REPORTS
from services.projections.tasks import TASKS
from services.projections.tasks.queries import task
from tests.projections.questions import Queries
from tests.projections.sample import sample_log
from tests.projections.vocabulary import Log, closed, marked, moment, opened, purchased

MONEY = "SELECT account_id, task_id, sum(amount_kopecks)::bigint AS amount FROM report_entry GROUP BY 1, 2"


async def test_every_task_of_the_sample_adds_up_and_costs_what_the_reports_say(database: asyncpg.Pool):
    lines = [Logged.read(line) for line in sample_log().lines]
    async with database.acquire() as connection:
        for first in range(0, len(lines), 100):
            for projection in (TASKS, MONTHLY_REPORTS):
                await projection.project(connection, lines[first : first + 100])
        reported = {(row["account_id"], row["task_id"]): row["amount"] for row in await connection.fetch(MONEY)}
        tasks = Counter((recorded.account_id, getattr(event, "task_id", None)) for recorded, event in lines)
        explained = [
            await task(connection, account_id, task_id, None, "ru", len(lines))
            for account_id, task_id in tasks
            if task_id
        ]
    assert sum(len(one.closings) for one in explained) == 583
    for one in explained:
        assert one.amount_kopecks_now == reported.get((one.account_id, one.task_id), 0)
        for closing in one.closings:
            assert sum(draw.minutes for draw in closing.draws) + closing.owed_minutes == closing.charged_minutes
            order = [(draw.package_ends_at, draw.lot_starts_at, draw.lot_id) for draw in closing.draws]
            assert order == sorted(order)
            assert closing.owed_minutes_now >= 0
        assert "{" not in one.explanation
        assert ".." not in one.explanation


@pytest.fixture
def spring(log: Log) -> Log:
    """An account with a package, a closed task, and one that is only marked."""
    log.record("romashka", opened(), purchased("spring", 1200, on="2026-03-01", until="2026-06-02"))
    log.record("romashka", closed("T-1", on="2026-03-05", draws={"spring": 100}, amount=531_667))
    log.record("romashka", marked("T-2", on="2026-03-06").model_copy(update={"closure": None}))
    log.clock = moment("2026-03-20")
    return log


async def test_each_step_of_a_task_tells_who_gave_its_command(spring: Log, ask: Queries):
    spring.actor = "key-clerk"
    spring.record("romashka", closed("T-3", on="2026-03-07", draws={"spring": 60}))
    spring.actor = "person-anna"
    spring.record("romashka", marked("T-3", on="2026-03-07"), at="2026-03-08")
    explained = await ask("/romashka/tasks/T-3")
    [closing] = explained["closings"]
    assert closing["actor"] == "key-clerk"
    assert [reversal["actor"] for reversal in closing["reversals"]] == ["person-anna"]
    assert explained["warranty_mark"]["actor"] == "person-anna"
    assert (await ask("/romashka/tasks/T-1"))["closings"][0]["actor"] is None, "recorded before there were actors"


async def test_a_task_is_explained_over_http_in_both_languages(spring: Log, ask: Queries):
    explained = await ask("/romashka/tasks/T-1")
    assert (explained["position"], explained["known_at"], explained["closed"]) == (spring.position, None, True)
    assert explained["closings"][0]["draws"] == [
        {
            "lot_id": "spring",
            "plan": "hours-20",
            "agreed_minutes": None,
            "compensates_task_id": None,
            "lot_starts_at": "2026-02-28T21:00:00Z",
            "package_id": "spring",
            "package_ends_at": "2026-06-01T21:00:00Z",
            "minutes": 100,
            "hours": "1.67",
            "amount_kopecks": 531_667,
            "released": False,
        }
    ]
    assert explained["explanation"].startswith("Задача «Перенос портала» закрыта")
    assert (await ask("/romashka/tasks/T-1", lang="en"))["explanation"].startswith("Task “Перенос портала” was closed")
    assert "ещё не закрыта" in (await ask("/romashka/tasks/T-2"))["explanation"]


async def test_a_task_is_explained_by_what_was_known_then(spring: Log, ask: Queries):
    spring.record("romashka", marked("T-1", on="2026-03-08"))
    assert (await ask("/romashka/tasks/T-1"))["closings"][0]["charged_minutes_now"] == 0
    for known_at in (3, "2026-03-07T00:00:00+03:00"):
        then = await ask("/romashka/tasks/T-1", known_at=known_at)
        assert then["closings"][0]["charged_minutes_now"] == 100
        assert then["closings"][0]["reversals"] == []


async def test_a_task_nobody_recorded_is_not_found(spring: Log, ask: Queries, client: httpx.AsyncClient):
    for path, asked, slug in (
        ("/romashka/tasks/T-9", {}, "task-not-found"),
        ("/romashka/tasks/T-2", {"known_at": 3}, "task-not-found"),
        ("/nobody/tasks/T-1", {}, "account-not-found"),
    ):
        answer = await ask.answer(path, **asked)
        assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (404, slug)
        assert answer.headers["Hourbook-Position"] == str(ask.end_of_log(path))
        assert answer.json()["detail"]
    refused = await client.get("/v1/accounts/romashka/tasks/T%201")
    assert [wrong["field"] for wrong in refused.json()["fields"]] == ["task_id"]
    refused = await client.get("/v1/accounts/romashka/tasks/T-1?lang=de")
    assert [wrong["field"] for wrong in refused.json()["fields"]] == ["lang"]
