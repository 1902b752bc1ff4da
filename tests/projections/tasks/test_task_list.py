"""The list of an account's tasks: what each is now, filtered, in an order, page by page."""

from itertools import chain
from typing import Any

import httpx
import pytest

from tests.projections.questions import Queries, pages
from tests.projections.vocabulary import (
    Log,
    closed,
    marked,
    moment,
    opened,
    plan_dropped,
    planned,
    purchased,
    reopened,
    settled,
)


@pytest.fixture
def busy(log: Log) -> Log:
    """Tasks that were closed, reopened, closed anew, marked before and after their closing."""
    log.record("romashka", opened(), purchased("spring", 6000, on="2026-03-01", until="2026-09-02"))
    log.record("romashka", closed("plain", on="2026-03-05", owed=60, title="Печать"))
    log.record("romashka", settled("plain", "spring", 60, on="2026-03-05"))
    log.record("romashka", closed("urgent", on="2026-03-06", draws={"spring": 90}, category="urgent"))
    log.record("romashka", closed("again", on="2026-03-07", draws={"spring": 30}))
    log.record("romashka", reopened("again", on="2026-03-07"), at="2026-03-08")
    log.record(
        "romashka", closed("again", on="2026-03-09", draws={"spring": 50}, closure=2, title="Снова"), at="2026-03-09"
    )
    log.record("romashka", closed("reopened", on="2026-03-10", draws={"spring": 30}))
    log.record("romashka", reopened("reopened", on="2026-03-10"), at="2026-03-11")
    log.record("romashka", closed("taken-back", on="2026-03-12", draws={"spring": 30}))
    log.record("romashka", marked("taken-back", on="2026-03-12"), at="2026-03-13")
    log.record("romashka", marked("marked", on="2026-03-14").model_copy(update={"closure": None}))
    log.record("romashka", marked("known", on="2026-03-14").model_copy(update={"closure": None}))
    log.record("romashka", closed("known", on="2026-03-15", warranty=True, charged_minutes=0, worked_minutes=40))
    log.record("other", opened(), closed("plain", on="2026-03-05", owed=60))
    log.clock = moment("2026-03-20")
    return log


async def test_each_task_shows_what_it_is_now(busy: Log, ask: Queries):
    found = {one["task_id"]: one for one in (await ask("/romashka/tasks"))["tasks"]}
    shown = {
        name: (one["state"], one["under_warranty"], one["closings"], one["worked_minutes"], one["charged_minutes"])
        for name, one in found.items()
    }
    assert shown == {
        "known": ("warranty", True, 1, 40, 0),
        "taken-back": ("warranty", True, 1, 30, 0),
        "reopened": ("open", False, 1, 0, 0),
        "again": ("closed", False, 2, 50, 50),
        "urgent": ("closed", False, 1, 90, 90),
        "plain": ("closed", False, 1, 60, 60),
        "marked": ("open", True, 0, 0, 0),
    }
    assert found["again"] == {
        "task_id": "again",
        "title": "Снова",
        "category": "regular",
        "state": "closed",
        "under_warranty": False,
        "closings": 2,
        "worked_minutes": 50,
        "charged_minutes": 50,
        "charged_hours": "0.83",
        "last_closed_at": "2026-03-08T21:00:00Z",
        "estimated_minutes": None,
        "planned_minutes": None,
        "planned_start_at": None,
    }
    assert (found["marked"]["title"], found["marked"]["category"], found["marked"]["last_closed_at"]) == (None,) * 3


NEWEST_FIRST = ["known", "taken-back", "reopened", "again", "urgent", "plain", "marked"]


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({}, NEWEST_FIRST),
        ({"sort": "last_closed_at"}, NEWEST_FIRST[::-1]),
        ({"sort": "task_id"}, sorted(NEWEST_FIRST)),
        ({"state": "open"}, ["reopened", "marked"]),
        ({"state": "warranty"}, ["known", "taken-back"]),
        ({"state": "closed", "sort": "task_id"}, ["again", "plain", "urgent"]),
        ({"category": "urgent"}, ["urgent"]),
        ({"to": "2026-03-07T00:00:00+03:00"}, ["urgent", "plain"]),
        ({"since": "2026-03-09T00:00:00+03:00", "to": "2026-03-12T00:00:00+03:00"}, ["reopened", "again"]),
    ],
)
async def test_tasks_are_filtered_ordered_and_paged(busy: Log, ask: Queries, asked: dict[str, Any], names: list[str]):
    found = await pages(ask, "/romashka/tasks", "tasks", limit=2, **asked)
    assert [one["task_id"] for one in chain.from_iterable(found)] == names


