"""What queries of every room are asked with, in a form that says what to put right."""

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import Header, Path
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator

from contracts.quantities import POSITION_MAX, AccountId, AskedInstant, KnownAt, parse_known_at
from services.documents import Lang

PAGE_ROWS_MAX = 1000
DAY_EARLIEST, DAY_LATEST = date(2000, 1, 1), date(2199, 12, 31)


def _day(value: Any) -> Any:
    """A calendar day in the years that months can have."""
    if value is None:
        return None
    try:
        day = date.fromisoformat(value)
    except ValueError:
        day = date.min
    if not DAY_EARLIEST <= day <= DAY_LATEST or len(value) != len("2026-03-05"):
        raise ValueError("give a day such as 2026-03-05")
    return day


AskedDay = Annotated[date | None, BeforeValidator(_day)]
AskedKnownAt = Annotated[KnownAt, BeforeValidator(parse_known_at)]
AccountPath = Annotated[AccountId, Path()]
MinPosition = Annotated[int, Header(alias="Hourbook-Min-Position", ge=0, le=POSITION_MAX)]
Limit = Annotated[int, Field(ge=1, le=PAGE_ROWS_MAX)]


class Asked(BaseModel):
    """Query parameters."""

    model_config = ConfigDict(frozen=True)


class AskedPeriod(Asked):
    """The half-open interval [from, to) (rule 2.3)."""

    since: Annotated[AskedInstant | None, Field(alias="from")] = None
    before: Annotated[AskedInstant | None, Field(alias="to")] = None

    @field_validator("before")
    @classmethod
    def _later(cls, before: datetime | None, info: ValidationInfo) -> datetime | None:
        if before and (since := info.data.get("since")) and before <= since:
            raise ValueError("give an instant after `from`")
        return before


class AskedThen(Asked):
    """By what was known when (rule 12)."""

    known_at: AskedKnownAt = None


class AskedDocument(AskedThen):
    """By what was known when, and in which language a document or an explanation is written."""

    lang: Lang = "ru"
