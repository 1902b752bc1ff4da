"""Rule 3: plans, validity, and terms that are dated."""

from decimal import Decimal

import pytest

from services.ledger.domain.refusals import UnknownPlan
from services.ledger.domain.terms import Terms
from tests.ledger.domain.expected_events import debt_paid, moment, package_purchased, task_closed
from tests.ledger.vocabulary import TERMS, buy, close, given, pay

FIRST = TERMS.versions[0]
DEARER = FIRST.plans["hours-20"].model_copy(
    update={"price_kopecks": 7_200_000, "hour_price_kopecks": 360_000, "validity_months": 2}
)
SECOND = FIRST.model_copy(
    update={
        "name": "2026-07",
        "in_force_from": moment("2026-07-01"),
        "debt_hour_price_kopecks": 360_000,
        "low_balance_percent": 25,
        "expiring_days": 30,
        "coefficients": {**FIRST.coefficients, "urgent": Decimal(2)},
        "plans": {"hours-20": DEARER},
    }
)
DATED = Terms((FIRST, SECOND))


@pytest.mark.parametrize(
    ("plan", "minutes", "hour_price", "price", "ends"),
    [
        ("hours-20", 1200, 319_000, 6_380_000, "2026-04-16"),
        ("hours-30", 1800, 289_000, 8_670_000, "2026-07-16"),
        ("hours-50", 3000, 273_000, 13_650_000, "2026-10-16"),
        ("hours-100", 6000, 259_000, 25_900_000, "2027-01-16"),
    ],
)
def test_a_package_has_the_hours_the_price_and_the_validity_of_its_plan(plan, minutes, hour_price, price, ends):
    (
        given()
        .when(buy("first", plan, on="2026-01-15"))
        .then(package_purchased("first", plan=plan, minutes=minutes, hour_price=hour_price, price=price, ends=ends))
    )


@pytest.mark.parametrize(
    ("plan", "bought", "ends"),
    [
        ("hours-20", "2026-01-31", "2026-05-01"),
        ("hours-20", "2027-11-30", "2028-03-01"),
        ("hours-20", "2026-11-30", "2027-03-01"),
        ("hours-30", "2026-08-31", "2027-03-01"),
        ("hours-100", "2028-02-29", "2029-03-01"),
        ("hours-20", "2026-09-30", "2026-12-31"),
        ("hours-20", "2026-03-31 23:59:59.999999", "2026-07-01"),
        ("hours-20", "2026-03-31T21:00Z", "2026-07-02"),
    ],
)
def test_a_package_is_valid_to_the_end_of_its_last_day_clamped_to_the_month(plan: str, bought: str, ends: str):
    given().when(buy("first", plan, on=bought)).then(package_purchased("first", effective=bought, ends=ends))


def test_a_plan_nobody_offers_cannot_be_bought():
    given().when(buy("first", "hours-10")).then_refused(UnknownPlan)


def test_a_purchase_recorded_after_a_new_price_list_has_the_old_price():
    (
        given(terms=DATED)
        .when(buy("late", "hours-20", on="2026-06-30 23:59", recorded="2026-07-05"))
        .then(package_purchased("late", price=6_380_000, terms_version="2024-01", ends="2026-10-01"))
    )


def test_a_new_price_list_is_in_force_from_its_first_instant():
    (
        given(terms=DATED)
        .when(buy("new", "hours-20", on="2026-07-01"))
        .then(package_purchased("new", price=7_200_000, hour_price=360_000, terms_version="2026-07", ends="2026-09-02"))
    )


@pytest.mark.parametrize(("bought", "low", "days"), [("2026-06-30", 120, 14), ("2026-07-01", 300, 30)])
def test_a_purchase_says_from_when_on_the_customer_is_warned(bought: str, low: int, days: int):
    (
        given(terms=DATED)
        .when(buy("first", "hours-20", on=bought, recorded="2026-07-05"))
        .then(package_purchased("first", low_balance_minutes=low, expiring_days=days))
    )


def test_a_new_price_list_never_changes_an_old_purchase():
    (
        given(buy("spring", "hours-20", on="2026-06-01"), terms=DATED)
        .when(close("T-1", worked=60, on="2026-07-10"))
        .then(task_closed("T-1", draws=[("spring", 60, 319_000)]))
    )


def test_a_plan_taken_off_the_list_can_only_be_bought_late():
    given(terms=DATED).when(buy("gone", "hours-50", on="2026-07-01")).then_refused(UnknownPlan)
    given(buy("gone", "hours-50", on="2026-06-30", recorded="2026-07-01"), terms=DATED)


def test_a_purchase_counted_as_now_has_the_terms_of_now():
    (
        given(terms=DATED)
        .when(buy("hasty", "hours-50", on="2026-07-01 00:01", recorded="2026-06-30 23:58"))
        .then(package_purchased("hasty", terms_version="2024-01"))
    )


@pytest.mark.parametrize(
    ("started", "coefficient", "version"),
    [("2026-06-30 23:59", "1.5", "2024-01"), ("2026-07-01 00:00", "2", "2026-07")],
)
def test_the_coefficient_is_that_of_the_terms_in_force_when_work_started(started, coefficient, version):
    (
        given(terms=DATED)
        .when(close("T-1", category="urgent", agreed=started, started=started, on="2026-07-02"))
        .then(task_closed("T-1", coefficient=coefficient, terms_version=version))
    )


@pytest.mark.parametrize(
    ("closed", "confirmed", "version"),
    [("2026-06-30", "2026-06-30", "2024-01"), ("2026-06-30", "2026-07-01", "2026-07")],
)
def test_of_a_start_unknown_the_terms_are_those_of_the_effect(closed: str, confirmed: str, version: str):
    (
        given(terms=DATED)
        .when(close("T-1", closed=closed, confirmed=confirmed, recorded="2026-07-05"))
        .then(task_closed("T-1", terms_version=version))
    )


def test_work_counted_as_now_has_the_terms_of_now():
    (
        given(terms=DATED)
        .when(close("T-1", on="2026-07-01 00:02", recorded="2026-06-30 23:58"))
        .then(task_closed("T-1", effective="2026-06-30 23:58", terms_version="2024-01"))
    )


@pytest.mark.parametrize(("paid", "money"), [("2026-06-30 23:59", 319_000), ("2026-07-01", 360_000)])
def test_debt_is_paid_at_the_price_in_force_when_it_is_paid(paid: str, money: int):
    (
        given(close("T-1", worked=60, on="2026-06-01"), terms=DATED)
        .when(pay(60, on=paid, recorded="2026-07-05"))
        .then(debt_paid(60, money=money))
    )
