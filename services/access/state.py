"""Who may do what now: everything that the log of access says, folded."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from contracts.access_events import (
    AccessEvent,
    DoorClosed,
    DoorOpened,
    KeyMade,
    KeyRevoked,
    KeyRotated,
    LedgerRestored,
    PersonAdmitted,
    TermsPublished,
)
from contracts.terms import PublishedTerms
from services.access.keys import Credential, Key, KeySecret, key_id_of
from services.access.principals import Principal
from services.process.wake import Wake


class Fact(NamedTuple):
    """An event of the log of access, with its place, its subject and its actor."""

    position: int
    subject: str
    actor: str
    recorded_at: datetime
    event: AccessEvent


@dataclass(frozen=True)
class AccessState:
    """The keys by id, what people were admitted with, and the terms that were published, up to a position."""

    position: int = 0
    door: DoorOpened | DoorClosed | None = None
    keys: Mapping[str, Key] = field(default_factory=dict)
    people: Mapping[str, PersonAdmitted] = field(default_factory=dict)
    published: tuple[PublishedTerms, ...] = ()
    epoch: int = 1
    """That the last restore has begun."""

    def after(self, fact: Fact) -> "AccessState":
        """The state with one more fact. What only has to be remembered, such as an export, changes nothing."""
        assert fact.position == self.position + 1, (fact.position, self.position)
        moved = replace(self, position=fact.position)
        match fact.event:
            case DoorOpened() | DoorClosed():
                return replace(moved, door=fact.event)
            case PersonAdmitted():
                return replace(moved, people={**self.people, fact.subject: fact.event})
            case LedgerRestored(epoch=epoch):
                return replace(moved, epoch=epoch)
            case TermsPublished(version=version):
                new = PublishedTerms(
                    version=version,
                    position=fact.position,
                    published_at=fact.recorded_at,
                    published_by=fact.actor,
                )
                return replace(moved, published=(*self.published, new))
            case KeyMade() | KeyRotated() | KeyRevoked():
                key = _after(self.keys.get(key_id_of(fact.subject)), fact)
                return replace(moved, keys={**self.keys, key.key_id: key})
            case _:
                return moved

    def refusal(self, credential: Credential, now: datetime) -> str | None:
        """What is wrong with a key's credential; None where it proves the key."""
        key = self.keys.get(credential.key_id)
        return key.refusal(credential, now) if key else "the key is unknown, or its secret is another one"

    def admits(self, person: Principal) -> bool:
        """Whether what a person's token gives is what was recorded of the person last."""
        known = self.people.get(person.id)
        if known is None or frozenset(known.roles) != person.roles:
            return False
        return (known.accounts if known.accounts is None else frozenset(known.accounts)) == person.accounts


class NothingKnown:
    """What a process without a log of access knows: there is no key, and nothing changes."""

    def __init__(self) -> None:
        self.state = AccessState()
        self.wake = Wake()


def admission(person: Principal, name: str | None) -> PersonAdmitted:
    """What is recorded of a person's token; `name` is the commitment to it."""
    accounts = None if person.accounts is None else tuple(sorted(person.accounts))
    return PersonAdmitted(name=name, roles=tuple(sorted(person.roles)), accounts=accounts)


def _after(known: Key | None, fact: Fact) -> Key:
    """The key with what happened to it."""
    match fact.event:
        case KeyMade(roles=roles, accounts=accounts, ends_at=ends_at, secret_sha256=secret):
            assert known is None, f"{fact.subject} was made twice"
            return Key(
                key_id=key_id_of(fact.subject),
                roles=frozenset(roles),
                accounts=None if accounts is None else frozenset(accounts),
                ends_at=ends_at,
                made_at=fact.recorded_at,
                made_by=fact.actor,
                secrets=(KeySecret(bytes.fromhex(secret)),),
            )
        case KeyRotated(secret_sha256=secret, overlap_ends_at=overlap_ends_at):
            assert known, f"{fact.subject} was rotated and never made"
            return known.rotated(bytes.fromhex(secret), overlap_ends_at)
        case _:
            assert known, f"{fact.subject} was revoked and never made"
            return replace(known, revoked_at=known.revoked_at or fact.recorded_at)
