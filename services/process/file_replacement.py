"""Files that a start needs, replaced as a whole: a crash leaves the old content or the new one, never a part."""

import os
from contextlib import suppress
from pathlib import Path


def replace_file(file: Path, content: str | bytes, mode: int = 0o600) -> None:
    """Write the file anew. When this returns, the content and the name are on the disk."""
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(content.encode() if isinstance(content, str) else content)
            opened.flush()
            os.fsync(descriptor)
        beside.replace(file)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
