"""Lists page by page: their orders, and where the next page begins, which callers hand back without looking into it."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated, Any, NamedTuple, TypeVar

import orjson
from pydantic import Field, StringConstraints, TypeAdapter

from contracts.quantities import CURSOR_FORM, POSITION_MAX

Cursor = Annotated[str, StringConstraints(pattern=CURSOR_FORM)]
Position = Annotated[int, Field(ge=0, le=POSITION_MAX)]
Ordinal = Annotated[int, Field(ge=0, lt=2**31)]
"""What a column of type integer holds."""

Key = TypeVar("Key")


def cursor_after(*key: Any) -> str:
    """The cursor of a page that begins after the row with that key."""
    return urlsafe_b64encode(orjson.dumps(key)).decode().rstrip("=")


def key_of(cursor: str, kind: TypeAdapter[Key]) -> Key:
    """The key in a cursor; ValueError for one that no page of that kind has given."""
    padded = cursor + "=" * (-len(cursor) % 4)
    return kind.validate_python(orjson.loads(urlsafe_b64decode(padded)))


def require_cursor(cursor: str | None, kind: TypeAdapter[Any]) -> str | None:
    """The cursor, if a page of that kind has given it; ValueError with the remedy if not."""
    try:
        if cursor is not None:
            key_of(cursor, kind)
    except ValueError as unreadable:
        raise ValueError("hand on next_cursor of the page before, unchanged, or leave it out") from unreadable
    return cursor


class Order(NamedTuple):
    """An order of the list: the columns of the index that has it, and how its cursors name the last row of a page."""

    columns: tuple[str, ...]
    value: str | None
    key: TypeAdapter[Any]
    descending: bool = False

    @property
    def by(self) -> str:
        """The order as SQL; one direction for all columns, so that an index serves it read either way."""
        return ", ".join(f"{column}{' DESC' if self.descending else ''}" for column in self.columns)

    def after(self, first: int) -> str:
        """What comes after the row whose key is in the parameters from `first` on."""
        values = [self.value.format(first), f"${first + 1}"] if self.value else [f"${first}"]
        return f"AND ({', '.join(self.columns)}) {'<' if self.descending else '>'} ({', '.join(values)})"
