"""An export may come from somebody who wants to be believed, or to harm: nothing in it ends a verification."""

import base64
import gzip
import io
import json
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.auditing.handed_out import verify
from tests.auditing.paper_log import Paper, Signer, compressed, lines_in, manifest, small_paper
from tests.ledger.vocabulary import ACCOUNT_ID, close, close_month, given


def found(export: Path, capsys: pytest.CaptureFixture[str], *options: str) -> str:
    """What is found in it; something has to be."""
    capsys.readouterr()
    assert verify.main([str(export), *options]) == 1
    return "\n".join(line for line in capsys.readouterr().out.splitlines() if line.startswith("FINDING"))


@pytest.fixture
def paper() -> Paper:
    return small_paper()


# Keys that one holds.


def keys_in_file(folder: Path, *signers: Signer) -> list[str]:
    file = folder / "held.txt"
    file.write_text("\n".join(base64.b64encode(signer.public).decode() for signer in signers), "utf-8")
    return ["--key", str(file)]


def test_every_key_that_one_holds_has_to_be_in_the_export(
    paper: Paper, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    held = keys_in_file(tmp_path, Signer.of(1), Signer.of(2))
    forged = paper.export(tmp_path / "forged")
    assert "a key that you hold is not among the ledger's" in found(forged, capsys, *held)


def test_a_retired_key_signs_nothing_once_a_newer_one_that_one_holds_was_made(
    paper: Paper, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    held = keys_in_file(tmp_path, Signer.of(1), Signer.of(2))
    paper.signers = [Signer.of(1), Signer.of(2)]
    assert verify.main([str(paper.export(tmp_path / "genuine")), *held]) == 0
    document = paper.keys_document()
    paper.signers = [Signer.of(1)]
    forged = paper.export(tmp_path / "forged")
    (forged / "keys.json").write_text(document, "utf-8")
    manifest(forged)
    assert "the retired 1" in found(forged, capsys, *held)
    assert verify.main([str(forged), *keys_in_file(tmp_path, Signer.of(1))]) == 0, "who holds the first cannot know"


# Data that can be read in two ways.


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"charged_minutes":60', '"charged_minutes":60.0'),
        ('"charged_minutes":60', '"charged_minutes":6e1'),
        ('"charged_minutes":60', '"charged_minutes":"60"'),
        ('"charged_minutes":60', '"charged_minutes":NaN'),
        ('"charged_minutes":60', '"charged_minutes":60,"charged_minutes":60'),
        ('"draws":[]', '"draws":[],"draws":[]'),
        ('"closure":1', '"closure":true'),
        ('"warranty":false', '"warranty":0'),
    ],
)
def test_data_that_can_be_read_in_two_ways_is_found_even_when_it_is_signed(
    paper: Paper, tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str
):
    index = next(index for index, row in enumerate(paper.rows) if row.type == "TaskClosed")
    row = paper.rows[index]
    assert old in row.data
    paper.rows[index] = replace(row, data=row.data.replace(old, new, 1))
    assert f"log-0.ndjson.gz, line {index + 1}" in found(paper.export(tmp_path / "export"), capsys)


# Folders and archives.


def archive(folder: Path, change: Callable[[tarfile.TarFile], None] = lambda _: None, *, name: str = "export") -> Path:
    """The folder in an archive, and something more."""
    file = folder.with_suffix(".tar.gz")
    with tarfile.open(file, "w:gz") as members:
        members.add(folder, name)
        change(members)
    return file


def add(members: tarfile.TarFile, name: str, content: bytes = b"x", kind: bytes = tarfile.REGTYPE) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.type, member.linkname = len(content), kind, "/etc/passwd"
    members.addfile(member, io.BytesIO(content))


def test_an_archive_of_one_folder_or_of_plain_files_is_read(paper: Paper, tmp_path: Path):
    export = paper.export(tmp_path / "export")
    assert verify.main([str(archive(export))]) == 0
    assert verify.main([str(archive(export, name=""))]) == 0


