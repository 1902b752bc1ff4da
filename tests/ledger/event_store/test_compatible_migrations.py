"""A migration only adds, so that programs of the release before it work on; one that takes away says since when."""

import re

import pytest

from services.billing import database as billing
from services.ledger.event_store import migrations

BEFORE_THE_RULE = {"ledger": 19, "billing": 4}
TAKING_AWAY = re.compile(
    r"\b(DROP|RENAME|REVOKE|TRUNCATE|SET\s+NOT\s+NULL|ALTER\s+COLUMN|(ADD\s+)?CONSTRAINT|CREATE\s+UNIQUE"
    r"|ADD\s+COLUMN\s+(?![^,;]*\bDEFAULT\b)[^,;]*\bNOT\s+NULL)\b",
    re.IGNORECASE,
)
CREATED = re.compile(r"CREATE\s+TABLE\s[^;]*;", re.IGNORECASE)


def takes_away(text: str) -> list[str]:
    """What a statement of an earlier release could miss, or be refused by; what new tables require is their own."""
    code = re.sub(r"--[^\n]*", "", text)
    return [found[0] for found in TAKING_AWAY.finditer(CREATED.sub("", code))]


def test_each_migration_since_the_rule_only_adds_or_says_whom_it_serves():
    for room, files in (("ledger", migrations.MIGRATIONS), ("billing", billing.MIGRATIONS)):
        for file in files:
            if int(file.name[:4]) > BEFORE_THE_RULE[room] and ".since_" not in file.name:
                assert takes_away(file.read_text(encoding="utf-8")) == [], f"{file.name}: call it …since_NNNN.sql"


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("ALTER TABLE ledger.event DROP COLUMN seal", True),
        ("ALTER TABLE ledger.event RENAME COLUMN seal TO wax", True),
        ("ALTER TABLE ledger.event ADD COLUMN wax bytea NOT NULL", True),
        ("ALTER TABLE ledger.event ADD COLUMN wax bytea NOT NULL DEFAULT ''", False),
        ("ALTER TABLE ledger.event ADD COLUMN wax bytea", False),
        ("ALTER TABLE ledger.event ALTER COLUMN seal SET NOT NULL", True),
        ("ALTER TABLE ledger.event ADD CONSTRAINT wax CHECK (seal IS NOT NULL)", True),
        ("CREATE UNIQUE INDEX ON ledger.event (type)", True),
        ("REVOKE SELECT ON ledger.event FROM hourbook_relay", True),
        ("CREATE TABLE ledger.wax (a int NOT NULL, CONSTRAINT one UNIQUE (a)); -- DROP nothing", False),
        ("GRANT SELECT ON ledger.event TO hourbook_relay", False),
    ],
)
def test_what_takes_away_is_recognized(statement: str, found: bool):
    assert bool(takes_away(statement)) == found
