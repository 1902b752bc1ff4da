"""The connector at work: round after round, with what there is to say of each."""

import asyncio
from collections.abc import Callable, Iterable
from typing import NoReturn

import httpx

from services.bitrix24.portal import PortalFault
from services.bitrix24.recording import Outcome
from services.bitrix24.reporting import Reports
from services.process.operator_error import OperatorError

RETRY_SECONDS = 5.0
"""So soon it is tried again where Hourbook does not answer, or does not know an account yet."""

Say = Callable[[Iterable[Outcome]], None]


async def one_round(reports: Reports, say: Say) -> bool:
    """Whether every task that it met is recorded; PortalFault where the portal could not be read whole."""
    outcomes = await reports.rounds.next()
    say(outcomes)
    await reports.whole(outcomes)
    return all(outcome.outcome == "recorded" for outcome in outcomes)


async def keep_recording(reports: Reports, every_seconds: float, say: Say, complain: Callable[[str], None]) -> NoReturn:
    """Round after round, until cancelled; each outcome and each hindrance is said when it is new."""
    told: list[Outcome] = []
    hindered = ""
    while True:
        rest, hindrance = every_seconds, ""
        try:
            outcomes = await reports.rounds.next()
        except PortalFault as fault:
            hindrance, reported = f"Nothing is charged now: {fault}", reports.fault(fault)
        except (httpx.HTTPError, OperatorError) as fault:
            hindrance, reported = f"Nothing is charged now: {_said(fault)}", None
            rest = min(every_seconds, RETRY_SECONDS)
        else:
            say(outcome for outcome in outcomes if outcome not in told)
            told, reported = outcomes, reports.whole(outcomes)
        try:
            if reported:
                await reported
        except (httpx.HTTPError, OperatorError) as fault:
            hindrance = hindrance or f"The ledger does not keep how the portal is: {_said(fault)}"
        if hindrance and hindrance != hindered:
            complain(hindrance)
        hindered = hindrance
        await asyncio.sleep(rest)


def _said(fault: Exception) -> str:
    return str(fault) or type(fault).__name__
