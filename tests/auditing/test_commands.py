"""The commands `hourbook audit …` say what an operator can put right in a sentence."""

from pathlib import Path

import pytest

from services.auditing import commands
from services.process.operator_error import OperatorError
from tests.end_to_end.program import program

NOBODY = "postgresql://nobody@127.0.0.1:1/nothing"


def test_an_audit_without_a_database_says_so(tmp_path: Path):
    done = program("audit", "verify", "--data", tmp_path, DATABASE_URL=NOBODY)
    assert (done.returncode, "hourbook: The database is unavailable" in done.stderr) == (1, True), done.stderr


def test_a_key_is_not_rotated_without_a_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DATABASE_URL", NOBODY)
    with pytest.raises(OperatorError, match="The database is unavailable"):
        commands.rotate_key(tmp_path)
