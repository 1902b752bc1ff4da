"""The catalogue of problems: whole, without twins, and the only place that says what is wrong and what to do."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts import problem_types
from contracts.problem_types import CATALOGUE, ProblemType
from contracts.problems import PROBLEM_TYPE_PREFIX, problem
from services.ledger.domain import refusals
from services.ledger.domain.refusals import Refusal

ROOT = Path(__file__).resolve().parents[2]


def sources() -> list[Path]:
    catalogue = Path(problem_types.__file__)
    files = [file for package in ("contracts", "services") for file in (ROOT / package).rglob("*.py")]
    return [file for file in files if file.resolve() != catalogue.resolve()]


def texts(file: Path) -> Iterator[str]:
    """Every text in a program, its docstrings too."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def raised(file: Path) -> Iterator[str]:
    """The slugs that a program names where it makes a problem."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in {"ProblemError", "problem"}:
            yield from (
                first.value
                for first in node.args[:1]
                if isinstance(first, ast.Constant) and isinstance(first.value, str)
            )


def test_no_slug_and_no_title_is_there_twice():
    kinds = [each for value in vars(problem_types).values() if isinstance(value, tuple) for each in value]
    kinds = [each for each in kinds if isinstance(each, ProblemType)]
    assert len({each.slug for each in kinds}) == len({each.title for each in kinds}) == len(kinds) == len(CATALOGUE)


@pytest.mark.parametrize("kind", CATALOGUE.values(), ids=CATALOGUE.keys())
def test_a_problem_has_sentences_and_a_status_of_an_error(kind: ProblemType):
    assert 400 <= kind.status < 600
    assert kind.title.endswith(".")
    assert kind.remedy.endswith(".")
    assert problem(kind.slug, "Why.").type == PROBLEM_TYPE_PREFIX + kind.slug


def test_no_slug_is_raised_that_is_not_in_the_catalogue():
    found = {slug for file in sources() for slug in raised(file)}
    assert len(found) > 5
    assert found <= CATALOGUE.keys()


def test_every_problem_of_the_catalogue_can_be_met():
    refused = {
        each.kind.slug for each in vars(refusals).values() if isinstance(each, type) and Refusal in each.__mro__[1:]
    }
    written = {text for file in sources() for text in texts(file)}
    assert CATALOGUE.keys() - refused - written == set()


def test_no_title_is_written_anywhere_else():
    titles = {kind.title for kind in CATALOGUE.values()}
    assert {(file.name, text) for file in sources() for text in texts(file) if text.strip() in titles} == set()
