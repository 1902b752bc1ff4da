"""verify.py says of each event whether its actor was entitled when it was recorded, by the log of access alone."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contracts.access import Right, Role
from contracts.access_events import (
    AccessEvent,
    DoorClosed,
    DoorOpened,
    KeyMade,
    KeyRevoked,
    KeyRotated,
    PersonAdmitted,
)
from services.access.rights import RIGHT_OF_COMMAND, RIGHTS_OF
from services.auditing.handed_out import verify
from services.ledger.writing.personal_data import commit
from tests.auditing.paper_log import Paper, manifest, small_paper
from tests.ledger.vocabulary import ACCOUNT_ID

BEGINNING = datetime(2023, 12, 1, tzinfo=UTC)
CLERK, BOOKKEEPER, ANNA = "key-clerkclerkclerkc", "key-bookbookbookbook", "person-anna"
SCHEDULER = "system-scheduler"
MONEY = {"AccountOpened", "PackagePurchased"}
NAME = commit("a name").commitment

Fact = tuple[str, AccessEvent, datetime]


def key(*roles: Role, accounts: tuple[str, ...] | None = None, ends_at: datetime | None = None) -> KeyMade:
    return KeyMade(name=NAME, roles=roles, accounts=accounts, ends_at=ends_at, secret_sha256="0" * 64)


def person(*roles: Role, accounts: tuple[str, ...] | None = None) -> PersonAdmitted:
    return PersonAdmitted(name=None, roles=roles, accounts=accounts)


FACTS: list[Fact] = [
    ("local", DoorClosed(), BEGINNING),
    (CLERK, key(Role.RECORDER, accounts=(ACCOUNT_ID,)), BEGINNING),
    (BOOKKEEPER, key(Role.FINANCE), BEGINNING),
    (ANNA, person(Role.RECORDER, Role.FINANCE), BEGINNING),
]


def entitled(facts: Sequence[Fact] = FACTS, actor: Callable[[str], str] | None = None, by: str = "local") -> Paper:
    """A log of which every command was given by who may: the clerk, the bookkeeper, the scheduler."""
    paper = small_paper()
    of_command: dict[str, str] = {}
    for row in paper.rows:
        if row.fingerprint:
            usual = BOOKKEEPER if row.type in MONEY else SCHEDULER if row.type == "PackageExpired" else CLERK
            of_command[row.command_id] = (actor and actor(row.type)) or usual
    paper.rows = [replace(row, actor=of_command[row.command_id]) for row in paper.rows]
    paper.access = Paper(log=-1)
    for subject, event, at in facts:
        paper.access.write(subject, (event,), at, subject if isinstance(event, PersonAdmitted) else by)
    return paper


def judged(paper: Paper, folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = verify.main([str(paper.export(folder))])
    return code, capsys.readouterr().out


def moment(kind: str) -> datetime:
    """When the first event of that type was recorded."""
    return next(row.recorded_at for row in small_paper().rows if row.type == kind)


def test_the_table_of_rights_is_that_of_the_service():
    assert {Role(role): frozenset(map(Right, rights)) for role, rights in verify.RIGHTS.items()} == RIGHTS_OF
    deeds = {
        "OpenAccount": "AccountOpened", "PurchasePackage": "PackagePurchased", "PayDebt": "DebtPaid",
        "SuspendWork": "WorkSuspended", "ResumeWork": "WorkResumed", "CloseTask": "TaskClosed",
        "MarkWarranty": "WarrantyMarked", "ReopenTask": "TaskReopened", "CloseMonth": "MonthClosed",
        "ReopenMonth": "MonthReopened", "CorrectTask": "TaskCorrected", "PlanTask": "TaskPlanned",
        "DropPlan": "PlanDropped", "ChangeCustomer": "CustomerChanged", "RefundPackage": "PackageRefunded",
    }  # fmt: skip
    assert {deeds[command]: right for command, right in RIGHT_OF_COMMAND.items()} == verify.RIGHT_OF


ALLOWED: dict[str, tuple[list[Fact], Callable[[str], str] | None]] = {
    "keys with a right each": (FACTS, None),
    "a person": (FACTS, lambda kind: SCHEDULER if kind == "PackageExpired" else ANNA),
    "a person whose roles came and went": (
        [*FACTS, (ANNA, person(), moment("TaskClosed") + timedelta(minutes=1))],
        lambda kind: ANNA if kind == "AccountOpened" else "",
    ),
    "a person whose other token still lives": (
        [*FACTS, (ANNA, person(Role.READER), moment("TaskReopened") - timedelta(minutes=59))],
        lambda kind: ANNA if kind == "TaskReopened" else "",
    ),
    "nobody while the door was open": (
        [("local", DoorOpened(), BEGINNING)],
        lambda kind: SCHEDULER if kind == "PackageExpired" else "local",
    ),
    "a key that was rotated": (
        [*FACTS, (CLERK, KeyRotated(secret_sha256="1" * 64, overlap_ends_at=BEGINNING), BEGINNING)],
        None,
    ),
    "a key that was revoked later": ([*FACTS, (CLERK, KeyRevoked(reason="left"), moment("PackageExpired"))], None),
    "a key of which a process heard late": (
        [*FACTS[:2], (BOOKKEEPER, FACTS[2][1], moment("AccountOpened") + timedelta(minutes=4))],
        None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ALLOWED)
def test_who_was_entitled_is_not_accused(case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    code, said = judged(entitled(*ALLOWED[case]), tmp_path / "export", capsys)
    assert code == 0, said
    assert "who was entitled: judged by" in said
    assert "log access: " in said


LATE = moment("PackagePurchased") + timedelta(minutes=6)
ACCUSED: dict[str, tuple[list[Fact], Callable[[str], str] | None, str]] = {
    "a revoked key": ([*FACTS, (CLERK, KeyRevoked(reason="left"), LATE)], None, f"{CLERK}, which was revoked"),
    "a key that has ended": (
        [*FACTS[:1], (CLERK, key(Role.RECORDER, ends_at=LATE), BEGINNING), *FACTS[2:]],
        None,
        f"{CLERK}, which ended",
    ),
    "a key without the right": (
        FACTS,
        lambda kind: CLERK if kind == "PackagePurchased" else "",
        f"{CLERK}, which had not the right money",
    ),
    "a key of other accounts": (
        [*FACTS[:1], (CLERK, key(Role.RECORDER, accounts=("another",)), BEGINNING), *FACTS[2:]],
        None,
        f"{CLERK}, which had not the account {ACCOUNT_ID} in the scope",
    ),
    "nobody that is known": (FACTS, lambda kind: "key-nobody" if kind == "TaskClosed" else "", "key-nobody, of whom"),
    "a key that was not made yet": (
        [*FACTS[:2], (BOOKKEEPER, FACTS[2][1], moment("AccountOpened") + timedelta(minutes=6))],
        None,
        f"{BOOKKEEPER}, which had nothing before",
    ),
    "a person who had lost the role": (
        [*FACTS, (ANNA, person(Role.READER), BEGINNING + timedelta(days=1))],
        lambda kind: ANNA if kind == "TaskReopened" else "",
        f"{ANNA}, which had not the right tasks",
    ),
    "nobody through a closed door": (
        FACTS,
        lambda kind: "local" if kind == "TaskReopened" else "",
        "local, while the door was closed",
    ),
    "the scheduler": (
        FACTS,
        lambda kind: SCHEDULER if kind == "TaskClosed" else "",
        f"{SCHEDULER}, which has not the right",
    ),
    "a key in place of the scheduler": (
        FACTS,
        lambda kind: BOOKKEEPER if kind == "PackageExpired" else "",
        f"{BOOKKEEPER}, and only {SCHEDULER} records",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ACCUSED)
def test_who_was_not_entitled_is_named_with_what_was_missing(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    facts, actor, named = ACCUSED[case]
    code, said = judged(entitled(facts, actor), tmp_path / "export", capsys)
    assert code == 1
    found = [line for line in said.splitlines() if line.startswith("FINDING")]
    assert found, said
    assert all(named in line and "position" in line for line in found), said


@pytest.mark.parametrize("what", ["account", "range"])
def test_a_part_of_a_log_is_judged_too(what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    for name, facts, expected in (("good", FACTS, 0), ("bad", ACCUSED["a revoked key"][0], 1)):
        paper = entitled(facts)
        if what == "account":
            export = paper.export_account(tmp_path / name, ACCOUNT_ID)
        else:
            export = paper.export_range(tmp_path / name, moment("PackagePurchased"), moment("PackageExpired"))
        assert verify.main([str(export)]) == expected, capsys.readouterr().out


def test_who_makes_a_key_has_the_right_and_no_less_than_the_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    owner = (*Role,)
    for maker, fits in ((key(*owner), True), (key(Role.FINANCE), False), (key(Role.ADMIN), False)):
        paper = entitled()
        assert paper.access
        later = BEGINNING + timedelta(hours=1)
        paper.access.write("key-maker", (maker,), later, "system-operator")
        paper.access.write("key-made", (key(Role.RECORDER),), later, "key-maker")
        code, said = judged(paper, tmp_path / f"{maker.roles}", capsys)
        assert (code == 0) == fits, said
        assert ("key-maker" in said) != fits


def test_another_actor_of_a_command_s_later_events_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    paper = entitled()
    number = next(number for number, row in enumerate(paper.rows) if not row.fingerprint)
    paper.rows[number] = replace(paper.rows[number], actor=ANNA)
    code, said = judged(paper, tmp_path / "export", capsys)
    assert (code, "the actor of one command" in said) == (1, True), said


def test_a_sandbox_and_events_without_an_actor_are_counted_and_not_accused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    sandbox = [("local", DoorOpened(sandbox=True), BEGINNING), *FACTS[1:]]
    code, said = judged(entitled(sandbox, lambda kind: "key-nobody"), tmp_path / "sandbox", capsys)
    assert (code, "not judged: in a sandbox" in said) == (0, True), said
    paper = entitled()
    paper.rows = [replace(row, actor="") if row.type == "AccountOpened" else row for row in paper.rows]
    code, said = judged(paper, tmp_path / "old", capsys)
    assert (code, "1 of before there were actors" in said) == (0, True), said


def test_of_an_export_of_before_nothing_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    paper = entitled(actor=lambda kind: "key-nobody")
    paper.access = None
    code, said = judged(paper, tmp_path / "export", capsys)
    assert (code, "nothing can be said: the export has no log of access" in said) == (0, True), said


@pytest.mark.parametrize("part", ["ndjson", "tree", "checkpoints"])
def test_the_log_of_access_is_held_against_its_checkpoint(
    part: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    paper, other = entitled(), entitled(ACCUSED["a revoked key"][0])
    folder, changed = paper.export(tmp_path / "export"), other.export(tmp_path / "other")
    assert verify.main([str(changed)]) == 1
    file = f"log-access.{part}.gz"
    (folder / file).write_bytes((changed / file).read_bytes())
    manifest(folder)
    assert verify.main([str(folder)]) == 1
    assert "FINDING log-access" in capsys.readouterr().out
