"""What lets the logs be spread over the nodes of a distributed PostgreSQL: each hot statement touches one log.

What can be held without such a cluster is held on the text of the statements, and on the catalogue of a database that
has just been made; `make campaign-citus` has Citus itself plan every statement, where it is at hand.
"""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType

import asyncpg
import pytest

from services.ledger import clock
from services.ledger.audit import tree
from services.ledger.event_store import appending, personal, snapshots, store
from services.ledger.event_store.migrations import fix_logs, migrate
from tests.ledger.event_store.program_statements import statements_on

CITUS = Path(__file__).parents[3] / "infra" / "postgres" / "citus.sql"
NOT_BY_LOG = {
    "ledger.drift",
    "ledger.portal",
    "ledger.audit_key",
    "ledger.seal_key",
    "ledger.identity",
    "ledger.logs",
    "ledger.migration",
    "ledger.test_clock",
    "ledger.epoch",
    "ledger.lost_past",
}
"""Tables of a row or so, which no command writes."""

ON_THE_COORDINATOR = {"ledger.migration", "ledger.drift", "ledger.portal"}
"""Tables that no function of the log reads; they are not distributed."""

FUNCTIONS = ("append_sealed", "committed_position", "grow_tree")
NOT_ON_THE_CRITICAL_PATH = re.compile(
    r"\b(LISTEN|NOTIFY|pg_notify|nextval|currval|setval|serial|IDENTITY|xmin|xmax|txid_\w+|pg_current_xact\w*|pg_xact\w*"
    r"|pg_snapshot\w*|pg_current_snapshot|pg_visible\w*)\b",
    re.IGNORECASE,
)
USE = re.compile(r"\b(?:(?:FROM|JOIN)\s+(ledger\.\w+)\b(?!\s*\()|(?:INTO|UPDATE)\s+(ledger\.\w+))", re.IGNORECASE)


@pytest.fixture
async def catalogue(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    await migrate(database_url)
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


def statements(*modules: ModuleType) -> dict[str, str]:
    """The SQL that these modules send: constants that are no part of another."""
    texts = {name: text for each in modules for name, text in vars(each).items() if isinstance(text, str)}
    sent = {name: text for name, text in texts.items() if name.startswith("_") and "ledger." in text}
    return {
        name: text for name, text in sent.items() if not any(text in other for other in sent.values() if other != text)
    }


def is_bound_to_one_log(statement: str, log: str) -> bool:
    """Whether every use of a distributed table is bound to `log`: by a condition, or by the row that is inserted."""
    uses = [table for names in USE.findall(statement) if (table := "".join(names)) not in NOT_BY_LOG]
    conditions = re.findall(rf"\blog_id = {re.escape(log)}(?!\w)", statement)
    inserted = rf"\bINTO\s+ledger\.\w+(?:\s+AS\s+\w+|\s+\(log_id,[^)]*\))?\s+(?:SELECT\s+|VALUES\s*\(){re.escape(log)},"
    return len(conditions) + len(re.findall(inserted, statement)) >= len(uses)


async def test_every_key_of_every_table_leads_with_log_id(catalogue: asyncpg.Connection):
    leading = await catalogue.fetch(
        """
        SELECT i.indrelid::regclass::text AS table, i.indexrelid::regclass::text AS index, a.attname AS leading
        FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indrelid
        JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
        WHERE c.relnamespace = 'ledger'::regnamespace
        """
    )
    assert len(leading) > len(NOT_BY_LOG)
    assert not [dict(each) for each in leading if each["table"] not in NOT_BY_LOG and each["leading"] != "log_id"]


async def test_no_table_has_a_sequence_and_no_function_anything_that_one_node_alone_knows(
    catalogue: asyncpg.Connection,
):
    assert await catalogue.fetchval("SELECT count(*) FROM pg_class WHERE relkind = 'S'") == 0
    bodies = await catalogue.fetch("SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'ledger'::regnamespace")
    assert len(bodies) >= len(FUNCTIONS)
    assert not [each["proname"] for each in bodies if NOT_ON_THE_CRITICAL_PATH.search(each["prosrc"])]


def test_every_statement_of_the_event_store_is_bound_to_one_log_by_one_parameter():
    sent = statements(appending, store, personal, snapshots, tree)
    assert len(sent) >= 12
    assert not [name for name, text in sent.items() if not is_bound_to_one_log(text, "$1")]
    called = {name for text in sent.values() for name in re.findall(r"ledger\.(\w+)\(", text)}
    assert called == set(FUNCTIONS)
    assert not [text for text in sent.values() if re.search(r"ledger\.\w+\((?!\s*\$1\b)", text)]
    assert not [name for name, text in (sent | statements(clock)).items() if NOT_ON_THE_CRITICAL_PATH.search(text)]


@pytest.mark.parametrize("name", FUNCTIONS)
async def test_every_function_touches_the_log_of_its_first_argument_alone(catalogue: asyncpg.Connection, name: str):
    body, arguments = await catalogue.fetchrow(
        "SELECT prosrc, proargnames FROM pg_proc WHERE pronamespace = 'ledger'::regnamespace AND proname = $1", name
    )
    assert arguments[0] == "log"
    assert is_bound_to_one_log(body, "log")
    assert not re.search(r"ledger\.(?:lock_log|append)\((?!\s*log\b)", body)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM ledger.event WHERE position > $2",
        "SELECT * FROM ledger.event WHERE log_id = ANY ($1)",
        "SELECT * FROM ledger.event WHERE log_id = $10",
        "INSERT INTO ledger.due (account_id, log_id) VALUES ($1, $2)",
        "UPDATE ledger.due SET next_due_at = $2 WHERE account_id = $1",
        "INSERT INTO ledger.due SELECT log_id, account_id FROM ledger.event WHERE log_id = $1",
        "SELECT * FROM ledger.event AS e JOIN ledger.due AS d USING (account_id) WHERE e.log_id = $1",
    ],
)
def test_a_statement_that_touches_several_logs_is_seen(statement: str):
    assert not is_bound_to_one_log(statement, "$1")


