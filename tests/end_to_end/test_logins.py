"""What each part's own login may do, and everything that it must not, tried on a Hourbook that runs by these logins."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
from nats.js.errors import NotFoundError

from infra.data_folder import free_port
from infra.embedded import EmbeddedPostgres
from services.operating.database_logins import FOLDER, ROLES_OF
from services.operating.up import Hourbook, running
from services.process.logins import database_file, nats_file
from services.process.nats_connection import connected
from tests.conftest import reachable_folder
from tests.end_to_end.questions import caught_up, client_of

OPEN = {"account_id": "oka", "customer_name": "ООО «Ока»", "contract_number": "7", "contract_date": "2026-01-01"}
CLOSED = {
    "category": "regular", "worked_minutes": 60, "title": "Печать",
    "started_at": "2026-11-02T10:00:00+03:00", "closed_at": "2026-11-02T12:00:00+03:00",
    "confirmed_at": "2026-11-02T13:00:00+03:00",
}  # fmt: skip

READ_BY_ALL = {"migration", "logs", "event", "identity", "epoch", "lost_past"}
EVIDENCE = {"audit_key", "seal_key", "checkpoint", "tile", "witness", "cosignature", "verification", "hindrance"}
OF_LEDGER = {
    "SELECT": READ_BY_ALL
    | EVIDENCE
    | {"personal", "erasure", "due", "snapshot", "test_clock", "drift", "portal", "trace"},
    "INSERT": {"erasure", "snapshot", "test_clock", "drift", "portal", "trace", "lost_past"},
    "UPDATE": {"snapshot", "test_clock", "portal"},
    "DELETE": {"snapshot", "personal"},
    "MAINTAIN": {"personal"},
}
OF_SIGNER = {
    "INSERT": {"audit_key", "cosignature", "witness", "hindrance", "epoch"},
    "UPDATE": {"witness", "hindrance"},
    "DELETE": {"hindrance", "lost_past"},
}
MAY = {
    "ledger": OF_LEDGER,
    "expiry": {right: OF_LEDGER.get(right, set()) | OF_SIGNER.get(right, set()) for right in {*OF_LEDGER, *OF_SIGNER}},
    "relay": {"SELECT": READ_BY_ALL | {"trace"}, "INSERT": {"lost_past"}},
    "projections": {},
    "billing": {},
    "auditor": {
        "SELECT": READ_BY_ALL | EVIDENCE | {"personal", "erasure"},
        "INSERT": {"verification", "lost_past"},
        "UPDATE": {"verification"},
    },
}
"""On the tables of the ledger."""

CALLS = {
    "ledger": {"append", "append_sealed", "committed_position", "lock_log", "publish_seal_key"},
    "expiry": {"append", "append_sealed", "committed_position", "lock_log", "publish_seal_key", "grow_tree"},
    "relay": set[str](),
    "projections": set[str](),
    "billing": set[str](),
    "auditor": set[str](),
}
"""Of the ledger's functions; those that any login could write for itself are left out."""

RIGHTS_ON_TABLES = """
    SELECT relname, privilege FROM pg_class, unnest($2::text[]) AS privilege
    WHERE relnamespace = $1::regnamespace AND relkind IN ('r', 'p', 'v')
        AND has_table_privilege(oid, privilege)
    UNION
    SELECT relname, privilege FROM pg_class, unnest($2::text[]) AS privilege
    WHERE relnamespace = $1::regnamespace AND relkind IN ('r', 'p', 'v')
        AND privilege IN ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES') AND has_any_column_privilege(oid, privilege)
"""
CALLABLE = """
    SELECT proname FROM pg_proc WHERE pronamespace = 'ledger'::regnamespace AND has_function_privilege(oid, 'EXECUTE')
"""
HARMLESS = {"leaf_hash", "refuse_change", "refuse_audit_change"}
AT_WORK = """
    SELECT DISTINCT usename FROM pg_stat_activity WHERE datname = 'hourbook' AND pid <> pg_backend_pid()
"""
VERIFIED = "SELECT EXISTS (SELECT FROM ledger.verification)"
PRIVILEGES = ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN"]

