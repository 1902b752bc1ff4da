"""Pictures as numbers: scales and paths for SVG, which templates draw."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from contracts.quantities import SELLER_ZONE


@dataclass(frozen=True)
class Axis:
    """From values to places."""

    first: float
    last: float
    begins: float
    ends: float

    def at(self, value: float) -> float:
        """The place of a value, to a tenth."""
        part = (value - self.first) / (self.last - self.first or 1)
        return round(self.begins + part * (self.ends - self.begins), 1)


@dataclass(frozen=True)
class TimeAxis(Axis):
    """From instants to places."""

    @classmethod
    def between(cls, first: datetime, last: datetime, begins: float, ends: float) -> "TimeAxis":
        """The axis whose ends these instants are."""
        return cls(first.timestamp(), last.timestamp(), begins, ends)

    def of(self, instant: datetime) -> float:
        """The place of an instant; one outside stands at the end."""
        return self.at(min(max(instant.timestamp(), self.first), self.last))

    def months(self, most: int) -> Iterator[tuple[float, datetime]]:
        """Beginnings of months and their places, evenly thinned out to so many."""
        begin = datetime.fromtimestamp(self.first, UTC).astimezone(SELLER_ZONE)
        month, found = begin.year * 12 + begin.month, []
        while (at := datetime(month // 12, month % 12 + 1, 1, tzinfo=SELLER_ZONE)).timestamp() <= self.last:
            found.append((self.at(at.timestamp()), at))
            month += 1
        every = -(-len(found) // most) or 1
        yield from found[::every]


def steps_path(points: Iterable[tuple[float, float]], until: float) -> str:
    """A line that keeps each height up to the next point."""
    drawn = ""
    for x, y in points:
        drawn += f"H{x}V{y}" if drawn else f"M{x} {y}"
    return f"{drawn}H{until}" if drawn else ""


def round_steps(lowest: float, highest: float, most: int = 5) -> list[int]:
    """Heights for lines across a picture of hours: multiples of 1, 2 or 5 times a power of ten."""
    width = max(highest - lowest, 1)
    unit = 1
    while True:
        for factor in (1, 2, 5):
            step = unit * factor
            if width / step <= most:
                begin = int(-(-lowest // step)) * step
                return list(range(begin, int(highest) + 1, step))
        unit *= 10
