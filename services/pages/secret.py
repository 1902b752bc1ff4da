"""The secret that sessions are encrypted with: one file, shared by every process that serves the pages."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from services.process.operator_error import CANNOT_START, OperatorError

SECRET_BYTES = 32
FILE = "secret"


def secret_in(folder: Path | None) -> bytes:
    """The folder's secret, made where there is none yet. Without a folder, one of this process alone.

    Two processes that start together end up with the same: a file is linked under its name only once.
    """
    if folder is None:
        return secrets.token_bytes(SECRET_BYTES)
    file = folder / FILE
    try:
        if not file.exists():
            _make(file)
        found = file.read_bytes()
    except OSError as hindrance:
        raise OperatorError(
            f"HOURBOOK_PAGES_FOLDER, {file}: it cannot be used: {hindrance.strerror}.", exit_code=CANNOT_START
        ) from hindrance
    if len(found) != SECRET_BYTES:
        wrong = f"HOURBOOK_PAGES_FOLDER, {file}: it is not {SECRET_BYTES} bytes: delete it, and people log in again."
        raise OperatorError(wrong, exit_code=CANNOT_START)
    return found


def _make(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(secrets.token_bytes(SECRET_BYTES))
        opened.flush()
        os.fsync(descriptor)
    with suppress(FileExistsError):
        os.link(beside, file)
    beside.unlink()
