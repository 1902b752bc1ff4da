"""A field of a form: how a person writes it, and what of it a command is given."""

import re
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, Literal, NamedTuple

from contracts.quantities import SELLER_ZONE

Kind = Literal["text", "minutes", "days", "money", "day", "month", "moment", "choice", "check", "entries"]

_INPUTS = {
    "minutes": "number", "days": "number", "day": "date", "month": "month", "moment": "datetime-local",
}  # fmt: skip
_MONEY = re.compile(r"(\d{1,13})(?:[.,](\d{1,2}))?")


_ENTRY = re.compile(r"(?:(\d{4})-(\d\d)-(\d\d)|(\d\d)\.(\d\d)\.(\d{4}))[ T](\d\d:\d\d)[\s,;]+(\d{1,5})[\s,;]+(\S.*)")
"""A line of `entries`: day and time, minutes, and who worked."""


class Misfit(ValueError):
    """What was written is none of that kind; the name of the word that says what would fit, and in which lines."""

    def __init__(self, word: str, *lines: int) -> None:
        super().__init__(word)
        self.lines = lines


class Field(NamedTuple):
    """`name`: that of the command's field, with points where it stands inside another.

    `in_path`: part of the route's address.
    """

    name: str
    kind: Kind = "text"
    required: bool = True
    in_path: bool = False
    choices: tuple[str, ...] = ()

    @property
    def word(self) -> str:
        """The name of its label."""
        return "field_" + self.name.replace(".", "_")

    @property
    def input(self) -> str:
        """The type of its element in HTML."""
        return _INPUTS.get(self.kind, "text")

    def given(self, text: str | None) -> Any:
        """What the command is given for that text; None where nothing was written."""
        if self.kind == "check":
            return text is not None
        return None if text is None else _READ.get(self.kind, str)(text)

    def shown(self, value: Any) -> str:
        """A value of the command as a person would write it."""
        if isinstance(value, datetime):
            local = value.astimezone(SELLER_ZONE)
            return local.date().isoformat() if self.kind == "day" else local.isoformat()[: len("2026-03-05T10:00:00")]
        if isinstance(value, date):
            return value.isoformat()
        return "" if value is None else str(value)


def _minutes(text: str) -> int:
    if not text.isdecimal() or len(text) > 9:
        raise Misfit("misfit_minutes")
    return int(text)


def _days(text: str) -> int:
    if not text.isdecimal() or len(text) > 4:
        raise Misfit("misfit_days")
    return int(text)


def _kopecks(text: str) -> int:
    found = _MONEY.fullmatch(text.replace(" ", "").replace("\N{NO-BREAK SPACE}", ""))
    if found is None:
        raise Misfit("misfit_money")
    return int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))


def _moment(text: str) -> str:
    """The seller's clock, for that is whose days count (rule 2.2)."""
    try:
        written = datetime.fromisoformat(text)
    except ValueError as misfit:
        raise Misfit("misfit_moment") from misfit
    return written.replace(tzinfo=SELLER_ZONE).isoformat()


def filled_lines(text: str) -> list[tuple[int, str]]:
    """The lines in which something stands, each with its number from 1.

    >>> filled_lines("one\\n\\n three ")
    [(1, 'one'), (3, 'three')]
    """
    return [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]


def _entries(text: str) -> list[dict[str, Any]]:
    """Time entries, a line each, such as `2026-06-01 10:00 20 Anna Petrova`; the seller's clock."""
    read = [(number, _entry(line)) for number, line in filled_lines(text)]
    if wrong := [number for number, entry in read if entry is None]:
        raise Misfit("misfit_entries", *wrong)
    return [entry for _, entry in read if entry]


def _entry(line: str) -> dict[str, Any] | None:
    found = _ENTRY.fullmatch(line)
    if found is None:
        return None
    year, month, day, day_first, month_then, year_last, clock, minutes, performer = found.groups()
    written = f"{year or year_last}-{month or month_then}-{day or day_first}T{clock}"
    try:
        return {"start": _moment(written), "minutes": int(minutes), "performer": performer}
    except Misfit:
        return None


_READ = {"minutes": _minutes, "days": _days, "money": _kopecks, "moment": _moment, "entries": _entries}


def nested(values: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """The body of a command, from its fields by name; what nobody filled in is left out.

    >>> nested([("reason", "x"), ("agreed.minutes", 600), ("agreed.reason", None)])
    {'reason': 'x', 'agreed': {'minutes': 600}}
    """
    body: dict[str, Any] = {}
    for name, value in values:
        if value is not None:
            *outer, last = name.split(".")
            place = body
            for each in outer:
                place = place.setdefault(each, {})
            place[last] = value
    return body
