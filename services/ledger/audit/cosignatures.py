"""Cosignatures (C2SP tlog-cosignature, Ed25519): a witness saw that a checkpoint follows those that it saw before."""

from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from services.ledger.audit.notes import DASH, KEY_ID_BYTES, NotANote, Note

COSIGNATURE_ED25519 = b"\x04"
TIMESTAMP_BYTES = 8


@dataclass(frozen=True)
class VerifierKey:
    """A witness's name and public key, as C2SP signed-note writes them: `<name>+<key id>+<base64>`."""

    name: str
    raw: bytes

    @classmethod
    def parse(cls, text: str) -> Self:
        """NotANote for anything but an Ed25519 key of cosignatures."""
        try:
            name, key_id, encoded = text.strip().split("+", 2)
            decoded = b64decode(encoded, validate=True)
        except ValueError as malformed:
            raise NotANote(f"a witness's key is written <name>+<key id>+<base64>: {malformed}") from malformed
        made = cls(name, decoded[1:])
        if decoded[:1] != COSIGNATURE_ED25519 or len(made.raw) != 32 or made.key_id.hex() != key_id.lower():
            raise NotANote(f"the key of {name} is not an Ed25519 key for cosignatures")
        return made

    @property
    def key_id(self) -> bytes:
        """By which its signature lines are known."""
        return sha256(self.name.encode() + b"\n" + COSIGNATURE_ED25519 + self.raw).digest()[:KEY_ID_BYTES]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{b64encode(COSIGNATURE_ED25519 + self.raw).decode()}"

    def line_in(self, checkpoint: str, lines: str) -> str | None:
        """The line among these by which this witness cosigns the checkpoint; None if there is none that holds."""
        try:
            note = Note.parse(checkpoint.partition("\n\n")[0] + "\n\n" + lines)
        except NotANote:
            return None
        for line, each in zip(lines.splitlines(keepends=True), note.signatures, strict=True):
            if (each.name, each.key_id) == (self.name, self.key_id) and _holds(self.raw, each.signature, note.text):
                return line
        return None


def cosigned(text: str, name: str, key: Ed25519PrivateKey, at: datetime) -> str:
    """The signature line of a witness below a checkpoint's text."""
    timestamp = int(at.timestamp())
    verifier = VerifierKey(name, key.public_key().public_bytes_raw())
    signature = timestamp.to_bytes(TIMESTAMP_BYTES, "big") + key.sign(_message(text, timestamp))
    return f"{DASH}{name} {b64encode(verifier.key_id + signature).decode()}\n"


def _message(text: str, timestamp: int) -> bytes:
    return f"cosignature/v1\ntime {timestamp}\n{text}\n".encode()


def _holds(public_key: bytes, signature: bytes, text: str) -> bool:
    timestamp = int.from_bytes(signature[:TIMESTAMP_BYTES], "big")
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature[TIMESTAMP_BYTES:], _message(text, timestamp))
    except InvalidSignature:
        return False
    return True
