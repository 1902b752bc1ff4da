"""Where the next page begins, as callers get it and hand it back without looking into it."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any, TypeVar

import orjson
from pydantic import TypeAdapter

Key = TypeVar("Key")


def cursor_after(*key: Any) -> str:
    """The cursor of a page that begins after the row with that key."""
    return urlsafe_b64encode(orjson.dumps(key)).decode().rstrip("=")


def key_of(cursor: str, kind: TypeAdapter[Key]) -> Key:
    """The key in a cursor; ValueError for one that no page of that kind has given."""
    padded = cursor + "=" * (-len(cursor) % 4)
    return kind.validate_python(orjson.loads(urlsafe_b64decode(padded)))


def require_cursor(cursor: str, kind: TypeAdapter[Any]) -> str:
    """The cursor, if a page of that kind has given it; ValueError with the remedy if not."""
    try:
        key_of(cursor, kind)
    except ValueError as unreadable:
        raise ValueError("hand on next_cursor of the page before, unchanged, or leave it out") from unreadable
    return cursor
