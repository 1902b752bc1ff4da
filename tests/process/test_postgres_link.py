"""A connection that has just answered is not asked whether it answers; one that has idled is."""

import pytest

from services.process import postgres_link
from services.process.postgres_link import ping
from services.process.postgres_pool import role_pool


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
