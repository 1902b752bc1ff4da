"""Work outlasts the outages it knows, and says each of them once."""

import asyncio
import logging

import pytest

from services.process import outages
from services.process.outages import outlasting

logger = logging.getLogger("tests.outages")


def failing(*failures: Exception):
    """Work that fails so, one time after another, and then is done."""
    left = list(failures)

    async def work() -> str:
        if left:
            raise left.pop(0)
        return "done"

    return work


async def test_work_is_tried_again_until_it_is_done_and_an_outage_is_said_once(caplog: pytest.LogCaptureFixture):
    work = failing(OSError("down"), OSError("down"), OSError("full"), OSError("full"))
    assert await outlasting((OSError,), work, "The work", logger, 0) == "done"
    assert [record.message for record in caplog.records] == [
        "The work waits: OSError('down')",
        "The work waits: OSError('full')",
    ]


async def test_the_same_outage_long_after_the_last_is_another_one(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(outages, "FORGOTTEN_SECONDS", -1)
    work = failing(OSError("down"), OSError("down"))
    await outlasting((OSError,), work, "The work", logger, 0)
    assert len(caplog.records) == 2


async def test_what_is_no_outage_ends_the_work():
    with pytest.raises(ZeroDivisionError):
        await outlasting((OSError,), failing(OSError(), ZeroDivisionError()), "The work", logger, 0)


async def test_cancelled_it_ends_while_it_waits():
    task = asyncio.create_task(outlasting((OSError,), failing(OSError()), "The work", logger, 3600))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
