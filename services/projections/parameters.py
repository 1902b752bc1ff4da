"""What queries are asked with, in a form that says what to put right."""

import re
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import Header, Path
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator

from contracts.alerts import AlertKind
from contracts.quantities import AccountId, Instant, Month, parse_instant
from services.documents import Lang
from services.projections.balances.accounts import ORDERS, Sort, order_of
from services.projections.balances.queries import STATEMENT_KEY, KnownAt
from services.projections.debt_alerts.queries import ALERT_KEY, DELIVERY_KEY
from services.projections.paging import require_cursor

POSITION_MAX = 2**63 - 1
DAYS_MAX = 36_500
PAGE_ROWS_MAX = 1000
MONTHS_MAX = 120
DAY_EARLIEST, DAY_LATEST = date(2000, 1, 1), date(2199, 12, 31)

_POSITION = re.compile(r"[0-9]{1,30}")
_SPACE_BEFORE_OFFSET = re.compile(r" (?=\d\d:\d\d$)")


def _with_plus(value: Any) -> Any:
    """A plus sign that nobody encoded arrives as a space."""
    return _SPACE_BEFORE_OFFSET.sub("+", value) if isinstance(value, str) else value


def _known_at(value: Any) -> Any:
    """A number is a position, anything else an instant."""
    if not _POSITION.fullmatch(value):
        return parse_instant(_with_plus(value))
    if int(value) > POSITION_MAX:
        raise ValueError(f"a log position is at most {POSITION_MAX}")
    return int(value)


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


AskedInstant = Annotated[Instant, BeforeValidator(_with_plus)]
AccountPath = Annotated[AccountId, Path()]
MinPosition = Annotated[int, Header(alias="Hourbook-Min-Position", ge=0, le=POSITION_MAX)]
Limit = Annotated[int, Field(ge=1, le=PAGE_ROWS_MAX)]


class Asked(BaseModel):
    """Query parameters; unknown ones are refused, so that a misspelt one does not pass for none."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class AskedAccounts(Asked):
    """Which accounts to list, in which order: by default by id, or where hours end soon, the soonest first."""

    sort: Sort | None = None
    debt: bool | None = None
    expiring_within: Annotated[int, Field(ge=0, le=DAYS_MAX)] | None = None
    suspended: bool | None = None
    cursor: str | None = None
    limit: Limit = 100

    @field_validator("cursor")
    @classmethod
    def _of_this_order(cls, cursor: str | None, info: ValidationInfo) -> str | None:
        """A list in one order goes on where a list in that order stopped."""
        order = ORDERS[order_of(info.data.get("sort"), info.data.get("expiring_within"))]
        return cursor and require_cursor(cursor, order.key)


class AskedBalance(Asked):
    """As of when, by what was known when (rule 12)."""

    as_of: AskedInstant | None = None
    known_at: Annotated[KnownAt, BeforeValidator(_known_at)] = None


class AskedReport(Asked):
    """By what was known when (rule 12), and in which language a document or an explanation is written."""

    known_at: Annotated[KnownAt, BeforeValidator(_known_at)] = None
    lang: Lang = "ru"


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


class AskedStatement(AskedPeriod):
    """Which movements to list."""

    cursor: str | None = None
    limit: Limit = 100

    @field_validator("cursor")
    @classmethod
    def _of_a_statement(cls, cursor: str | None) -> str | None:
        return cursor and require_cursor(cursor, STATEMENT_KEY)


class AskedTotals(Asked):
    """One day, one month, or every month from `from` to `to`."""

    month: Month | None = None
    first: Annotated[Month | None, Field(alias="from")] = None
    last: Annotated[Month | None, Field(alias="to")] = None
    day: Annotated[date | None, BeforeValidator(_day), Field(validate_default=True)] = None

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


class AskedAlerts(Asked):
    """Which alerts to list."""

    is_open: Annotated[bool | None, Field(alias="open")] = None
    kind: AlertKind | None = None
    account_id: AccountId | None = None
    cursor: str | None = None
    limit: Limit = 100

    @field_validator("cursor")
    @classmethod
    def _of_alerts(cls, cursor: str | None) -> str | None:
        return cursor and require_cursor(cursor, ALERT_KEY)


class AskedDeliveries(Asked):
    """Which page of deliveries."""

    cursor: str | None = None
    limit: Limit = 100

    @field_validator("cursor")
    @classmethod
    def _of_deliveries(cls, cursor: str | None) -> str | None:
        return cursor and require_cursor(cursor, DELIVERY_KEY)


class NothingAsked(Asked):
    """No parameters."""
