"""verify.py finds every tampering, names its place, and never accuses a log that nobody has touched."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from random import Random
from shutil import copytree
from tempfile import TemporaryDirectory

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from contracts.events import Event
from services.auditing.handed_out import verify
from tests.auditing.export_tampering import (
    IN_A_PART,
    IN_THE_DATABASE,
    IN_THE_EXPORT,
    NothingToTamperWith,
    change_number,
)
from tests.auditing.paper_log import Paper, Signer, compressed, lines_in, manifest, written_down
from tests.ledger import vocabulary
from tests.ledger.domain.histories import Numbers, histories, next_step

SALT = bytes.fromhex("00112233445566778899aabbccddeeff")
FIRST_FORM = f"sha256:{sha256(SALT + b'Anna').hexdigest()}"
SECOND_FORM = "sha256-2:895ab2069f7b30dbeb5d6ad109f713d27b661c15153b07b9eefd3a7ff5938b2d"
CASES = max(3, settings.default.max_examples // 60)
"""Of each kind: five in the suite, some eighty in a campaign, whose histories are new each time."""

some_paper = st.lists(histories(), min_size=1, max_size=3).map(lambda several: paper_of(several))  # noqa: PLW0108 - it is defined below
some_random = st.integers(0, 2**32).map(Random)


def told(account_id: str, history: list[Numbers]) -> list[tuple[tuple[Event, ...], datetime]]:
    """What each command of an account came to, and when: its name is in the hashes of its reports."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vocabulary, "ACCOUNT_ID", account_id)
        story = vocabulary.given()
        recorded = [(story.latest, story.now)]
        for step in history:
            story.when(next_step(story, step))
            recorded.append((story.latest, story.now))
    return recorded


def paper_of(several: list[list[Numbers]]) -> Paper:
    """An account for each history, in one log."""
    stories = {f"account-{number}": told(f"account-{number}", history) for number, history in enumerate(several)}
    return written_down(stories)


def verified(export: Path, **held: list[str]) -> int:
    """The exit code, given what the auditor holds."""
    options = [part for name, texts in held.items() for text in texts for part in (f"--{name}", kept(export, text))]
    return verify.main([str(export), *options])


def kept(export: Path, text: str) -> str:
    """A file of the auditor's own, beside the export."""
    file = export.parent / f"kept-{len(list(export.parent.iterdir()))}"
    file.write_text(text, "utf-8")
    return str(file)


@settings(max_examples=CASES * 5)
@given(some_paper, some_random)
def test_an_untouched_log_is_never_accused(paper: Paper, random: Random):
    held = [paper.checkpoint(size) for size in random.sample(paper.sizes, min(3, len(paper.sizes)))]
    sizes = tuple(range(1, len(paper.rows)))
    account_id = random.choice(paper.rows).account_id
    since, before = sorted(random.choice(paper.rows).recorded_at for _ in range(2))
    with TemporaryDirectory() as place:
        whole = paper.export(Path(place) / "whole")
        assert verified(whole, checkpoint=held, key=[paper.keys_document()]) == 0
        account = paper.export_account(Path(place) / "account", account_id, sizes)
        assert verified(account, checkpoint=held) == 0
        assert verified(paper.export_account(Path(place) / "without-cuts", account_id)) == 0
        assume(since < before)
        assert verified(paper.export_range(Path(place) / "range", since, before, sizes), checkpoint=held) == 0


@pytest.mark.parametrize("tamper", IN_THE_DATABASE, ids=lambda tamper: tamper.__name__)
@settings(max_examples=CASES)
@given(paper=some_paper, random=some_random)
def test_who_owns_database_and_key_is_found_by_a_checkpoint_from_before(
    tamper: Callable[[Paper, Random], Paper], paper: Paper, random: Random
):
    try:
        other = tamper(paper, random)
    except NothingToTamperWith:
        assume(False)
    assume(other.rows != paper.rows)
    with TemporaryDirectory() as place:
        export = other.export(Path(place) / "export")
        assert verified(export, checkpoint=[paper.checkpoint(paper.sizes[-1])]) == 1


