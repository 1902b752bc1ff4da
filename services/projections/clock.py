"""What time it is for queries and alerts: the real time, or in the sandbox the ledger's test clock."""

from datetime import UTC, datetime

import httpx

from contracts.quantities import parse_instant
from services.projections.settings import Settings


async def present(settings: Settings, ledger: httpx.AsyncClient) -> datetime:
    """The present; in the sandbox, raises httpx errors while the ledger is unavailable."""
    if not settings.sandbox:
        return datetime.now(UTC)
    answer = (await ledger.get("/v1/test-clock")).raise_for_status().json()
    return parse_instant(answer["now"])
