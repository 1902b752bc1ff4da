"""Rule 3.3: purchases that are agreed one by one."""

import pytest
from pydantic import ValidationError

from contracts.commands import PurchasePackage
from services.ledger.domain.refusals import EffectiveInFuture, InvalidRequest, PackageAlreadyPurchased, UnknownPlan
from tests.ledger.domain.expected_events import (
    carried_over,
    debt_settled,
    moment,
    package_expired,
    package_purchased,
    task_closed,
)
from tests.ledger.domain.test_plans import DATED
from tests.ledger.vocabulary import ACCOUNT_ID, buy, close, given, time_passes

PLANS_OWN = {"minutes": 1200, "price": 6_380_000, "ends": "2026-06-02"}


@pytest.mark.parametrize(
    ("agreed", "comes_to"),
    [
        ({"minutes": 601}, {"minutes": 601, "price": 3_195_317}),
        ({"minutes": 1}, {"minutes": 1, "price": 5_317}),
        ({"minutes": 30}, {"minutes": 30, "price": 159_500}),
        ({"price_kopecks": 0}, {"price": 0}),
        ({"minutes": 90, "price_kopecks": 1}, {"minutes": 90, "price": 1}),
        ({"ends_on": "2026-03-01"}, {"ends": "2026-03-02"}),
        ({"ends_on": "2028-02-29"}, {"ends": "2028-03-01"}),
        ({"minutes": 7, "ends_on": "2026-12-31"}, {"minutes": 7, "price": 37_217, "ends": "2027-01-01"}),
    ],
)
def test_what_was_agreed_is_bought_and_the_rest_is_the_plans(agreed, comes_to):
    given().when(buy("odd", on="2026-03-01 12:00", **agreed)).then(
        package_purchased("odd", plan="hours-20", hour_price=319_000, **PLANS_OWN | comes_to)
    )


def test_a_price_that_follows_from_the_size_is_rounded_half_to_even():
    half = DATED.versions[0].plans["hours-20"].model_copy(update={"hour_price_kopecks": 30})
    odd = DATED.versions[0].model_copy(update={"plans": {"hours-20": half}})
    for minutes, price in ((1, 0), (3, 2), (5, 2), (7, 4)):
        given(terms=type(DATED)((odd,))).when(buy("odd", minutes=minutes)).then(package_purchased("odd", price=price))


def test_the_size_that_was_agreed_costs_by_the_terms_of_the_purchase():
    given(terms=DATED).when(buy("odd", on="2026-07-01", minutes=60)).then(
        package_purchased("odd", price=360_000, low_balance_minutes=15)
    )


def test_the_event_says_what_was_agreed_and_why():
    story = given().when(buy("gift", on="2026-03-01", price_kopecks=0, reason="юбилей"))
    (bought,) = story.latest
    assert bought.agreed.model_dump(exclude_none=True) == {"price_kopecks": 0, "reason": "юбилей"}


def test_the_customer_is_warned_by_the_size_that_was_agreed():
    given().when(buy("odd", minutes=601)).then(package_purchased("odd", low_balance_minutes=60))


def test_the_draws_of_a_gift_cost_nothing():
    given(buy("gift", price_kopecks=0)).when(close("T-1", worked=1200)).then(
        task_closed("T-1", draws=[("gift", 1200, 0)], owed=0)
    )


def test_all_draws_on_an_odd_size_add_up_to_its_price():
    story = given(buy("odd", minutes=23, price_kopecks=100))
    for task, draws in (("a", [("odd", 10, 43)]), ("b", [("odd", 10, 44)]), ("c", [("odd", 3, 13)])):
        story.when(close(task, worked=10)).then(task_closed(task, draws=draws))


def test_an_agreed_end_decides_who_succeeds_whom():
    (
        given(buy("short", on="2026-03-01", ends_on="2026-03-31"), buy("long", on="2026-03-10"))
        .when(time_passes("2026-04-01"))
        .then_lots(("short", 1200), ("long", 1200))
    )
    story = given(buy("first", on="2026-03-01"), buy("shorter", on="2026-03-02", ends_on="2026-03-31"))
    story.when(time_passes("2026-04-01")).then_balance(1200)


