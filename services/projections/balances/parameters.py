"""What questions about accounts, balances and statements are asked with."""

from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from contracts.quantities import AccountId, AskedInstant, Name
from contracts.read_models import PackageState
from services.projections.balances.accounts import ORDERS, Sort, order_of
from services.projections.balances.packages import PACKAGE_KEY
from services.projections.balances.queries import STATEMENT_KEY
from services.projections.balances.search import folded
from services.projections.paging import Cursor, require_cursor
from services.projections.parameters import Asked, AskedDay, AskedKnownAt, AskedPeriod, Limit

DAYS_MAX = 36_500


def _searchable(text: str) -> str:
    if not (found := folded(text)):
        raise ValueError("give at least one visible character")
    return found


class AskedAccounts(Asked):
    """Which accounts to list, in which order: by default by id, or where hours end or run out, the soonest first."""

    sort: Sort | None = None
    debt: bool | None = None
    expiring_within: Annotated[int, Field(ge=0, le=DAYS_MAX)] | None = None
    run_out_before: AskedDay = None
    suspended: bool | None = None
    q: Annotated[Name, Field(max_length=100), AfterValidator(_searchable)] | None = None
    cursor: Cursor | None = None
    limit: Limit = 100

    @field_validator("cursor")
    @classmethod
    def _of_this_order(cls, cursor: str | None, info: ValidationInfo) -> str | None:
        """A list in one order goes on where a list in that order stopped."""
        order = ORDERS[order_of(*(info.data.get(name) for name in ("sort", "expiring_within", "run_out_before")))]
        return require_cursor(cursor, order.key)


class AskedBalance(Asked):
    """As of when, by what was known when (rule 12)."""

    as_of: AskedInstant | None = None
    known_at: AskedKnownAt = None


class AskedHistory(AskedPeriod):
    """Which part of the curve, by what was known when (rule 12)."""

    known_at: AskedKnownAt = None


class AskedWeeks(Asked):
    """Of which accounts, and for how many weeks."""

    account: Annotated[list[AccountId], Field(min_length=1, max_length=100)]
    weeks: Annotated[int, Field(ge=1, le=260)] = 26


class AskedStatement(AskedPeriod):
    """Which movements to list."""

    cursor: Cursor | None = None
    limit: Limit = 100

    @field_validator("cursor")
    @classmethod
    def _of_a_statement(cls, cursor: str | None) -> str | None:
        return require_cursor(cursor, STATEMENT_KEY)


class AskedPackages(AskedPeriod):
    """Which packages to list, by when they were bought."""

    state: PackageState | None = None
    cursor: Cursor | None = None
    limit: Limit = 100

    @field_validator("cursor")
    @classmethod
    def _of_packages(cls, cursor: str | None) -> str | None:
        return require_cursor(cursor, PACKAGE_KEY)