FORGERIES = [
    "INSERT INTO ledger.event SELECT * FROM ledger.event",
    "UPDATE ledger.event SET actor = 'key-of-somebody'",
    "UPDATE ledger.event SET hash = hash WHERE position = 1",
    "DELETE FROM ledger.event",
    "TRUNCATE ledger.event",
    "DROP TABLE ledger.event",
    "DROP SCHEMA ledger CASCADE",
    "ALTER TABLE ledger.event DISABLE TRIGGER ALL",
    "ALTER TABLE ledger.event ADD COLUMN note text",
    "ALTER TABLE ledger.event OWNER TO CURRENT_USER",
    "ALTER FUNCTION ledger.append SECURITY INVOKER",
    "CREATE OR REPLACE FUNCTION ledger.refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "CREATE TABLE ledger.mine (n integer)",
    "CREATE TABLE public.mine (n integer)",
    "CREATE TRIGGER mine BEFORE INSERT ON ledger.event FOR EACH ROW EXECUTE FUNCTION ledger.refuse_change()",
    "INSERT INTO ledger.checkpoint VALUES (0, 1000, 'note')",
    "INSERT INTO ledger.tile VALUES (0, 0, 1000, '')",
    "DELETE FROM ledger.checkpoint",
    "DELETE FROM ledger.audit_key",
    "INSERT INTO ledger.seal_key VALUES (1000, 'note')",
    "UPDATE ledger.identity SET ledger_id = gen_random_uuid()",
    "INSERT INTO ledger.migration VALUES ('9999_mine.sql')",
    "DELETE FROM ledger.migration",
    "INSERT INTO ledger.due VALUES (0, 'oka', now())",
    "INSERT INTO ledger.personal VALUES (0, 1, 'c', '', 't')",
    "SET session_replication_role = replica",
    "SET ROLE hourbook",
    "SET SESSION AUTHORIZATION hourbook",
    "ALTER ROLE CURRENT_USER SUPERUSER",
    "CREATE ROLE mine",
    "GRANT hourbook_ledger TO hourbook_reader",
    "ALTER DATABASE hourbook SET session_replication_role = replica",
    "ALTER SYSTEM SET fsync = off",
    "COPY (SELECT) TO PROGRAM 'true'",
    "SELECT pg_read_file('pg_hba.conf')",
    "SELECT rolpassword FROM pg_authid",
]
"""What nobody's login may, whatever its part."""

OF_OTHER_PARTS = {
    "ledger": [
        "SELECT * FROM billing.document",
        "SELECT * FROM projections.account",
        "SELECT * FROM reporting.balances",
        "INSERT INTO ledger.audit_key VALUES (1000, 'note')",
        "INSERT INTO ledger.verification VALUES (0, 1, now(), '{}', true)",
        "INSERT INTO ledger.cosignature VALUES (0, 1, 'w', 'line')",
        "SELECT ledger.grow_tree(0, 0, 1, 1, 'note', '{}', '{}', '{}')",
        "CREATE SCHEMA mine",
        "SET ROLE hourbook_signer",
        "SET ROLE hourbook_projections",
    ],
    "expiry": [
        "SELECT * FROM projections.account",
        "INSERT INTO ledger.verification VALUES (0, 1, now(), '{}', true)",
        "CREATE SCHEMA mine",
        "SET ROLE hourbook_projections",
    ],
    "relay": [
        "SELECT * FROM ledger.personal",
        "SELECT * FROM ledger.due",
        "SELECT * FROM ledger.snapshot",
        "SELECT * FROM projections.account",
        "SELECT ledger.append(0, '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')",
        "SELECT ledger.publish_seal_key(1, 'note', '{0}', '{0}')",
        "SELECT ledger.lock_log(0)",
        "SELECT ledger.grow_tree(0, 0, 1, 1, 'note', '{}', '{}', '{}')",
        "CREATE SCHEMA mine",
        "SET ROLE hourbook_ledger",
    ],
    "projections": [
        "SELECT * FROM billing.document",
        "SELECT * FROM ledger.event",
        "SELECT * FROM ledger.personal",
        "SELECT ledger.append(0, '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')",
        "SELECT ledger.publish_seal_key(1, 'note', '{0}', '{0}')",
        "SELECT ledger.grow_tree(0, 0, 1, 1, 'note', '{}', '{}', '{}')",
        "SET ROLE hourbook_ledger",
        "SET ROLE hourbook_auditor",
    ],
    "billing": [
        "SELECT * FROM ledger.event",
        "SELECT * FROM ledger.personal",
        "SELECT * FROM projections.account",
        "SELECT ledger.append(0, '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')",
        "UPDATE billing.document SET content = ''",
        "DELETE FROM billing.document",
        "INSERT INTO billing.migration VALUES ('9999_mine.sql')",
        "CREATE TABLE billing.mine (n integer)",
        "CREATE SCHEMA mine",
        "SET ROLE hourbook_ledger",
        "SET ROLE hourbook_projections",
    ],
    "auditor": [
        "SELECT * FROM billing.document",
        "DELETE FROM ledger.personal",
        "INSERT INTO ledger.audit_key VALUES (1000, 'note')",
        "UPDATE projections.account SET owed_minutes = 0",
        "DELETE FROM projections.movement",
        "DROP SCHEMA projections CASCADE",
        "SELECT ledger.append(0, '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')",
        "SELECT ledger.publish_seal_key(1, 'note', '{0}', '{0}')",
        "SELECT ledger.grow_tree(0, 0, 1, 1, 'note', '{}', '{}', '{}')",
        "SET ROLE hourbook_projections",
        "SET ROLE hourbook_ledger",
    ],
}
"""What one part may and another must not."""


@pytest.fixture(scope="module")
def data() -> Iterator[Path]:
    with reachable_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def hourbook(data: Path, one_log: None) -> Iterator[Hourbook]:
    with running(data, free_port()) as started:
        yield started


