"""Totals as they are answered, whatever they are summed from."""

from typing import Literal

from contracts.quantities import decimal_hours
from contracts.totals import Totals


def totals(
    period: str,
    by: Literal["booking", "effect"],
    *,
    held: tuple[int, int],
    owed_minutes: int,
    retained_kopecks: int,
    **moved: tuple[int, int],
) -> Totals:
    """Totals of minutes and kopecks, with the hours that people read. `moved`: what the fields are named after."""
    sums = {"held": held, **moved}
    minutes = {name: amount for name, (amount, _) in sums.items()}
    minutes |= {"owed": owed_minutes, "balance": minutes["held"] - owed_minutes}
    return Totals(
        period=period,
        by=by,
        retained_kopecks=retained_kopecks,
        **{f"{name}_minutes": amount for name, amount in minutes.items()},
        **{f"{name}_hours": decimal_hours(amount) for name, amount in minutes.items()},
        **{f"{name}_kopecks": kopecks for name, (_, kopecks) in sums.items()},
    )
