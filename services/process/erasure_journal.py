"""A journal of erasures, in a file outside the database: one that is restored from before them has what they erased.

An entry is a line of JSON that names nobody: commitments and ids, when, and why.
"""

import os
from collections.abc import Iterable
from pathlib import Path

import orjson


def entries(file: Path) -> list[str]:
    """Those that were written whole; none where there is no file."""
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    return [line for line in text.splitlines() if _is_whole(line)]


def _is_whole(line: str) -> bool:
    try:
        return isinstance(orjson.loads(line), dict)
    except orjson.JSONDecodeError:
        return False


def keep(file: Path | None, known: Iterable[str]) -> None:
    """Have each of them in the file, and on the disk, once; what a crash has left half written counts for nothing."""
    if file is None:
        return
    written = set(entries(file))
    missing = [entry for entry in known if entry not in written]
    if not missing:
        return
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "ab") as opened:
        opened.write("".join(f"\n{entry}\n" for entry in missing).encode())
        opened.flush()
        os.fsync(descriptor)
