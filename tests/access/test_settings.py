"""What holds where an operator has set nothing: a closed door, and the program's own key for its own commands."""

from pathlib import Path

import pytest

from services.access.caller import OWNERS_KEY, Caller
from services.access.settings import AccessSettings
from services.operating.start_conditions import ledger_settings, projections_settings
from services.process.operator_error import OperatorError
from services.process.settings import read

LOOPBACK = "http://127.0.0.1:8000"
DATABASE = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:9/x"}


def test_without_a_setting_the_door_is_closed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("HOURBOOK_ACCESS")
    assert read(AccessSettings).access == "closed"


def test_projections_behind_a_door_need_a_key_for_the_ledger(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.delenv("HOURBOOK_ACCESS")
    with pytest.raises(OperatorError, match="HOURBOOK_LEDGER_KEY_FILE is not set"):
        projections_settings(DATABASE)
    (tmp_path / "follower.key").write_text("a.token.of-its-own\n")
    assert projections_settings(DATABASE | {"HOURBOOK_LEDGER_KEY_FILE": str(tmp_path / "follower.key")})
    assert projections_settings(DATABASE | {"HOURBOOK_ACCESS": "open"})
    assert ledger_settings(DATABASE)


def test_the_key_of_the_data_folder_or_of_the_demo_inside_is_shown_to_this_machine_alone(tmp_path: Path):
    own, demo = tmp_path / OWNERS_KEY, tmp_path / "demo" / OWNERS_KEY
    assert Caller.of(LOOPBACK, None, tmp_path).key_file is None
    for each in (demo, own):
        each.parent.mkdir(parents=True)
        each.write_text("key\n")
        assert Caller.of(LOOPBACK, None, tmp_path).key_file == each
    assert Caller.of("https://hourbook.example", None, tmp_path).key_file is None
    assert Caller.of(LOOPBACK, demo, tmp_path).key_file == demo
