"""Which backups are deleted: never one that a kept one rests on, nor any of the log that one needs."""

from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from services.operating.backup.backup_folder import Backup, Backups
from services.operating.backup.manifest import MANIFEST, Manifest
from services.operating.backup.retention import delete_unneeded, unneeded
from services.operating.backup.wal_archive import segment_name

CHAINS = {"1": None, "2": "1", "3": "2", "4": None, "5": "4", "6": None, "7": "6"}
"""Three full backups, and upon what each of the others rests."""


def backup(folder: Path, name: str, based_on: str | None) -> Backup:
    now = datetime(2026, 11, int(name), tzinfo=UTC)
    manifest = Manifest(
        name=name, program="", begun_at=now, ended_at=now, based_on=based_on, system_identifier="1", timeline=1,
        begins_at=f"0/{int(name):x}000028", ends_at=f"0/{int(name):x}000100", ledger_id="l", logs=1, at_least={},
        at_most={}, checkpoints={}, files={}, wal={},
    )  # fmt: skip
    return Backup(folder / name, manifest)


@pytest.mark.parametrize(("keep", "deleted"), [(1, "54321"), (2, "321"), (3, ""), (9, "")])
def test_full_backups_go_with_what_rests_on_them_the_last_of_a_chain_first(tmp_path: Path, keep: int, deleted: str):
    backups = [backup(tmp_path, name, based_on) for name, based_on in CHAINS.items()]
    assert "".join(each.manifest.name for each in unneeded(backups, keep)) == deleted


def test_what_rests_on_nothing_that_is_there_is_left_to_the_operator(tmp_path: Path):
    backups = [backup(tmp_path, name, based_on) for name, based_on in CHAINS.items() if name != "1"]
    assert [each.manifest.name for each in unneeded(backups, 1)] == ["5", "4"]
    assert unneeded(backups[:2], 1) == []


@pytest.fixture
def backups(tmp_path: Path) -> Backups:
    for name, based_on in CHAINS.items():
        made = backup(tmp_path, name, based_on)
        made.path.mkdir()
        made.manifest.write(made.path)
    for number in range(8):
        stretch = tmp_path / "wal" / f"00000001-{2024 + number // 4}"
        stretch.mkdir(parents=True, exist_ok=True)
        (stretch / segment_name(1, number)).write_bytes(b"x")
    return Backups(tmp_path)


def test_the_log_goes_up_to_what_the_earliest_kept_one_needs(backups: Backups):
    assert delete_unneeded(backups, 1, print) == ["5", "4", "3", "2", "1"]
    assert backups.names() == ["6", "7"]
    assert [segment.number for segment in backups.archive.segments(0)] == [6, 7]
    assert [stretch.name for stretch in backups.archive.stretches()] == ["00000001-2025"]
    assert delete_unneeded(backups, 1, print) == []


def test_nothing_is_deleted_after_a_drill_that_was_not_good(backups: Backups):
    (backups.path / "last-drill.json").write_bytes(orjson.dumps({"good": False}))
    said: list[str] = []
    assert (delete_unneeded(backups, 1, said.append), len(backups.names())) == ([], len(CHAINS))
    assert said == ["the last drill was not good: no backup is deleted"]


def test_a_damaged_backup_is_neither_deleted_nor_counted(backups: Backups):
    """So a full one that can be read is kept in its place, with the log that it needs."""
    for name in ("6", "7"):
        (backups.path / name / MANIFEST).write_bytes(b"{}")
    assert delete_unneeded(backups, 1, print) == ["3", "2", "1"]
    assert backups.names() == ["4", "5", "6", "7"]
    assert [segment.number for segment in backups.archive.segments(0)] == [4, 5, 6, 7]
