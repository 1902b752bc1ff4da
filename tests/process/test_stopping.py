"""Tasks are ended for good, even ones that lose a cancellation, and whoever waits for them is cancelled too."""

import asyncio

import pytest

from services.process.stopping import end


async def loses_one_cancellation(began: asyncio.Event) -> None:
    began.set()
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        await asyncio.Event().wait()


async def test_a_task_that_loses_a_cancellation_is_cancelled_again():
    began = asyncio.Event()
    task = asyncio.create_task(loses_one_cancellation(began))
    await began.wait()
    await end(task)
    assert task.cancelled()


async def test_who_is_cancelled_while_ending_tasks_ends_them_first():
    began = asyncio.Event()
    task = asyncio.create_task(loses_one_cancellation(began))
    await began.wait()
    ending = asyncio.create_task(end(task))
    await asyncio.wait({ending}, timeout=0.01)
    ending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ending
    assert task.cancelled()
