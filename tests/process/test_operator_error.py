"""What an operator can put right ends in a sentence, and a bug in a traceback; neither is taken for the other."""

import ast
from pathlib import Path

import pytest

from services import __main__ as program
from services.process.operator_error import CANNOT_START, OperatorError

ROOT = Path(__file__).parents[2]


def ended(monkeypatch: pytest.MonkeyPatch, error: Exception) -> int | str | None:
    """The exit code of a program that meets this."""

    def command() -> None:
        raise error

    monkeypatch.setattr(program, "cli", command)
    with pytest.raises(SystemExit) as exit_:
        program.main()
    return exit_.value.code


def test_each_sentence_is_a_line_and_the_error_has_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    assert ended(monkeypatch, OperatorError("No key.", "No port.", exit_code=CANNOT_START)) == CANNOT_START
    assert capsys.readouterr().err == "hourbook: No key.\nhourbook: No port.\n"


def test_a_file_that_cannot_be_written_is_the_operators(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    assert ended(monkeypatch, PermissionError(13, "Permission denied", "log.ndjson")) == 1
    assert capsys.readouterr().err == "hourbook: log.ndjson: Permission denied.\n"


@pytest.mark.parametrize("bug", [RuntimeError("event loop is closed"), KeyError("x"), OSError("no file in sight")])
def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch, bug: Exception):
    def command() -> None:
        raise bug

    monkeypatch.setattr(program, "cli", command)
    with pytest.raises(type(bug)):
        program.main()


def test_nothing_is_raised_as_an_error_that_says_nothing():
    """A RuntimeError is what libraries and the language raise of a bug: nobody may have to catch it."""
    found = [file for room in ("contracts", "services", "infra") for file in (ROOT / room).rglob("*.py")]
    raising = {
        f"{file.relative_to(ROOT)}:{node.lineno}"
        for file in found
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Raise) and node.exc and "RuntimeError" in ast.unparse(node.exc))
        or (isinstance(node, ast.ClassDef) and any(ast.unparse(each) == "RuntimeError" for each in node.bases))
    }
    assert len(found) > 100
    assert raising == set()
