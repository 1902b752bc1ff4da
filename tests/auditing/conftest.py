"""What audits look at stands in a database that has the schemas."""

import pytest


@pytest.fixture
def database_url(migrated_database_url: str) -> str:
    """Of a database with the schemas; `empty_database_url` has none."""
    return migrated_database_url
