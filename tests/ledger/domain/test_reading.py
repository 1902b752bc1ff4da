"""Rules 7.5 and 12: what a balance was at an instant, and what it was known to be."""

import pytest

from contracts.envelope import RecordedEvent
from services.ledger.audit.replay import replay
from tests.ledger.domain.expected_events import moment
from tests.ledger.vocabulary import (
    ACCOUNT_ID,
    Story,
    buy,
    close,
    given,
    mark_warranty,
    pay,
    resume,
    suspend,
    time_passes,
)


@pytest.fixture
def story() -> Story:
    """A closing of March that was recorded in April."""
    return given(
        buy("spring", "hours-20", on="2026-03-01"), close("T-1", worked=60, on="2026-03-10", recorded="2026-04-05")
    )


def test_a_balance_has_two_times(story: Story):
    story.then_balance(1140, as_of="2026-03-10")
    story.then_balance(1200, as_of="2026-03-10", known_at=moment("2026-04-04 23:59"))
    story.then_balance(1140, as_of="2026-03-10", known_at=moment("2026-04-05"))
    story.then_balance(1200, as_of="2026-03-09", known_at=moment("2026-04-05"))
    story.then_balance(0, as_of="2026-02-28")


@pytest.mark.parametrize(("position", "minutes"), [(0, 0), (1, 0), (2, 1200), (3, 1140), (99, 1140)])
def test_what_was_known_may_be_told_by_a_position_of_the_log(story: Story, position: int, minutes: int):
    story.then_balance(minutes, as_of="2026-04-10", known_at=position)


def test_the_position_is_that_of_the_last_event_it_rests_on(story: Story):
    at = moment("2026-04-10")
    assert replay(ACCOUNT_ID, story.recorded, at, None).position == 3
    assert replay(ACCOUNT_ID, story.recorded, at, moment("2026-04-01")).position == 2
    assert replay(ACCOUNT_ID, [], at, None).position == 0


def test_a_lot_is_shown_with_the_package_that_held_it_then():
    carried = given(
        buy("spring", "hours-20", on="2026-03-01"), buy("half", "hours-30", on="2026-05-01"), time_passes("2026-06-10")
    )
    for as_of, holder, ends in (("2026-06-01 23:59", "spring", "2026-06-02"), ("2026-06-02", "half", "2026-11-02")):
        lots = replay(ACCOUNT_ID, carried.recorded, moment(as_of), None).lots
        assert [(lot.lot_id, lot.package_id, lot.plan, lot.ends_at) for lot in lots] == [
            ("spring", holder, "hours-20", moment(ends)),
            ("half", "half", "hours-30", moment("2026-11-02")),
        ]


def test_a_lot_of_compensation_has_no_plan():
    made_up = given(
        buy("spring", "hours-20", on="2026-03-01"), close("T-1", worked=60), mark_warranty("T-1", on="2026-06-10")
    )
    (lot,) = replay(ACCOUNT_ID, made_up.recorded, moment("2026-06-10"), None).lots
    assert (lot.lot_id, lot.plan, lot.size_minutes, lot.price_kopecks) == ("compensation-T-1-1", None, 60, 319_000)


def test_what_is_due_then_but_not_known_yet_counts_as_recorded(story: Story):
    story.then_balance(1140, as_of="2026-06-01 23:59:59.999999").then_balance(0, as_of="2026-06-02")
    known_in_march = moment("2026-03-15")
    story.then_balance(1200, as_of="2026-06-01", known_at=known_in_march)
    story.then_balance(0, as_of="2026-06-02", known_at=known_in_march)


def test_held_and_owed_make_the_balance(story: Story):
    story.when(close("T-2", worked=1150, on="2026-04-06")).when(pay(4, on="2026-04-07"))
    view = replay(ACCOUNT_ID, story.recorded, moment("2026-04-08"), None)
    assert (view.held_minutes, view.owed_minutes, view.balance_minutes, view.balance_hours) == (0, 6, -6, "-0.10")


@pytest.mark.parametrize(
    ("as_of", "suspended"), [("2026-03-01", False), ("2026-03-02", True), ("2026-03-04", True), ("2026-03-05", False)]
)
def test_suspended_is_what_it_was_then(as_of: str, suspended: bool):
    told = given(close("T-1", on="2026-03-01"), suspend(on="2026-03-02"), resume(on="2026-03-05"))
    assert replay(ACCOUNT_ID, told.recorded, moment(as_of), None).suspended is suspended


def test_an_event_that_nobody_knows_is_not_skipped(story: Story):
    unknown = RecordedEvent.model_validate(story.recorded[-1].model_dump() | {"type": "TaskForgotten"})
    with pytest.raises(KeyError):
        replay(ACCOUNT_ID, [*story.recorded, unknown], moment("2026-04-10"), None)
