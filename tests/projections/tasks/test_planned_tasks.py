"""Rules 5.8 and 15 in the explanation of a task: estimate beside fact, plans, and what is a specification."""

from tests.ledger.vocabulary import EVIDENCE, buy, close, drop_plan, given, mark_warranty, plan, reopen
from tests.projections.tasks.explained import explained, text

BOUGHT = buy("spring", on="2026-03-01")


def test_a_task_that_is_only_planned_says_what_it_is_expected_to_take():
    story = given(BOUGHT, plan("T-1", 90, category="urgent", on="2026-03-02"))
    task = explained(story)
    assert (task.closed, task.closings, task.charged_minutes_now) == (False, (), 0)
    assert task.plan
    assert (task.plan.estimated_minutes, task.plan.planned_minutes, task.plan.category) == (90, 135, "urgent")
    assert text(story, lang="en") == (
        "The task was planned on 2 March 2026: an estimate of 1 hour 30 minutes, "
        "and 2 hours 15 minutes with its coefficient."
    )
    assert text(story).startswith("Задача запланирована 2 марта 2026")


def test_a_plan_ends_by_dropping_and_by_closing_and_counts_nothing_under_warranty():
    dropped = given(BOUGHT, plan("T-1"), drop_plan("T-1"))
    assert (explained(dropped).plan, text(dropped, lang="en")) == (
        None,
        "The task is planned no more, and costs nothing.",
    )
    marked = explained(given(BOUGHT, plan("T-1"), mark_warranty("T-1")))
    assert marked.plan
    assert (marked.plan.estimated_minutes, marked.plan.planned_minutes) == (60, 0)
    assert explained(given(BOUGHT, plan("T-1"), close("T-1"))).plan is None


def test_the_estimate_stands_beside_the_fact():
    story = given(BOUGHT, plan("T-1", 90), close("T-1", worked=120), reopen("T-1"), close("T-1", worked=60))
    assert [closing.estimated_minutes for closing in explained(story).closings] == [90, 90]
    assert text(story, lang="en").count("The estimate was 1 hour 30 minutes.") == 2
    story = given(BOUGHT, plan("T-1", 90), drop_plan("T-1"), close("T-1", worked=120))
    assert [closing.estimated_minutes for closing in explained(story).closings] == [None]


def test_a_task_planned_again_after_it_was_reopened_shows_its_plan():
    task = explained(given(BOUGHT, close("T-1"), reopen("T-1"), plan("T-1", 30)))
    assert task.plan
    assert (task.plan.estimated_minutes, task.closings[0].estimated_minutes) == (30, None)


def test_what_the_worked_time_was_made_of_is_told():
    evidence = {"raw_seconds": 5400, "entries": 2}
    story = given(BOUGHT, close("T-1", worked=90, evidence=evidence))
    stated = explained(story).closings[0].evidence
    assert stated
    assert stated.model_dump(mode="json") == EVIDENCE | evidence
    assert f"Записи времени в bitrix24: 2, вместе 5 400 с, округлено вверх; хеш записей {'5f' * 32}." in text(story)
    assert "Entries of time in bitrix24: 2, 5 400 s together, rounded up; hash" in text(story, lang="en")
    assert "bitrix24" not in text(given(BOUGHT, close("T-1")))


def test_a_specification_is_explained_as_what_it_is():
    spec = close("T-1", kind="specification", package_use_agreed="2026-03-04", on="2026-03-05")
    story = given(BOUGHT, spec)
    assert explained(story).closings[0].kind == "specification"
    assert "the customer agreed on 4 March 2026 that the package pays for it." in text(story, lang="en")
    assert "подготовка ТЗ" in text(story)
    assert "ТЗ" not in text(given(BOUGHT, close("T-1")))
