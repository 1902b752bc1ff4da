"""What a connection makes of its server's silence, and of its words.

One that has just answered is not asked whether it answers; a node behind it that has gone is an outage.
"""

import asyncpg
import pytest

from services.process import postgres_link
from services.process.postgres_link import named, ping
from services.process.postgres_pool import POSTGRES_UNAVAILABLE, role_pool


async def test_only_a_connection_that_has_idled_is_pinged(database_url: str, monkeypatch: pytest.MonkeyPatch):
    async with role_pool(database_url, 1, "test", {"connection_class": postgres_link.Link}) as pool:

        async def answered_at() -> float:
            async with pool.acquire() as connection:
                return connection.answered_at

        await pool.execute("SELECT")
        before = await answered_at()
        monkeypatch.setattr(postgres_link, "ANSWERED_SECONDS", 3600)
        await ping(pool)
        assert await answered_at() == before
        monkeypatch.setattr(postgres_link, "ANSWERED_SECONDS", -1)
        await ping(pool)
        assert await answered_at() > before


@pytest.mark.parametrize(
    "words",
    [
        "server closed the connection unexpectedly\n\tThis probably means the server terminated abnormally",
        "failure on connection marked as essential: 10.0.0.7:5432",
    ],
)
def test_a_node_of_citus_that_has_gone_is_an_outage(words: str):
    assert isinstance(named(asyncpg.InternalServerError(words)), POSTGRES_UNAVAILABLE)


def test_an_internal_error_of_another_kind_is_none():
    error = asyncpg.InternalServerError("cache lookup failed for type 7")
    assert named(error) is error
