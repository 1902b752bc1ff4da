"""Backups and drills so many hours apart, where no timer of the machine starts them: in containers."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from services.operating.backup.outcomes import show_backups
from services.process.logs import LogSettings, begin_log
from services.process.metrics import serve_metrics
from services.process.operator_error import OperatorError
from services.process.settings import read
from services.process.stopping import run_until_stopped
from services.process.terminal import say

RETRY_SECONDS = 15 * 60
LOOKS_SECONDS = 60
"""So often the clock is looked at: a machine that has slept is late by no more."""


def do_until_stopped(
    part: str,
    work: Callable[[], Awaitable[object]],
    last: Callable[[], datetime | None],
    hours: float,
    metrics_port: int | None,
    backups: Path,
) -> None:
    """Be the part that does this work, and shows the metrics of the backups."""
    begin_log(part, read(LogSettings))
    show_backups(backups)
    serve_metrics(metrics_port)
    run_until_stopped(keep_doing(work, last, hours))


async def keep_doing(
    work: Callable[[], Awaitable[object]],
    last: Callable[[], datetime | None],
    hours: float,
    say: Callable[[str], None] = say,
) -> None:
    """Do it for ever, so many hours after it was last done, by whoever; at once where it never was.

    What hinders it is said, and it is tried again: nothing but a program that goes on makes the next one.
    """
    while True:
        if left := seconds_left(last(), hours, datetime.now(UTC)):
            await asyncio.sleep(min(left, LOOKS_SECONDS))
            continue
        try:
            await work()
        except (OperatorError, OSError) as hindrance:
            say(f"{str(hindrance).removesuffix('.')}. It is tried again in {RETRY_SECONDS // 60} minutes.")
            await asyncio.sleep(RETRY_SECONDS)


def seconds_left(last: datetime | None, hours: float, now: datetime) -> float:
    """How long until it is to be done again; a time to come was written by a clock that was wrong, and counts not."""
    if last is None or last > now:
        return 0
    return max(0.0, (last + timedelta(hours=hours) - now).total_seconds())
