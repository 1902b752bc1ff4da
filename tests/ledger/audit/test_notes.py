"""Signed notes are those of C2SP signed-note, and say no more than what is signed."""

from base64 import b64decode
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.ledger.audit.checkpoints import Checkpoint
from services.ledger.audit.notes import NotANote, Note, key_id, signed

# The example of the format's first implementation, golang.org/x/mod/sumdb/note.
PUBLISHED_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PUBLISHED = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def test_a_published_note_verifies_with_its_key_and_no_other():
    name, its_id, encoded = PUBLISHED_KEY.split("+", 2)
    key = b64decode(encoded)[1:]
    assert key_id(name, key).hex() == its_id
    note = Note.parse(PUBLISHED)
    assert note.signed_by(name, key)
    assert not note.signed_by("PeterNewman", key)
    assert not note.signed_by(name, Ed25519PrivateKey.generate().public_key().public_bytes_raw())
    assert not Note.parse(PUBLISHED.replace("think", "thing")).signed_by(name, key)


def test_a_note_of_ours_is_verified_with_its_key_whoever_else_has_signed():
    key, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    note = Note.parse(signed("что-то\nважное", "n", other, key))
    for each in (key, other):
        assert note.signed_by("n", each.public_key().public_bytes_raw())
    assert note.text == "что-то\nважное"


@pytest.mark.parametrize(
    "broken",
    [
        "", "text\n", "text\n\n", "\n\n— a b2s=\n", "text\n\n— a b2shb2shb2s=", "text\n\n- a b2shb2shb2s=\n",
        "text\n\n— a ?\n", "text\n\n— a b2s=\n", "text\n\n—  b2shb2shb2s=\n",
    ],
)  # fmt: skip
def test_what_is_no_note_is_refused(broken: str):
    with pytest.raises(NotANote):
        Note.parse(broken)


def test_a_checkpoint_says_what_was_signed():
    key, made = Ed25519PrivateKey.generate(), Checkpoint("hourbook/x/log/0", 7, bytes(range(32)))
    note = made.sign(key, datetime(2026, 11, 25, tzinfo=UTC))
    assert note.split(" ")[:-1] == [
        "hourbook/x/log/0\n7\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\ntime",
        "2026-11-25T00:00:00Z\n\n—",
        "hourbook/x/log/0",
    ]
    parsed = Note.parse(note)
    assert Checkpoint.read(parsed) == made
    assert parsed.signed_by(made.origin, key.public_key().public_bytes_raw())


@pytest.mark.parametrize(
    "text", ["o", "o\nx\nAAAA", "o\n07\nAAAA", "o\n٣\nAAAA", "o\n-1\nAAAA", "o\n1", "o\n1\nAAAA", "o\n1\n?"]
)
def test_what_is_no_checkpoint_is_refused(text: str):
    with pytest.raises(NotANote):
        Checkpoint.read(Note(text, []))
