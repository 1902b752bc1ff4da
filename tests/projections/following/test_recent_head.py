"""Where a log ends is asked once for all projections that want to know."""

import asyncio

import httpx
import pytest

from services.process.tls import trusted_at
from services.projections.following import feed as module
from services.projections.following.feed import LogFeed
from services.projections.following.identity import FollowedLedger


class CountedFeed(LogFeed):
    """Says how often it was asked."""

    asked = 0

    async def head(self) -> int:
        self.asked += 1
        await asyncio.sleep(0)  # as long as others ask as well
        return self.asked


@pytest.fixture
async def feed():
    async with httpx.AsyncClient(verify=trusted_at("http://localhost")) as client:
        yield CountedFeed(client, "0", FollowedLedger(None))  # type: ignore[arg-type]


async def test_all_who_ask_at_once_have_one_answer(feed: CountedFeed):
    assert await asyncio.gather(*(feed.recent_head() for _ in range(4))) == [1, 1, 1, 1]
    assert feed.asked == 1


async def test_an_answer_that_is_old_is_asked_again(feed: CountedFeed, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "HEAD_SECONDS", -1)
    assert [await feed.recent_head(), await feed.recent_head()] == [1, 2]
