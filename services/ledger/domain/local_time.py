"""Days, months and working hours of the seller's time zone (rules 2.2, 3.2, 5.4)."""

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta

from contracts.quantities import SELLER_ZONE

WORK_STARTS = time(9)
WORK_ENDS = time(18)

_HOLIDAYS = "0101-0108 0223 0308 0501 0509 0612 1104"
_DAYS_OFF = {
    2024: "0429-0430 0510 1230-1231",
    2025: "0502 0508 0613 1103 1231",
    2026: "0109 0309 0511 1231",
    2027: "0222 0503 0510 0614 1105 1231",
}
"""Days off that a year has by transfer, beside weekends and holidays: moved by the law to the Monday after a holiday
at the weekend, or by the government's decree for that year to another day.

The years rest on the package `holidays` 0.109, with which a test compares them. For 2027 it names the decree
(consultant.ru/document/cons_doc_LAW_544706: 20 to 22 February, 2 January to 5 November, 3 January to 31 December) and
the production calendar (consultant.ru/law/ref/calendar/proizvodstvennye/2027); their own text was not compared.
"""
_WORKING_WEEKEND_DAYS = {
    date(2024, 4, 27),
    date(2024, 11, 2),
    date(2024, 12, 28),
    date(2025, 11, 1),
    date(2027, 2, 20),
}


def _days(spans: str, year: int) -> set[date]:
    days: set[date] = set()
    for span in spans.split():
        first, _, last = span.partition("-")
        day, end = (date(year, int(d[:2]), int(d[2:])) for d in (first, last or first))
        while day <= end:
            days.add(day)
            day += timedelta(days=1)
    return days


_MOVED_DAYS_OFF = frozenset(day for year, spans in _DAYS_OFF.items() for day in _days(spans, year))
_HOLIDAY_DATES = frozenset((day.month, day.day) for day in _days(_HOLIDAYS, 2024))


def is_working_day(day: date) -> bool:
    """By the production calendar of Russia: Monday to Friday without holidays, which are the same in every year.

    Holidays are those of article 112 of the Labour Code, which also gives the Monday after one at the weekend, except
    those of January. What the government moves is known for `years_with_transfers` only; elsewhere the law alone holds.
    """
    if _is_holiday(day) or day in _MOVED_DAYS_OFF:
        return False
    if day.year not in years_with_transfers() and _replaces_a_holiday(day):
        return False
    return day.weekday() < 5 or day in _WORKING_WEEKEND_DAYS


def _is_holiday(day: date) -> bool:
    return (day.month, day.day) in _HOLIDAY_DATES


def _replaces_a_holiday(day: date) -> bool:
    """Whether it is the Monday after a holiday at the weekend; those of January are moved by decree alone."""
    weekend = (day - timedelta(days=before) for before in (1, 2))
    return day.weekday() == 0 and any(_is_holiday(before) and before.month > 1 for before in weekend)


def years_with_transfers() -> frozenset[int]:
    """The years whose transfers of days off are known; each autumn the government decides on the next year's."""
    return frozenset(_DAYS_OFF)


def missing_transfers(now: datetime) -> str | None:
    """A sentence for the operator while the transfers of this year or the coming one are unknown."""
    this_year = local_date(now).year
    unknown = [str(year) for year in (this_year, this_year + 1) if year not in years_with_transfers()]
    if not unknown:
        return None
    return (
        f"The production calendar has no transfers of days off for {' and '.join(unknown)}: weekends, holidays and the "
        "Mondays after holidays at the weekend are days off, but one that the government moves is not. Install a "
        "Hourbook that knows them."
    )


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
