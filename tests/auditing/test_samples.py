"""Months of a support desk, and months of agreed prices, refunds, corrections and plans, by an independent model.

What verify.py works out of their logs is what the model expects, and it has nothing to say against them.
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
from services.operating.demo import SAMPLE
from tests.auditing.paper_log import Paper, terms_document
from tests.ledger.vocabulary import TERMS

SAMPLES = {"a support desk": SAMPLE, "the whole trade": Path(__file__).parents[1] / "sample_trade"}
NOT_OF_THE_COMMAND = {"at", "expect", "balance_minutes", "planned_minutes", "idempotency_key"}


@cache
def expected(name: str) -> dict[str, Any]:
    """What the independent model says."""
    return json.loads((SAMPLES[name] / "expected.json").read_text("utf-8"))


def decided(name: str) -> Iterator[tuple[str, datetime, tuple[Event, ...]]]:
    """What the ledger's domain makes of the commands; it answers each as the model does."""
    accounts: dict[str, Account] = {}
    for text in (SAMPLES[name] / "commands.ndjson").read_text("utf-8").splitlines():
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
        balances = (line["balance_minutes"], line.get("planned_minutes", 0))
        assert ("accepted", *balances) == (line["expect"], account.balance_minutes, account.planned_minutes), line
        yield account_id, now, tuple(course.events)
    end = datetime.fromisoformat(expected(name)["end"])
    for account_id, account in accounts.items():
        if events := due(account, end):
            yield account_id, end, events


@cache
def paper_of(name: str) -> Paper:
    """The log that the history leaves behind."""
    paper = Paper()
    for account_id, now, events in decided(name):
        paper.write(account_id, events, now)
    paper.sizes = [len(paper.rows)]
    return paper


@cache
def books_of(name: str) -> dict[str, verify.Book]:
    """What verify.py works out of it."""
    findings = verify.Findings()
    accounts = verify.Accounts(verify.Terms(json.loads(terms_document())), None, findings)
    for row in paper_of(name).rows:
        accounts.read(f"position {row.position}", verify.Line.parse(row.line()))
    accounts.end("the log")
    assert findings.said == []
    return accounts.books


@pytest.mark.parametrize("name", SAMPLES)
def test_verify_has_nothing_to_say_against_them(name: str, tmp_path: Path):
    assert verify.main([str(paper_of(name).export(tmp_path / "export"))]) == 0


@pytest.mark.parametrize(
    ("name", "account_id"), [(name, each) for name in SAMPLES for each in expected(name)["accounts"]]
)
def test_verify_works_out_what_the_model_expects(name: str, account_id: str):
    book, model = books_of(name)[account_id], expected(name)["accounts"][account_id]
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