async def test_citus_is_told_of_every_table_and_of_every_function_as_they_are(
    catalogue: asyncpg.Connection, database_url: str
):
    """As the first start with several logs has made them: a table takes its partitions along."""
    await fix_logs(database_url, 3)
    text = CITUS.read_text(encoding="utf-8")
    tables = await catalogue.fetch(
        """
        SELECT oid::regclass::text AS name, EXISTS (
            SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'log_id' AND attnotnull
                AND c.relname <> 'lost_past' -- which every append looks at
        ) AS of_a_log
        FROM pg_class AS c
        WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = 'ledger'::regnamespace
        """
    )
    by_log = set(re.findall(r"create_distributed_table\('(ledger\.\w+)', 'log_id'", text))
    everywhere = set(re.findall(r"create_reference_table\('(ledger\.\w+)'\)", text))
    assert by_log == {each["name"] for each in tables if each["of_a_log"]}
    assert {each["name"] for each in tables if not each["of_a_log"]} == NOT_BY_LOG
    assert everywhere == NOT_BY_LOG - ON_THE_COORDINATOR
    signatures = re.findall(
        r"create_distributed_function\(\s*'(ledger\.[^']*)'(, 'log', colocate_with => 'ledger.event')?",
        " ".join(text.split()),
    )
    for signature, _ in signatures:
        assert await catalogue.fetchval("SELECT to_regprocedure($1)", signature), signature
    assert {signature.split("(")[0] for signature, by_log in signatures if by_log} == {
        f"ledger.{each}" for each in FUNCTIONS
    }


REFUSED = {
    "EXISTS asks for a column": re.compile(r"EXISTS\s*\(\s*SELECT\s+FROM\b"),
    "a subquery is correlated by the log": re.compile(
        r"\(\s*SELECT\b(?:[^()]|\([^()]*\))*\blog_id\s*=\s*\w+\.log_id\b"
    ),
    "an update of a conflict calls a function": re.compile(
        r"DO UPDATE\b.*\b(?!greatest\b|least\b|coalesce\b|excluded\b)(?:now|clock_timestamp|\w+\.\w+)\s*\(", re.DOTALL
    ),
    "it locks a table that stands on every node, as only who may change it can": re.compile(
        r"INTO ledger\.(?:audit_key|seal_key|epoch|lost_past)\b[^;]*ON CONFLICT"
    ),
    "an update of a conflict has a subquery": re.compile(r"DO UPDATE\b.*\(\s*SELECT\b", re.DOTALL),
}
"""What Citus does not plan on tables that are distributed."""


@pytest.fixture(scope="module")
def sent() -> dict[str, str]:
    """Every statement of the program on tables that are distributed, by where it stands."""
    return statements_on(ON_THE_COORDINATOR)


OF_ALL_LOGS = {
    "ledger/audit/verification.py": "a full audit: which logs there are",
    "ledger/audit/watch.py": "what the audit has found, once a second",
    "ledger/clock.py": "the test clock is set, in the sandbox",
    "ledger/event_store/known_ends.py": "a new connection is asked whether a log went back",
    "ledger/event_store/migrations.py": "into how many logs an earlier version placed accounts",
    "ledger/http/evidence.py": "what the audit has found, where somebody asks",
}
"""Where every log is asked at once, and for what: nothing of a command's way, nor of the log's to its readers."""


def test_every_statement_of_the_program_is_bound_to_one_log_but_for_those_that_are_named(sent: dict[str, str]):
    def is_bound(text: str) -> bool:
        return any(is_bound_to_one_log(text, f"${number}") for number in range(1, 10))

    assert len(sent) > 50
    assert {where.partition(":")[0] for where, text in sent.items() if not is_bound(text)} == OF_ALL_LOGS.keys()


def test_no_statement_of_the_program_has_a_form_that_citus_does_not_plan(sent: dict[str, str]):
    assert [(where, why) for where, text in sent.items() for why, form in REFUSED.items() if form.search(text)] == []


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT EXISTS (SELECT FROM ledger.event WHERE log_id = $1)",
        "SELECT n, (SELECT max(size) FROM ledger.tile AS t WHERE t.log_id = a.log_id) FROM unnest($1) AS a (log_id)",
        "INSERT INTO ledger.epoch VALUES ($1) ON CONFLICT DO NOTHING",
        "INSERT INTO ledger.verification VALUES ($1) ON CONFLICT (log_id) DO UPDATE SET size = 1, verified_at = now()",
        """INSERT INTO ledger.snapshot VALUES ($1) ON CONFLICT (log_id) DO UPDATE SET state = excluded.state
        WHERE NOT EXISTS (SELECT 1 FROM ledger.event WHERE log_id = $1)""",
    ],
)
def test_a_form_that_citus_does_not_plan_is_seen(statement: str):
    assert [why for why, form in REFUSED.items() if form.search(statement)] != []
