"""How documents write what they show: decimal comma, spaces between thousands and a true minus in Russian."""

import calendar
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property

from contracts.quantities import SELLER_ZONE, decimal_hours
from services.documents.numerals import HOURS, Lang, hours_in_words, rubles_in_words
from services.documents.words import month_name, month_name_of, words

_NO_BREAK = "\N{NO-BREAK SPACE}"
_MINUS = "\N{MINUS SIGN}"
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufff9-\uffff]|[\U0001fffe\U0001ffff]"
)
_HOURS_PLAN = re.compile(r"hours-(\d+)")


def printable(text: str) -> str:
    """Without what no font shows and XML forbids, and without marks that turn the direction of what follows.

    >>> printable("a\\u202eb\\ufffe")
    'a b '
    """
    return _UNPRINTABLE.sub(" ", text)


def day_of(instant: datetime) -> date:
    """The seller's calendar day (rule 2.2)."""
    return instant.astimezone(SELLER_ZONE).date()


def last_day_before(end: datetime) -> date:
    """The last day of a half-open interval that ends at `end` (rules 2.3, 3.2)."""
    return day_of(end - timedelta(microseconds=1))


def first_and_last(month: str) -> tuple[date, date]:
    """The days a month begins and ends with.

    >>> first_and_last("2028-02")[1].isoformat()
    '2028-02-29'
    """
    year, number = (int(part) for part in month.split("-"))
    return date(year, number, 1), date(year, number, calendar.monthrange(year, number)[1])


@dataclass(frozen=True)
class Formats:
    """Quantities as text, in one language."""

    lang: Lang

    @cached_property
    def words(self) -> dict[str, str]:
        return words(self.lang)

    def hours(self, decimal_hours: str) -> str:
        """Hours as they are given, with the language's decimal mark.

        >>> Formats("ru").hours("-1234.50").replace(_NO_BREAK, " "), Formats("en").hours("-1234.50")
        ('−1 234,50', '−1,234.50')
        """
        whole, _, fraction = decimal_hours.lstrip("-").partition(".")
        return self._signed(int(whole), fraction, negative=decimal_hours.startswith("-"))

    def money(self, kopecks: int) -> str:
        """Rubles and kopecks with the sign of the ruble.

        >>> Formats("ru").money(-123_456).replace(_NO_BREAK, " ")
        '−1 234,56 ₽'
        """
        rubles, rest = divmod(abs(kopecks), 100)
        return f"{self._signed(rubles, f'{rest:02}', negative=kopecks < 0)}{_NO_BREAK}₽"

    def _signed(self, whole: int, fraction: str, *, negative: bool) -> str:
        thousands, mark = (_NO_BREAK, ",") if self.lang == "ru" else (",", ".")
        return f"{_MINUS if negative else ''}{whole:,}".replace(",", thousands) + mark + fraction

    def clock(self, minutes: int) -> str:
        """Exact time, h:mm.

        >>> Formats("ru").clock(-65), Formats("en").clock(600)
        ('−1:05', '10:00')
        """
        hours, rest = divmod(abs(minutes), 60)
        return f"{_MINUS if minutes < 0 else ''}{hours}:{rest:02}"

    def coefficient(self, coefficient: str) -> str:
        """K: `1,5`."""
        return coefficient.replace(".", ",") if self.lang == "ru" else coefficient

    def short_day(self, day: date) -> str:
        """A day in a table: `31.03.2026`, `31 Mar 2026`."""
        if self.lang == "ru":
            return f"{day.day:02}.{day.month:02}.{day.year}"
        return f"{day.day}{_NO_BREAK}{month_name(day.month, 'en')[:3]}{_NO_BREAK}{day.year}"

    def long_day(self, day: date) -> str:
        """A day in a sentence: `31 марта 2026 г.`, `31 March 2026`."""
        year = f"{day.year}{_NO_BREAK}г." if self.lang == "ru" else str(day.year)
        return f"{day.day}{_NO_BREAK}{month_name_of(day.month, self.lang)} {year}"

    def through(self, end: datetime, *, short: bool = False) -> str:
        """Until when something is valid that ends at that instant, by its last day (rules 2.3, 3.2).

        >>> end = datetime(2026, 4, 11, tzinfo=SELLER_ZONE)
        >>> Formats("ru").through(end).replace(_NO_BREAK, " "), Formats("en").through(end).replace(_NO_BREAK, " ")
        ('по 10 апреля 2026 г. включительно', 'through 10 April 2026')
        """
        day = self.short_day(last_day_before(end)) if short else self.long_day(last_day_before(end))
        return self.words["through"].format(day=day)

    def month(self, month: str) -> str:
        """`март 2026 года`, `March 2026`."""
        year, number = month.split("-")
        name = month_name(int(number), self.lang)
        return f"{name} {year} года" if self.lang == "ru" else f"{name} {year}"

    def plan(self, plan: str | None) -> str:
        """A plan by its hours: `20 часов`; a lot without one is a compensation (rule 8.2)."""
        if plan is None:
            return self.words["compensation"].lower()
        if hours := _HOURS_PLAN.fullmatch(plan):
            return f"{hours[1]}{_NO_BREAK}{HOURS[self.lang].beside(int(hours[1]))}"
        return plan

    def size(self, plan: str | None, agreed_minutes: int | None) -> str:
        """A package's size: the one that was agreed, or its plan's.

        >>> Formats("ru").size("hours-20", 601).replace(_NO_BREAK, " ")
        '10,02 ч'
        """
        if agreed_minutes is None:
            return self.plan(plan)
        return f"{self.hours(decimal_hours(agreed_minutes))}{_NO_BREAK}{self.words['hours_unit']}"

    def money_in_words(self, kopecks: int) -> str:
        return rubles_in_words(kopecks, self.lang)

    def hours_in_words(self, minutes: int) -> str:
        return hours_in_words(minutes, self.lang)
