"""Names and e-mails of people in commands and events: the log holds commitments to them, the texts stand apart.

A reader of text and salt can check a commitment. The salt is 16 random bytes, kept and erased with the text; without it
no guess can be tested.
"""

import secrets
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, repeat
from typing import Any

from contracts.commands import ChangeCustomer, CloseTask, Command, CorrectTask, OpenAccount
from contracts.events import AccountOpened, ClosingFacts, CustomerChanged, Event
from services.ledger.event_store.commitments import SALT_BYTES, commitment, is_commitment, stands_for
from services.ledger.event_store.stored_event import Personal

PERSONAL: dict[str, Any] = {"confirmed_by": True, "time_entries": {"__all__": {"performer"}}}
"""Where texts about people stand in a closing's command, as pydantic leaves fields out."""

SIGNATORY: dict[str, Any] = {"customer_requisites": {"signatory_name"}}
"""The same of what names a customer."""

NAMING = (ClosingFacts, AccountOpened, CustomerChanged)
"""Events that may hold commitments."""


def _salts() -> Iterator[bytes]:
    """Asked of the operating system by the hundred: once for each would take as long as writing the event out."""
    while True:
        block = secrets.token_bytes(SALT_BYTES * 256)
        yield from (block[at : at + SALT_BYTES] for at in range(0, len(block), SALT_BYTES))


_salt = _salts()


def set_apart(event: Event) -> tuple[Event, tuple[Personal, ...]]:
    """The event with commitments in place of what is personal, and what they stand for; each text once."""
    if not isinstance(event, NAMING):
        return event, ()
    kept: dict[str, Personal] = {}

    def committed(text: str) -> str:
        if text not in kept:
            kept[text] = commit(text)
        return kept[text].commitment

    if not isinstance(event, ClosingFacts):
        if (requisites := event.customer_requisites) is None or requisites.signatory_name is None:
            return event, ()
        named = requisites.model_copy(update={"signatory_name": committed(requisites.signatory_name)})
        return event.model_copy(update={"customer_requisites": named}), tuple(kept.values())
    changed: dict[str, Any] = {}
    if event.confirmed_by is not None:
        changed["confirmed_by"] = committed(event.confirmed_by)
    if event.time_entries:
        changed["time_entries"] = tuple(
            entry.model_copy(update={"performer": committed(entry.performer)}) for entry in event.time_entries
        )
    return event.model_copy(update=changed), tuple(kept.values())


def commit(text: str) -> Personal:
    """A commitment to a text, with a salt of its own: the same text never makes the same commitment again."""
    salt = next(_salt)
    return Personal(commitment(salt, text), salt, text)


def without_names(command: Command, *, as_before: bool = False) -> bytes:
    """The command's text as its fingerprint is taken, in which nothing can be guessed at.

    `as_before`: as earlier versions took it, with the customer's signatory.
    """
    requisites = command.customer_requisites if isinstance(command, OpenAccount | ChangeCustomer) else None
    names_signatory = requisites and requisites.signatory_name and not as_before
    return command.model_dump_json(exclude=PERSONAL | SIGNATORY if names_signatory else PERSONAL).encode()


def names_agree(command: object, events: Iterable[Event], salts: Mapping[str, bytes]) -> bool:
    """Whether a command that is otherwise the recorded one names the same people as its events (rule 11.2).

    `salts` has those of the events' commitments that are not erased. An erased name agrees with any, or a guess at it
    could be tested.
    """
    if not isinstance(command, CloseTask | CorrectTask | OpenAccount | ChangeCustomer):
        return True
    recorded = chain.from_iterable(_names(event) for event in events if isinstance(event, NAMING))
    return all(map(_agrees, recorded, _names(command), repeat(salts)))


def _agrees(recorded: str | None, given: str | None, salts: Mapping[str, bytes]) -> bool:
    if recorded is None or not is_commitment(recorded):
        return recorded == given
    if recorded not in salts:
        return True
    return given is not None and stands_for(recorded, salts[recorded], given)


def _names(
    said: CloseTask | CorrectTask | OpenAccount | ChangeCustomer | ClosingFacts | AccountOpened | CustomerChanged,
) -> list[str | None]:
    if isinstance(said, OpenAccount | ChangeCustomer | AccountOpened | CustomerChanged):
        return [said.customer_requisites and said.customer_requisites.signatory_name]
    return [said.confirmed_by, *(entry.performer for entry in said.time_entries or ())]