@pytest.mark.parametrize(
    "change",
    [
        lambda members: add(members, "export/log-0.ndjson.gz"),
        lambda members: add(members, "other/keys.json"),
        lambda members: add(members, "export/deeper/keys.json"),
        lambda members: add(members, "keys.json"),
        lambda members: add(members, "../keys.json"),
        lambda members: add(members, "/tmp/keys.json"),
        lambda members: add(members, "export/link", b"", tarfile.SYMTYPE),
        lambda members: add(members, "export/hard", b"", tarfile.LNKTYPE),
        lambda members: add(members, "export/pipe", b"", tarfile.FIFOTYPE),
        lambda members: add(members, "export/.hidden"),
        lambda members: add(members, "export/extra.txt"),
        lambda members: add(members, "export/bomb.gz", bytes(64 << 20)),
    ],
)
def test_an_archive_of_anything_else_is_refused(
    paper: Paper, tmp_path: Path, capsys: pytest.CaptureFixture[str], change: Callable[[tarfile.TarFile], None]
):
    assert found(archive(paper.export(tmp_path / "export"), change), capsys)


def more_files(export: Path) -> None:
    (export / "extra.txt").write_text("x")


def a_listed_file_of_another_kind(export: Path) -> None:
    (export / "extra.txt").write_text("x")
    manifest(export)


def a_folder_in_it(export: Path) -> None:
    (export / "more").mkdir()


def a_link_in_place_of_a_file(export: Path) -> None:
    moved = export.parent / "terms.json"
    (export / "terms.json").rename(moved)
    (export / "terms.json").symlink_to(moved)


def a_file_listed_twice(export: Path) -> None:
    said = json.loads((export / "manifest.json").read_text("utf-8"))
    said["files"].append(said["files"][0])
    (export / "manifest.json").write_text(json.dumps(said, ensure_ascii=False, indent=1) + "\n", "utf-8")


def a_bomb_in_place_of_the_log(export: Path) -> None:
    (export / "log-0.ndjson.gz").write_bytes(gzip.compress(bytes(verify.LINE_BYTES_MAX * 2), 1))
    manifest(export)


def a_document_without_end(export: Path) -> None:
    (export / "terms.json").write_text(" " * verify.DOCUMENT_BYTES_MAX + "{}")
    manifest(export)


def a_document_without_bottom(export: Path) -> None:
    (export / "terms.json").write_text("[" * 100_000)
    manifest(export)


def a_line_without_bottom(export: Path) -> None:
    file = export / "log-0.ndjson.gz"
    compressed(file, [b"[" * 100_000, *lines_in(file)])
    manifest(export)


@pytest.mark.parametrize(
    "change",
    [
        more_files, a_listed_file_of_another_kind, a_folder_in_it, a_link_in_place_of_a_file, a_file_listed_twice,
        a_bomb_in_place_of_the_log, a_document_without_end, a_document_without_bottom, a_line_without_bottom,
    ],
)  # fmt: skip
def test_a_folder_of_anything_else_is_found(
    paper: Paper, tmp_path: Path, capsys: pytest.CaptureFixture[str], change: Callable[[Path], None]
):
    export = paper.export(tmp_path / "export")
    change(export)
    assert found(export, capsys)


# Logs that are left out, and other price lists.


