"""Nothing that holds events is ever dropped, emptied or changed by the program, whatever an operator has deleted."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from services.ledger.event_store import migrations
from services.ledger.event_store.migrations import fix_logs, migrate
from services.ledger.event_store.store import EventStore
from services.process.operator_error import OperatorError
from tests.ledger.event_store.events import event

ROOT = Path(__file__).parents[3]
PARTITIONS = ROOT / "services/ledger/event_store/partitions.sql"

TAKES_AWAY = re.compile(
    r"\b(?:(?:DELETE\s+FROM|(?<!OR )TRUNCATE|DROP\s+TABLE|MERGE\s+INTO)\s+(?:TABLE\s+|ONLY\s+|IF\s+EXISTS\s+)*"
    r"(?P<table>[\w.{}%$\"]+)"
    r"|DROP\s+(?:SCHEMA|DATABASE|OWNED|EXTENSION|COLUMN)|DISABLE\s+TRIGGER|DETACH\s+PARTITION|ON\s+DELETE\s+CASCADE"
    r"|UPDATE\s+(?:ONLY\s+)?(?:ledger\.event|\{events\}))(?!\w)[^;]*",
    re.IGNORECASE,
)
HOLDS_NO_EVENTS = re.compile(r"(?!(?:ledger\.)?(?:partitioned_)?event(?:s|_\w+)?$)[a-z_.]+")
"""A table that a statement names, and that is not the log's."""

ALLOWED = {
    ("services/ledger/event_store/0002_audit.sql", "DISABLE TRIGGER event_is_insert_only"): "gave each event its hash",
    ("services/ledger/event_store/0002_audit.sql", "UPDATE ledger.event SET hash"): "gave each event its hash",
    ("services/ledger/event_store/partitions.sql", "DROP TABLE ledger.event"): "refused where there are events",
    (
        "services/projections/following/rebuild.py",
        "DROP SCHEMA IF EXISTS {} CASCADE",
    ): "a read model, made from the log",
    ("services/projections/following/rebuild.py", "DROP SCHEMA {} CASCADE"): "a read model, made from the log",
    ("services/projections/following/rebuild.py", "DROP TABLE IF EXISTS {} CASCADE"): "a read model, made from the log",
}
"""All statements of the program that may take events away as far as one can see, and why they do not."""


def sql_texts() -> Iterator[tuple[str, str]]:
    """Every text of the program that may hold SQL, with its file: SQL files whole, and each string of Python code."""
    for folder in ("services", "infra"):
        for file in sorted((ROOT / folder).rglob("*.sql")):
            lines = file.read_text(encoding="utf-8").splitlines()
            yield str(file.relative_to(ROOT)), "\n".join(line.partition("--")[0] for line in lines)
        for file in sorted((ROOT / folder).rglob("*.py")):
            for text in strings(ast.parse(file.read_text(encoding="utf-8"))):
                yield str(file.relative_to(ROOT)), text


def strings(tree: ast.AST) -> Iterator[str]:
    """The strings of a program without its docstrings; what is put into one stands there as {}."""
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    inside |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            yield node.value


def taking_away(text: str) -> list[str]:
    """What may take events away in a text of SQL."""
    found = [each for each in TAKES_AWAY.finditer(text) if not HOLDS_NO_EVENTS.fullmatch(each["table"] or "{}")]
    return [" ".join(each.group().split()) for each in found]


def test_no_sql_of_the_program_takes_events_away():
    found = {(file, statement) for file, text in sql_texts() for statement in taking_away(text)}
    unknown = {each for each in found if not any(each[0] == f and each[1].startswith(s) for f, s in ALLOWED)}
    assert not unknown
    unused = {each for each in ALLOWED if not any(f == each[0] and s.startswith(each[1]) for f, s in found)}
    assert not unused


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE IF EXISTS ledger.event",
        "DROP TABLE IF EXISTS {}",
        "truncate table only event_3",
        "DELETE FROM %I WHERE true",
        "drop schema ledger cascade",
        "TRUNCATE ledger.event",
        "DELETE FROM ONLY ledger.event_1 WHERE position > 3",
        "WITH gone AS (DELETE FROM {} RETURNING *) SELECT count(*) FROM gone",
        "UPDATE ledger.event SET data = ''",
        "ALTER TABLE ledger.event DETACH PARTITION ledger.event_1",
        "ALTER TABLE ledger.event DISABLE TRIGGER event_is_insert_only",
        "ALTER TABLE ledger.event DROP COLUMN hash",
    ],
)
def test_a_statement_that_may_take_events_away_is_seen(statement: str):
    assert taking_away(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER guard BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.event",
        "WITH gone AS (DELETE FROM ledger.personal AS p USING ledger.event AS e WHERE p.log_id = $1) SELECT",
        "DROP TABLE ledger.reservation",
        "DELETE FROM ONLY episodes WHERE account_id = $1",
    ],
)
def test_a_statement_that_takes_nothing_away_of_the_log_is_let_pass(statement: str):
    assert not taking_away(statement)


@pytest.fixture(params=[1, 3], ids=["one log", "three logs"])
def logs(request: pytest.FixtureRequest) -> int:
    return request.param


async def forget_number_of_logs(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute("DELETE FROM ledger.logs")
    await connection.close()


async def test_a_start_drops_no_log_whose_number_was_deleted(database_url: str, logs: int):
    """By the number of its tables it is refused, or healed."""
    await migrate(database_url)
    await fix_logs(database_url, logs)
    async with EventStore.connected(database_url, logs) as store:
        for log_id in range(logs):
            await store.append(log_id, [event("a", 1, "k1"), event("a", 2, "k2")], {})
        await forget_number_of_logs(database_url)
        for asked in {1, 2, 3, 4} - {logs}:
            with pytest.raises(OperatorError, match=f"set HOURBOOK_LOGS={logs}"):
                await fix_logs(database_url, asked)
        await fix_logs(database_url, logs)
        assert [await store.head(log_id) for log_id in range(logs)] == [2] * logs
        assert await store.readers.value("SELECT number FROM ledger.logs") == logs


async def test_partitions_without_events_still_say_how_many_logs_there_are(database_url: str):
    await migrate(database_url)
    await fix_logs(database_url, 3)
    await forget_number_of_logs(database_url)
    with pytest.raises(OperatorError, match="set HOURBOOK_LOGS=3"):
        await fix_logs(database_url, 1)


async def test_a_table_with_events_is_not_replaced_by_partitions(database_url: str, monkeypatch: pytest.MonkeyPatch):
    """Also where they came after it was asked for events."""
    await migrate(database_url)
    async with EventStore.connected(database_url) as store:
        await store.append(0, [event("a", 1, "k1")], {})
        monkeypatch.setattr(migrations, "_LOGS_OF_TABLES", "SELECT NULL::integer")
        with pytest.raises(asyncpg.ObjectNotInPrerequisiteStateError, match="holds events"):
            await fix_logs(database_url, 3)
        assert await store.head(0) == 1