def test_a_purchase_recorded_after_its_agreed_end_settles_what_was_owed_in_its_time():
    (
        given(close("T-1", worked=60, on="2026-03-05"))
        .when(buy("late", on="2026-03-01", ends_on="2026-03-10", minutes=45, recorded="2026-04-01"))
        .then(
            package_purchased("late", minutes=45),
            debt_settled("T-1", "late", 45, effective="2026-03-05"),
            package_expired("late", forfeited=[]),
        )
    )


def test_a_late_purchase_with_an_agreed_end_reclaims_what_its_predecessor_lost():
    (
        given(buy("spring", on="2026-03-01"), time_passes("2026-06-02"))
        .when(buy("long", on="2026-05-01", ends_on="2027-01-31", recorded="2026-06-03"))
        .then(
            package_purchased("long", succeeds=("spring",)),
            carried_over("spring", "long", reclaimed=True, ends="2027-02-01"),
        )
    )


def test_the_last_day_is_not_before_the_day_of_the_purchase_in_moscow():
    given().when(buy("p", on="2026-03-01T21:30Z", ends_on="2026-03-01")).then_refused(InvalidRequest)
    given().when(buy("p", on="2026-03-01T20:30Z", ends_on="2026-03-01")).then(package_purchased("p", ends="2026-03-02"))


def test_a_purchase_a_little_ahead_is_of_today_and_so_may_end_today():
    given().when(buy("p", on="2026-03-02 00:02", recorded="2026-03-01 23:58", ends_on="2026-03-01")).then(
        package_purchased("p", effective="2026-03-01 23:58", ends="2026-03-02")
    )


@pytest.mark.parametrize(
    ("plan", "on", "why"),
    [
        ("hours-10", "2026-03-02", UnknownPlan),
        ("hours-20", "2026-03-02", EffectiveInFuture),
        ("hours-20", "2026-02-28", InvalidRequest),
    ],
)
def test_of_several_faults_the_first_in_the_order_of_the_rule_is_named(plan: str, on: str, why):
    given(buy("p", on="2026-02-01")).when(
        buy("p", plan, on=on, recorded="2026-03-01", ends_on="2026-02-01")
    ).then_refused(why)


def test_that_it_was_bought_already_is_named_last():
    given(buy("p", on="2026-02-01")).when(buy("p", on="2026-02-02", ends_on="2026-02-02")).then_refused(
        PackageAlreadyPurchased
    )


@pytest.mark.parametrize(
    "agreed",
    [
        {"reason": "r"},
        {"minutes": 60},
        {"minutes": 0, "reason": "r"},
        {"minutes": -10, "reason": "r"},
        {"minutes": 1_000_001, "reason": "r"},
        {"minutes": "60", "reason": "r"},
        {"minutes": 60.5, "reason": "r"},
        {"minutes": True, "reason": "r"},
        {"price_kopecks": -1, "reason": "r"},
        {"price_kopecks": 1.0, "reason": "r"},
        {"ends_on": "2026-02-30", "reason": "r"},
        {"ends_on": "2026-03-01T00:00:00Z", "reason": "r"},
        {"ends_on": 20_000, "reason": "r"},
        {"ends_on": "9999-12-31", "reason": "r"},
        {"ends_on": "0001-01-01", "reason": "r"},
        {"minutes": 60, "reason": " "},
        {"minutes": 60, "reason": "\u200b"},
        {"minutes": 60, "reason": "r", "discount": 1},
    ],
)
def test_what_does_not_fit_is_no_command(agreed):
    bought = {"package_id": "p", "plan": "hours-20", "purchased_at": moment("2026-03-01"), "account_id": ACCOUNT_ID}
    with pytest.raises(ValidationError):
        PurchasePackage(**bought, agreed=agreed)


def test_an_id_of_the_ledgers_own_is_no_command():
    bought = {"plan": "hours-20", "purchased_at": moment("2026-03-01"), "account_id": ACCOUNT_ID}
    with pytest.raises(ValidationError):
        PurchasePackage(**bought, package_id="compensation-T-1-1")


def test_a_purchase_by_the_plan_is_the_same_command_as_ever():
    plain = PurchasePackage(account_id=ACCOUNT_ID, package_id="p", plan="hours-20", purchased_at=moment("2026-03-01"))
    assert "agreed" not in plain.model_dump_json()
