"""A link to a server that can lose an answer on its way back, or everything: nobody is told that it is lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Self
from urllib.parse import urlsplit


class LossyLink:
    """Passes everything on, until a request contains `losing`: its answer is dropped and the connection cut."""

    def __init__(self, target: str) -> None:
        self._target = urlsplit(target)
        self.losing: bytes | None = None
        self.lost = 0
        self.swallowing = False
        """Whether nothing passes: connections open until it ends, and none that has met it ever works again."""
        self.slow_seconds = 0.0
        """How long each request is on its way."""
        self._open: set[asyncio.StreamWriter] = set()
        self.url = ""

    @classmethod
    @asynccontextmanager
    async def to(cls, target: str) -> AsyncIterator[Self]:
        """Open for the time of the context; `url` is where to connect instead."""
        link = cls(target)
        server = await asyncio.start_server(link._accept, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        login = link._target.netloc.rpartition("@")[0]
        link.url = link._target._replace(netloc=f"{login}@127.0.0.1:{port}").geturl()
        async with server:
            yield link
            link.cut()

    def cut(self) -> None:
        """Break every connection."""
        for writer in self._open:
            writer.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            upstream = await asyncio.open_connection(self._target.hostname, self._target.port)
        except OSError:
            writer.close()
        else:
            await self._carry(reader, writer, *upstream)

    async def _carry(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        upstream_reader: asyncio.StreamReader,
        upstream_writer: asyncio.StreamWriter,
    ) -> None:
        self._open |= {writer, upstream_writer}
        marked, silent = asyncio.Event(), asyncio.Event()

        def passes() -> bool:
            if self.swallowing:
                silent.set()
            return not silent.is_set()

        async def requests() -> None:
            passes()
            while data := await reader.read(1 << 16):
                if self.losing and self.losing in data:
                    marked.set()
                if self.slow_seconds:
                    await asyncio.sleep(self.slow_seconds)
                if passes():
                    upstream_writer.write(data)

        async def answers() -> None:
            while data := await upstream_reader.read(1 << 16):
                if not passes():
                    continue
                if marked.is_set():
                    self.lost, self.losing = self.lost + 1, None
                    return
                writer.write(data)

        both = [asyncio.ensure_future(requests()), asyncio.ensure_future(answers())]
        with suppress(OSError):
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        for each in both:
            each.cancel()
        await asyncio.gather(*both, return_exceptions=True)
        for each in (writer, upstream_writer):
            self._open.discard(each)
            each.close()
