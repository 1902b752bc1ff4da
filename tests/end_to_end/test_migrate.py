"""`hourbook migrate`, which alone needs the owner of the schemas, and starts that need it and have not had it."""

from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from services.operating.database_logins import ROLES_OF, verifier
from services.process.logins import database_file
from tests.end_to_end.program import program

pytestmark = pytest.mark.usefixtures("one_log")


def test_check_says_what_is_missing_and_changes_nothing(database_url: str):
    for _ in range(2):
        before = program("migrate", "--check", DATABASE_URL=database_url)
        assert before.returncode == 1, before.stderr
        assert {"0001_log.sql is missing", "functions is missing", "the schema projections is missing"} <= set(
            before.stdout.splitlines()
        )
    assert program("migrate", DATABASE_URL=database_url).returncode == 0
    after = program("migrate", "--check", DATABASE_URL=database_url)
    assert (after.returncode, after.stdout) == (0, "")


async def test_logins_are_made_once_and_their_passwords_kept(database_url: str, tmp_path: Path):
    folder = tmp_path / "logins"
    made = program("migrate", "--logins", folder, DATABASE_URL=database_url)
    assert made.returncode == 0, made.stderr
    urls = {part: database_file(folder, part).read_text() for part in ROLES_OF}
    database_file(folder, "relay").unlink()
    assert program("migrate", "--logins", folder, DATABASE_URL=database_url).returncode == 0
    again = {part: database_file(folder, part).read_text() for part in ROLES_OF}
    assert {part for part in ROLES_OF if urls[part] != again[part]} == {"relay"}
    for part, url in again.items():
        connection = await asyncpg.connect(url.strip())
        assert (await connection.fetchval("SELECT current_user")).startswith(f"{part}_of_test_")
        await connection.close()
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(urls["relay"].strip())
    await drop_logins(database_url)


async def test_a_login_that_may_make_no_others_is_one_sentence(database_url: str, tmp_path: Path):
    folder = tmp_path / "logins"
    program("migrate", "--logins", folder, DATABASE_URL=database_url)
    url = database_file(folder, "projections").read_text().strip()
    refused = program("migrate", "--logins", folder, DATABASE_URL=url)
    assert (refused.returncode, "Traceback" in refused.stderr) == (78, False), refused.stderr
    assert urlsplit(url).password not in refused.stderr
    await drop_logins(database_url)


@pytest.mark.parametrize("check", [True, False])
async def test_what_a_part_may_not_change_it_names_with_the_remedy(database_url: str, tmp_path: Path, check: bool):
    """A part of a newer program starts before the schema is that program's."""
    folder = tmp_path / "logins"
    program("migrate", "--logins", folder, DATABASE_URL=database_url)
    connection = await asyncpg.connect(database_url)
    await connection.execute("DELETE FROM ledger.migration WHERE name = '0016_roles.sql'")
    await connection.close()
    line = ["audit", "verify", "--every", "60"] if check else ["ledger", "--only", "expiry"]
    refused = program(*line, HOURBOOK_LOGINS=str(folder), DATABASE_URL=database_url)
    assert refused.returncode == 78, refused.stderr
    assert "Run `hourbook migrate`" in refused.stderr
    await drop_logins(database_url)


async def drop_logins(database_url: str) -> None:
    """They belong to the whole server, which other tests use."""
    connection = await asyncpg.connect(database_url)
    database = await connection.fetchval("SELECT current_database()")
    for part in ROLES_OF:
        login = f"{part}_of_{database}"[:63]
        await connection.execute(f"DROP OWNED BY {login} CASCADE; DROP ROLE {login}")
    await connection.close()


def test_the_server_is_given_no_password_but_what_it_keeps_of_it():
    assert verifier("secret").startswith("SCRAM-SHA-256$4096:")
    assert verifier("secret") != verifier("secret")
    assert "secret" not in verifier("secret")
