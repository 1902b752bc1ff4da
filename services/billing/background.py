"""What billing does by itself, in a process of its own beside the service."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial

from services.billing.invoices.payment_watch import watch_payments
from services.billing.running import Billing, running_billing
from services.billing.settings import Settings
from services.process.outages import outlasting
from services.process.problem_responses import ProblemError

logger = logging.getLogger(__name__)

WORKS: tuple[tuple[str, Callable[[Billing], Awaitable[None]]], ...] = (("The watch on payments", watch_payments),)
"""Each goes on until cancelled, and begins again after an outage; several processes may do it at once."""


async def run_billing(settings: Settings) -> None:
    """All works, until cancelled; ends with an error once any of them has failed."""
    async with running_billing(settings) as billing, asyncio.TaskGroup() as tasks:
        await billing.migration
        for name, work in WORKS:
            tasks.create_task(outlasting((ProblemError,), partial(work, billing), name, logger))
