"""The schema makes itself at start, however many processes start at once."""

import asyncio
from collections.abc import AsyncIterator
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit
from uuid import uuid4

import asyncpg
import pytest

from services.ledger.event_store import migrations
from services.ledger.event_store.appending import AlreadyTaken
from services.ledger.event_store.leaf import hash_of
from services.ledger.event_store.migrations import MIGRATIONS, fix_logs, migrate
from services.ledger.event_store.roles import LEDGER, RELAY, ROLES
from services.ledger.event_store.store import EventStore
from services.process.operator_error import OperatorError
from services.process.postgres_roles import made
from services.projections import catalogue
from services.projections.database import OWNER, READER, ROLE
from tests.ledger.event_store.events import append_as_before, event


async def applied(database_url: str) -> list[str]:
    connection = await asyncpg.connect(database_url)
    try:
        rows = await connection.fetch("SELECT name FROM ledger.migration ORDER BY name")
        return [row["name"] for row in rows if not row["name"].startswith("functions ")]
    finally:
        await connection.close()


async def test_many_processes_starting_at_once_apply_each_migration_once(database_url: str):
    await asyncio.gather(*(migrate(database_url) for _ in range(8)))
    assert await applied(database_url) == [file.name for file in MIGRATIONS]


async def test_starting_again_changes_nothing(database_url: str):
    await migrate(database_url)
    await migrate(database_url)
    assert await applied(database_url) == [file.name for file in MIGRATIONS]


async def test_the_role_is_made_by_whichever_database_of_the_cluster_comes_first(database_url: str):
    superuser = await asyncpg.connect(database_url)
    names = [f"test_{uuid4().hex}" for _ in range(4)]
    urls = [urlsplit(database_url)._replace(path=f"/{name}").geturl() for name in names]
    for name in names:
        await superuser.execute(f"CREATE DATABASE {name}")
    try:
        await asyncio.gather(*(migrate(url) for url in urls))
        assert await superuser.fetchval("SELECT count(*) FROM pg_roles WHERE rolname = $1", LEDGER) == 1
    finally:
        for name in names:
            await superuser.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await superuser.close()


class Login(NamedTuple):
    """A login, and the address of the database that it uses."""

    name: str
    address: SplitResult

    @property
    def url(self) -> str:
        place = self.address.netloc.rpartition("@")[2]
        return self.address._replace(netloc=f"{self.name}:secret@{place}").geturl()

    @property
    def database(self) -> str:
        return self.address.path.removeprefix("/")


@pytest.fixture
async def login(database_url: str) -> AsyncIterator[Login]:
    """Of its own for the test, without any right."""
    made = Login(f"login_{uuid4().hex}", urlsplit(database_url))
    superuser = await asyncpg.connect(database_url)
    await superuser.execute(f"CREATE ROLE {made.name} LOGIN NOCREATEROLE PASSWORD 'secret'")
    try:
        yield made
    finally:
        await superuser.execute(f"DROP OWNED BY {made.name} CASCADE; DROP ROLE {made.name}")
        await superuser.close()


async def as_superuser(database_url: str, *statements: str) -> None:
    superuser = await asyncpg.connect(database_url)
    for statement in statements:
        await superuser.execute(statement)
    await superuser.close()


async def migrate_all(database_url: str) -> None:
    """The ledger's schema and the projections'."""
    await migrate(database_url)
    await fix_logs(database_url, 1)
    await catalogue.migrate(database_url, ["0"])


async def test_a_login_without_createrole_is_enough_where_the_roles_exist(database_url: str, login: Login):
    """It owns what it makes in its database, and the services' roles, made by another one, are granted to it."""
    roles = (*ROLES, ROLE, OWNER)
    await as_superuser(
        database_url,
        made(*roles, READER),
        f"GRANT {', '.join(roles)} TO {login.name}; GRANT CREATE ON DATABASE {login.database} TO {login.name}",
    )
    await migrate_all(login.url)
    async with EventStore.connected(login.url) as store:
        assert await store.append(0, [event("a", 1, "k")], {}) == 1


