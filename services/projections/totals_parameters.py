"""What totals are asked for: a day, or months."""

from datetime import date
from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from contracts.quantities import Month
from services.projections.parameters import Asked, AskedDay

MONTHS_MAX = 120


class AskedTotals(Asked):
    """One day, one month, or every month from `from` to `to`."""

    month: Month | None = None
    first: Annotated[Month | None, Field(alias="from")] = None
    last: Annotated[Month | None, Field(alias="to")] = None
    day: Annotated[AskedDay, Field(validate_default=True)] = None

    @field_validator("last")
    @classmethod
    def _not_before(cls, last: Month | None, info: ValidationInfo) -> Month | None:
        first = info.data.get("first")
        if first and last and not 0 < len(_months(first, last)) <= MONTHS_MAX:
            raise ValueError(f"give a month from `from` on, and at most {MONTHS_MAX} months in all")
        return last

    @field_validator("day")
    @classmethod
    def _one_question(cls, day: date | None, info: ValidationInfo) -> date | None:
        if info.data.keys() >= {"month", "first", "last"}:
            month, first, last = (info.data[name] is not None for name in ("month", "first", "last"))
            if first != last or (day is not None) + month + first != 1:
                raise ValueError("give either `day`, or `month`, or both `from` and `to`")
        return day

    @property
    def months(self) -> list[Month]:
        """The months asked for; none, where it is a day."""
        first, last = self.first or self.month, self.last or self.month
        return _months(first, last) if first and last else []


def _months(first: Month, last: Month) -> list[Month]:
    """From the first to the last, both included."""
    begin, end = (int(month[:4]) * 12 + int(month[5:]) - 1 for month in (first, last))
    return [f"{number // 12}-{number % 12 + 1:02}" for number in range(begin, end + 1)]
