"""What ends a backup or a restore is said in one sentence, with what is wrong and what helps."""

from pathlib import Path

import orjson
import pytest

from services.operating.backup.backup_folder import Backups
from services.operating.backup.beside import copy_tree
from services.operating.backup.manifest import Damaged, Manifest, _text
from services.operating.backup.restoring import Wanted, restore
from services.process.operator_error import OperatorError


def test_two_backups_at_once_are_told_of_the_folder_of_backups(tmp_path: Path):
    first = Backups(tmp_path).lock()
    first.acquire()
    with pytest.raises(
        OperatorError, match=r"is in use by process \d+\. Stop it, or choose another folder with --backups"
    ):
        Backups(tmp_path).lock().acquire()
    first.release()


def test_a_folder_of_backups_that_cannot_be_is_told_by_its_option(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(OperatorError, match="name a folder with --backups"):
        Backups(tmp_path / "file").make("1")


def test_a_file_that_cannot_be_copied_is_named(tmp_path: Path):
    """As on a disk that is full."""
    (tmp_path / "source" / "other").mkdir(parents=True)
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "other").touch()
    with pytest.raises(OperatorError, match=f"{tmp_path}/target/other cannot be written: .*File exists"):
        copy_tree(tmp_path / "source", tmp_path / "target")


def test_a_manifest_of_a_later_version_is_not_taken_for_a_damaged_one(tmp_path: Path):
    (tmp_path / "manifest.json").write_bytes(_text({"form": 2}))
    with pytest.raises(Damaged, match="another version of Hourbook"):
        Manifest.read(tmp_path)
    (tmp_path / "manifest.json").write_bytes(orjson.dumps({"manifest": {"form": 2}, "sha256": "0"}))
    with pytest.raises(Damaged, match="not as it was written"):
        Manifest.read(tmp_path)


async def test_a_folder_without_backups_is_told_whatever_is_wanted(tmp_path: Path):
    for wanted in (Wanted(), Wanted(position=1)):
        with pytest.raises(OperatorError, match="make one with `hourbook backup`"):
            await restore(Backups(tmp_path), tmp_path / "restored", wanted, (), [], print)
    assert list(tmp_path.iterdir()) == []
