"""An HTTP client that reads the answer while it is still sending the request."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self
from urllib.parse import urlsplit

import orjson


class Duplex:
    """One chunked request and its chunked response, at the same time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._lines: list[bytes] = []
        self._begun = b""
        self.status: bytes | None = None

    @classmethod
    @asynccontextmanager
    async def post(cls, url: str, path: str) -> AsyncIterator[Self]:
        """Begin a request; the connection is closed after the context, whatever is still to come."""
        parts = urlsplit(url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        head = f"POST {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nTransfer-Encoding: chunked\r\n\r\n"
        writer.write(head.encode())
        try:
            yield cls(reader, writer)
        finally:
            writer.close()

    async def send(self, data: bytes) -> None:
        """One chunk; none says that the request is complete."""
        self._writer.write(b"%x\r\n%b\r\n" % (len(data), data))
        await self._writer.drain()

    async def end(self) -> None:
        """The request is complete."""
        await self.send(b"")

    async def line(self) -> dict[str, Any] | None:
        """The next line of the answer; None at its end."""
        while not self._lines:
            if self.status is None:
                head = await self._reader.readuntil(b"\r\n\r\n")
                self.status = head.split(b" ", 2)[1]
            size = int(await self._reader.readuntil(b"\r\n"), 16)
            chunk = (await self._reader.readexactly(size + 2))[:-2]
            if not size:
                return None
            *self._lines, self._begun = (self._begun + chunk).split(b"\n")
        return orjson.loads(self._lines.pop(0))

    async def rest(self) -> list[dict[str, Any]]:
        """All lines that are still to come."""
        found: list[dict[str, Any]] = []
        while line := await self.line():
            found.append(line)
        return found
