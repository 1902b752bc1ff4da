"""Days, months and working hours of the seller's time zone (rules 2.2, 3.2, 5.4)."""

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta

from contracts.quantities import SELLER_ZONE

WORK_STARTS = time(9)
WORK_ENDS = time(18)

_DAYS_OFF = {
    2024: "0101-0108 0223 0308 0429-0501 0509-0510 0612 1104 1230-1231",
    2025: "0101-0108 0501-0502 0508-0509 0612-0613 1103-1104 1231",
    2026: "0101-0109 0223 0309 0501 0511 0612 1104 1231",
    2027: "0101-0108 0222-0223 0308 0503 0510 0614 1104-1105 1231",
}
_WORKING_WEEKEND_DAYS = {
    date(2024, 4, 27),
    date(2024, 11, 2),
    date(2024, 12, 28),
    date(2025, 11, 1),
    date(2027, 2, 20),
}


def _days(year: int, spans: str) -> set[date]:
    days: set[date] = set()
    for span in spans.split():
        first, _, last = span.partition("-")
        day, end = (date(year, int(d[:2]), int(d[2:])) for d in (first, last or first))
        while day <= end:
            days.add(day)
            day += timedelta(days=1)
    return days


DAYS_OFF = frozenset(day for year, spans in _DAYS_OFF.items() for day in _days(year, spans))
"""Non-working days of the production calendar of Russia, 2024-2027, beside ordinary weekends."""


def is_working_day(day: date) -> bool:
    """By the production calendar; Monday to Friday in years it does not cover."""
    return day in _WORKING_WEEKEND_DAYS or (day.weekday() < 5 and day not in DAYS_OFF)


def local_date(instant: datetime) -> date:
    """The seller's calendar day at that instant."""
    return instant.astimezone(SELLER_ZONE).date()


def midnight(day: date) -> datetime:
    """00:00 of that day at the seller's, in UTC."""
    return datetime.combine(day, time(), SELLER_ZONE).astimezone(UTC)


def month_after(month: str) -> str:
    """The next month."""
    year, number = int(month[:4]), int(month[5:])
    return f"{year + number // 12:04}-{number % 12 + 1:02}"


def month_before(month: str) -> str:
    """The month that precedes it."""
    year, number = int(month[:4]), int(month[5:])
    return f"{year - (number == 1):04}-{(number - 2) % 12 + 1:02}"


def month_start(month: str) -> datetime:
    """The first instant of the month, in UTC."""
    return midnight(date(int(month[:4]), int(month[5:]), 1))


def end_of_validity(purchased_at: datetime, months: int) -> datetime:
    """00:00 of the day after (local date of purchase + months), the day clamped to the month's length (rule 3.2)."""
    bought = local_date(purchased_at)
    year, month = divmod(bought.year * 12 + bought.month - 1 + months, 12)
    day = min(bought.day, monthrange(year, month + 1)[1])
    return midnight(date(year, month + 1, day) + timedelta(days=1))


def touches_working_hours(start: datetime, minutes: int) -> bool:
    """Whether [start, start + minutes) meets 9:00-18:00 of a working day."""
    first = start.astimezone(SELLER_ZONE)
    end = (start + timedelta(minutes=minutes)).astimezone(SELLER_ZONE)
    day = first.date()
    while day <= end.date():
        opens = datetime.combine(day, WORK_STARTS, SELLER_ZONE)
        closes = datetime.combine(day, WORK_ENDS, SELLER_ZONE)
        if is_working_day(day) and first < closes and opens < end:
            return True
        day += timedelta(days=1)
    return False
