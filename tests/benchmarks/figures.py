"""A figure of the benchmark: ours beside theirs, as a ratio, and how far it is to reach."""

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Literal

from rich.console import Console
from rich.table import Table

TABLE_WIDTH = 130

State = Literal["alone", "everything"]
"""The part alone, or with relay, expiry and projections at work on the same two cores."""


@dataclass(frozen=True)
class Figure:
    """One row: `ratio` is ours to theirs, except where `against` is a bound on our own."""

    measure: str
    against: str
    running: State
    ours: float
    theirs: float
    unit: str
    reach: float
    at_most: bool = False

    @property
    def ratio(self) -> float:
        """Ours to theirs."""
        return self.ours / self.theirs if self.theirs else float("nan")

    @property
    def reached(self) -> bool:
        """Whether it is as good as it is to be."""
        return self.ratio <= self.reach if self.at_most else self.ratio >= self.reach


def in_turn(rounds: int, *sides: Callable[[int], float]) -> list[float]:
    """Each side's median, measured one after another in rounds, so that a slow moment of the machine meets all."""
    measured = [[side(number) for side in sides] for number in range(rounds)]
    return [median(each) for each in zip(*measured, strict=True)]


def show(figures: Iterable[Figure], console: Console) -> None:
    """The table of all figures."""
    table = Table(title="Hourbook measured: ratios count, rates are this machine's")
    for name in ("measure", "against", "running"):
        table.add_column(name)
    for name in ("ours", "theirs", "ratio", "reach", ""):
        table.add_column(name, justify="right")
    for f in figures:
        bound = f"{'≤' if f.at_most else '≥'} {f.reach:g}"
        values = (f"{f.ours:,.4g} {f.unit}", f"{f.theirs:,.4g} {f.unit}", f"{f.ratio:.2f}", bound)
        table.add_row(f.measure, f.against, f.running, *values, "✓" if f.reached else "✗")
    console.print(table, width=max(console.width, TABLE_WIDTH))


def write(figures: Iterable[Figure], output: Path) -> None:
    """The same as JSON."""
    output.parent.mkdir(parents=True, exist_ok=True)
    rows = [asdict(f) | {"ratio": f.ratio, "reached": f.reached} for f in figures]
    output.write_text(json.dumps(rows, ensure_ascii=False, indent=1), encoding="utf-8")