@pytest.mark.parametrize("tamper", IN_THE_DATABASE, ids=lambda tamper: tamper.__name__)
@settings(max_examples=CASES)
@given(paper=some_paper, random=some_random)
def test_who_owns_the_database_but_not_the_key_is_found_by_what_is_signed_already(
    tamper: Callable[[Paper, Random], Paper], paper: Paper, random: Random
):
    try:
        other = tamper(paper, random)
    except NothingToTamperWith:
        assume(False)
    assume(other.rows != paper.rows)
    other.signers = [Signer.of(1, b"a stranger's")]
    with TemporaryDirectory() as place:
        assert verified(other.export(Path(place) / "export"), key=[paper.keys_document()]) == 1


@pytest.mark.parametrize("tamper", IN_THE_EXPORT, ids=lambda tamper: tamper.__name__)
@settings(max_examples=CASES)
@given(paper=some_paper, random=some_random)
def test_a_changed_export_is_found(tamper: Callable[[Path, Random], None], paper: Paper, random: Random):
    with TemporaryDirectory() as place:
        export = paper.export(Path(place) / "export")
        before = {file.name: file.read_bytes() for file in export.iterdir()}
        try:
            tamper(export, random)
        except NothingToTamperWith:
            assume(False)
        assume({file.name: file.read_bytes() for file in export.iterdir()} != before)
        assert verified(export, checkpoint=[paper.checkpoint(paper.sizes[0])], key=[paper.keys_document()]) == 1


@pytest.mark.parametrize("tamper", IN_A_PART, ids=lambda tamper: tamper.__name__)
@settings(max_examples=CASES)
@given(paper=some_paper, random=some_random)
def test_a_changed_part_is_found(tamper: Callable[[Path, Random], None], paper: Paper, random: Random):
    row = random.choice(paper.rows)
    with TemporaryDirectory() as place:
        export = Path(place) / "export"
        if random.random() < 0.5:
            paper.export_account(export, row.account_id)
        else:
            paper.export_range(export, row.recorded_at, row.recorded_at + timedelta(days=90))
        before = {file.name: file.read_bytes() for file in export.iterdir()}
        try:
            tamper(export, random)
        except NothingToTamperWith:
            assume(False)
        assume({file.name: file.read_bytes() for file in export.iterdir()} != before)
        assert verified(export, key=[paper.keys_document()]) == 1


@settings(max_examples=CASES * 5)
@given(some_paper, some_random)
def test_wrong_minutes_and_money_are_found_even_when_all_is_signed_and_nothing_was_kept(paper: Paper, random: Random):
    try:
        other = change_number(paper, random)
    except NothingToTamperWith:
        assume(False)
    with TemporaryDirectory() as place:
        assert verified(other.export(Path(place) / "export")) == 1


@pytest.mark.parametrize(
    ("signed_after", "back", "code"),
    [(0, 4, 0), (0, 6, 1), (10, 0, 1), (4, 0, 0)],
    ids=["as clocks differ", "further", "behind a checkpoint", "behind a checkpoint as clocks differ"],
)
def test_recording_time_runs_forward_but_for_as_much_as_clocks_differ(
    tmp_path: Path, signed_after: int, back: int, code: int
):
    """Of accounts that know nothing of each other, all signed by the ledger's own key."""
    minutes = timedelta(minutes=1)
    paper = Paper(signed_after=signed_after * minutes)
    for number in range(2):
        [((opened,), at)] = told(f"account-{number}", [])
        at += timedelta(days=2) - number * back * minutes
        paper.write(f"account-{number}", (opened.model_copy(update={"effective_at": at}),), at)
    assert verified(paper.export(tmp_path / "export")) == code


@settings(max_examples=CASES * 2)
@given(some_paper, some_random)
def test_a_missing_tail_of_an_account_is_found_by_a_receipt(paper: Paper, random: Random):
    account_id = random.choice(paper.rows).account_id
    rows = [row for row in paper.rows if row.account_id == account_id]
    opening = [number for number, row in enumerate(rows) if row.fingerprint and number]
    assume(opening)
    held_back = rows[random.choice(opening) :]
    receipt = paper.receipt(held_back[0])
    with TemporaryDirectory() as place:
        whole = paper.export_account(Path(place) / "whole", account_id, tuple(range(1, len(paper.rows))))
        assert verified(whole, receipt=[receipt]) == 0
        shown = Path(place) / "shown"
        withheld(whole, shown, {row.position for row in held_back})
        assert verified(shown) == 0, "nothing in the export itself can tell"
        assert verified(shown, receipt=[receipt]) == 1


