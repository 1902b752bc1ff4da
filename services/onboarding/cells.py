"""What stands in a cell, as a command's field is given it. What could mean two things is refused with a remedy."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from contracts.quantities import SELLER_ZONE, decimal_hours

Cell = Any
"""A text, a number, a day, a moment, a time of day or a span, as the workbook has it."""

AS_TEXT = "format the cell as text, and write it again"
_DAY = re.compile(r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})|(\d{4})-(\d{2})-(\d{2})")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")
_SPAN = re.compile(r"(\d{1,5}):([0-5]\d)(?::00)?")
_NUMBER = re.compile(r"\d{1,12}(?:[.,]\d{1,12})?")
_YES = {"да", "yes", "true", "1", "истина"}
_NO = {"нет", "no", "false", "0", "ложь"}


class Misfit(ValueError):
    """This cell does not fit; the message is the remedy."""


def text(cell: Cell) -> str | None:
    """A text, without the spaces around it; None for an empty cell. A whole number is its digits."""
    if isinstance(cell, str):
        return " ".join(cell.split()) or None
    if isinstance(cell, bool) or not isinstance(cell, int | float):
        raise Misfit(f"the program that wrote the workbook took this for a date or a truth value: {AS_TEXT}")
    if cell != int(cell):
        raise Misfit(f"this is a number with a fraction, which may have lost its last zeros: {AS_TEXT}")
    return str(int(cell))


def identifier(cell: Cell) -> str | None:
    """A text without any spaces inside."""
    found = text(cell)
    return None if found is None else found.replace(" ", "")


def digits_of(*lengths: int) -> Callable[[Cell], str | None]:
    """A number of so many digits, or a zero fewer where a cell of numbers has lost the first."""

    def read(cell: Cell) -> str | None:
        found = identifier(cell)
        return f"0{found}" if found and found.isdecimal() and len(found) + 1 in lengths else found

    return read


def hours(cell: Cell) -> int | None:
    """Minutes, of hours written as 1,5 or 1.5 or 1:30, or of a cell with a time."""
    if isinstance(cell, time):
        cell = timedelta(hours=cell.hour, minutes=cell.minute, seconds=cell.second)
    if isinstance(cell, timedelta):
        return _whole_minutes(Decimal(cell // timedelta(seconds=1)) / 3600)
    if isinstance(cell, str) and (span := _SPAN.fullmatch(_packed(cell))):
        return int(span[1]) * 60 + int(span[2])
    found = _number(cell, "give hours, such as 1,5 or 1:30")
    return None if found is None else _whole_minutes(found)


def _whole_minutes(found: Decimal) -> int:
    """Hours to two digits stand for the minutes that are written so: 0.17 for 10 (rule 1.3)."""
    minutes = round(found * 60)
    if abs(found * 60 - minutes) > Decimal("0.001") and Decimal(decimal_hours(minutes)) != found:
        raise Misfit("these hours are no whole minutes: write them as 1:30, hours and minutes")
    return minutes


def money(cell: Cell) -> int | None:
    """Kopecks, of rubles written as 136 500,00 with or without a sign of the ruble."""
    if isinstance(cell, str):
        cell = cell.replace("₽", "").removesuffix("руб.").removesuffix("руб")
    found = _number(cell, "give rubles, such as 136 500,00")
    if found is None:
        return None
    if found * 100 != int(found * 100):
        raise Misfit("give at most two digits after the comma")
    return int(found * 100)


def _number(cell: Cell, remedy: str) -> Decimal | None:
    """A number that is not negative; floats to as many digits as a workbook shows."""
    if isinstance(cell, int | float) and not isinstance(cell, bool) and cell >= 0:
        return Decimal(repr(round(cell, 10))) if cell < 1e15 else Decimal(cell)
    if isinstance(cell, str):
        packed = _packed(cell)
        if not packed:
            return None
        if _NUMBER.fullmatch(packed):
            return Decimal(packed.replace(",", "."))
    raise Misfit(remedy)


def _packed(cell: str) -> str:
    """Without spaces of any kind."""
    return "".join(cell.split())


def day(cell: Cell) -> str | None:
    """A day as 2026-03-05."""
    found = _moment(cell)
    if not isinstance(found, datetime):
        return found and found.isoformat()
    if found.time() != time():
        raise Misfit("give a day without a time of day")
    return found.date().isoformat()


def moment(cell: Cell) -> str | None:
    """A moment of the seller's clock, with its offset; a day alone is its first moment (rule 2.2)."""
    found = _moment(cell)
    if found is None:
        return None
    full = found if isinstance(found, datetime) else datetime.combine(found, time())
    return full.replace(microsecond=0, tzinfo=SELLER_ZONE).isoformat()


def _moment(cell: Cell) -> date | None:
    if isinstance(cell, date):
        return cell
    if isinstance(cell, int | float):
        raise Misfit("this is a number: format the cell as a date, and look whether it is the day that is meant")
    written, _, clock = cell.strip().replace("T", " ").partition(" ") if isinstance(cell, str) else ("?", "", "")
    if not written and not clock:
        return None
    found, at = _DAY.fullmatch(written), _CLOCK.fullmatch(clock.strip())
    if found and (at or not clock.strip()):
        year, month, number = found["year"] or found[4], found["month"] or found[5], found["day"] or found[6]
        try:
            on = date(int(year), int(month), int(number))
            return datetime.combine(on, time(int(at[1]), int(at[2]), int(at[3] or 0))) if at else on
        except ValueError:
            raise Misfit("give a day and a time that there are") from None
    raise Misfit("give a day as 05.03.2026, with a time as 05.03.2026 14:30 where it matters")


def truth(cell: Cell) -> bool | None:
    """Yes or no."""
    if isinstance(cell, bool):
        return cell
    found = (text(cell) or "").casefold()
    if found in _YES | _NO:
        return found in _YES
    if found:
        raise Misfit("write yes or no")
    return None


def one_of(names: Mapping[str, str]) -> Callable[[Cell], str | None]:
    """One of the names, in small or capital letters; `names` says what each stands for."""

    def read(cell: Cell) -> str | None:
        found = (text(cell) or "").casefold()
        if found and found not in names:
            raise Misfit(f"write one of: {', '.join(names)}")
        return names[found] if found else None

    return read


def some_of(names: Mapping[str, str]) -> Callable[[Cell], list[str] | None]:
    """Any of the names, with commas between them."""
    read_one = one_of(names)

    def read(cell: Cell) -> list[str] | None:
        parts = [part for part in re.split(r"[,;+]", text(cell) or "") if part.strip()]
        return sorted({read_one(part) or "" for part in parts}) or None

    return read
