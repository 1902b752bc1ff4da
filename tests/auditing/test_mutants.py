"""verify.py finds a decider that breaks a rule, in the logs that it makes; what no log can show is listed with why."""

import os
from collections.abc import Iterator
from functools import cache
from itertools import chain, islice
from pathlib import Path
from random import Random

import pytest

from contracts.commands import (
    ChangeCustomer,
    CloseTask,
    Command,
    CorrectTask,
    DropPlan,
    PlanTask,
    PurchasePackage,
    RefundPackage,
)
from contracts.events import Event, TaskCorrected, TaskReopened
from services.auditing.handed_out import verify
from services.ledger.domain import account as domain
from services.ledger.domain.account import Account, fold
from tests.auditing.mutated_decider import Asked, Decider, Mutant, mutants, mutated
from tests.auditing.paper_log import Paper
from tests.auditing.tempting_histories import ACCOUNT_ID, changing_terms, history, parsed_terms, rare_histories

Answer = tuple[Event, ...]

MUTANTS = mutants()
CAMPAIGN = os.environ.get("HYPOTHESIS_PROFILE") == "campaign"
HISTORIES = 2000 if CAMPAIGN else 500
WITNESSES = 10 if CAMPAIGN else 2
NOT_DECIDED = {
    "1.3": "how hours are written",
    "3.4": "how price lists are published: test_editions.py",
    "7.5": "how a balance is read",
    "10.4": "how an act is made",
    "11.2": "repeated commands are answered before anything is decided",
    "11.3": "the order of commands is the ledger's",
    "14.4": "how a report is shown",
    "15.3": "how a report and alerts are shown",
}
"""Rules that no decision of the domain follows, and what they are about instead."""

LAST = {
    "1": 3, "2": 3, "3": 4, "4": 4, "5": 9, "6": 5, "7": 5, "8": 6, "9": 2, "10": 4, "11": 3, "14": 4, "15": 3, "16": 1,
}  # fmt: skip
"""How many rules each chapter of the rulebook has."""


@cache
def histories() -> list[list[Asked]]:
    """The same ones in every run."""
    terms, random = parsed_terms(changing_terms()), Random(1)
    return [*rare_histories(terms), *(history(random, terms) for _ in range(HISTORIES))]


def witnesses(decider: Decider) -> Iterator[tuple[list[Asked], list[tuple[Event, ...]]]]:
    """Histories with what it decides in them, where the first thing it decides otherwise is recorded."""
    for asked in histories():
        answers = zip(decider.answers(asked), asked, strict=True)
        if next((found for found, each in answers if found != each.events), ()):
            yield asked, list(decider.answers(asked))


def exported(asked: list[Asked], answers, folder: Path) -> Path:
    """The log that this decider would have left behind."""
    paper = Paper(terms=changing_terms())
    for one, events in zip(asked, answers, strict=True):
        paper.write(ACCOUNT_ID, events, one.now)
    paper.sizes = [len(paper.rows)]
    return paper.export(folder)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_decider_that_breaks_a_rule_is_found_in_its_log(mutant: Mutant, tmp_path: Path):
    with mutated([mutant], tmp_path, parsed_terms(changing_terms())) as decider:
        found = list(islice(witnesses(decider), WITNESSES))
    for number, (asked, answers) in enumerate(found):
        export = exported(asked, answers, tmp_path / f"export-{number}")
        assert verify.main([str(export)]) == (0 if mutant.unseen else 1)
    assert found or mutant.unseen, "no history gives this mutant an opportunity"


def test_the_true_decider_is_not_accused(tmp_path: Path):
    for number, asked in enumerate(histories()[: WITNESSES * 10]):
        export = exported(asked, [one.events for one in asked], tmp_path / f"export-{number}")
        assert verify.main([str(export)]) == 0


def test_what_was_decided_by_the_first_edition_is_judged_by_it(tmp_path: Path):
    for number, (asked, first, _) in enumerate(by_the_first_edition(tmp_path)):
        assert verify.main([str(exported(asked, first, tmp_path / f"export-{number}"))]) == 0


def test_an_account_that_was_decided_by_the_first_edition_goes_on_by_the_second(tmp_path: Path):
    for number, (asked, _, mixed) in enumerate(by_the_first_edition(tmp_path)):
        assert verify.main([str(exported(asked, mixed, tmp_path / f"export-{number}"))]) == 0


def by_the_first_edition(folder: Path) -> Iterator[tuple[list[Asked], list[Answer], list[Answer]]]:
    """Histories of what it knew, decided by it, and then decided by it in their first half only."""
    terms = parsed_terms(changing_terms())
    with mutated([mutant for mutant in MUTANTS if mutant.first_edition], folder, terms) as decider:
        for asked in histories()[: WITNESSES * 20]:
            known = [one for one in asked if known_to_the_first_edition(one.command)]
            first = [tuple(map(of_the_first_edition, decided)) for decided in decider.answers(known)]
            half = first[: len(known) // 2]
            account = fold(Account(ACCOUNT_ID), chain(*half))
            yield known, first, [*half, *Decider(domain, terms).answers(known[len(half) :], account)]


def known_to_the_first_edition(command: Command | None) -> bool:
    if isinstance(command, CorrectTask | RefundPackage | PlanTask | DropPlan | ChangeCustomer):
        return False
    if isinstance(command, CloseTask):
        return command.kind == "work"
    return not isinstance(command, PurchasePackage) or command.agreed is None


def of_the_first_edition(event: Event) -> Event:
    return event.model_copy(update={"rules_edition": 1})


def test_a_command_corrects_a_closing_once_also_where_it_was_reopened_first(tmp_path: Path, capsys):
    commands = (one for asked in histories() for one in asked)
    asked = next(one for one in commands if [*map(type, one.events)][:1] == [TaskReopened] and is_correction(one))
    history = next(history for history in histories() if asked in history)
    upto = history[: history.index(asked) + 1]
    twice = (*asked.events, next(event for event in asked.events if isinstance(event, TaskCorrected)))
    export = exported(upto, [*(one.events for one in upto[:-1]), twice], tmp_path / "export")
    assert verify.main([str(export)]) == 1
    assert "a fact before this one: a command has one" in capsys.readouterr().out


def is_correction(asked: Asked) -> bool:
    return isinstance(asked.command, CorrectTask)


def test_every_rule_of_the_rulebook_is_broken_by_some_mutant():
    rules = {f"{chapter}.{number}" for chapter, last in LAST.items() for number in range(1, last + 1)}
    assert {mutant.rule for mutant in MUTANTS} | NOT_DECIDED.keys() == rules
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
    assert not {mutant.rule for mutant in MUTANTS} & NOT_DECIDED.keys()