def withheld(export: Path, shown: Path, positions: set[int]) -> None:
    """The same export without some lines at its end, all else made to fit."""
    copytree(export, shown)
    file = shown / "log-0.ndjson.gz"
    lines = [line for line in lines_in(file) if json.loads(line)["position"] not in positions]
    compressed(file, lines)
    said = json.loads((shown / "manifest.json").read_text("utf-8"))
    said["logs"][0]["last"] = json.loads(lines[-1])["position"]
    manifest(shown, said)


@settings(max_examples=CASES * 2)
@given(some_paper)
def test_an_earlier_export_is_as_good_as_its_checkpoints(paper: Paper):
    later = Paper(list(paper.rows), list(paper.sizes))
    earlier = Paper(paper.rows[: paper.sizes[len(paper.sizes) // 2]], paper.sizes[: len(paper.sizes) // 2 + 1])
    with TemporaryDirectory() as place:
        before = earlier.export(Path(place) / "before")
        held = ["--checkpoint", str(before / "log-0.checkpoints.gz"), "--key", str(before / "keys.json")]
        after = later.export(Path(place) / "after")
        assert verify.main([str(after), *held]) == 0
        assume(len(earlier.sizes) < len(later.sizes))
        assert verify.main([str(before), "--checkpoint", str(after / "log-0.checkpoints.gz")]) == 1


@settings(max_examples=CASES * 2)
@given(some_paper, st.integers(2, 4))
def test_keys_follow_one_another_and_a_stranger_among_them_is_found(paper: Paper, keys: int):
    first = paper.keys_document()
    paper.signers = [Signer.of(number) for number in range(1, keys + 1)]
    with TemporaryDirectory() as place:
        assert verified(paper.export(Path(place) / "export"), key=[first], checkpoint=[paper.checkpoint(1)]) == 0
        paper.signers[-1] = Signer.of(keys, b"a stranger's")
        document = json.loads(paper.keys_document())
        document["keys"][-1]["note"] = paper.signers[-1].announcement(None)
        export = paper.export(Path(place) / "other")
        (export / "keys.json").write_text(json.dumps(document), "utf-8")
        manifest(export)
        assert verified(export, key=[first]) == 1


def test_what_is_asked_in_a_form_that_cannot_be_read_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert verify.main([str(tmp_path), "--checkpoint", str(tmp_path / "none")]) == 2
    assert "cannot be read" in capsys.readouterr().err
    with pytest.raises(SystemExit) as refused:
        verify.main([str(tmp_path), "--as-of", "2026-03-10"])
    assert refused.value.code == 2
    assert verify.main([str(tmp_path / "nowhere")]) == 1


@pytest.mark.parametrize(
    ("commitment", "salt", "text", "right"),
    [
        (FIRST_FORM, SALT.hex(), "Anna", True),
        (SECOND_FORM, SALT.hex(), "Anna", True),
        (FIRST_FORM, (SALT + b"A").hex(), "nna", False),
        (FIRST_FORM, SALT.hex().upper(), "Anna", False),
        (SECOND_FORM, (SALT + b"A").hex(), "nna", False),
        (SECOND_FORM, SALT.hex(), "Anne", False),
        (SECOND_FORM.replace("-2", ""), SALT.hex(), "Anna", False),
    ],
)
def test_a_name_is_held_against_its_commitment_in_either_form(
    tmp_path: Path, commitment: str, salt: str, text: str, right: bool
):
    line = {"position": 1, "commitment": commitment, "salt": salt, "text": text}
    compressed(tmp_path / "personal-0.ndjson.gz", [json.dumps(line, separators=(",", ":")).encode()])
    findings = verify.Findings()
    names = verify.PersonalData(tmp_path, "personal-0.ndjson.gz", findings)
    assert (names.upto(1, {commitment}), len(findings.said)) == ((1, 0) if right else (0, 1))
