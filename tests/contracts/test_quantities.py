"""Quantities refuse what they are not, and say what would do."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from contracts.commands import COMMAND, CloseTask
from contracts.events import AccountOpened
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
from contracts.requisites import Requisites
from services.process.event_reading import READERS

CLOSE = {
    "command": "CloseTask",
    "account_id": "a",
    "task_id": "t",
    "title": "Настройка",
    "category": "regular",
    "worked_minutes": 30,
    "closed_at": "2026-03-01T12:00:00+03:00",
}
OPEN = {
    "command": "OpenAccount",
    "account_id": "a",
    "customer_name": "Рога и копыта",
    "contract_number": "17/24",
    "contract_date": "2024-01-01",
}
PAY = {
    "command": "PayDebt",
    "account_id": "a",
    "minutes": 10,
    "paid_at": "2026-03-01T12:00:00Z",
    "payment_reference": "п/п 42",
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


@given(st.lists(st.integers(-10_000, 10_000)))
def test_each_line_of_a_column_is_within_a_hundredth_and_all_add_up(minutes: list[int]):
    column = [Decimal(hours) for hours in hours_column(minutes)]
    assert sum(column) == Decimal(decimal_hours(sum(minutes)))
    for given_minutes, hours in zip(minutes, column, strict=True):
        assert abs(Fraction(hours) - Fraction(given_minutes, 60)) < Fraction(1, 100)
    assert hours_column(minutes) == hours_column(list(minutes))


@given(st.lists(st.integers(-10_000, 10_000), min_size=2), st.data())
def test_of_lines_with_equal_remainders_the_earlier_is_rounded_up_first(minutes: list[int], data: st.DataObject):
    one, other = sorted(data.draw(st.lists(st.sampled_from(range(len(minutes))), min_size=2, max_size=2, unique=True)))
    minutes[other] = minutes[one] + 3 * data.draw(st.integers(-100, 100))  # three minutes are five hundredths
    column = [
        Fraction(Decimal(hours)) - Fraction(of, 60) for hours, of in zip(hours_column(minutes), minutes, strict=True)
    ]
    assert column[one] >= column[other]


INVISIBLE = {
    "zero-width space": "\u200b\u200b",
    "zero-width joiners": "\u200c\u200d\u2060",
    "byte order mark": "\ufeff",
    "marks of direction": "\u200e\u200f\u202e\u2066",
    "combining marks alone": "\u0301\u0323",
    "variation selectors": "\ufe0f\ufe0e",
    "soft hyphens": "\u00ad",
    "Hangul fillers": "\u3164\uffa0\u115f",
    "Braille blanks": "\u2800",
    "spaces of all sorts": "\u00a0\u2003\u3000",
    "tags": "\U000e0041",
}


@pytest.mark.parametrize("text", INVISIBLE.values(), ids=INVISIBLE)
@pytest.mark.parametrize(
    ("command", "field"),
    [
        (CLOSE, "title"),
        (CLOSE, "confirmed_by"),
        (CLOSE, "performer"),
        (OPEN, "customer_name"),
        (OPEN, "contract_number"),
        *((OPEN, field) for field in Requisites.model_fields if field not in {"inn", "kpp"}),
        (PAY, "payment_reference"),
        ({"command": "SuspendWork", "account_id": "a"}, "reason"),
        ({"command": "ReopenTask", "account_id": "a", "task_id": "t"}, "reason"),
    ],
)
def test_a_text_of_which_nothing_can_be_seen_is_refused_with_its_field(command: dict[str, Any], field: str, text: str):
    with pytest.raises(ValidationError, match="write at least one visible character") as refused:
        COMMAND.validate_python(saying(command, field, text))
    (error,) = refused.value.errors()
    assert error["loc"][-1] == field or f"{field}: write" in error["msg"]


@pytest.mark.parametrize(
    "text", ["🚀", "‼️", "e\u0301", "\u200bx", "株", "№", "—", "👨\u200d👩\u200d👧", "🏴\U000e0067\U000e007f"]
)
def test_whatever_leaves_a_mark_is_taken_as_it_is(text: str):
    assert COMMAND.validate_python(saying(CLOSE, "title", text)).title == text


@pytest.mark.parametrize("text", [text for name, text in INVISIBLE.items() if name != "spaces of all sorts"])
def test_events_of_older_logs_are_still_read(text: str):
    assert AccountOpened.model_validate_json(OPENED.format(text=text)).customer_name == text
    assert READERS["AccountOpened"](OPENED.format(text=text)).customer_requisites.address == text


OPENED = """{{
    "effective_at": "2026-03-01T12:00:00Z", "booking_month": "2026-03", "customer_name": "{text}",
    "contract_number": "{text}", "contract_date": "2026-01-01", "customer_requisites": {{"address": "{text}"}}
}}"""


def saying(command: dict[str, Any], field: str, text: str) -> dict[str, Any]:
    """The command with that text in its place."""
    if field == "performer":
        entry = {"start": "2026-03-01T12:00:00Z", "minutes": command["worked_minutes"], "performer": text}
        return {**command, "time_entries": [entry]}
    if field in Requisites.model_fields:
        return {**command, "customer_requisites": {field: text}}
    return {**command, field: text}


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
