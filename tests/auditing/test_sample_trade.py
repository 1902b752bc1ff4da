"""Nine months of agreed prices, refunds, corrections and plans, as an independent model worked them out.

What verify.py works out of the log is what the model expects, and verify.py has nothing to say against it.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from contracts.commands import COMMAND
from contracts.events import Event
from services.auditing.handed_out import verify
from services.ledger.domain.account import Account, course_of, due, fold
from services.ledger.domain.refusals import Refusal
from tests.auditing.paper_log import Paper, terms_document
from tests.ledger.vocabulary import TERMS

SAMPLE = Path(__file__).parents[1] / "sample_trade"
NOT_OF_THE_COMMAND = {"at", "expect", "balance_minutes", "planned_minutes", "idempotency_key"}


@cache
def expected() -> dict[str, Any]:
    """What the independent model says."""
    return json.loads((SAMPLE / "expected.json").read_text("utf-8"))


def decided() -> Iterator[tuple[str, datetime, tuple[Event, ...]]]:
    """What the ledger's domain makes of the commands; it answers each as the model does."""
    accounts: dict[str, Account] = {}
    for text in (SAMPLE / "commands.ndjson").read_text("utf-8").splitlines():
        line = json.loads(text)
        now, account_id = datetime.fromisoformat(line["at"]), line["account_id"]
        account = accounts.get(account_id) or Account(account_id)
        if events := due(account, now):
            accounts[account_id] = account = fold(account, events)
            yield account_id, now, events
        said = {name: value for name, value in line.items() if name not in NOT_OF_THE_COMMAND}
        try:
            course = course_of(COMMAND.validate_python(said), account, TERMS, now)
        except (Refusal, ValidationError):
            assert line["expect"] != "accepted", line
            continue
        accounts[account_id] = account = course.account
        planned = (account.balance_minutes, account.planned_minutes)
        assert ("accepted", line["balance_minutes"], line["planned_minutes"]) == (line["expect"], *planned), line
        yield account_id, now, tuple(course.events)
    end = datetime.fromisoformat(expected()["end"])
    for account_id, account in accounts.items():
        if events := due(account, end):
            yield account_id, end, events


@pytest.fixture(scope="module")
def paper() -> Paper:
    """The log that the history leaves behind."""
    written = Paper()
    for account_id, now, events in decided():
        written.write(account_id, events, now)
    written.sizes = [len(written.rows)]
    return written


@pytest.fixture(scope="module")
def books(paper: Paper) -> dict[str, verify.Book]:
    """What verify.py works out of it."""
    findings = verify.Findings()
    accounts = verify.Accounts(verify.Terms(json.loads(terms_document())), None, findings)
    for row in paper.rows:
        accounts.read(f"position {row.position}", verify.Line.parse(row.line()))
    accounts.end("the log")
    assert findings.said == []
    return accounts.books


def test_verify_has_nothing_to_say_against_it(paper: Paper, tmp_path: Path):
    assert verify.main([str(paper.export(tmp_path / "export"))]) == 0


@pytest.mark.parametrize("account_id", sorted(expected()["accounts"]))
def test_verify_works_out_what_the_model_expects(books: dict[str, verify.Book], account_id: str):
    book, model = books[account_id], expected()["accounts"][account_id]
    for asked in model["balances"]:
        held, owed = book.balance(datetime.fromisoformat(asked["as_of"]))
        assert held - owed == asked["balance_minutes"], asked
    assert sum(closing.owed for _, closing in book.debts()) == model["owed_minutes"]
    assert lots_of(book) == {name: tuple(lot.values()) for name, lot in model["lots"].items()}
    assert {month: lines_of(report) for month, report in book.months.reports.items() if report.lines} == {
        month: report for month, report in model["reports"].items() if report
    }


def lots_of(book: verify.Book) -> dict[str, tuple[str, int]]:
    """When each lot that has something left ends, and how much that is."""
    left = [lot for lot in book.lots.values() if lot.left and not lot.expired]
    return {lot.lot_id: (lot.ends[-1].astimezone(verify.MOSCOW).isoformat(), lot.left) for lot in left}


def lines_of(report: verify.Report) -> dict[str, dict[str, int]]:
    """A report's closings as the model writes them."""
    names = ("worked_minutes", "charged_minutes", "amount_kopecks")
    return {f"{task}/{number}": dict(zip(names, line, strict=True)) for (task, number), line in report.lines.items()}
