"""What time it is for the pages: the real time, or in the sandbox that of the ledger's test clock."""

from datetime import UTC, datetime, timedelta

from contracts.quantities import SELLER_ZONE, Month
from services.pages.api import if_there
from services.pages.visit import Visit


async def present(visit: Visit) -> datetime:
    """The present."""
    clock = await if_there(visit.api.get(dict[str, datetime], "/v1/test-clock"))
    return clock["now"] if clock else datetime.now(UTC)


async def last_month(visit: Visit) -> Month:
    """The month that was over last."""
    return month_before(await present(visit))


def month_before(instant: datetime) -> Month:
    """The month before that of an instant, by the seller's days (rule 2.2)."""
    return f"{instant.astimezone(SELLER_ZONE).replace(day=1) - timedelta(days=1):%Y-%m}"
