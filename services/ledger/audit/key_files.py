"""Files of private keys: for their owner's eyes alone, made at the first start, replaced as a whole."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from services.process.file_replacement import replace_file

OF_CHECKPOINTS, OF_SEALS = ("HOURBOOK_AUDIT_KEY_FILE", "key.pem"), ("HOURBOOK_SEAL_KEY_FILE", "seal.pem")
"""Keys: the variable that names the file of each, and its name in a data folder."""


class CannotSign(Exception):
    """Nothing can be signed now, and an operator has to do something about it."""


class SignedElsewhere(CannotSign):
    """Another process does the same at this moment: it is to be tried again."""


def file_in(data: Path, variable: str, name: str) -> Path:
    """The file of a key: where the environment says, else in that data folder."""
    return Path(os.environ.get(variable) or data / "audit" / name)


def finish_rotation(file: Path, newest: Iterable[bytes]) -> None:
    """A rotation that was cut short has published its key, but not put it in its place."""
    if next_file(file).exists() and raw(read_key(next_file(file))) in newest:
        next_file(file).replace(file)


def next_file(file: Path) -> Path:
    """Where the key is that is about to take the place of the one in the file."""
    return file.with_name(file.name + ".next")


def raw(private: Ed25519PrivateKey) -> bytes:
    """The bytes of its public half."""
    return private.public_key().public_bytes_raw()


def write_key(file: Path, private: Ed25519PrivateKey) -> None:
    """On the disk before anything is signed with it."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    replace_file(file, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def read_or_make(file: Path) -> Ed25519PrivateKey:
    """The key in a file, made where there is none; CannotSign for a file that holds no such key.

    Of several processes that find none, one makes it for all.
    """
    if not file.exists():
        made = file.with_name(f"{file.name}.{os.getpid()}")
        write_key(made, Ed25519PrivateKey.generate())
        with suppress(FileExistsError):
            os.link(made, file)
        made.unlink()
    return read_key(file)


def read_key(file: Path) -> Ed25519PrivateKey:
    """The private key in the file; CannotSign where there is none."""
    try:
        private = load_pem_private_key(file.read_bytes(), password=None)
    except FileNotFoundError as missing:
        remedy = "Bring it from a backup; if it is lost for good, run: hourbook audit rotate-key --lost."
        raise CannotSign(f"The key that signs checkpoints is missing: {file}. {remedy}") from missing
    except ValueError as malformed:
        raise CannotSign(f"{file} is no private key: {malformed}") from malformed
    if not isinstance(private, Ed25519PrivateKey):
        raise CannotSign(f"{file} is not an Ed25519 key.")
    return private
