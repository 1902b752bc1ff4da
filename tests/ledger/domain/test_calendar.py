"""Rule 5.4: working hours by the production calendar of Russia."""

from datetime import date, timedelta

import holidays
import pytest

from services.ledger.domain.local_time import (
    is_working_day,
    missing_transfers,
    month_after,
    month_before,
    touches_working_hours,
    years_with_transfers,
)
from tests.ledger.domain.expected_events import moment


def days_of(year: int) -> list[date]:
    """The whole year."""
    return [date(year, 1, 1) + timedelta(days=n) for n in range((date(year + 1, 1, 1) - date(year, 1, 1)).days)]


@pytest.mark.parametrize("year", sorted(years_with_transfers()))
def test_working_days_are_those_of_the_published_calendar(year: int):
    published = holidays.country_holidays("RU", years=year)
    days = days_of(year)
    assert {day for day in days if is_working_day(day)} == {day for day in days if published.is_working_day(day)}


@pytest.mark.parametrize("year", [*range(2014, 2024), *range(2028, 2060)])
def test_holidays_of_the_labour_code_are_days_off_in_years_whose_transfers_are_unknown(year: int):
    fixed = holidays.country_holidays("RU", years=year, observed=False)
    by_law = {day for day in days_of(year) if fixed.get(day) and "substituted" not in fixed.get(day)}
    assert {(day.month, day.day) for day in by_law} == {
        *((1, day) for day in range(1, 9)), (2, 23), (3, 8), (5, 1), (5, 9), (6, 12), (11, 4),
    }  # fmt: skip
    weekends = {day for day in days_of(year) if day.weekday() >= 5}
    mondays = {day + timedelta(days=7 - day.weekday()) for day in by_law & weekends if day.month > 1}
    assert {day for day in days_of(year) if not is_working_day(day)} == by_law | weekends | mondays


@pytest.mark.parametrize(
    "monday", ["2022-05-02", "2022-06-13", "2023-11-06", "2028-11-06", "2029-11-05", "2030-02-25", "2032-05-03"]
)
def test_the_monday_after_a_holiday_at_the_weekend_is_a_day_off_by_the_law(monday: str):
    assert not is_working_day(date.fromisoformat(monday))
    assert is_working_day(date.fromisoformat(monday) + timedelta(days=1))


def test_off_hours_work_of_a_holiday_is_accepted_in_any_year():
    assert not touches_working_hours(moment("2028-01-03 12:00"), 60)
    assert touches_working_hours(moment("2028-01-10 12:00"), 60)


def test_the_calendar_says_when_the_transfers_of_the_coming_year_are_unknown():
    last = max(years_with_transfers())
    assert missing_transfers(moment(f"{last - 1}-12-31 23:59")) is None
    assert f"for {last + 1}:" in (missing_transfers(moment(f"{last}-01-01")) or "")
    assert f"for {last + 1} and {last + 2}:" in (missing_transfers(moment(f"{last + 1}-06-01")) or "")


@pytest.mark.parametrize(
    ("start", "minutes", "touches"),
    [
        ("2026-03-02 08:00", 60, False),
        ("2026-03-02 08:00", 61, True),
        ("2026-03-02 17:59", 1, True),
        ("2026-03-02 18:00", 60, False),
        ("2026-03-02T06:00Z", 1, True),
        ("2026-03-02T05:59Z", 1, False),
        ("2026-03-01 12:00", 60, False),
        ("2026-03-01 23:00", 600, False),
        ("2026-03-01 23:00", 601, True),
        ("2026-02-27 18:00", 3 * 1440 - 540, False),
        ("2026-02-27 18:00", 3 * 1440 - 539, True),
        ("2026-03-09 12:00", 60, False),
        ("2025-11-01 12:00", 60, True),
    ],
    ids=str,
)
def test_working_hours_are_nine_to_six_of_a_working_day(start: str, minutes: int, touches: bool):
    assert touches_working_hours(moment(start), minutes) is touches


@pytest.mark.parametrize(
    ("month", "following"), [("2026-01", "2026-02"), ("2026-11", "2026-12"), ("2026-12", "2027-01")]
)
def test_months_follow_one_another(month: str, following: str):
    assert month_after(month) == following
    assert month_before(following) == month
