"""How the pages write what they show: as the documents do, from minutes and instants as the routes answer them."""

from dataclasses import dataclass
from datetime import date, datetime

from contracts.quantities import SELLER_ZONE, decimal_hours
from services.documents.formats import Formats, day_of, last_day_before, printable
from services.documents.words import month_name

NO_BREAK = "\N{NO-BREAK SPACE}"


@dataclass(frozen=True)
class Showing(Formats):
    """Quantities as text, in one language. Days are the seller's (rule 2.2)."""

    def time(self, minutes: int) -> str:
        """Minutes as hours with their unit.

        >>> Showing("en").time(-90).replace(NO_BREAK, " ")
        '−1.50 h'
        """
        return f"{self.hours(decimal_hours(minutes))}{NO_BREAK}{self.words['hours_unit']}"

    def figure(self, minutes: int) -> str:
        """Minutes as hours without their unit, for columns."""
        return self.hours(decimal_hours(minutes))

    def day(self, instant: datetime | date) -> str:
        """The day of an instant."""
        return self.short_day(day_of(instant) if isinstance(instant, datetime) else instant)

    def last_day(self, end: datetime) -> str:
        """The last day before an end, which is a midnight (rule 3.2)."""
        return self.short_day(last_day_before(end))

    def moment(self, instant: datetime) -> str:
        """Day and time: `31.03.2026, 14:05`."""
        return f"{self.day(instant)},{NO_BREAK}{instant.astimezone(SELLER_ZONE):%H:%M}"

    def text(self, given: str) -> str:
        """Somebody's text, without what no font shows and without marks that turn the direction of what follows."""
        return printable(given)

    def whole(self, hours: int) -> str:
        """Whole hours with a true minus, for the lines of a picture."""
        return self.hours(f"{hours}.00")[:-3]

    def signed(self, minutes: int) -> str:
        """A movement of hours, with its sign also where something came."""
        return f"+{self.figure(minutes)}" if minutes > 0 else self.figure(minutes)

    def short_month(self, instant: datetime) -> str:
        """A month under a picture: `мар`, and in January the year."""
        return str(instant.year) if instant.month == 1 else month_name(instant.month, self.lang)[:3].lower()

    def today(self, instant: datetime) -> date:
        """The day of an instant, as a field of a form wants it."""
        return day_of(instant)

    def iso(self, instant: datetime) -> str:
        """The day of an instant as `2026-03-10`."""
        return day_of(instant).isoformat()