async def test_a_cursor_of_another_order_is_refused(busy: Log, ask: Queries, client: httpx.AsyncClient):
    page = await ask("/romashka/tasks", limit=1)
    asked = {"sort": "task_id", "cursor": page["next_cursor"]}
    refused = await client.get("/v1/accounts/romashka/tasks", params=asked)
    assert [wrong["field"] for wrong in refused.json()["fields"]] == ["cursor"]


async def test_an_account_without_tasks_lists_none(log: Log, ask: Queries):
    log.record("empty", opened())
    assert await ask("/empty/tasks") == {"account_id": "empty", "tasks": [], "next_cursor": None}


@pytest.fixture
def to_come(log: Log) -> Log:
    """Tasks that are planned: by that alone, after a reopening, under warranty; and plans that stand no more."""
    log.record("romashka", opened(), purchased("spring", 6000, on="2026-03-01", until="2026-09-02"))
    start = moment("2026-04-01")
    log.record("romashka", planned("new", 90, on="2026-03-02").model_copy(update={"planned_start_at": start}))
    log.record("romashka", planned("dropped", 60, on="2026-03-02"), plan_dropped("dropped", on="2026-03-03"))
    log.record("romashka", planned("done", 60, on="2026-03-02"), closed("done", on="2026-03-04", owed=60))
    log.record("romashka", closed("again", on="2026-03-05", owed=30), reopened("again", on="2026-03-05"))
    log.record("romashka", planned("again", 20, on="2026-03-06"), planned("again", 40, on="2026-03-07"))
    log.record("romashka", planned("free", 60, on="2026-03-02"))
    log.record("romashka", marked("free", on="2026-03-08").model_copy(update={"closure": None}))
    log.record("romashka", planned("marked", 60, on="2026-03-02"), marked("marked", on="2026-03-08"))
    log.record("romashka", plan_dropped("marked", on="2026-03-09"))
    log.clock = moment("2026-03-20")
    return log


async def test_tasks_that_are_only_planned_are_listed_with_their_plans(to_come: Log, ask: Queries):
    found = {one["task_id"]: one for one in (await ask("/romashka/tasks"))["tasks"]}
    assert {name: (one["state"], one["estimated_minutes"], one["planned_minutes"]) for name, one in found.items()} == {
        "new": ("open", 90, 90),
        "done": ("closed", None, None),
        "again": ("open", 40, 40),
        "free": ("open", 60, 0),
        "marked": ("open", None, None),
    }
    new = found["new"]
    assert (new["title"], new["category"], new["planned_start_at"]) == (
        "Перенос портала",
        "regular",
        "2026-03-31T21:00:00Z",
    )
    assert (new["closings"], new["last_closed_at"], new["charged_minutes"]) == (0, None, 0)


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({"planned": True}, ["again", "free", "new"]),
        ({"planned": False}, ["done", "marked"]),
        ({"planned": True, "state": "open", "category": "urgent"}, []),
    ],
)
async def test_tasks_are_found_by_whether_they_are_planned(
    to_come: Log, ask: Queries, asked: dict[str, Any], names: list[str]
):
    found = await pages(ask, "/romashka/tasks", "tasks", limit=2, sort="task_id", **asked)
    assert [one["task_id"] for one in chain.from_iterable(found)] == names


async def test_a_plan_that_was_dropped_leaves_no_task_in_the_list(to_come: Log, ask: Queries):
    """Also where the list knew it, and it can be planned anew."""
    assert "dropped" not in {one["task_id"] for one in (await ask("/romashka/tasks"))["tasks"]}
    to_come.record("romashka", plan_dropped("new", on="2026-03-20"), planned("dropped", 30, on="2026-03-20"))
    assert [one["task_id"] for one in (await ask("/romashka/tasks", planned=True, sort="task_id"))["tasks"]] == [
        "again",
        "dropped",
        "free",
    ]
