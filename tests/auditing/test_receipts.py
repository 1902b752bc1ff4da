"""A receipt is judged by itself, without asking anybody; one that was edited is called so and accuses nobody."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from typer.testing import CliRunner

from services.auditing.commands import audit
from services.auditing.handed_out import verify
from tests.auditing.paper_log import Paper, Signer, lines_in, manifest, small_paper
from tests.auditing.test_verify_exports import withheld


def judged(folder: Path, receipt: str, *options: str) -> int:
    """The exit code for that receipt alone."""
    (folder / "receipt.json").write_text(receipt, "utf-8")
    return verify.main(["--receipt", str(folder / "receipt.json"), *options])


@pytest.mark.parametrize("index", range(6))
def test_a_receipt_holds_by_itself(tmp_path: Path, index: int):
    paper = small_paper()
    (tmp_path / "keys.json").write_text(paper.keys_document(), "utf-8")
    first_of_command = [row for row in paper.rows if row.fingerprint][index]
    assert judged(tmp_path, paper.receipt(first_of_command)) == 0
    assert judged(tmp_path, paper.receipt(first_of_command), "--key", str(tmp_path / "keys.json")) == 0


def test_a_receipt_of_another_ledgers_keys_is_found(tmp_path: Path):
    paper = small_paper()
    (tmp_path / "keys.json").write_text(paper.keys_document(), "utf-8")
    paper.signers = [Signer.of(1, b"a stranger's")]
    assert judged(tmp_path, paper.receipt(paper.rows[0])) == 0, "alone it cannot know whose key it is"
    assert judged(tmp_path, paper.receipt(paper.rows[0]), "--key", str(tmp_path / "keys.json")) == 1


def other_minutes(said: dict[str, Any], _: Random) -> None:
    said["lines"][0] = said["lines"][0].replace('"charged_minutes":60', '"charged_minutes":50')


def fewer_lines(said: dict[str, Any], _: Random) -> None:
    said["lines"].pop()


def fewer_proofs(said: dict[str, Any], _: Random) -> None:
    said["proofs"].pop()


def other_path(said: dict[str, Any], random: Random) -> None:
    path = random.choice(said["proofs"])["path"]
    path[0] = "00" * 32


def longer_path(said: dict[str, Any], _: Random) -> None:
    said["proofs"][0]["path"].append("00" * 32)


def shorter_path(said: dict[str, Any], _: Random) -> None:
    said["proofs"][0]["path"].pop()


def other_position(said: dict[str, Any], _: Random) -> None:
    said["proofs"][0]["position"] += 1


def other_account(said: dict[str, Any], _: Random) -> None:
    said["account_id"] += "x"


def other_command(said: dict[str, Any], _: Random) -> None:
    said["command_id"] += "x"


def other_log(said: dict[str, Any], _: Random) -> None:
    said["log"] = 1


def other_root(said: dict[str, Any], _: Random) -> None:
    lines = said["checkpoint"].split("\n")
    lines[2] = base64.b64encode(bytes(32)).decode()
    said["checkpoint"] = "\n".join(lines)


def other_size(said: dict[str, Any], _: Random) -> None:
    lines = said["checkpoint"].split("\n")
    lines[1] = str(int(lines[1]) + 1)
    said["checkpoint"] = "\n".join(lines)


def other_time(said: dict[str, Any], _: Random) -> None:
    said["checkpoint"] = said["checkpoint"].replace("time 2026", "time 2027")


def no_keys(said: dict[str, Any], _: Random) -> None:
    said["keys"] = []


def no_lines(said: dict[str, Any], _: Random) -> None:
    said["lines"], said["proofs"] = [], []


def no_checkpoint_of_its_own(said: dict[str, Any], _: Random) -> None:
    del said["proofs"]


def hash_in_capitals(said: dict[str, Any], _: Random) -> None:
    said["proofs"][0]["path"][0] = said["proofs"][0]["path"][0].upper()


def spaced_hash(said: dict[str, Any], _: Random) -> None:
    said["proofs"][0]["path"][0] = f" {said['proofs'][0]['path'][0]}"


def log_as_text(said: dict[str, Any], _: Random) -> None:
    said["log"] = str(said["log"])


def signature_after_a_return(said: dict[str, Any], _: Random) -> None:
    said["keys"][0] = said["keys"][0].removesuffix("\n") + "\r\n"


EDITS = (
    other_minutes, fewer_lines, fewer_proofs, other_path, longer_path, shorter_path, other_position, other_account,
    other_command, other_log, other_root, other_size, other_time, no_keys, no_lines, no_checkpoint_of_its_own,
    hash_in_capitals, spaced_hash, log_as_text, signature_after_a_return,
)  # fmt: skip


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.__name__)
def test_an_edited_receipt_is_called_that_and_accuses_nobody(
    edit: Callable[[dict[str, Any], Random], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    paper = small_paper()
    closing = next(row for row in paper.rows if row.type == "TaskClosed")
    said = json.loads(paper.receipt(closing))
    edit(said, Random(1))
    assert said != json.loads(paper.receipt(closing))
    assert judged(tmp_path, json.dumps(said)) == 1
    assert judged(tmp_path, json.dumps(said), str(paper.export(tmp_path / "export"))) == 1
    findings = [line for line in capsys.readouterr().out.splitlines() if line.startswith("FINDING")]
    assert len(findings) == 2
    assert all("this receipt was edited" in line and "receipt.json" in line for line in findings)


def test_an_export_of_some_days_has_to_hold_the_receipts_of_those_days(tmp_path: Path):
    paper = small_paper()
    row = paper.rows[3]
    export = paper.export_range(tmp_path / "range", row.recorded_at, paper.rows[5].recorded_at)
    assert judged(tmp_path, paper.receipt(row), str(export)) == 0
    assert judged(tmp_path, paper.receipt(paper.rows[0]), str(export)) == 0, "recorded on another day"
    withheld(export, tmp_path / "shown", {row.position})
    first = json.loads(lines_in(tmp_path / "shown" / "log-0.ndjson.gz")[0])
    assert first["position"] != row.position
    manifest(tmp_path / "shown")
    assert judged(tmp_path, paper.receipt(row), str(tmp_path / "shown")) == 1


def test_the_program_judges_receipts_too(tmp_path: Path):
    paper: Paper = small_paper()
    genuine, edited = tmp_path / "genuine.json", tmp_path / "edited.json"
    genuine.write_text(paper.receipt(paper.rows[1]), "utf-8")
    edited.write_text(genuine.read_text("utf-8").replace('"log": 0', '"log": 2'), "utf-8")
    told = CliRunner().invoke(audit, ["receipt", str(genuine)])
    assert (told.exit_code, "genuine" in told.output) == (0, True)
    told = CliRunner().invoke(audit, ["receipt", str(genuine), str(edited)])
    assert (told.exit_code, "this receipt was edited" in told.output) == (1, True)
