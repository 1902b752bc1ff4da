"""Which schemas a program works on: its own, and newer ones as far as no migration has taken away what it uses."""

from pathlib import Path

import asyncpg
import pytest

from services.process import schema_watch
from services.process.operator_error import CANNOT_START, OperatorError
from services.process.schema import Schema, Standing
from services.process.schema_watch import SchemaWatch, require_served, require_standing


@pytest.fixture
def release(tmp_path: Path):
    """A program that has those migrations, each of which makes a table."""

    def of(*names: str, texts: tuple[str, ...] = ()) -> Schema:
        files = [tmp_path / name for name in names]
        for file in files:
            file.write_text(f"CREATE TABLE tried.t{file.name[:4]} ()")
        return Schema("tried", files, texts, kind="views")

    return of


async def applied(database_url: str, *programs: Schema) -> None:
    """Each program's migrations, one after the other."""
    connection = await asyncpg.connect(database_url)
    for program in programs:
        await connection.execute(program.beginning)
        await program.apply(connection)
    await connection.close()


async def standing(database_url: str, program: Schema) -> Standing:
    connection = await asyncpg.connect(database_url)
    try:
        return await program.standing(connection)
    finally:
        await connection.close()


async def test_an_empty_database_lacks_everything_and_what_was_applied_stands(database_url: str, release):
    program = release("0001_a.sql", "0002_b.sql", texts=("SELECT 1",))
    assert (await standing(database_url, program)).due == ("0001_a.sql", "0002_b.sql", "views")
    await applied(database_url, program, program)
    assert await standing(database_url, program) == Standing("tried")


async def test_an_older_schema_is_waited_for(database_url: str, release):
    await applied(database_url, release("0001_a.sql"))
    found = await standing(database_url, release("0001_a.sql", "0002_b.sql"))
    assert (found.missing, found.newer) == (("0002_b.sql",), ())
    with pytest.raises(OperatorError, match=r"tried is older than this program \(0002_b.sql missing\): run `hourbook"):
        require_standing(found)


@pytest.mark.parametrize(
    ("later", "serves"),
    [
        (["0003_c.sql"], True),
        (["0003_c.sql", "0004_d.sql"], True),
        (["0003_c.since_0002.sql"], True),
        (["0003_c.sql", "0004_d.since_0003.sql"], False),
        (["0003_c.since_0002.sql", "0004_d.since_0003.sql", "0005_e.sql"], False),
    ],
)
async def test_a_newer_schema_serves_until_it_takes_away_what_the_program_uses(
    database_url: str, release, later: list[str], serves: bool
):
    own = ["0001_a.sql", "0002_b.sql"]
    program = release(*own, texts=("SELECT 1",))
    await applied(database_url, program, release(*own, *later, texts=("SELECT 2",)))
    found = await standing(database_url, program)
    assert (found.due, set(found.newer)) == ((), set(later))
    if serves:
        require_standing(found)
        return
    with pytest.raises(OperatorError, match="a later release has applied 000") as refused:
        require_served(found)
    assert refused.value.exit_code == CANNOT_START


async def test_texts_that_another_program_has_replaced_serve_the_earlier_one_too(database_url: str, release):
    """A part of the release before is started again while that after it is already there."""
    before, after = release(texts=("SELECT 1",)), release(texts=("SELECT 2",))
    await applied(database_url, before)
    assert (await standing(database_url, after)).missing == ("views",)
    await applied(database_url, after)
    found = await standing(database_url, before)
    assert (found.missing, found.due) == ((), ("views",))
    await applied(database_url, before)
    assert await standing(database_url, before) == Standing("tried")
    assert (await standing(database_url, after)).missing == ()


async def test_a_part_that_works_outlasts_what_cannot_be_looked_at_and_ends_once_its_schema_serves_it_no_longer(
    monkeypatch: pytest.MonkeyPatch,
):
    """As while a password is changed, or the database restored."""
    monkeypatch.setattr(schema_watch, "WATCH_SECONDS", 0)
    seen = [
        asyncpg.InvalidPasswordError("changed"), asyncpg.InvalidCatalogNameError("restored"), TimeoutError(),
        asyncpg.UndefinedTableError("halfway"), asyncpg.InsufficientPrivilegeError("revoked"), Standing("tried"),
        Standing("tried", newer=("0003_c.sql",)), Standing("tried", refusing=("0004_d.since_0003.sql",)),
    ]  # fmt: skip

    async def look(_: str) -> Standing:
        found = seen.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    with pytest.raises(OperatorError, match=r"0004_d.since_0003.sql. Start that release"):
        await SchemaWatch(("postgresql://nowhere", look)).until_refused()
    assert seen == []