def test_a_log_that_is_left_out_of_everything_is_found(
    paper: Paper, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    paper.stated = paper.statement(logs=3, begun=(0, 2))
    whole = paper.export(tmp_path / "export")
    assert "log 2 is left out" in found(whole, capsys)
    assert verify.main([str(paper.export_account(tmp_path / "account", ACCOUNT_ID))]) == 0
    paper.stated = paper.statement(logs=3, begun=(0,))
    assert verify.main([str(paper.export(tmp_path / "alone"))]) == 0
    assert "log 2: nothing in it was signed" in capsys.readouterr().out


def test_the_log_of_access_is_never_left_out(paper: Paper, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    paper.stated = paper.statement().replace("begun 0", "begun access 0")
    for export in (paper.export(tmp_path / "all"), paper.export_account(tmp_path / "account", ACCOUNT_ID)):
        assert "log access is left out" in found(export, capsys)


def test_a_log_that_is_left_out_is_found_by_a_checkpoint_of_another_log(
    paper: Paper, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    held = tmp_path / "held"
    paper.stated = paper.statement(logs=3, begun=(0, 2))
    held.write_text(paper.checkpoint(1), "utf-8")
    paper.stated = ""
    assert "log 2 is left out" in found(paper.export(tmp_path / "export"), capsys, "--checkpoint", str(held))


def test_checkpoints_state_one_number_of_logs(paper: Paper, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    held = tmp_path / "held"
    held.write_text(paper.checkpoint(1), "utf-8")
    paper.stated = paper.statement(logs=3)
    export = paper.export(tmp_path / "export")
    assert "how many logs there are" in found(export, capsys, "--checkpoint", str(held))


def a_dearer_hour(terms: dict[str, Any]) -> None:
    terms["versions"][0]["debt_hour_price_kopecks"] += 1


def another_plan(terms: dict[str, Any]) -> None:
    plans = terms["versions"][0]["plans"]
    plans["more"] = {**plans["hours-20"], "name": "more"}


def an_earlier_version(terms: dict[str, Any]) -> None:
    earlier = {**terms["versions"][0], "name": "earlier", "in_force_from": "1999-01-01T00:00:00+03:00"}
    terms["versions"].insert(0, earlier)


def a_later_version(terms: dict[str, Any]) -> None:
    later = {**terms["versions"][0], "name": "later", "in_force_from": "2040-01-01T00:00:00+03:00"}
    terms["versions"].append(later)


@pytest.mark.parametrize("change", [a_dearer_hour, another_plan, an_earlier_version])
def test_other_price_lists_than_those_that_were_signed_are_found(
    paper: Paper, tmp_path: Path, capsys: pytest.CaptureFixture[str], change: Callable[[dict[str, Any]], None]
):
    said = with_terms(paper, tmp_path, change)
    assert "the hash of the first 1 versions in terms.json" in found(said, capsys)


def test_a_price_list_may_follow_and_is_named_until_it_is_signed(
    paper: Paper, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert verify.main([str(with_terms(paper, tmp_path, a_later_version))]) == 0
    assert "price lists that no checkpoint states yet: later" in capsys.readouterr().out


def with_terms(paper: Paper, tmp_path: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """An export whose price lists were changed after it was signed."""
    export, terms = paper.export(tmp_path / "export"), json.loads(paper.terms)
    change(terms)
    (export / "terms.json").write_text(json.dumps(terms), "utf-8")
    manifest(export)
    return export


@pytest.mark.parametrize("stated", ["logs 1\n", "logs 1\nbegun 0\nterms 0 \n", "begun 0\n", "logs 0\nbegun\n"])
def test_a_statement_in_another_form_is_found(
    paper: Paper, tmp_path: Path, capsys: pytest.CaptureFixture[str], stated: str
):
    paper.stated = stated
    assert "no number of logs" in found(paper.export(tmp_path / "export"), capsys)


def test_the_format_shows_how_price_lists_are_hashed():
    terms = verify.Terms({"versions": [{"name": "a", "in_force_from": "2000-01-01T00:00:00Z"}]})
    assert f"`terms 1 {terms.hashes[1].hex()}`" in Path(verify.__file__).with_name("FORMAT.md").read_text("utf-8")


def test_checkpoints_of_before_state_nothing_and_hold(paper: Paper, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    paper.stated = ""
    assert verify.main([str(paper.export(tmp_path / "export"))]) == 0
    assert "hold a checkpoint of each log" in capsys.readouterr().out


# How old it is.


def test_the_last_checkpoint_is_named_and_must_not_be_older_than_asked(
    paper: Paper, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    export = paper.export(tmp_path / "export")
    assert verify.main([str(export)]) == 0
    assert f"last checkpoint: {len(paper.rows)} events, made 2026-11-25 10:00:00+00:00" in capsys.readouterr().out
    assert verify.main([str(export), "--fresh", "1000000"]) == 0
    assert "the last checkpoint (--fresh)" in found(export, capsys, "--fresh", "0")


def test_the_frozen_reports_of_an_account_are_printed_to_be_held_against_documents(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    paper, story = Paper(), given()
    paper.write(ACCOUNT_ID, story.latest, story.now)
    for step in (close("T-1", worked=60, on="2024-01-10"), close_month("2024-01", on="2024-02-03")):
        story.when(step)
        paper.write(ACCOUNT_ID, story.latest, story.now)
    frozen = json.loads(paper.rows[-1].data)["reports"][0]["report_hash"]
    assert verify.main([str(paper.export(tmp_path / "export")), "--account", ACCOUNT_ID]) == 0
    assert (
        f"report of 2024-01, as it was frozen: opening 0, closing -60 minutes, {frozen}; worked 60 and charged 60"
        in capsys.readouterr().out
    )
