"""The environment of an `eventsourcing` application whose events are kept by Hourbook's recorders."""

from collections.abc import AsyncIterator
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest

from infra.embedded import EmbeddedPostgres

MODULE = "services.ledger.event_store.eventsourcing_recorders"


def environment_of(database_url: str) -> dict[str, str]:
    """What an application needs to keep its events in that database."""
    url = urlsplit(database_url)
    return {
        "PERSISTENCE_MODULE": MODULE,
        "POSTGRES_DBNAME": url.path.lstrip("/"),
        "POSTGRES_HOST": url.hostname or "",
        "POSTGRES_PORT": str(url.port or 5432),
        "POSTGRES_USER": url.username or "",
        "POSTGRES_PASSWORD": url.password or "",
    }


@pytest.fixture(scope="module")
async def shared_database_url(postgres: EmbeddedPostgres) -> AsyncIterator[str]:
    """A database for the tests of a module: to create one for each would take longer than the tests."""
    name = f"test_{uuid4().hex}"
    connection = await asyncpg.connect(postgres.url)
    try:
        await connection.execute(f"CREATE DATABASE {name}")
        yield urlsplit(postgres.url)._replace(path=f"/{name}").geturl()
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await connection.close()


@pytest.fixture
def environment(shared_database_url: str) -> dict[str, str]:
    """Of an application with a schema of the test's own."""
    return environment_of(shared_database_url) | {"POSTGRES_SCHEMA": f"test_{uuid4().hex}"}
