"""Rule 1: whole minutes, whole kopecks, one rounding."""

import pytest

from contracts.quantities import decimal_hours, rounded_division
from services.ledger.domain.refusals import WorkedTimeNotInQuantum
from tests.ledger.domain.expected_events import task_closed
from tests.ledger.vocabulary import close, given


@pytest.mark.parametrize("minutes", [-10, 0, 1, 5, 9, 11, 15])
def test_worked_time_is_a_positive_multiple_of_ten_minutes(minutes: int):
    given().when(close(worked=minutes)).then_refused(WorkedTimeNotInQuantum)


@pytest.mark.parametrize("minutes", [10, 20, 999_990])
def test_any_number_of_whole_quanta_is_taken(minutes: int):
    given().when(close("T-1", worked=minutes)).then(task_closed("T-1", worked=minutes, owed=minutes))


def test_one_quantum_of_urgent_work_is_still_whole_minutes():
    given().when(close("T-1", worked=10, category="urgent", agreed=True)).then(task_closed("T-1", charged=15))


@pytest.mark.parametrize(
    ("numerator", "denominator", "rounded"),
    [
        (0, 2, 0),
        (1, 2, 0),
        (3, 2, 2),
        (5, 2, 2),
        (7, 2, 4),
        (1, 3, 0),
        (2, 3, 1),
        (5, 3, 2),
        (10**18 + 1, 2, 5 * 10**17),
    ],
)
def test_money_is_rounded_half_to_even(numerator: int, denominator: int, rounded: int):
    assert rounded_division(numerator, denominator) == rounded


@pytest.mark.parametrize(
    ("minutes", "hours"),
    [(0, "0.00"), (10, "0.17"), (20, "0.33"), (30, "0.50"), (50, "0.83"), (750, "12.50"), (-10, "-0.17")],
)
def test_hours_are_decimal_where_people_read_them(minutes: int, hours: str):
    assert decimal_hours(minutes) == hours
