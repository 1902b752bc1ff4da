"""The schema of billing appears in databases of every version, and what stands in it is neither changed nor deleted."""

import asyncio
from collections.abc import AsyncIterator
from hashlib import sha256

import asyncpg
import pytest

from services.billing.database import MIGRATIONS, migrate, pool, standing

KEEP = "INSERT INTO document (sha256, media_type, content) VALUES ($1, 'text/plain', $2)"


@pytest.fixture
async def migrated(database_url: str) -> AsyncIterator[asyncpg.Pool]:
    await migrate(database_url)
    async with pool(database_url) as connections:
        yield connections


async def test_several_processes_make_the_schema_at_once_and_a_later_start_makes_nothing(database_url: str):
    assert {file.name for file in MIGRATIONS} <= {*(await standing(database_url)).due}
    await asyncio.gather(*(migrate(database_url) for _ in range(4)))
    assert (await standing(database_url)).due == ()
    await migrate(database_url)


async def test_a_document_is_kept_under_its_own_hash_alone(migrated: asyncpg.Pool):
    await migrated.execute(KEEP, sha256(b"act").digest(), b"act")
    with pytest.raises(asyncpg.CheckViolationError):
        await migrated.execute(KEEP, sha256(b"act").digest()[::-1], b"other")
    for forbidden in ("UPDATE document SET media_type = 'text/html'", "DELETE FROM document", "TRUNCATE document"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await migrated.execute(forbidden)
