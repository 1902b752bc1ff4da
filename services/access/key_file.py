"""A key that the program keeps in a file, for what it asks itself."""

from collections.abc import Generator
from pathlib import Path

import httpx


class KeyInFile(httpx.Auth):
    """Shows the key that is in the file now: one that was rotated is taken without a start."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._file.read_text(encoding='ascii').strip()}"
        yield request
