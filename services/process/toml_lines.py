"""Where something stands in a TOML file, so that what is wrong there is named by its line."""

import re
from collections.abc import Iterable


def line_of(written: str, place: Iterable[object]) -> int:
    """The line of a value, by the keys that lead to it; of one that is not there, that of what it would stand in.

    >>> line_of('since = 1\\n[accounts]\\n3 = "oka"', ("accounts", 3)), line_of("[party]", ("party", "inn"))
    (3, 1)
    """
    return line_with(written, *map(_mark, map(str, place)))


def line_with(written: str, *marks: str) -> int:
    """The number of the line with the last of these patterns, each sought from that of the one before on."""
    lines, at = written.splitlines(), 0
    for mark in marks:
        at = next((number for number in range(at, len(lines)) if re.search(mark, lines[number])), at)
    return at + 1


def _mark(key: str) -> str:
    """A line that begins with the key, or the heading of a table that has it among its names."""
    name = rf"""["']?(?<![\w-]){re.escape(key)}(?![\w-])["']?"""
    return rf"^\s*(?:\[+[^\]]*{name}[^\]]*\]|{name}[^=]*=)"
