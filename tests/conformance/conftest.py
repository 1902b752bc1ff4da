"""The environment of an `eventsourcing` application whose events are kept by Hourbook's recorders."""

from urllib.parse import urlsplit
from uuid import uuid4

import pytest

MODULE = "services.eventsourcing_recorders"


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


@pytest.fixture
def environment(file_database_url: str) -> dict[str, str]:
    """Of an application with a schema of the test's own."""
    return environment_of(file_database_url) | {"POSTGRES_SCHEMA": f"test_{uuid4().hex}"}
