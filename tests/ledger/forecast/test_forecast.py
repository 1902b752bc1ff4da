"""Forecasts are honest (rule 18.1), repeat themselves, and follow the rules of draws and ends."""

import os
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from services.ledger.domain.account import Account
from services.ledger.forecast.draw_down import drawn_down
from services.ledger.forecast.evaluation import cases, quality
from services.ledger.forecast.usage import usage
from services.ledger.forecast.view import forecast
from tests.ledger.forecast.customers import BEGINS_AT, customer
from tests.ledger.vocabulary import Story, buy, close, given, reopen

CUSTOMERS = 100 if os.environ.get("HYPOTHESIS_PROFILE") == "campaign" else 25
WEEK = timedelta(weeks=1)
NOW = datetime(2026, 3, 2, tzinfo=UTC)


def test_what_comes_true_lies_where_it_was_expected_and_a_straight_line_is_worse():
    found = quality(case for seed in range(CUSTOMERS) for case in cases(f"customer-{seed}", customer(seed)))
    print(found)
    assert set(found) == {"run_out_on", "forfeited"}
    for kind, of in found.items():
        assert of.cases >= 3 * CUSTOMERS, kind
        assert 0.7 <= of.inside <= 0.9, (kind, of)
        assert of.against_line < 1, (kind, of)


def account(story: Story) -> Account:
    return story.account


def busy() -> Account:
    """An hour of work a week for ten weeks, of a package of twenty hours that is valid up to April."""
    weeks = [close(f"T-{week}", worked=60, on=str(BEGINS_AT + (week + 0.5) * WEEK)) for week in range(8)]
    return account(given(buy("spring", "hours-20", on=str(BEGINS_AT)), *weeks))


def test_the_same_past_gives_the_same_forecast():
    assert forecast(busy(), 11, NOW) == forecast(busy(), 11, NOW)
    assert forecast(busy(), 11, NOW) != forecast(busy(), 12, NOW)


def test_percentiles_are_in_order_and_no_more_is_lost_than_there_is():
    shown = forecast(busy(), 11, NOW)
    assert shown.weeks_of_history == 8
    assert shown.run_out_on.p10 <= shown.run_out_on.p50 <= shown.run_out_on.p90 <= date(2026, 4, 6)
    (end,) = shown.ends
    assert end.package_id == "spring"
    assert 0 < end.forfeited_minutes.p10 < end.forfeited_minutes.p50 < end.forfeited_minutes.p90 <= 1200 - 8 * 60
    assert end.forfeited_amount_kopecks.p50 == pytest.approx(end.forfeited_minutes.p50 * 3190 * 100 / 60, rel=0.001)


def test_an_account_that_has_used_nothing_loses_everything_at_the_end():
    unused = account(given(buy("spring", "hours-20", on=str(BEGINS_AT))))
    shown = forecast(unused, 2, NOW)
    (end,) = shown.ends
    assert end.forfeited_minutes.p10 == end.forfeited_minutes.p90 == 1200
    assert end.forfeited_amount_kopecks.p10 == end.forfeited_amount_kopecks.p90 == 6_380_000
    assert shown.run_out_on.p10 == shown.run_out_on.p90 == date(2026, 4, 6)


@pytest.mark.parametrize(
    "history",
    [
        (),
        (close("T-1", worked=60, on="2026-02-20"),),
        (buy("spring", "hours-20", on="2026-02-20"), close("T-1", worked=1200, on="2026-02-21")),
        (buy("spring", "hours-20", on="2026-02-20"), close("T-1", worked=1300, on="2026-02-21")),
        (buy("spring", "hours-20", on="2026-03-01"), close("T-1", worked=1200, on="2026-03-02")),
    ],
)
def test_an_account_without_hours_has_run_out_already(history: tuple[Any, ...]):
    """Also while a package that holds nothing has not ended yet."""
    shown = forecast(account(given(*history)), 1, NOW)
    assert shown.run_out_on.p10 == shown.run_out_on.p90 == date(2026, 3, 2)
    assert all(end.forfeited_minutes.p90 == 0 for end in shown.ends)


def test_hours_are_carried_over_to_a_successor_that_is_known():
    after = account(
        given(
            buy("spring", "hours-20", on=str(BEGINS_AT)),
            buy("summer", "hours-30", on="2026-02-20"),
        )
    )
    used = [(datetime(2026, 3, 10, tzinfo=UTC), 700), (datetime(2026, 5, 10, tzinfo=UTC), 900)]
    outcome = drawn_down(after, used, NOW)
    assert outcome.forfeited["spring"].forfeited_minutes == 0
    assert outcome.forfeited["summer"].forfeited_minutes == 3000 - 1600
    early = [(datetime(2026, 3, 10, tzinfo=UTC), 1200), (datetime(2026, 5, 10, tzinfo=UTC), 1800)]
    assert drawn_down(after, early, NOW).run_out_on == date(2026, 5, 10)


def test_what_was_taken_back_is_no_use():
    story = given(
        buy("spring", "hours-20", on=str(BEGINS_AT)),
        close("T-1", worked=60, on="2026-02-20"),
        close("T-2", worked=120, on="2026-02-20"),
        reopen("T-1", on="2026-02-21"),
    )
    past = usage(account(story), NOW)
    assert len(past) == 7 * 7 + 7
    assert sum(past) == 120
