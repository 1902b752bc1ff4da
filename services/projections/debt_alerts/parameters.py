"""What questions about alerts and their deliveries are asked with."""

from typing import Annotated

from pydantic import Field, field_validator

from contracts.alerts import AlertKind
from contracts.quantities import AccountId
from services.projections.debt_alerts.queries import ALERT_KEY, DELIVERY_KEY
from services.projections.paging import Cursor, require_cursor
from services.projections.parameters import Asked, Limit


class AskedAlerts(Asked):
    """Which alerts to list."""

    is_open: Annotated[bool | None, Field(alias="open")] = None
    kind: AlertKind | None = None
    account_id: AccountId | None = None
    cursor: Cursor | None = None
    limit: Limit = 100

    @field_validator("cursor")
    @classmethod
    def _of_alerts(cls, cursor: str | None) -> str | None:
        return require_cursor(cursor, ALERT_KEY)


class AskedDeliveries(Asked):
    """Which page of deliveries."""

    cursor: Cursor | None = None
    limit: Limit = 100

    @field_validator("cursor")
    @classmethod
    def _of_deliveries(cls, cursor: str | None) -> str | None:
        return require_cursor(cursor, DELIVERY_KEY)
