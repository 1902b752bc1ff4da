"""Rule 3.1: the seller's terms, dated and append-only."""

import tomllib
from collections.abc import Callable
from copy import deepcopy
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from services.ledger.domain.terms import Terms
from tests.ledger.domain.expected_events import moment
from tests.ledger.vocabulary import TERMS_FILE

DOCUMENT = tomllib.loads(TERMS_FILE.read_text(encoding="utf-8"))


def document(**changed: Any) -> dict[str, Any]:
    """A price list of one version like the seller's, save for what is given."""
    return {"version": [deepcopy(DOCUMENT["version"][0]) | changed]}


def test_the_terms_are_those_of_the_offer():
    offered = Terms.parse(DOCUMENT).at(moment("2026-01-01"))
    assert [
        (plan.name, plan.minutes // 60, plan.hour_price_kopecks // 100, plan.validity_months, plan.price_kopecks // 100)
        for plan in offered.plans.values()
    ] == [
        ("hours-20", 20, 3_190, 3, 63_800),
        ("hours-30", 30, 2_890, 6, 86_700),
        ("hours-50", 50, 2_730, 9, 136_500),
        ("hours-100", 100, 2_590, 12, 259_000),
    ]
    assert offered.coefficients == {
        "regular": 1,
        "urgent": Decimal("1.5"),
        "off_hours": 2,
        "urgent_off_hours": 3,
        "warranty": 0,
    }


def test_the_terms_are_those_of_the_rulebook():
    offered = Terms.parse(DOCUMENT).at(moment("2026-01-01"))
    assert offered.quantum_minutes == 10
    assert offered.debt_hour_price_kopecks == 319_000
    assert offered.low_balance_percent == 10
    assert offered.expiring_days == 14
    assert offered.compensation_days == 30


@pytest.mark.parametrize("plan", Terms.parse(DOCUMENT).versions[0].plans.values(), ids=lambda plan: plan.name)
def test_a_package_costs_its_hours(plan):
    assert plan.price_kopecks * 60 == plan.minutes * plan.hour_price_kopecks


@pytest.mark.parametrize(
    ("at", "version"),
    [
        ("1999-01-01", "first"),
        ("2026-01-01", "first"),
        ("2026-06-30 23:59:59.999999", "first"),
        ("2026-07-01", "second"),
        ("2030-01-01", "second"),
    ],
)
def test_terms_are_in_force_from_an_instant_to_the_next(at: str, version: str):
    first = document(name="first", in_force_from=moment("2026-01-01"))["version"]
    second = document(name="second", in_force_from=moment("2026-07-01"))["version"]
    assert Terms.parse({"version": first + second}).at(moment(at)).name == version


def plan(**changed: Any) -> list[dict[str, Any]]:
    """The seller's plans, the first of them changed."""
    return [DOCUMENT["version"][0]["plans"][0] | changed, *DOCUMENT["version"][0]["plans"][1:]]


def coefficients(**changed: Any) -> dict[str, Any]:
    """The seller's coefficients, some of them changed."""
    return DOCUMENT["version"][0]["coefficients"] | changed


NO_TERMS: dict[str, Callable[[], dict[str, Any]]] = {
    "nothing": dict,
    "no version": lambda: {"version": []},
    "a version twice": lambda: {"version": DOCUMENT["version"] * 2},
    "a version in force from a local time": lambda: document(in_force_from=datetime(2026, 1, 1)),  # noqa: DTZ001
    "a version in force from a day": lambda: document(in_force_from=date(2026, 1, 1)),
    "a version in force from a text": lambda: document(in_force_from="2026-01-01"),
    "an unknown word": lambda: document(discount=5),
    "a price with kopecks after a point": lambda: document(debt_hour_price_kopecks=319_000.5),
    "a quantum of nothing": lambda: document(quantum_minutes=0),
    "a float coefficient": lambda: document(coefficients=coefficients(urgent=1.5)),
    "a coefficient in words": lambda: document(coefficients=coefficients(urgent="half as much again")),
    "a coefficient that is not a number": lambda: document(coefficients=coefficients(urgent="NaN")),
    "a coefficient below nothing": lambda: document(coefficients=coefficients(urgent="-1")),
    "a coefficient that charges half minutes": lambda: document(coefficients=coefficients(urgent="1.25")),
    "a category without coefficient": lambda: document(coefficients={"regular": "1"}),
    "a coefficient of no category": lambda: document(coefficients=coefficients(leisurely="0.5")),
    "warranty that costs": lambda: document(coefficients=coefficients(warranty="1")),
    "a plan without a price": lambda: document(plans=[{"name": "hours-20", "minutes": 1200}]),
    "a plan twice": lambda: document(plans=plan(name="hours-100")),
    "a plan of no minutes": lambda: document(plans=plan(minutes=0)),
    "a price that is a float": lambda: document(plans=plan(price_kopecks=6_380_000.0)),
    "a price below nothing": lambda: document(plans=plan(price_kopecks=-1)),
    "a plan valid for no month": lambda: document(plans=plan(validity_months=0)),
}


@pytest.mark.parametrize("given", NO_TERMS.values(), ids=NO_TERMS.keys())
def test_what_is_no_price_list_is_not_taken_for_one(given: Callable[[], dict[str, Any]]):
    with pytest.raises((KeyError, TypeError, ValueError)):
        Terms.parse(given())


def test_versions_come_in_order():
    later = document(in_force_from=moment("2026-07-01"))["version"]
    with pytest.raises(ValueError, match="later instant"):
        Terms.parse({"version": later + DOCUMENT["version"]})