async def test_the_owner_of_the_schema_needs_no_right_to_make_others(database_url: str, login: Login):
    await as_superuser(
        database_url,
        made(*ROLES),
        f"GRANT {', '.join(ROLES)} TO {login.name}; CREATE SCHEMA ledger AUTHORIZATION {login.name}",
    )
    await migrate(login.url)
    await migrate(login.url)
    await fix_logs(login.url, 3)


@pytest.mark.parametrize("lacking", ["the role", "the database"])
async def test_a_right_that_is_missing_is_one_sentence(database_url: str, login: Login, lacking: str):
    granted = {
        "the role": f"GRANT CREATE ON DATABASE {login.database} TO {login.name}",
        "the database": f"GRANT {', '.join(ROLES)} TO {login.name}",
    }
    await as_superuser(database_url, made(*ROLES), granted[lacking])
    with pytest.raises(OperatorError, match=f"this login may not make .* GRANT {LEDGER}, .* TO the login"):
        await migrate(login.url)


async def test_a_parts_own_login_is_enough_where_the_schema_stands_and_changes_none(database_url: str, login: Login):
    await as_superuser(database_url, made(*ROLES), f"GRANT {RELAY} TO {login.name}")
    with pytest.raises(OperatorError, match="Run `hourbook migrate` with the login that owns the schema"):
        await migrate(login.url, RELAY)
    await migrate(database_url)
    await fix_logs(database_url, 1)
    await migrate(login.url, RELAY)
    await fix_logs(login.url, 1)
    with pytest.raises(OperatorError, match=f"GRANT {LEDGER}, .* TO the login"):
        await migrate(login.url, LEDGER)


async def test_events_of_a_log_without_hashes_are_given_theirs(database_url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(migrations, "MIGRATIONS", MIGRATIONS[:1])
    monkeypatch.setattr(migrations, "FUNCTIONS", [])
    await migrate(database_url)
    await append_as_before(database_url, 0, event("a", 1, "k1", data='{"a":  "ё"}'), event("a", 2, "k1", first=False))
    await append_as_before(database_url, 1, event("b", 1, "k1"))
    monkeypatch.undo()
    await migrate(database_url)
    await append_as_before(database_url, 1, event("b", 2, "k2"))
    async with EventStore.connected(database_url) as store:
        rows = await store.readers.rows("SELECT hash FROM ledger.event ORDER BY log_id, position")
        events = [(log_id, each) for log_id in (0, 1) for each in await store.page(log_id, 0, 10)]
        assert [row["hash"] for row in rows] == [hash_of(log_id, each) for log_id, each in events]
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await store.readers.value("UPDATE ledger.event SET hash = ''")


async def test_each_of_several_logs_has_a_partition_that_is_read_alone_and_never_changed(database_url: str):
    await migrate(database_url)
    await asyncio.gather(*(fix_logs(database_url, 3) for _ in range(4)))
    async with EventStore.connected(database_url, 3) as store:
        for log_id in range(3):
            assert await store.append(log_id, [event("a", 1, f"k{log_id}")], {}) == 1
            with pytest.raises(AlreadyTaken):
                await store.append(log_id, [event("a", 2, f"k{log_id}")], {})
            with pytest.raises(AlreadyTaken):
                await store.append(log_id, [event("a", 1, f"another-{log_id}")], {})
            assert [found.command_id for found in await store.page(log_id, 0, 10)] == [f"k{log_id}"]
    superuser = await asyncpg.connect(database_url)
    plan = await superuser.fetch("EXPLAIN SELECT * FROM ledger.event WHERE log_id = 2 AND position > 0")
    assert "event_2" in str(plan)
    assert "event_1" not in str(plan)
    for table in ("event", "event_1"):
        for change in (
            f"UPDATE ledger.{table} SET data = '{{}}'",
            f"DELETE FROM ledger.{table}",
            f"TRUNCATE ledger.{table}",
        ):
            with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="never changed"):
                await superuser.execute(change)
    await superuser.close()


async def test_one_log_is_one_table(database_url: str):
    await migrate(database_url)
    await fix_logs(database_url, 1)
    superuser = await asyncpg.connect(database_url)
    assert await superuser.fetchval("SELECT relkind = 'r' FROM pg_class WHERE oid = 'ledger.event'::regclass")
    await superuser.close()
