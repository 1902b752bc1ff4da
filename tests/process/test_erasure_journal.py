"""The journal of erasures has each entry once, whatever a crash has left of it."""

from pathlib import Path

from services.process.erasure_journal import entries, keep

ONE, OTHER = '{"of": "ledger"}', '{"of": "billing"}'


def test_an_entry_is_kept_once(tmp_path: Path):
    file = tmp_path / "audit" / "erasures.ndjson"
    keep(file, [ONE])
    keep(file, [ONE, OTHER])
    assert entries(file) == [ONE, OTHER]
    assert file.stat().st_mode & 0o077 == 0


def test_what_was_half_written_is_written_again(tmp_path: Path):
    file = tmp_path / "erasures.ndjson"
    file.write_text(f"{ONE}\n{OTHER[:-3]}")
    keep(file, [ONE, OTHER])
    assert entries(file) == [ONE, OTHER]


def test_without_a_file_nothing_is_kept(tmp_path: Path):
    keep(None, [ONE])
    assert entries(tmp_path / "nowhere") == []
