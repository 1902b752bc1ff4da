"""For how long a part of this process has not been able to publish or read at NATS."""

import time

from prometheus_client import Gauge

UNREACHED = Gauge(
    "hourbook_nats_unreached_seconds",
    "For how long this part has not been able to publish or read at NATS; 0 while it can.",
    ["part", "log"],
)


class Reach:
    """Of one part: whether it could the last time that it tried, and when it could last."""

    def __init__(self, part: str, log: int | str = "") -> None:
        self._fails = False
        self._worked_at = time.monotonic()
        UNREACHED.labels(part, log).set_function(self.seconds)

    def works(self) -> None:
        """It has published or read just now."""
        self._fails, self._worked_at = False, time.monotonic()

    def fails(self) -> None:
        """It could not; it did until `works` was called last."""
        self._fails = True

    def seconds(self) -> float:
        """0 while it can."""
        return time.monotonic() - self._worked_at if self._fails else 0.0
