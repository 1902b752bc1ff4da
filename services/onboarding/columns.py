"""What a sheet of a seller's book consists of."""

from collections.abc import Callable
from typing import Any, NamedTuple

from services.onboarding import cells


class Column(NamedTuple):
    """`name`: the field of the command, with points where it stands inside another. The pairs are Russian and English.

    `offered`: what the template's cell lets one choose. `examples`: what stands in the rows of examples.
    """

    name: str
    heading: tuple[str, str]
    read: Callable[[cells.Cell], Any] = cells.text
    required: bool = False
    hint: tuple[str, str] = ("", "")
    offered: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    examples: tuple[Any, ...] = ()


class Sheet(NamedTuple):
    """`name` is the sheet's in code; `title` as people see it."""

    name: str
    title: tuple[str, str]
    columns: tuple[Column, ...]
