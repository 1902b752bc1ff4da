"""`hourbook migrate`, which alone needs the owner of the schemas, and a Hourbook at servers of an operator's own."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from infra.data_folder import free_port
from infra.embedded import EmbeddedNats
from services.ledger.settings import Settings
from services.operating import nats_logins
from services.operating.database_logins import NAME_LENGTH_MAX, ROLES_OF, keep_logins, verifier
from services.operating.migration import bring_up_to_date, standings
from services.operating.up import running
from services.process.logins import database_file
from services.process.operator_error import OperatorError
from tests.end_to_end.program import program
from tests.end_to_end.questions import caught_up, client_of

OPEN = {"account_id": "oka", "customer_name": "ООО «Ока»", "contract_number": "7", "contract_date": "2026-01-01"}

pytestmark = pytest.mark.usefixtures("one_log")


@pytest.fixture
async def migrated(database_url: str) -> AsyncIterator[str]:
    """A database with its schemas. Logins belong to the whole server, which other tests use: they go with the test."""
    await bring_up_to_date(Settings(database_url=database_url, logs=1))
    yield database_url
    connection = await asyncpg.connect(database_url)
    database = await connection.fetchval("SELECT current_database()")
    for part in ROLES_OF:
        login = f"{part}_of_{database}"[:NAME_LENGTH_MAX]
        if await connection.fetchval("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", login):
            await connection.execute(f"DROP OWNED BY {login} CASCADE; DROP ROLE {login}")
    await connection.close()


async def test_check_says_what_is_missing_and_changes_nothing(database_url: str):
    settings = Settings(database_url=database_url, logs=1)
    before = program("migrate", "--check", DATABASE_URL=database_url)
    assert before.returncode == 1, before.stderr
    due = {f"missing in the schema {each.schema}: {name}" for each in await standings(settings) for name in each.due}
    assert set(before.stdout.splitlines()) == due
    for name in ("ledger: 0001_log.sql", "ledger: functions", "projections: tables", "billing: 0001_documents.sql"):
        assert f"missing in the schema {name}" in due
    assert program("migrate", DATABASE_URL=database_url).returncode == 0
    assert not any(each.due or each.newer for each in await standings(settings))
    assert program("migrate", "--check", DATABASE_URL=database_url).returncode == 0


async def test_the_owner_too_may_be_a_file_and_files_that_are_right_are_left_alone(migrated: str, tmp_path: Path):
    """A folder of secrets is often read only."""
    await keep_logins(migrated, tmp_path)
    made = {file: file.stat().st_ino for file in tmp_path.iterdir()}
    database_file(tmp_path, "owner").write_text(f"{migrated}\n")
    nowhere = {"HOURBOOK_LOGINS": str(tmp_path), "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nowhere"}
    done = program("migrate", "--logins", tmp_path, **nowhere)
    assert done.returncode == 0, done.stderr
    assert made == {file: file.stat().st_ino for file in made}


async def test_a_login_that_cannot_be_written_down_is_shown_without_its_password(migrated: str):
    with pytest.raises(OperatorError, match=r"ledger.database cannot be written .*ledger_of_test_\w+:…@"):
        await keep_logins(migrated, Path("/proc/self"))


async def test_logins_are_made_once_and_their_passwords_kept(migrated: str, tmp_path: Path):
    await keep_logins(migrated, tmp_path)
    urls = {part: database_file(tmp_path, part).read_text() for part in ROLES_OF}
    database_file(tmp_path, "relay").unlink()
    await keep_logins(migrated, tmp_path)
    again = {part: database_file(tmp_path, part).read_text() for part in ROLES_OF}
    assert {part for part in ROLES_OF if urls[part] != again[part]} == {"relay"}
    for part, url in again.items():
        connection = await asyncpg.connect(url.strip())
        assert (await connection.fetchval("SELECT current_user")).startswith(f"{part}_of_test_")
        await connection.close()
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(urls["relay"].strip())


async def test_a_login_that_may_make_no_others_is_one_sentence(migrated: str, tmp_path: Path):
    await keep_logins(migrated, tmp_path)
    url = database_file(tmp_path, "projections").read_text().strip()
    with pytest.raises(OperatorError, match="may not make the parts' logins") as refused:
        await keep_logins(url, tmp_path / "others")
    assert str(urlsplit(url).password) not in str(refused.value)
    with pytest.raises(OperatorError, match="name the one that owns them"):
        await standings(Settings(database_url=url, logs=1))


async def test_parts_at_servers_of_an_operators_own_work_by_their_logins(
    migrated: str, server_folder: Path, monkeypatch: pytest.MonkeyPatch
):
    logins, server = server_folder / "logins", EmbeddedNats(server_folder / "nats")
    nats_logins.give_users(server, logins, 1)
    await keep_logins(migrated, logins)
    with server:
        nats_logins.keep_logins(server, logins)
        monkeypatch.chdir(server_folder)
        for name, value in (("DATABASE_URL", migrated), ("NATS_URL", server.url), ("HOURBOOK_LOGINS", logins.name)):
            monkeypatch.setenv(name, value)
        await asyncio.to_thread(_work, server_folder / "data")


def _work(data: Path) -> None:
    with running(data, free_port(), embedded=False) as hourbook, client_of(hourbook.url) as client:
        opened = client.post("/v1/accounts", json=OPEN, headers={"Idempotency-Key": "open"})
        position = opened.raise_for_status().json()["position"]
        assert caught_up(client, "/v1/accounts/oka/balance", position).json()["balance_minutes"] == 0
        for part in hourbook.parts:
            assert not {"DATABASE_URL", "NATS_URL"} & {*part.environment}


def test_the_server_is_given_no_password_but_what_it_keeps_of_it():
    assert verifier("secret").startswith("SCRAM-SHA-256$4096:")
    assert verifier("secret") != verifier("secret")
    assert "secret" not in verifier("secret")
