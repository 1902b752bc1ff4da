"""A portal with a clock of the test's own, and the connector's side of it."""

from dataclasses import dataclass
from datetime import datetime

import httpx
import pytest
from pydantic import SecretStr

from services.bitrix24.pace import Pace
from services.bitrix24.portal import Portal
from tests.bitrix24.fake_portal import SECRET, FakePortal

WEBHOOK = f"http://127.0.0.1/rest/{SECRET}/"


def at(text: str) -> datetime:
    """An instant of Moscow, from its day and time: `2026-03-02 10:00`."""
    return datetime.fromisoformat(f"{text}+03:00")


@dataclass
class Clock:
    """Seconds that pass when somebody rests."""

    seconds: float = 1_000.0

    def now(self) -> float:
        return self.seconds

    async def rest(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def fake(clock: Clock):
    """The portal: 1 is the seller's, 7 the customer's. What its specifications do not know fails the test."""
    portal = FakePortal(clock.now)
    portal.person(1, "Пётр Мастер")
    portal.person(7, "Анна Иванова", extranet=True)
    yield portal
    assert portal.misfits == []


@pytest.fixture
async def portal(fake: FakePortal, clock: Clock):
    """The portal as the connector asks it."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(fake.app)) as client:
        yield Portal(SecretStr(WEBHOOK), client, Pace(clock.now, clock.rest))
