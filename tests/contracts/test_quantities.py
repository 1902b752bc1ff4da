"""Quantities refuse what they are not, and say what would do."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from pydantic import ValidationError

from contracts.commands import COMMAND, CloseTask
from contracts.quantities import (
    END_OF_TIME,
    GIVEN_EARLIEST,
    GIVEN_LATEST,
    POSITION_MAX,
    decimal_hours,
    hours_column,
    known_bounds,
    parse_asked_instant,
    parse_instant,
    parse_known_at,
)

CLOSE = {
    "command": "CloseTask",
    "account_id": "a",
    "task_id": "t",
    "title": "Настройка",
    "category": "regular",
    "worked_minutes": 30,
    "closed_at": "2026-03-01T12:00:00+03:00",
}


@pytest.mark.parametrize(
    ("minutes", "hours"),
    [(0, "0.00"), (10, "0.17"), (20, "0.33"), (60, "1.00"), (750, "12.50"), (-10, "-0.17"), (3, "0.05")],
)
def test_hours_are_for_people(minutes: int, hours: str):
    assert decimal_hours(minutes) == hours


@pytest.mark.parametrize(
    ("minutes", "column"),
    [
        ([10] * 6, ["0.17", "0.17", "0.17", "0.17", "0.16", "0.16"]),
        ([], []),
        ([-10, 10], ["-0.17", "0.17"]),
        ([-10] * 3, ["-0.16", "-0.17", "-0.17"]),
        ([20, 10], ["0.33", "0.17"]),
    ],
)
def test_a_column_of_hours_adds_up_to_its_total(minutes: list[int], column: list[str]):
    assert hours_column(minutes) == column
    assert sum(map(Decimal, column)) == Decimal(decimal_hours(sum(minutes)))


def test_an_instant_is_kept_in_utc():
    assert parse_instant("2026-07-01T00:00:00+03:00") == datetime(2026, 6, 30, 21, tzinfo=UTC)


@pytest.mark.parametrize(
    "given",
    ["2026-03-01T12:00:00", "2026-03-01", "20260301T120000Z", 1772355600, None, "0001-01-01T00:00:00Z",
     "9999-12-31T23:59:59-14:00", "2026-02-30T00:00:00Z", "2026-03-01T25:00:00Z", "tomorrow", True],
)  # fmt: skip
def test_an_instant_needs_a_date_a_time_and_an_offset(given: object):
    with pytest.raises(ValueError, match=r".+"):
        parse_instant(given)


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("title", ""),
        ("title", "   "),
        ("title", "a\x00b"),
        ("title", "line\nbreak"),
        ("title", "\ud800"),
        ("title", "x" * 1001),
        ("title", 5),
        ("category", "free"),
        ("worked_minutes", 30.0),
        ("worked_minutes", "30"),
        ("worked_minutes", True),
        ("worked_minutes", 10**40),
        ("closed_at", "2026-03-01T12:00:00"),
        ("closed_at", "2001-01-01T00:00:00+03:00"),
        ("started_at", "2198-12-31T23:00:00-05:00"),
        ("task_id", "a b"),
        ("task_id", "x" * 65),
        ("account_id", "ж"),
        ("time_entries", [{"start": "2026-03-01T12:00:00Z", "minutes": 0, "performer": "p"}]),
        ("surprise", 1),
    ],
)
def test_a_command_that_does_not_fit_names_its_field(field: str, given: object):
    with pytest.raises(ValidationError) as refused:
        COMMAND.validate_python({**CLOSE, field: given})
    assert field in {str(part) for error in refused.value.errors() for part in error["loc"]}


def test_the_ledgers_own_package_ids_cannot_be_bought():
    bought = {"plan": "hours-20", "purchased_at": "2026-03-01T12:00:00Z"}
    purchase = {"command": "PurchasePackage", "account_id": "a", **bought}
    assert COMMAND.validate_python({**purchase, "package_id": "spring"})
    with pytest.raises(ValidationError, match="compensation-"):
        COMMAND.validate_python({**purchase, "package_id": "compensation-T-1"})


def test_whatever_a_command_may_say_can_be_read_back_from_an_event():
    for bound in (GIVEN_EARLIEST, GIVEN_LATEST - timedelta(microseconds=1)):
        given = COMMAND.validate_python({**CLOSE, "closed_at": bound.isoformat()})
        assert isinstance(given, CloseTask)
        assert parse_instant(given.closed_at + timedelta(days=800)) == bound + timedelta(days=800)
        assert parse_instant(given.closed_at - timedelta(days=800)) == bound - timedelta(days=800)


class TestKnownAt:
    """What was known when: a log position or an instant, as an address or a command line names it."""

    @pytest.mark.parametrize("text", ["0", "7", "0042", str(POSITION_MAX)])
    def test_digits_are_a_position(self, text: str):
        assert parse_known_at(text) == int(text)

    @pytest.mark.parametrize("text", ["2026-03-01T10:00:00+03:00", "2026-03-01T10:00:00 03:00", "2026-03-01T07:00:00Z"])
    def test_a_plus_sign_that_nobody_encoded_is_still_one(self, text: str):
        assert parse_known_at(text) == parse_asked_instant(text) == datetime(2026, 3, 1, 7, tzinfo=UTC)

    @pytest.mark.parametrize("text", [str(POSITION_MAX + 1), "9" * 30])
    def test_a_position_that_no_log_can_have_is_refused_with_the_bound(self, text: str):
        with pytest.raises(ValueError, match=str(POSITION_MAX)):
            parse_known_at(text)

    @pytest.mark.parametrize("text", ["", "-1", "²", "٣", "1e3", "9" * 5000, "2026-03-01", "2026-03-01T10:00:00", None])
    def test_anything_else_is_refused(self, text: str | None):
        with pytest.raises(ValueError, match=r"give|offset"):
            parse_known_at(text)

    def test_what_is_not_bounded_by_position_is_bounded_by_time(self):
        instant = datetime(2026, 3, 1, tzinfo=UTC)
        assert known_bounds(7) == (7, END_OF_TIME)
        assert known_bounds(instant) == (POSITION_MAX, instant)
        assert known_bounds(None) == (POSITION_MAX, END_OF_TIME)
