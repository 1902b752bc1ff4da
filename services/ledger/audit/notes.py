"""Signed notes (C2SP signed-note): a text, and who vouches for it by Ed25519."""

from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519 = b"\x01"
KEY_ID_BYTES = 4
DASH = "\u2014 "


class NotANote(ValueError):
    """A text that is not a signed note, or not one of the kind that was expected."""


class Signature(NamedTuple):
    """One signature line."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True)
class Note:
    """A text, without its last LF, and its signatures, none of them checked yet."""

    text: str
    signatures: Sequence[Signature]

    @classmethod
    def parse(cls, note: str) -> Self:
        """NotANote for anything else; what it says is not to be believed before `signed_by`."""
        text, blank, below = note.partition("\n\n")
        lines = below.split("\n")
        if not (text and blank and lines.pop() == "" and lines):
            raise NotANote("a signed note is a text, an empty line, and signature lines that end in a line feed")
        return cls(text, [_signature(line) for line in lines])

    def signed_by(self, name: str, public_key: bytes) -> bool:
        """Whether this key, under this name, vouches for the text."""
        key, its_id = Ed25519PublicKey.from_public_bytes(public_key), key_id(name, public_key)
        return any(
            _verifies(key, each.signature, self.text)
            for each in self.signatures
            if (each.name, each.key_id) == (name, its_id)
        )


def signed(text: str, name: str, *keys: Ed25519PrivateKey) -> str:
    """The text as a note that these keys vouch for under one name."""
    lines = [f"{DASH}{name} {_encoded(key, name, text)}\n" for key in keys]
    return f"{text}\n\n{''.join(lines)}"


def key_id(name: str, public_key: bytes) -> bytes:
    """Four bytes that identify the key of a signature line."""
    return sha256(name.encode() + b"\n" + ED25519 + public_key).digest()[:KEY_ID_BYTES]


def _encoded(key: Ed25519PrivateKey, name: str, text: str) -> str:
    return b64encode(key_id(name, key.public_key().public_bytes_raw()) + key.sign(f"{text}\n".encode())).decode()


def _signature(line: str) -> Signature:
    name, _, encoded = line.removeprefix(DASH).partition(" ")
    try:
        decoded = b64decode(encoded, validate=True)
    except ValueError as malformed:
        raise NotANote(f"a signature is not base64: {malformed}") from malformed
    canonical = b64encode(decoded).decode() == encoded
    if not (line.startswith(DASH) and name and canonical and len(decoded) > KEY_ID_BYTES):
        raise NotANote("a signature line is a dash, a name and a signature")
    return Signature(name, decoded[:KEY_ID_BYTES], decoded[KEY_ID_BYTES:])


def _verifies(key: Ed25519PublicKey, signature: bytes, text: str) -> bool:
    try:
        key.verify(signature, f"{text}\n".encode())
    except InvalidSignature:
        return False
    return True
