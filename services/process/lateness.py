"""How long something that follows has been behind what it follows."""

import time

LATE_SECONDS_MAX = 10.0
"""What is behind for longer does not work, or has too much to do."""


class Lateness:
    """Of one follower: the oldest goal that it has not reached, and since when that is known."""

    def __init__(self) -> None:
        self._goal = 0
        self._since = time.monotonic()

    def seconds(self, reached: int, goal: int) -> float:
        """For how long a goal of the past has been missed: 0 while every goal is reached soon after it is seen."""
        now = time.monotonic()
        if reached >= self._goal or goal < self._goal:  # a log that was restored ends earlier
            self._goal, self._since = goal, now
        return now - self._since if reached < self._goal else 0.0
