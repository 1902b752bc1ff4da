"""The seals that belong to an export: of every append of which it shows an event, with what it takes to check them."""

from collections.abc import Callable, Iterator
from typing import Any

from services.auditing.ledger_over_http import AuditSource
from services.process.leaf import Leaf

PAGE = 1000


def seals(
    source: AuditSource, log: int, size: int, holds: Callable[[int, int], bool], *, contiguous: bool
) -> Iterator[dict[str, Any]]:
    """A line for each append. `others`: what its seal covers of its events that are not in the export, in order.

    `holds`: whether one of the leaves [start, end) is in it; `contiguous`: whether those in it follow one another.
    """
    after = 0
    while after < size and (start := _before_next(holds, after, size)) is not None:
        if not (page := source.seals(log, start, PAGE if contiguous else 1)):
            return
        for append in page:
            first, after = append["first"], append["last"]
            if first <= size and holds(first - 1, min(after, size)):
                missing = (at for at in range(first, after + 1) if at > size or not holds(at - 1, at))
                seal = bytes.fromhex(append["seal"])
                others = [_leaf(source, log, at).sealed(seal, at - first).hex() for at in missing]
                yield {"first": first, "last": after, "seal": append["seal"], "others": others}


def _before_next(holds: Callable[[int, int], bool], after: int, size: int) -> int | None:
    """The place before the next position that is held; None where none is."""
    if not holds(after, size):
        return None
    low, high = after, size
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(low, middle) else (middle, high)
    return low


def _leaf(source: AuditSource, log: int, position: int) -> Leaf:
    [line] = source.lines(log, position - 1, position)
    return Leaf.of_line(log, line)