@asynccontextmanager
async def logged_in(data: Path, part: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection by that part's login."""
    connection = await asyncpg.connect(database_file(data / FOLDER, part).read_text().strip())
    try:
        yield connection
    finally:
        await connection.close()


def test_the_parts_work_by_their_own_logins_and_none_has_the_owners(hourbook: Hourbook, data: Path):
    with client_of(hourbook.url) as client:
        client.post("/v1/accounts", json=OPEN, headers={"Idempotency-Key": "open"}).raise_for_status()
        closed = client.post("/v1/accounts/oka/tasks/T-1/close", json=CLOSED, headers={"Idempotency-Key": "close"})
        position = closed.raise_for_status().json()["position"]
        balance = caught_up(client, "/v1/accounts/oka/balance", position).json()
        assert balance["owed_minutes"] == 60
        alerts = caught_up(client, "/v1/alerts", position, account_id="oka").json()["alerts"]
        assert [alert["kind"] for alert in alerts] == ["debt"]
        deadline = time.monotonic() + 60
        while (ready := client.get("/health/ready")).status_code != 200:
            assert time.monotonic() < deadline, ready.text
            time.sleep(0.05)
    for part in hourbook.parts:
        assert not {"DATABASE_URL", "NATS_URL"} & {*part.environment}
    streams = {"HOURBOOK-0": position, "HOURBOOK-ALERTS": 1}
    assert asyncio.run(_in_streams(data, streams)) == streams
    assert asyncio.run(_logins_at_work(data)) == {f"{part}_of_hourbook" for part in ROLES_OF}


async def _in_streams(data: Path, expected: Mapping[str, int]) -> dict[str, int]:
    """How many messages stand in each stream, once there are as many as expected."""
    found: dict[str, int] = {}
    async with asyncio.timeout(60):
        while any(found.get(stream, 0) < count for stream, count in expected.items()):
            for part, stream in (("relay", "HOURBOOK-0"), ("alerts", "HOURBOOK-ALERTS")):
                with suppress(NotFoundError):
                    async with connected(nats_file(data / FOLDER, part).read_text().strip()) as client:
                        found[stream] = (await client.jetstream().stream_info(stream)).state.messages
    return found


async def _logins_at_work(data: Path) -> set[str]:
    """Who works on the database, once all have been seen; the auditor comes and goes."""
    found = {"auditor_of_hourbook"}
    connection = await asyncpg.connect(EmbeddedPostgres(data / "postgres").url_elsewhere())
    try:
        async with asyncio.timeout(60):
            while len(found) < len(ROLES_OF) or not await connection.fetchval(VERIFIED):
                found |= {row["usename"] for row in await connection.fetch(AT_WORK)}
    finally:
        await connection.close()
    return found


@pytest.mark.parametrize("part", ROLES_OF)
async def test_a_login_has_the_rights_of_its_part_and_no_other(hourbook: Hourbook, data: Path, part: str):
    async with logged_in(data, part) as connection:
        found = await connection.fetch(RIGHTS_ON_TABLES, "ledger", PRIVILEGES)
        expected = {(table, right) for right, tables in MAY[part].items() for table in tables}
        assert {tuple(row) for row in found} == expected
        callable_ = {row["proname"] for row in await connection.fetch(CALLABLE)}
        assert callable_ - HARMLESS == CALLS[part]
        assert await connection.fetchval(
            "SELECT NOT rolsuper AND NOT rolcreaterole AND NOT rolcreatedb AND "
            "NOT rolreplication AND NOT rolbypassrls FROM pg_roles "
            "WHERE rolname = current_user"
        )


async def refused(connection: asyncpg.Connection, statement: str) -> bool:
    """Whether it is refused for want of a right, and not for anything else."""
    try:
        await connection.execute(statement)
    except asyncpg.InsufficientPrivilegeError:
        return True
    return False


@pytest.mark.parametrize("part", ROLES_OF)
async def test_what_a_login_must_not_do_is_refused(hourbook: Hourbook, data: Path, part: str):
    async with logged_in(data, part) as connection:
        done = [each for each in [*FORGERIES, *OF_OTHER_PARTS[part]] if not await refused(connection, each)]
    assert done == []


async def test_the_server_lets_nobody_in_without_a_password(hourbook: Hourbook, data: Path):
    address = urlsplit(EmbeddedPostgres(data / "postgres").url_elsewhere())
    for login in ("hourbook", "relay_of_hourbook", "hourbook_ledger", "postgres"):
        for database in ("hourbook", "postgres", "template1"):
            for password in ("", ":", ":hourbook"):
                url = address._replace(netloc=f"{login}{password}@127.0.0.1:{address.port}", path=f"/{database}")
                with pytest.raises((asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError)):
                    await asyncpg.connect(url.geturl(), passfile=str(data / "none"))


def test_logins_are_for_their_owner_alone(hourbook: Hourbook, data: Path):
    for file in (data / FOLDER).iterdir():
        assert file.stat().st_mode & 0o777 == 0o600
    assert (data / FOLDER).stat().st_mode & 0o777 == 0o700
