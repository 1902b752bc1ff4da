"""Answers that the client has not taken yet. Most HTTP clients read only once they have sent everything."""

import asyncio
from tempfile import SpooledTemporaryFile

IN_MEMORY_BYTES_MAX = 1 << 20
ON_DISK_BYTES_MAX = 4 << 30
BLOCK_BYTES = 64 << 10


class Outbox:
    """Bytes in, the same bytes out: the first mebibyte waits in memory, more on disk, and beyond that the writer."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(IN_MEMORY_BYTES_MAX)  # noqa: SIM115 - closed by `close`
        self._written = 0
        self._taken = 0
        self._ended = False
        self._changed = asyncio.Condition()

    async def put(self, block: bytes) -> None:
        """Add a block at the end."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._written < ON_DISK_BYTES_MAX)
            self._file.seek(self._written)
            self._written += self._file.write(block)
            self._changed.notify_all()

    async def end(self) -> None:
        """Nothing more will be put."""
        async with self._changed:
            self._ended = True
            self._changed.notify_all()

    async def take(self) -> bytes:
        """The next block, as soon as there is one; nothing at the end."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._ended or self._taken < self._written)
            self._file.seek(self._taken)
            block = self._file.read(BLOCK_BYTES)
            self._taken += len(block)
            if self._taken == self._written:
                self._file.seek(0)
                self._file.truncate()
                self._written = self._taken = 0
                self._changed.notify_all()
            return block

    def close(self) -> None:
        """Free what is kept."""
        self._file.close()
