"""Pauses between attempts at what fails, and between looks at what is quiet: longer and longer."""

from datetime import timedelta
from random import SystemRandom

FIRST_SECONDS = 0.5
SECONDS_MAX = 3600


def pause_after(failures: int) -> timedelta:
    """How long to wait after a failure that followed so many: up to twice as long each time.

    Of chance, so that not everybody comes back at once.
    """
    longest = min(FIRST_SECONDS * 2 ** min(failures, 30), SECONDS_MAX)
    return timedelta(seconds=SystemRandom().uniform(0, longest))


class Rests:
    """Between looks at what grows now and then: short while it does, and longer and longer while it does not."""

    def __init__(self, seconds: float, seconds_max: float) -> None:
        self._shortest, self._longest = seconds, seconds_max
        self._seconds = seconds

    def next(self) -> float:
        """How long to rest now; the next rest is twice as long."""
        seconds, self._seconds = self._seconds, min(2 * self._seconds, self._longest)
        return seconds

    def begin_anew(self) -> None:
        """Something was found: the next rest is short."""
        self._seconds = self._shortest
