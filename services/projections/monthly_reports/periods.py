"""The months of reports as days and instants of the seller's (rule 2.2)."""

from calendar import monthrange
from datetime import date, datetime, time, timedelta

from contracts.quantities import SELLER_ZONE


def last_day(month: str) -> date:
    """The day whose seller and VAT mode a month's documents name, and which an act is dated."""
    year, number = int(month[:4]), int(month[5:])
    return date(year, number, monthrange(year, number)[1])


def month_of_day(day: date) -> str:
    """The month that a day lies in."""
    return f"{day.year:04}-{day.month:02}"


def month_before(month: str) -> str:
    """The month that ends where this one begins."""
    return month_of_day(date(int(month[:4]), int(month[5:]), 1) - timedelta(days=1))


def first_instant_after(month: str) -> datetime:
    """When the month is over."""
    return datetime.combine(last_day(month) + timedelta(days=1), time(), SELLER_ZONE)
