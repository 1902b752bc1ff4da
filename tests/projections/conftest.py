"""The projections' schema in a database of the test's own, and a log to fill it from."""

from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest

from services.projections.balances import BALANCES
from services.projections.catalogue import migrate
from services.projections.database import pool
from services.projections.following.logged import Logged
from services.projections.following.tracking import Tracking
from services.projections.settings import Settings
from tests.projections.following.log_server import serving, stream
from tests.projections.following.stage import Stage
from tests.projections.questions import Queries, client_of
from tests.projections.vocabulary import Log


class Applied:
    """A log whose every event is applied to the balances as soon as it is asked for."""

    def __init__(self, database: asyncpg.Pool) -> None:
        self.database = database
        self.log = Log()
        self._tracking = Tracking(BALANCES, "0")

    async def position(self) -> int:
        """Apply what is new in the log, in one batch."""
        place = await self._tracking.begin(self.database)
        if batch := [Logged.read(line) for line in self.log.lines[place.position :]]:
            async with self.database.acquire() as connection, connection.transaction():
                await self._tracking.advance(connection, place, batch)
                await BALANCES.project(connection, batch)
        return self.log.position


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[asyncpg.Pool]:
    """As the projections see it."""
    await migrate(database_url, ["0"])
    async with pool(database_url, 4) as connections:
        yield connections


@pytest.fixture
async def applied(database: asyncpg.Pool) -> Applied:
    return Applied(database)


@pytest.fixture
async def stage(
    database_url: str, database: asyncpg.Pool, nats_url: str, log_name: str, log: Log
) -> AsyncIterator[Stage]:
    await migrate(database_url, [log_name])
    async with serving(log, logs=1) as server, stream(nats_url, log_name) as jetstream:
        yield Stage(database_url, database, nats_url, server, jetstream)


@pytest.fixture
async def settings(database_url: str, log: Log) -> AsyncIterator[Settings]:
    """In the sandbox, so that a test can say what the time is."""
    async with serving(log) as server:
        yield Settings(database_url=database_url, ledger_url=server.url, sandbox=True)


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(settings) as connected:
        yield connected


@pytest.fixture
def ask(client: httpx.AsyncClient, log: Log) -> Queries:
    return Queries(client, log)
