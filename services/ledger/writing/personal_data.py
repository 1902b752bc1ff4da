"""Names and e-mails of people in commands and events: the log holds commitments to them, the texts stand apart.

A commitment is `sha256:` and SHA-256(salt || text) in hexadecimal. Whoever is shown text and salt can check it; without
the salt, 16 random bytes that are kept and erased with the text, no guess can be tested.
"""

import secrets
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from contracts.events import Event, TaskClosed
from services.ledger.event_store.stored_event import Personal

PERSONAL: dict[str, Any] = {"confirmed_by": True, "time_entries": {"__all__": {"performer"}}}
"""Where texts about people stand, in `CloseTask` as in `TaskClosed`; as pydantic leaves fields out."""

SALT_BYTES = 16


def _salts() -> Iterator[bytes]:
    """Asked of the operating system by the hundred: once for each would take as long as writing the event out."""
    while True:
        block = secrets.token_bytes(SALT_BYTES * 256)
        yield from (block[at : at + SALT_BYTES] for at in range(0, len(block), SALT_BYTES))


_salt = _salts()


def set_apart(event: Event) -> tuple[Event, tuple[Personal, ...]]:
    """The event with commitments in place of what is personal, and what they stand for; each text once."""
    if type(event) is not TaskClosed:
        return event, ()
    kept: dict[str, Personal] = {}

    def commitment(text: str) -> str:
        if text not in kept:
            kept[text] = commit(text)
        return kept[text].commitment

    changed: dict[str, Any] = {}
    if event.confirmed_by is not None:
        changed["confirmed_by"] = commitment(event.confirmed_by)
    if event.time_entries:
        changed["time_entries"] = tuple(
            entry.model_copy(update={"performer": commitment(entry.performer)}) for entry in event.time_entries
        )
    return event.model_copy(update=changed), tuple(kept.values())


def commit(text: str) -> Personal:
    """A commitment to a text, with a salt of its own: the same text never makes the same commitment again."""
    salt = next(_salt)
    return Personal(f"sha256:{sha256(salt + text.encode()).hexdigest()}", salt, text)
