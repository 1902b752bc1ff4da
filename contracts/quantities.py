"""Quantities and names as they cross a border: whole minutes, whole kopecks, instants in UTC, identifiers."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any
from unicodedata import category
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, Strict, StringConstraints, WithJsonSchema

SELLER_ZONE = ZoneInfo("Europe/Moscow")
"""Days and months are those of the seller's time zone (rule 2.2)."""

EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(2500, 1, 1, tzinfo=UTC)
GIVEN_EARLIEST = datetime(2001, 1, 1, tzinfo=UTC)
GIVEN_LATEST = datetime(2199, 1, 1, tzinfo=UTC)
END_OF_TIME = datetime(9999, 1, 1, tzinfo=UTC)
"""Later than anything that is recorded or takes effect."""

POSITION_MAX = 2**63 - 1
"""The last position a log can have: what PostgreSQL's bigint holds."""

EXACT_MAX = 2**53 - 1
"""Every sum stays below it: the largest whole number that each reader of JSON has exactly; SQL has room for more."""

MINUTES_MAX = 1_000_000
"""Of one task: over two years of days and nights."""

PAID_MINUTES_MAX = 1_000_000_000
"""Of one payment, which pays the sum of many tasks. Its money stays exact at HOUR_PRICE_MAX."""

HOUR_PRICE_MAX = 100_000_000
"""Kopecks for an hour in any terms."""


_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_SPACE_BEFORE_OFFSET = re.compile(r" (?=\d\d:\d\d$)")
_POSITION = re.compile(r"[0-9]{1,30}")
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0\ufffc\U0001d159")
"""Letters and symbols without a mark: fillers of Hangul, the blank of Braille, an absent object, an empty note."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def parse_instant(value: Any) -> datetime:
    """An RFC 3339 timestamp with an offset, in UTC; one without an offset is refused (rule 2.1)."""
    if isinstance(value, datetime):
        instant = value
    elif isinstance(value, str) and _RFC3339.fullmatch(value):
        instant = datetime.fromisoformat(value.upper())
    else:
        raise ValueError("give an RFC 3339 timestamp with an offset, such as 2026-03-01T10:00:00+03:00")
    if instant.tzinfo is None:
        raise ValueError("the timestamp has no offset: add one, such as +03:00 or Z")
    if 1 < instant.year < 9999:  # those would overflow, and are out of bounds in any zone
        instant = instant.astimezone(UTC)  # before it is compared: two zones take ten times as long
    if not EARLIEST <= instant < LATEST:
        raise ValueError(f"give a year from {EARLIEST.year} to {LATEST.year - 1}")
    return instant


def parse_given_instant(value: Any) -> datetime:
    """A timestamp of a command: so far from the bounds of what can be recorded that whatever follows from it fits."""
    instant = parse_instant(value)
    if not GIVEN_EARLIEST <= instant < GIVEN_LATEST:
        raise ValueError(f"give a year from {GIVEN_EARLIEST.year} to {GIVEN_LATEST.year - 1}")
    return instant


def parse_calendar_date(value: Any) -> date:
    """A day such as 2026-03-01."""
    if isinstance(value, str) and _DATE.fullmatch(value):
        return date.fromisoformat(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    raise ValueError("give a date such as 2026-03-01")


def _given_day(day: date) -> date:
    if not GIVEN_EARLIEST.date() <= day < GIVEN_LATEST.date():
        raise ValueError(f"give a year from {GIVEN_EARLIEST.year} to {GIVEN_LATEST.year - 1}")
    return day


def parse_asked_instant(value: Any) -> datetime:
    """A timestamp from an address, where a plus sign that nobody encoded arrives as a space."""
    return parse_instant(_SPACE_BEFORE_OFFSET.sub("+", value) if isinstance(value, str) else value)


def parse_known_at(value: Any) -> datetime | int:
    """What a question was asked with: digits are a log position, anything else is an instant."""
    if not (isinstance(value, str) and _POSITION.fullmatch(value)):
        return parse_asked_instant(value)
    if int(value) > POSITION_MAX:
        raise ValueError(f"give a log position of at most {POSITION_MAX}, or an RFC 3339 timestamp")
    return int(value)


def _without_control_characters(value: str) -> str:
    if not value.isprintable() and _CONTROL.search(value):
        raise ValueError("remove the control characters and line breaks")
    if not value.strip():
        raise ValueError("write at least one visible character")
    return value


def require_seen(value: str) -> str:
    """The text; ValueError where nothing can be seen of it: joiners, marks of direction, accents without a letter."""
    if not value.isascii() and not any(_is_seen(letter) for letter in value):
        raise ValueError("write at least one visible character: these leave no mark on paper")
    return value


def _is_seen(letter: str) -> bool:
    return category(letter)[0] in "LNPS" and letter not in _BLANK


Instant = Annotated[
    datetime,
    BeforeValidator(parse_instant),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""A point in time, kept in UTC."""

GivenInstant = Annotated[
    datetime, BeforeValidator(parse_given_instant), WithJsonSchema({"type": "string", "format": "date-time"})
]
"""A point in time as a caller gives it."""

AskedInstant = Annotated[
    datetime, BeforeValidator(parse_asked_instant), WithJsonSchema({"type": "string", "format": "date-time"})
]
"""A point in time as an address names it."""

CalendarDate = Annotated[
    date, BeforeValidator(parse_calendar_date), WithJsonSchema({"type": "string", "format": "date"})
]
"""A day of the seller's calendar."""

