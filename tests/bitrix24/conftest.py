"""A portal with a clock of the test's own, and the connector's side of it."""

from dataclasses import dataclass

import httpx
import pytest
from pydantic import SecretStr

from services.bitrix24.pace import Pace
from services.bitrix24.portal import Portal
from tests.bitrix24.fake_portal import FakePortal
from tests.bitrix24.trade import CUSTOMERS, SELLERS, WEBHOOK, two_accounts


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
    """The portal, with a person of each side. What its specifications do not know fails the test."""
    portal = FakePortal(clock.now)
    portal.person(SELLERS, "Пётр Мастер")
    portal.person(CUSTOMERS, "Анна Иванова", extranet=True)
    yield portal
    assert portal.misfits == []


@pytest.fixture
async def portal(fake: FakePortal, clock: Clock):
    """The portal as the connector asks it."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(fake.app)) as client:
        pace = Pace(clock.now, clock.rest)
        await clock.rest(60)
        yield Portal(SecretStr(WEBHOOK), client, pace)


@pytest.fixture
async def hourbook(database_url, tmp_path):
    """A client of a ledger with two accounts, whose groups the settings name."""
    async with two_accounts(database_url, tmp_path / "key.pem") as client:
        yield client
