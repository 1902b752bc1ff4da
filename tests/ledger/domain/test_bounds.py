"""What one command may say, and what the sums of very many come to: all of it can be recorded."""

import tomllib
from typing import Any

import pytest
from pydantic import ValidationError

from contracts.commands import PayDebt
from contracts.events import DebtPaid, TaskClosed
from contracts.quantities import (
    EXACT_MAX,
    GIVEN_LATEST,
    HOUR_PRICE_MAX,
    LATEST,
    MINUTES_MAX,
    PAID_MINUTES_MAX,
    rounded_division,
)
from services.ledger.domain.local_time import end_of_validity
from services.ledger.domain.refusals import PaymentExceedsDebt
from services.ledger.domain.terms import Terms
from tests.ledger.vocabulary import TERMS_FILE, Story, close, given, pay

LARGEST = {"worked": MINUTES_MAX, "category": "urgent_off_hours", "agreed": True, "requested": True}
VERSION = tomllib.loads(TERMS_FILE.read_text("utf-8"))["version"][0]


def in_debt(tasks: int, terms: Terms | None = None) -> Story:
    """So many of the largest tasks, with nothing bought."""
    steps = [close(f"T-{number}", **LARGEST) for number in range(tasks)]
    return given(*steps, terms=terms) if terms else given(*steps)


def test_a_debt_larger_than_any_one_task_is_paid_at_once_and_not_a_minute_more():
    in_debt(1).when(pay(3 * MINUTES_MAX + 1)).then_refused(PaymentExceedsDebt)
    story = in_debt(1).when(pay(3 * MINUTES_MAX))
    assert (story.refusal, story.account.owed_minutes) == (None, 0)


def test_the_debt_of_very_many_tasks_is_paid_at_the_highest_price_of_debt():
    terms = Terms.parse({"version": [VERSION | {"debt_hour_price_kopecks": HOUR_PRICE_MAX}]})
    tasks = PAID_MINUTES_MAX // (3 * MINUTES_MAX) + 1
    story = in_debt(tasks, terms)
    assert story.account.owed_minutes > PAID_MINUTES_MAX
    (paid,) = story.when(pay(PAID_MINUTES_MAX)).latest
    assert isinstance(paid, DebtPaid)
    assert paid.amount_kopecks == sum(payment.amount_kopecks for payment in paid.payments)
    assert paid.amount_kopecks == pytest.approx(rounded_division(PAID_MINUTES_MAX * HOUR_PRICE_MAX, 60), abs=tasks)
    assert float(paid.amount_kopecks) == paid.amount_kopecks < EXACT_MAX
    assert story.account.owed_minutes == tasks * 3 * MINUTES_MAX - PAID_MINUTES_MAX


def test_a_task_is_charged_at_the_highest_coefficient():
    coefficients = VERSION["coefficients"] | {"urgent_off_hours": "100"}
    (closed,) = in_debt(1, Terms.parse({"version": [VERSION | {"coefficients": coefficients}]})).latest
    assert isinstance(closed, TaskClosed)
    assert closed.owed_minutes == 100 * MINUTES_MAX


@pytest.mark.parametrize("minutes", [0, -1, PAID_MINUTES_MAX + 1])
def test_a_payment_of_nothing_or_of_more_than_can_be_recorded_fits_no_command(minutes: int):
    with pytest.raises(ValidationError, match="minutes"):
        PayDebt(account_id="a", minutes=minutes, paid_at="2026-03-01T10:00:00Z", payment_reference="1")


@pytest.mark.parametrize(
    "changed",
    [
        {"debt_hour_price_kopecks": HOUR_PRICE_MAX + 1},
        {"quantum_minutes": MINUTES_MAX + 1},
        {"low_balance_percent": 101},
        {"expiring_days": 36_501},
        {"compensation_days": 36_501},
        {"plans": [VERSION["plans"][0] | {"minutes": MINUTES_MAX + 1}]},
        {"plans": [VERSION["plans"][0] | {"price_kopecks": 100 * HOUR_PRICE_MAX + 1}]},
        {"plans": [VERSION["plans"][0] | {"hour_price_kopecks": HOUR_PRICE_MAX + 1}]},
        {"plans": [VERSION["plans"][0] | {"validity_months": 1_201}]},
    ],
    ids=str,
)
def test_terms_whose_sums_could_not_be_recorded_are_refused(changed: dict[str, Any]):
    with pytest.raises(ValidationError, match="less than or equal"):
        Terms.parse({"version": [VERSION | changed]})


def test_the_longest_package_ends_at_an_instant_that_can_be_recorded():
    assert end_of_validity(GIVEN_LATEST, 1_200) < LATEST
