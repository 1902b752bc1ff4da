"""Moving the test clock: everything that becomes due is recorded and projected before the answer is given."""

import asyncio
from datetime import datetime

import httpx

from services.ledger.clock import SandboxClock
from services.ledger.running import Ledger
from services.ledger.writing.expiry import expire_due
from services.process.problem_responses import ProblemError

PROJECTED_SECONDS_MAX = 60.0
RETRY_SECONDS = 0.02


async def move_clock(ledger: Ledger, clock: SandboxClock, instant: datetime) -> None:
    """Forward to that instant; ClockMovesForwardOnly if it lies behind, `projection-behind` after a minute."""
    await clock.move(instant)
    for log_id in range(ledger.settings.logs):
        await expire_due(ledger.store, log_id, instant, ledger.expire)
    if ledger.settings.projections_url:
        await _projected(ledger.projections, max(await ledger.heads()))


async def _projected(projections: httpx.AsyncClient, position: int) -> None:
    """Ask until all projections have come so far in each log, or to its end; each question waits up to two seconds."""
    deadline = asyncio.get_running_loop().time() + PROJECTED_SECONDS_MAX
    while not await _has(projections, position):
        if asyncio.get_running_loop().time() > deadline:
            detail = f"The clock has moved, but the projections have not reached position {position} yet."
            raise ProblemError("projection-behind", detail, headers={"Retry-After": "1"})
        await asyncio.sleep(RETRY_SECONDS)


async def _has(projections: httpx.AsyncClient, position: int) -> bool:
    headers = {"Hourbook-Min-Position": str(position)}
    try:
        answer = await projections.get("/v1/projections", headers=headers)
    except httpx.TransportError:
        return False
    return answer.status_code == httpx.codes.OK
