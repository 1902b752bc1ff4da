"""Rule 5.4: working hours by the production calendar of Russia."""

from datetime import date, timedelta

import holidays
import pytest

from services.ledger.domain.local_time import is_working_day, month_after, month_before, touches_working_hours
from tests.ledger.domain.expected_events import moment


@pytest.mark.parametrize("year", [2024, 2025, 2026, 2027])
def test_working_days_are_those_of_the_published_calendar(year: int):
    published = holidays.country_holidays("RU", years=year)
    days = [date(year, 1, 1) + timedelta(days=n) for n in range((date(year + 1, 1, 1) - date(year, 1, 1)).days)]
    assert {day for day in days if is_working_day(day)} == {day for day in days if published.is_working_day(day)}


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
