"""The picture of a balance over time: as of any day, as known on any other, with what is expected to come."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from contracts.forecasts import ForecastView
from contracts.quantities import SELLER_ZONE
from contracts.read_models import BalanceStep, BalanceView
from services.documents.formats import day_of
from services.pages.customers.drawing import Axis, TimeAxis, round_steps, steps_path

WIDTH, HEIGHT = 960, 320
LEFT, RIGHT, TOP, BOTTOM = 56, 16, 18, 34
AHEAD = timedelta(days=45)
MONTH_LABELS = 12


@dataclass(frozen=True)
class Curve:
    """What the template draws: places in a picture of WIDTH × HEIGHT."""

    past: str
    area: str
    future: str
    everything: str
    band: str
    middle: str
    zero: float
    now: float
    mark: tuple[float, float]
    heights: tuple[tuple[float, int], ...]
    months: tuple[tuple[float, datetime], ...]
    months_end: tuple[tuple[str, int], ...]
    first: datetime
    last: datetime
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


def curve_of(
    steps: Sequence[BalanceStep],
    everything: Sequence[BalanceStep],
    balance: BalanceView,
    now: datetime,
    forecast: ForecastView | None,
) -> Curve | None:
    """The picture; None where nothing has moved yet. `everything`: the curve by all that is known, if it is another."""
    if not steps:
        return None
    first = min(steps[0].at, balance.as_of)
    expected = forecast.run_out_on if forecast else None
    last = max(now + AHEAD, balance.as_of, *([_midnight(expected.p50) + AHEAD] if expected else []))
    last = min(last, now + timedelta(days=400)) if balance.as_of <= now else last
    hours = [step.balance_minutes / 60 for step in (*steps, *everything)]
    across = TimeAxis.between(first, last, LEFT, WIDTH - RIGHT)
    up = Axis(min(0, *hours) * 1.08, max(1, *hours) * 1.08, HEIGHT - BOTTOM, TOP)

    def places(of: Sequence[BalanceStep]) -> list[tuple[float, float]]:
        return [(across.of(step.at), up.at(step.balance_minutes / 60)) for step in of if step.at <= last]

    past = [step for step in steps if step.at <= now]
    here = (across.of(now), up.at((past[-1].balance_minutes if past else 0) / 60))
    drawn = steps_path(places(past), here[0])
    ahead = [here, *places([step for step in steps if step.at > now])]
    zero = up.at(0)
    band = middle = ""
    if expected and past and past[-1].balance_minutes > 0:
        soonest, likely, latest = (across.of(_midnight(day)) for day in (expected.p10, expected.p50, expected.p90))
        band = f"M{here[0]} {here[1]}L{soonest} {zero}H{latest}Z"
        middle = f"M{here[0]} {here[1]}L{likely} {zero}"
    return Curve(
        past=drawn,
        area=f"{drawn}V{zero}H{places(past)[0][0]}Z" if past else "",
        future=steps_path(ahead, across.of(last)),
        everything=steps_path(places([step for step in everything if step.at <= now]), here[0]),
        band=band,
        middle=middle,
        zero=zero,
        now=here[0],
        mark=(across.of(balance.as_of), up.at(balance.balance_minutes / 60)),
        heights=tuple((up.at(height), height) for height in round_steps(up.first, up.last)),
        months=tuple(across.months(MONTH_LABELS)),
        months_end=_months_end(past),
        first=first,
        last=last,
    )


def _months_end(steps: Sequence[BalanceStep]) -> tuple[tuple[str, int], ...]:
    """The balance at the end of each month in which it changed."""
    ends = {f"{day_of(step.at):%Y-%m}": step.balance_minutes for step in steps}
    return tuple(ends.items())


def _midnight(day: datetime | object) -> datetime:
    return datetime.combine(day, time(), SELLER_ZONE)  # pyright: ignore[reportArgumentType]
