"""Keys of services: `hb1_<id>_<secret>`, the secret 256 random bits, kept as SHA-256 alone."""

import re
import secrets
from base64 import b32encode
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from hmac import compare_digest

from contracts.access import CREDENTIAL_FORM, KEY_PREFIX, Role
from services.access.principals import Principal


def principal_id(key_id: str) -> str:
    """Whom the holder of a key is: what events and the log of access keep."""
    return f"key-{key_id}"


def key_id_of(principal: str) -> str:
    """The key whose holder that principal is."""
    return principal.removeprefix("key-")


_FORM = re.compile(CREDENTIAL_FORM)


@dataclass(frozen=True, slots=True)
class Credential:
    """What a caller shows: which key, and the proof of it."""

    key_id: str
    secret: str

    @classmethod
    def make(cls, key_id: str | None = None) -> "Credential":
        """A new secret, for a new key or for one that is rotated."""
        return cls(key_id or b32encode(secrets.token_bytes(10)).decode().lower(), secrets.token_urlsafe(32))

    @classmethod
    def given(cls, text: str) -> "Credential":
        """What a caller has made, which has the form."""
        credential = cls.parse(text)
        assert credential, "its form is checked where it is taken in"
        return credential

    @classmethod
    def parse(cls, text: str) -> "Credential | None":
        """The credential in a header; None for what has another form."""
        found = _FORM.fullmatch(text)
        return cls(*found.groups()) if found else None

    def __str__(self) -> str:
        return f"{KEY_PREFIX}{self.key_id}_{self.secret}"

    def __repr__(self) -> str:
        return f"Credential({self.key_id}, …)"

    @property
    def hash(self) -> bytes:
        """All that is kept of it. No slow hash: nobody guesses 256 random bits."""
        return sha256(self.secret.encode()).digest()


@dataclass(frozen=True, slots=True)
class KeySecret:
    """One secret of a key; after a rotation the earlier one has an end."""

    hash: bytes
    ends_at: datetime | None = None


@dataclass(frozen=True)
class Key:
    """A key as it is now: what it may do, and the secrets that prove it, the newest first."""

    key_id: str
    roles: frozenset[Role]
    accounts: frozenset[str] | None
    ends_at: datetime | None
    made_at: datetime
    made_by: str
    secrets: tuple[KeySecret, ...]
    revoked_at: datetime | None = None

    @cached_property
    def principal(self) -> Principal:
        """The caller with this key. Its name stands beside the log of access, and is not known here."""
        return Principal.with_roles(principal_id(self.key_id), "key", self.roles, self.accounts, ends_at=self.ends_at)

    def has_had(self, credential: Credential) -> bool:
        """Whether this was a secret of it, now or before."""
        return any(compare_digest(each.hash, credential.hash) for each in self.secrets)

    def rotated(self, new: bytes, overlap_ends_at: datetime) -> "Key":
        """The same key with another secret; the earlier ones work until the overlap ends."""
        earlier = tuple(
            KeySecret(each.hash, min(filter(None, (each.ends_at, overlap_ends_at)))) for each in self.secrets
        )
        return replace(self, secrets=(KeySecret(new), *earlier))

    def ended(self, now: datetime) -> str | None:
        """Why it does nothing any more, whatever its secret; None while it works."""
        if self.revoked_at is not None:
            return f"the key {self.key_id} is revoked"
        if self.ends_at is not None and now >= self.ends_at:
            return f"the key {self.key_id} has ended"
        return None

    def refusal(self, credential: Credential, now: datetime) -> str | None:
        """What is wrong with the credential, never repeating it; None where it proves the key.

        Every secret is compared in constant time first: a caller without one learns nothing of the key.
        """
        matching = [each for each in self.secrets if compare_digest(each.hash, credential.hash)]
        if not matching:
            return "the key is unknown, or its secret is another one"
        if ended := self.ended(now):
            return ended
        if all(each.ends_at is not None and now >= each.ends_at for each in matching):
            return f"this secret of the key {self.key_id} was rotated away, and the overlap is over"
        return None
