"""Packages as bars that burn down to their ends: used so far, left now, and what is expected to be lost."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from contracts.forecasts import ExpectedEnd, ForecastView
from contracts.read_models import PackageView
from services.pages.customers.drawing import TimeAxis

WIDTH, ROW, BAR = 960, 34, 24


@dataclass(frozen=True)
class Burning:
    """A package's bar: its whole time, the hours that burned away, those that are left, and those that may be lost."""

    package: PackageView
    top: int
    begins: float
    ends: float
    burned: str
    left: str
    lost: str
    expected: ExpectedEnd | None


@dataclass(frozen=True)
class Bars:
    """All bars on one axis of time, and today."""

    bars: tuple[Burning, ...]
    now: float
    months: tuple[tuple[float, datetime], ...]
    width: int
    height: int


def bars_of(packages: Sequence[PackageView], now: datetime, forecast: ForecastView | None) -> Bars | None:
    """The bars of the packages that hold hours, the first to end first; None where there is none."""
    holding = sorted((each for each in packages if each.remaining_minutes), key=lambda each: each.ends_at)
    if not holding:
        return None
    first, last = min(each.bought_at for each in holding), max(each.ends_at for each in holding)
    across = TimeAxis.between(min(first, now), max(last, now), 2, WIDTH - 2)
    ends = {each.package_id: each for each in forecast.ends} if forecast else {}
    bars = tuple(_bar(each, row, across, now, ends.get(each.package_id)) for row, each in enumerate(holding))
    return Bars(bars, across.of(now), tuple(across.months(10)), WIDTH, len(holding) * ROW + 26)


def _bar(package: PackageView, row: int, across: TimeAxis, now: datetime, expected: ExpectedEnd | None) -> Burning:
    """Heights are shares of its size, or of what it holds now where hours were carried over to it and that is more."""
    top = row * ROW + 4
    foot = top + BAR
    most = max(package.size_minutes, package.remaining_minutes)
    begin, here, end = across.of(package.bought_at), across.of(now), across.of(package.ends_at)
    left = round(foot - BAR * package.remaining_minutes / most, 1)
    losing = min(expected.forfeited_minutes.p50, package.remaining_minutes) if expected else 0
    rest = round(foot - BAR * losing / most, 1)
    return Burning(
        package=package,
        top=top,
        begins=begin,
        ends=end,
        burned=f"M{begin} {top}L{here} {left}V{foot}H{begin}Z",
        left=f"M{here} {left}L{end} {rest}V{foot}H{here}Z",
        lost=f"M{here} {foot}L{end} {rest}V{foot}Z" if losing else "",
        expected=expected if losing else None,
    )
