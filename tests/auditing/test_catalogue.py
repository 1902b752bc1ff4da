"""The schema of the log is what the migrations make, and whatever else is put there is found."""

import asyncpg
import pytest

from services.ledger.audit.catalogue import Catalogue
from services.ledger.event_store.migrations import fix_logs, migrate
from services.ledger.settings import Settings
from tests.ledger.event_store.test_earlier_databases import make_with_keys_of_all_accounts

ELSEWHERE = "ALTER TABLE ledger.event RENAME TO elsewhere; "
FUNCTION = """
    CREATE FUNCTION ledger.change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.data := '{}'; RETURN NEW; END $$;
"""
LEAF = """(
    log integer, its_position bigint, account text, its_version integer, its_id uuid, command text,
    its_type text, its_schema_version smallint, its_recorded_at timestamptz, its_data text, its_fingerprint bytea,
    its_actor text
) RETURNS bytea LANGUAGE sql STABLE AS $$ SELECT sha256('') $$"""
SETTING = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET {}', current_database()); END $$"
CHANGES = {
    "a view": ELSEWHERE + "CREATE VIEW ledger.event AS SELECT * FROM ledger.elsewhere WHERE position <> 3",
    "a materialised view": ELSEWHERE + "CREATE MATERIALIZED VIEW ledger.event AS SELECT * FROM ledger.elsewhere",
    "an inherited table": "CREATE TABLE ledger.more () INHERITS (ledger.event)",
    "an unlogged table": "ALTER TABLE ledger.event SET UNLOGGED",
    "a trigger before insert": FUNCTION
    + "CREATE TRIGGER a BEFORE INSERT ON ledger.event FOR EACH ROW EXECUTE FUNCTION ledger.change()",
    "a trigger that is off": "ALTER TABLE ledger.event DISABLE TRIGGER event_is_insert_only",
    "a trigger that can be silenced": "ALTER TABLE ledger.event ENABLE TRIGGER event_is_insert_only",
    "no trigger": "DROP TRIGGER checkpoint_is_insert_only ON ledger.checkpoint",
    "a trigger that does nothing": "CREATE OR REPLACE FUNCTION ledger.refuse_change() RETURNS trigger"
    " LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$",
    "another leaf hash": f"CREATE OR REPLACE FUNCTION ledger.leaf_hash{LEAF}",
    "a function beside": f"CREATE FUNCTION ledger.other_hash{LEAF}",
    "a function's settings": "ALTER FUNCTION ledger.lock_log SET search_path = evil",
    "a function that runs as its owner": "ALTER FUNCTION ledger.lock_log SECURITY DEFINER",
    "a rule": "CREATE RULE r AS ON INSERT TO ledger.erasure DO INSTEAD NOTHING",
    "a policy": "CREATE POLICY p ON ledger.event USING (position <> 3)",
    "row security": "ALTER TABLE ledger.event ENABLE ROW LEVEL SECURITY",
    "an owner": "ALTER TABLE ledger.event OWNER TO hourbook_ledger",
    "an owner of a function": "ALTER FUNCTION ledger.lock_log OWNER TO hourbook_ledger",
    "a right": "GRANT UPDATE ON ledger.event TO hourbook_ledger",
    "a right of everybody": "GRANT INSERT ON ledger.checkpoint TO public",
    "no right": "REVOKE SELECT ON ledger.personal FROM hourbook_ledger",
    "a column": "ALTER TABLE ledger.event ADD COLUMN more text",
    "a default": "ALTER TABLE ledger.event ALTER COLUMN recorded_at SET DEFAULT now()",
    "a type": "ALTER TABLE ledger.event ALTER COLUMN data TYPE jsonb",
    "no constraint": "ALTER TABLE ledger.event DROP CONSTRAINT event_account_version",
    "no key": "ALTER TABLE ledger.audit_key DROP CONSTRAINT audit_key_pkey",
    "an operator": "CREATE FUNCTION ledger.same(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT true';"
    " CREATE OPERATOR ledger.= (LEFTARG = text, RIGHTARG = text, FUNCTION = ledger.same)",
    "a migration of nobody": "INSERT INTO ledger.migration VALUES ('9999_other.sql')",
    "another schema": "ALTER SCHEMA ledger RENAME TO elsewhere; CREATE SCHEMA ledger;"
    " CREATE TABLE ledger.migration (name text)",
    "a search path": SETTING.format("search_path = evil, pg_catalog"),
    "silent triggers": SETTING.format("session_replication_role = replica"),
}


async def differences(database_url: str, logs: int) -> list[str]:
    return await Catalogue(database_url, logs).differences()


@pytest.mark.parametrize("logs", [1, 3])
async def test_a_schema_as_it_was_made_is_not_accused(database_url: str, logs: int):
    await migrate(database_url)
    await fix_logs(database_url, logs)
    for _ in range(2):
        assert await differences(database_url, logs) == []


@pytest.mark.parametrize("logs", [1, 3])
async def test_a_schema_that_an_earlier_version_made_is_not_accused_once_it_is_migrated(database_url: str, logs: int):
    await make_with_keys_of_all_accounts(Settings(database_url=database_url, logs=logs))
    await migrate(database_url)
    assert await differences(database_url, logs) == []


@pytest.mark.parametrize("change", CHANGES)
async def test_a_change_is_found(database_url: str, change: str):
    await migrate(database_url)
    await fix_logs(database_url, 1)
    superuser = await asyncpg.connect(database_url)
    try:
        await superuser.execute(CHANGES[change])
        assert await differences(database_url, 1)
    finally:
        await superuser.execute(SETTING.replace("SET {}", "RESET ALL"))  # other tests use this database again
        await superuser.close()
