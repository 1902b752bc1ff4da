"""What lets the read side stand on the nodes of Citus by account: held on the texts of schemas and statements.

`make campaign-citus` has Citus itself execute them, where it is at hand.
"""

import re

import pytest

from services.projections.catalogue import PROJECTIONS
from tests.ledger.event_store.program_statements import SERVICES, statements_in

OF_THE_COORDINATOR = {
    "alert_change", "alert_frontier", "alert_numbering", "alert_publication", "alert_endpoint", "alert_delivery",
    "day_total", "halted_account", "report_total", "tracking",
}  # fmt: skip
"""Tables of no account, or of one order over all accounts."""

TABLE = re.compile(r"CREATE TABLE IF NOT EXISTS (?:projections\.)?(\w+) \((.*?)\n\)", re.DOTALL)
LEADS_WITH_ACCOUNT = re.compile(r"account_id +text .*PRIMARY KEY|(?:PRIMARY KEY|NULLS NOT DISTINCT) \(account_id\b")

TABLES = {name: columns for each in PROJECTIONS for name, columns in TABLE.findall(each.schema + each.beside)}
OF_ACCOUNTS = TABLES.keys() - OF_THE_COORDINATOR

REFUSED = {
    "rows of several accounts are locked": re.compile(r"\bFOR (?:UPDATE|SHARE)\b"),
    "rows are joined with those of the coordinator": re.compile(
        rf"(?:JOIN|EXISTS\s*\(\s*SELECT\b[^()]*\bFROM)\s+(?:projections\.)?(?:{'|'.join(OF_THE_COORDINATOR)})\b"
    ),
    "what rows are updated by is joined with rows of accounts": re.compile(r"\bUPDATE\b.*\bLATERAL\b", re.DOTALL),
    "rows of accounts are looked up for those of a WITH": re.compile(r"= listed\.account_id\b"),
    "rows have no type": re.compile(r"\bROW\s*\("),
}
"""What Citus does not plan on tables that are distributed by account."""


def is_of_accounts(statement: str) -> bool:
    """Whether a table of accounts is in it."""
    return bool(OF_ACCOUNTS & {*re.findall(r"\b(?:FROM|JOIN|INTO|UPDATE)\s+(?:projections\.)?(\w+)", statement)})


def test_every_key_of_a_table_of_accounts_leads_with_the_account():
    assert len(OF_ACCOUNTS) > 20
    assert not [name for name in sorted(OF_ACCOUNTS) if not LEADS_WITH_ACCOUNT.search(TABLES[name])]


def test_no_statement_of_the_read_side_has_a_form_that_citus_does_not_plan():
    sent = {where: text for where, text in statements_in(SERVICES / "projections").items() if is_of_accounts(text)}
    assert len(sent) > 60
    assert [(where, why) for where, text in sent.items() for why, form in REFUSED.items() if form.search(text)] == []


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT watched FROM alert_account WHERE account_id = ANY ($1) ORDER BY account_id FOR UPDATE",
        "SELECT account_id FROM alert_account WHERE NOT EXISTS (SELECT FROM halted_account WHERE log = $1)",
        "SELECT * FROM account JOIN projections.tracking ON position = $1",
        "UPDATE account SET position = 1 FROM unnest($1) AS a (id) CROSS JOIN LATERAL (SELECT FROM lot) AS l",
        "WITH listed AS (SELECT * FROM account) SELECT (SELECT 1 FROM lot WHERE lot.account_id = listed.account_id)",
        "SELECT ARRAY(SELECT ROW (lot_id, plan) FROM lot WHERE account_id = $1) FROM account WHERE account_id = $1",
    ],
)
def test_a_form_that_citus_does_not_plan_is_seen(statement: str):
    assert is_of_accounts(statement)
    assert [why for why, form in REFUSED.items() if form.search(statement)] != []
