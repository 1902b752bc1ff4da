"""What PostgreSQL has stored is compared with what it was given, before anybody is answered that it is recorded."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from services.ledger.audit.catalogue import Catalogue
from services.ledger.audit.cursor import Cursor
from services.ledger.audit.verification import verify
from services.ledger.event_store.appending import RecordedOtherwise
from services.ledger.event_store.database import LedgerUnavailable
from services.ledger.event_store.store import EventStore
from tests.ledger.event_store.events import event
from tests.ledger.lossy_link import LossyLink

TRIGGER = """
    CREATE FUNCTION ledger.meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {} END $$;
    CREATE TRIGGER meddle BEFORE INSERT ON ledger.event FOR EACH ROW EXECUTE FUNCTION ledger.meddle()
"""
LEAF_HASH = """
    CREATE OR REPLACE FUNCTION ledger.leaf_hash(
        log integer, its_position bigint, account text, its_version integer, its_id uuid, command text,
        its_type text, its_schema_version smallint, its_recorded_at timestamptz, its_data text, its_fingerprint bytea,
        its_actor text
    ) RETURNS bytea LANGUAGE sql STABLE AS $$ SELECT sha256(its_data::bytea) $$
"""
APPEND_OF_OTHER_DATA = """
    DO $do$ BEGIN EXECUTE replace(replace(replace(
        pg_get_functiondef('ledger.append_sealed'::regproc),
        'datas, actors' || e'\\n        ) WITH', 'array_fill(''[]''::text, ARRAY[2]), actors) WITH'),
        'HAVING', 'HAVING true OR'),
        'head = its_head', 'false');
    END $do$
"""
CHANGED = {
    column: TRIGGER.format(f"NEW.{column} := {value}; RETURN NEW;")
    for column, value in {
        "data": """'{"minutes": 1}'""", "account_id": "NEW.account_id || 'c'", "version": "NEW.version + 1",
        "event_id": "gen_random_uuid()", "command_id": "'other'", "fingerprint": "'\\x00'", "type": "'TaskReopened'",
        "schema_version": "2", "recorded_at": "now()", "actor": "'local'",
        "position": "NEW.position + 7", "seal": "'\\x00'",
    }.items()
}  # fmt: skip
WITHOUT_RECORD = CHANGED | {
    "a trigger that drops rows": TRIGGER.format("RETURN NULL;"),
    "a trigger that drops some": TRIGGER.format("IF NEW.account_id = 'b' THEN RETURN NULL; END IF; RETURN NEW;"),
    "a rule": "CREATE RULE quiet AS ON INSERT TO ledger.event DO INSTEAD NOTHING",
    "no function": "ALTER FUNCTION ledger.append_sealed RENAME TO elsewhere",
    "no table": "ALTER TABLE ledger.event RENAME TO elsewhere",
}
WITH_RECORD = {
    "another leaf hash": LEAF_HASH,
    "an append of other data": APPEND_OF_OTHER_DATA,
    "another hash": TRIGGER.format("NEW.hash := sha256(''); RETURN NEW;"),
}
"""These PostgreSQL commits before anybody can compare."""


@pytest.fixture
async def superuser(store: EventStore, database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def gone_on(store: EventStore, database_url: str) -> None:
    """Log 0 ends where no process expects that began before: PostgreSQL works the hashes out."""
    async with EventStore.connected(database_url) as other:
        await other.append(0, [event("z", 1, "k")], {})


async def require_halted(store: EventStore) -> None:
    """It appends nothing more, and says why where readiness is asked for."""
    with pytest.raises(RecordedOtherwise, match="PostgreSQL has not stored what it was given"):
        await store.append(1, [event("c", 1, "k")], {})
    with pytest.raises(LedgerUnavailable, match="PostgreSQL has not stored what it was given"):
        await store.writability.require()
    assert await store.head(1) == 0


@pytest.mark.usefixtures("gone_on")
@pytest.mark.parametrize("change", WITHOUT_RECORD | WITH_RECORD)
async def test_other_than_what_was_given_is_noticed_at_the_append(
    store: EventStore, superuser: asyncpg.Connection, change: str
):
    await superuser.execute((WITHOUT_RECORD | WITH_RECORD)[change])
    with pytest.raises(RecordedOtherwise):
        await store.append(0, [event("a", 1, "k1"), event("b", 1, "k1")], {})
    if change in WITHOUT_RECORD and not change.startswith("no "):
        assert await store.head(0) == 1
    if change != "no table":
        await require_halted(store)


@pytest.mark.parametrize("change", ["data", "an append of other data", "another hash"])
async def test_the_same_where_the_hashes_go_along(store: EventStore, superuser: asyncpg.Connection, change: str):
    """As soon as the process knows where the log ends; PostgreSQL works out none of its own then."""
    await store.append(0, [event("a", 1, "k0"), event("b", 1, "k0")], {})
    await superuser.execute(LEAF_HASH)
    assert await store.append(0, [event("a", 2, "k1"), event("b", 2, "k1")], {}) == 3
    await superuser.execute((WITHOUT_RECORD | WITH_RECORD)[change])
    with pytest.raises(RecordedOtherwise):
        await store.append(0, [event("a", 3, "k2"), event("b", 3, "k2")], {})
    await require_halted(store)


@pytest.mark.usefixtures("gone_on")
async def test_what_was_stored_is_compared_too_where_the_answer_was_lost(
    store: EventStore, database_url: str, superuser: asyncpg.Connection
):
    async with LossyLink.to(database_url) as link, EventStore.connected(link.url) as distant:
        await superuser.execute(LEAF_HASH)
        link.losing = b"the-lost-one"
        with pytest.raises(RecordedOtherwise):
            await distant.append(0, [event("a", 1, "the-lost-one")], {})
        assert link.lost == 1
        await require_halted(distant)


ECHO = """
    DO $do$ BEGIN EXECUTE replace(replace(replace(
        pg_get_functiondef('ledger.append_sealed'::regproc),
        'data::json, actor', '''[]''::json, actor'),
        'HAVING', 'HAVING true OR'),
        'string_agg(hash, ''''::bytea)', 'its_hashes');
    END $do$
"""
AFTERWARDS = """
    ALTER TABLE ledger.event DISABLE TRIGGER event_is_insert_only;
    CREATE FUNCTION ledger.meddle() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
        UPDATE ledger.event SET data = '[]' WHERE (log_id, position) = (NEW.log_id, NEW.position);
        RETURN NULL;
    END $$;
    CREATE TRIGGER meddle AFTER INSERT ON ledger.event FOR EACH ROW EXECUTE FUNCTION ledger.meddle()
"""


@pytest.mark.parametrize("change", [ECHO, AFTERWARDS], ids=["a function that echoes hashes", "a trigger afterwards"])
async def test_what_an_append_cannot_see_is_found_by_the_audit(
    store: EventStore, superuser: asyncpg.Connection, database_url: str, change: str
):
    """Who owns the database may have an append answered as if all were well: events and schema tell."""
    await store.append(0, [event("a", 1, "k0")], {})
    await superuser.execute(change)
    assert await store.append(0, [event("a", 2, "k1")], {}) == 2
    found, _ = await verify(store.readers, 1, Cursor(), full=True)
    assert found[0].faults == ["event 2 does not have the hash it was appended with"]
    assert await Catalogue(database_url, 1).differences()
