"""What goes into the outbox comes out of it, wherever it waited."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from services.ledger.http import outbox as module
from services.ledger.http.outbox import BLOCK_BYTES, IN_MEMORY_BYTES_MAX, Outbox


@pytest.fixture
async def outbox() -> AsyncIterator[Outbox]:
    opened = Outbox()
    yield opened
    opened.close()


async def everything(outbox: Outbox) -> bytes:
    taken = b""
    while block := await outbox.take():
        assert len(block) <= BLOCK_BYTES
        taken += block
    return taken


def blocks(number: int) -> list[bytes]:
    return [f"{n};".encode() * 5000 for n in range(number)]


async def test_a_writer_far_ahead_of_its_reader(outbox: Outbox):
    put = blocks(200)
    assert sum(map(len, put)) > 2 * IN_MEMORY_BYTES_MAX
    for block in put:
        await outbox.put(block)
    await outbox.end()
    assert await everything(outbox) == b"".join(put)


async def test_a_reader_at_the_heels_of_its_writer(outbox: Outbox):
    async def write() -> None:
        for block in blocks(100):
            await outbox.put(block)
            await asyncio.sleep(0)
        await outbox.end()

    taken, _ = await asyncio.gather(everything(outbox), write())
    assert taken == b"".join(blocks(100))


async def test_a_writer_waits_when_too_much_has_not_been_taken(outbox: Outbox, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "ON_DISK_BYTES_MAX", 100)
    await outbox.put(b"x" * 100)
    waiting = asyncio.create_task(outbox.put(b"y"))
    await asyncio.wait([waiting], timeout=0.01)
    assert not waiting.done()
    assert await outbox.take() == b"x" * 100
    await waiting
    assert await outbox.take() == b"y"
