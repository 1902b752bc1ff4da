"""Whether a log ends where a projection is: asked once for all who stand there, and never taken for granted."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from services.projections.following import feed as module
from services.projections.following.feed import LogFeed
from services.projections.following.tracking import Place
from tests.projections.following.stage import Stage


class CountedFeed:
    """Says how often the ledger was asked."""

    def __init__(self, stage: Stage, client: httpx.AsyncClient) -> None:
        self.asked: list[httpx.URL] = []
        client.event_hooks = {"request": [self._note]}
        self.feed: LogFeed = stage.feed(client)

    async def _note(self, request: httpx.Request) -> None:
        self.asked.append(request.url)


@pytest.fixture
async def counted(stage: Stage) -> AsyncIterator[CountedFeed]:
    async with httpx.AsyncClient(base_url=stage.server.url, timeout=60, trust_env=False) as client:
        yield CountedFeed(stage, client)


async def end_of(stage: Stage, counted: CountedFeed) -> Place:
    """Where a projection is that has applied everything."""
    async for events in counted.feed.pages(Place()):
        last = events[-1]
    counted.asked.clear()
    return Place.after(last, stage.name)


async def test_all_who_stand_there_have_one_answer(stage: Stage, counted: CountedFeed):
    await stage.record()
    here = await end_of(stage, counted)
    assert await asyncio.gather(*(counted.feed.ends_with(here) for _ in range(4))) == [True] * 4
    assert len(counted.asked) == 1


async def test_an_answer_that_is_old_is_asked_again(
    stage: Stage, counted: CountedFeed, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "KNOWN_SECONDS", -1)
    await stage.record()
    here = await end_of(stage, counted)
    assert await counted.feed.ends_with(here)
    await stage.close()
    assert not await counted.feed.ends_with(here)


async def test_one_who_stands_elsewhere_asks_anew(stage: Stage, counted: CountedFeed):
    await stage.record()
    here = await end_of(stage, counted)
    assert await counted.feed.ends_with(here)
    for other in (replace(here, position=here.position - 1), Place()):
        assert not await counted.feed.ends_with(other)


async def test_a_log_that_has_another_event_there_does_not_end_there(stage: Stage, counted: CountedFeed):
    await stage.record()
    here = await end_of(stage, counted)
    for other in (replace(here, event_id="another"), replace(here, hash="00"), replace(here, epoch=2)):
        assert not await counted.feed.ends_with(other)


async def test_an_empty_log_ends_at_its_beginning(stage: Stage, counted: CountedFeed):
    assert await counted.feed.ends_with(Place())
