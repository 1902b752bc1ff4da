"""A small file that is replaced at once or not at all, and is on the disk by then."""

import os
from pathlib import Path


def write_durably(file: Path, content: bytes) -> None:
    """Write beside it, wait for the disk, put it in its place, and wait for the folder; for its owner's eyes alone."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    written = file.with_name(f"{file.name}.{os.getpid()}")
    descriptor = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(descriptor)
    written.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
