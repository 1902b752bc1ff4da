"""Pauses between attempts at what fails: longer and longer, and of chance, so that not everybody comes back at once."""

from datetime import timedelta
from random import SystemRandom

FIRST_SECONDS = 0.5
SECONDS_MAX = 3600


def pause_after(failures: int) -> timedelta:
    """How long to wait after a failure that followed so many: up to twice as long each time."""
    longest = min(FIRST_SECONDS * 2 ** min(failures, 30), SECONDS_MAX)
    return timedelta(seconds=SystemRandom().uniform(0, longest))