GivenDay = Annotated[CalendarDate, AfterValidator(_given_day)]
"""A day of a command from which instants follow, so far from the bounds that they fit."""

KnownAt = datetime | int | None
"""A log position, an instant of recording, or everything (rule 12)."""


def known_bounds(known_at: KnownAt) -> tuple[int, datetime]:
    """The position and the instant of recording up to which something is known then."""
    position = known_at if isinstance(known_at, int) else POSITION_MAX
    return position, known_at if isinstance(known_at, datetime) else END_OF_TIME


Minutes = Annotated[int, Strict(), Field(ge=0, le=EXACT_MAX)]
"""Whole minutes, never negative."""

SignedMinutes = Annotated[int, Strict(), Field(ge=-EXACT_MAX, le=EXACT_MAX)]
"""Whole minutes; negative where hours are owed."""

Kopecks = Annotated[int, Strict(), Field(ge=-EXACT_MAX, le=EXACT_MAX)]
"""Whole kopecks."""

GivenMinutes = Annotated[int, Strict(), Field(ge=-MINUTES_MAX, le=MINUTES_MAX)]
"""Minutes of one task as a caller gives them; the domain judges their sign and quantum."""

AgreedMinutes = Annotated[int, Strict(), Field(gt=0, le=MINUTES_MAX)]
"""The size of a package that was agreed, in any whole minutes (rule 3.3)."""

AgreedKopecks = Annotated[int, Strict(), Field(ge=0, le=100 * HOUR_PRICE_MAX)]
"""The price of a package that was agreed; 0 for a gift (rule 3.3)."""

PaidMinutes = Annotated[int, Strict(), Field(gt=0, le=PAID_MINUTES_MAX)]
"""Owed minutes as a caller pays them: those of many tasks at once (rule 6.5)."""

ID_FORM = r"^[A-Za-z0-9_-]{1,64}$"
MONTH_FORM = r"^2[01][0-9]{2}-(0[1-9]|1[0-2])$"
COMMITMENT_FORM = r"^sha256(-2)?:[0-9a-f]{64}$"
"""What stands in an event for a text about a person, which may have been erased."""
KEY_FORM = r"^[\x21-\x7e]{1,128}$"
CURSOR_FORM = r"^[A-Za-z0-9_-]{1,8192}$"
"""Where the next page of a list begins; only who gave it reads it."""

AccountId = Annotated[str, StringConstraints(pattern=ID_FORM)]
PackageId = Annotated[str, StringConstraints(pattern=ID_FORM)]
TaskId = Annotated[str, StringConstraints(pattern=ID_FORM)]
LotId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,100}$")]
"""A lot's id is that of the package it was bought with, or of a compensation (rule 8.2)."""

Month = Annotated[str, StringConstraints(pattern=MONTH_FORM)]
"""A calendar month of the seller's time zone, such as 2026-03."""

IdempotencyKey = Annotated[str, StringConstraints(pattern=KEY_FORM)]


def month_of(instant: datetime) -> str:
    """The seller's calendar month, such as `2026-07` for 2026-06-30T21:00Z (rule 2.2)."""
    local = instant.astimezone(SELLER_ZONE)
    return f"{local.year:04}-{local.month:02}"


_Visible = AfterValidator(_without_control_characters)

Name = Annotated[str, StringConstraints(min_length=1, max_length=300), _Visible]
Title = Annotated[str, StringConstraints(min_length=1, max_length=1000), _Visible]
Text = Annotated[str, StringConstraints(min_length=1, max_length=1000), _Visible]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=1000), _Visible]
Reference = Annotated[str, StringConstraints(min_length=1, max_length=200), _Visible]

_Seen = AfterValidator(require_seen)

GivenName = Annotated[Name, _Seen]
GivenTitle = Annotated[Title, _Seen]
GivenReason = Annotated[Reason, _Seen]
GivenReference = Annotated[Reference, _Seen]
"""Texts as a caller gives them: something of them can be seen. Older logs have others, which are still read."""


def rounded_division(numerator: int, denominator: int) -> int:
    """Whole quotient, half to even: the one rounding rule (rule 1.2). The denominator is positive."""
    quotient, rest = divmod(numerator, denominator)
    return quotient + (2 * rest > denominator or (2 * rest == denominator and quotient % 2 == 1))


def decimal_hours(minutes: int) -> str:
    """Hours for people: two decimal digits, half to even (rules 1.2, 1.3); 10 minutes read 0.17.

    >>> decimal_hours(750), decimal_hours(-10)
    ('12.50', '-0.17')
    """
    return _two_digits(_hundredths(minutes))


def hours_column(minutes: Sequence[int]) -> list[str]:
    """A column of hours whose lines add up to its rounded total, by the largest remainder (rule 1.3).

    >>> hours_column([10] * 6)
    ['0.17', '0.17', '0.17', '0.17', '0.16', '0.16']
    """
    floors = [given * 100 // 60 for given in minutes]
    short = _hundredths(sum(minutes)) - sum(floors)
    by_remainder = sorted(range(len(minutes)), key=lambda line: -(minutes[line] * 100 % 60))
    for line in by_remainder[:short]:
        floors[line] += 1
    return [_two_digits(hundredths) for hundredths in floors]


def _hundredths(minutes: int) -> int:
    """Hundredths of an hour."""
    return rounded_division(minutes * 100, 60)


def _two_digits(hundredths: int) -> str:
    sign = "-" if hundredths < 0 else ""
    return f"{sign}{abs(hundredths) // 100}.{abs(hundredths) % 100:02}"
