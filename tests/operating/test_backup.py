"""A ledger is backed up at work, restored to any of its pasts, and a drill finds what is wrong with a backup."""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import ClassVar

import orjson
import pytest
import typer

from contracts.audit import EventProof, Receipt
from infra.data_folder import DataFolder
from infra.embedded_postgres import EmbeddedPostgres
from services.auditing.auditor import Audit
from services.ledger.event_store.personal import PersonalData
from services.ledger.event_store.store import EventStore
from services.operating.backup.archiving import SLOT, stretch_to_go_on
from services.operating.backup.backup_folder import DATABASE, Backups, Source
from services.operating.backup.commands import wanted_of
from services.operating.backup.drilling import Drill, Live
from services.operating.backup.kept_checkpoints import Kept, kept_in, signers_memory
from services.operating.backup.ledger_state import asked
from services.operating.backup.making import Ledger, back_up
from services.operating.backup.manifest import Damaged
from services.operating.backup.outcomes import figures
from services.operating.backup.receipts import KeptReceipt
from services.operating.backup.restoring import Restored, Wanted, restore
from services.operating.backup.retention import delete_unneeded
from services.operating.backup.wal_archive import segments_in
from services.process.operator_error import OperatorError
from tests.conftest import reachable_folder
from tests.end_to_end.program import program
from tests.ledger.roles import EVERY
from tests.operating.ledger_at_work import LedgerAtWork

FULL_AT, INCREMENT_AT, END = 4, 6, 9
"""The positions at which the two backups were made, and where the log ends: what follows is in the archive alone."""

FORGOTTEN, KEPT = "Квазимодо Щукин", "Вера Холодная"
ADDRESS = "INSERT INTO billing.address (account_id, address) VALUES ('oka', 'asked@example.com')"
ERASE_ADDRESS = "UPDATE billing.address SET address = NULL, erased_at = now(), erased_by = 'x', erased_for = 'asked'"
ADDRESSES = "SELECT coalesce(address, erased_for) FROM billing.address"
COMMITMENT = "SELECT commitment FROM ledger.personal ORDER BY position LIMIT 1"
NAMES = "SELECT text FROM ledger.personal ORDER BY position"


@dataclass(frozen=True)
class BackedUp:
    """A ledger with a full backup, one upon it, and an archive that goes on."""

    ledger: LedgerAtWork
    folder: Path
    between: datetime

    @property
    def backups(self) -> Backups:
        return Backups(self.folder)


@contextmanager
def archiving(data: Path, folder: Path) -> Iterator[None]:
    """As `up` has it run."""
    line = [sys.executable, "-m", "services", "archive", "--data", str(data), "--backups", str(folder)]
    with subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as receiver:
        yield
        receiver.terminate()


async def archived(url: str) -> None:
    """Until all that is committed by now is in the archive."""
    async with asked(url) as connection:
        written = await connection.fetchval("SELECT pg_current_wal_flush_lsn()::text")
        ask = "SELECT count(*) FROM pg_stat_replication WHERE application_name = 'pg_receivewal'"
        while not await connection.fetchval(f"{ask} AND flush_lsn >= '{written}'"):
            await asyncio.sleep(0.01)


async def fetched(url: str, statement: str) -> list[str]:
    async with asked(url) as connection:
        return [row[0] for row in await connection.fetch(statement)]


@pytest.fixture(scope="module")
async def backed_up() -> AsyncIterator[BackedUp]:
    """Full, then upon it, then names that are erased after both."""
    with reachable_folder() as root:
        data, folder = root / "data", root / "backups"
        (data / "pages").mkdir(parents=True)
        (data / "pages" / "secret").write_text("of the sessions")
        (data / "nats" / "store").mkdir(parents=True)
        (data / "nats" / "store" / "stream").touch()
        (data / "nats" / "password").write_text("of the server")
        with EmbeddedPostgres(data / "postgres") as server:
            ledger = LedgerAtWork(data, server)
            await ledger.begin()
            await fetched(server.url, ADDRESS)
            with archiving(data, folder):
                await ledger.close_tasks([1, 2], FORGOTTEN)
                await archived(server.url)
                await back_up(Ledger(data, server.url), Backups(folder), full=True, say=print)
                await ledger.close_tasks([3, 4], KEPT)
                await back_up(Ledger(data, server.url), Backups(folder), full=False, say=print)
                await ledger.close_tasks([5, 6], KEPT)
                await fetched(server.url, "SELECT pg_switch_wal()")
                (between,) = await fetched(server.url, "SELECT clock_timestamp()")
                async with EventStore.connected(server.url, role=EVERY) as store:
                    await erase(store.personal)
                await fetched(server.url, ERASE_ADDRESS)
                await ledger.close_tasks([7], KEPT)
                await archived(server.url)
            yield BackedUp(ledger, folder, between)


async def erase(personal: PersonalData) -> None:
    assert await personal.erase(0, "oka", FORGOTTEN, "asked for") == 2


@pytest.fixture
def attacked(backed_up: BackedUp, tmp_path: Path) -> Backups:
    """A copy of the backups, of which a test may replace files; they are the same files else."""
    shutil.copytree(backed_up.folder, tmp_path / "backups", copy_function=os.link)
    return Backups(tmp_path / "backups")


def drill_of(backups: Backups, ledger: LedgerAtWork | None = None, *kept: Kept) -> Drill:
    """Without the ledger that is at work, but for its signer's memory."""
    return Drill(backups, None, list(kept), signers_memory(ledger.key_file) if ledger else [], [], print)


def change(file: Path, at: int = 100, length: int = 1) -> None:
    """Some of its bytes, in a file of its own: the one it was linked to stays."""
    changed = bytearray(file.read_bytes())
    for place in range(at, at + length):
        changed[place % len(changed)] ^= 1
    file.unlink()
    file.write_bytes(changed)


def test_a_drill_says_how_much_is_lost_and_how_long_it_takes(backed_up: BackedUp):
    done = program("drill", "--data", backed_up.ledger.data, "--backups", backed_up.folder)
    assert (done.returncode, done.stdout.startswith(f"backup {backed_up.backups.names()[-1]} is good")) == (0, True), (
        done
    )
    said = orjson.loads((backed_up.folder / "last-drill.json").read_bytes())
    # The archive has all that was committed, though the newest backup is from before.
    assert (said["good"], said["rpo_seconds"], said["events"] > END) == (True, 0.0, True)
    shown = figures(backed_up.folder)
    assert shown["hourbook_last_good_drill_timestamp_seconds"] == datetime.fromisoformat(said["begun_at"]).timestamp()
    assert shown["hourbook_last_backup_timestamp_seconds"] > 0


def test_the_second_backup_rests_on_the_first_and_both_hold_what_lies_beside_the_database(backed_up: BackedUp):
    first, second = map(backed_up.backups.backup, backed_up.backups.names())
    assert (first.manifest.based_on, second.manifest.based_on) == (None, first.manifest.name)
    assert (first.manifest.at_least[0], second.manifest.at_most[0]) == (FULL_AT, INCREMENT_AT)
    listed = second.manifest.files.keys()
    beside = ("audit/key.pem", "audit/seal.pem", "audit/signed-0.json", "audit/verified.json", "pages/secret")
    assert {f"folder/{name}" for name in (*beside, "postgres/password")} <= listed
    assert f"{DATABASE}/PG_VERSION" in listed
    assert [name for name in listed if name.startswith("folder/nats/")] == ["folder/nats/password"]


def test_only_its_owner_can_read_a_backup(backed_up: BackedUp):
    open_to_others = [path for path in backed_up.folder.rglob("*") if path.stat().st_mode & 0o077]
    assert open_to_others == []


async def restored(backed_up: BackedUp, into: Path, wanted: Wanted, *journals: Path) -> Restored:
    return await restore(backed_up.backups, into, wanted, journals, [], print)


async def test_a_restore_to_a_position_ends_there_and_erases_again(backed_up: BackedUp, server_folder: Path):
    """What the archive has erased later, and what a journal says of a time that no archive has."""
    into, journal = server_folder / "restored", server_folder / "erasures.ndjson"
    place = {"of": "ledger", "log_id": 0, "account_id": "oka", "erased_at": "2026-11-28T12:00:00+00:00"}
    commitments = await fetched(backed_up.ledger.server.url, COMMITMENT)
    journal.write_bytes(orjson.dumps(place | {"reason": "later", "commitments": commitments}) + b"\n")
    done = await restored(backed_up, into, Wanted(position=INCREMENT_AT + 1), journal)
    assert (done.heads[0].position, done.there_were[0].position, done.erased_again) == (INCREMENT_AT + 1, END, 4)
    assert (into / "pages" / "secret").read_text() == "of the sessions"
    # What was signed and is lost now is known to `hourbook restored`, and to the signer.
    assert [each.size for each in signers_memory(into / "audit" / "key.pem") if each.origin.endswith("/log/0")] == [END]
    with EmbeddedPostgres(into / "postgres") as server:
        assert await fetched(server.url, NAMES) == [KEPT] * 2
        assert await fetched(server.url, "SELECT reason FROM ledger.erasure ORDER BY 1") == ["asked for", "later"]
        assert await fetched(server.url, ADDRESSES) == ["asked"]
        assert await fetched(server.url, "SHOW recovery_target_xid") == [""]
        found = await Audit(server.url, 1, into / "audit" / "verified.json").run(full=True)
        assert [fault for findings in found.values() for fault in findings.faults] == []
    files = (path for path in (into / "postgres" / "data" / "base").rglob("*") if path.is_file())
    assert not any(FORGOTTEN.encode() in path.read_bytes() for path in files)


async def test_a_restore_to_a_time_ends_with_the_last_commit_before_it(backed_up: BackedUp, server_folder: Path):
    done = await restored(backed_up, server_folder / "restored", Wanted(time=backed_up.between))
    assert (done.heads[0].position, done.erased_again, done.reached) == (END - 1, 3, True)
    assert not (server_folder / "restored.restoring").exists()


async def test_nothing_is_restored_over_what_is_there(backed_up: BackedUp, tmp_path: Path):
    (tmp_path / "something").touch()
    with pytest.raises(OperatorError, match="is not empty"):
        await restored(backed_up, tmp_path, Wanted())
    assert [path.name for path in tmp_path.iterdir()] == ["something"]


async def test_a_folder_that_is_being_restored_is_left_to_who_restores_it(backed_up: BackedUp, tmp_path: Path):
    other = DataFolder(tmp_path / "restored.restoring")
    other.acquire()
    (other.path / "restored").mkdir()
    with pytest.raises(OperatorError, match=r"in use by process \d+\. Stop it, or choose another folder with --into"):
        await restored(backed_up, tmp_path / "restored", Wanted())
    assert (other.path / "restored").is_dir()
    other.release()


async def test_a_position_that_no_backup_reaches_back_to_is_refused(backed_up: BackedUp, tmp_path: Path):
    with pytest.raises(OperatorError, match=f"the earliest is {backed_up.backups.names()[0]}"):
        await restored(backed_up, tmp_path / "restored", Wanted(position=FULL_AT - 1))


def test_what_is_neither_the_end_nor_a_position_nor_a_time_is_refused():
    with pytest.raises(typer.BadParameter, match="or give `end`"):
        wanted_of("yesterday", 0)


FILES = (
    f"{DATABASE}/backup_manifest",
    f"{DATABASE}/global/pg_control",
    "folder/audit/key.pem",
    "folder/pages/secret",
)
"""One of each kind: PostgreSQL's manifest, its data, the keys, the rest. Its write-ahead log is one more."""


async def test_a_drill_finds_a_changed_byte_in_any_file_of_all_that_a_backup_rests_on(attacked: Backups):
    changed: list[Path] = []
    for name in attacked.names():
        wal = next(segments_in(attacked.path / name / DATABASE / "pg_wal")).file
        changed += [wal, *(attacked.path / name / file for file in FILES)]
    changed.append(attacked.archive.stretches()[0] / wal.name)
    for file in changed:
        change(file)
    outcome = await drill_of(attacked).run()
    assert not outcome.good
    assert {fault.partition(" is not as it was written")[0] for fault in outcome.faults} == set(map(str, changed))


@pytest.mark.parametrize("number", [0, -1], ids=["full", "upon it"])
async def test_a_drill_finds_a_changed_byte_in_a_manifest(attacked: Backups, number: int):
    file = attacked.path / attacked.names()[number] / "manifest.json"
    change(file)
    outcome = await drill_of(attacked).run()
    assert outcome.faults == (f"{file} is not as it was written: make a full backup, and move this one away.",)


async def test_a_backup_is_made_beside_damaged_ones_and_rests_on_none_of_them(backed_up: BackedUp, attacked: Backups):
    attacked_before = attacked.names()
    damaged = attacked_before[-1]
    change(attacked.path / damaged / "manifest.json")
    ledger = Ledger(backed_up.ledger.data, backed_up.ledger.server.url)
    made = await back_up(ledger, attacked, full=False, say=print)
    assert made.manifest.based_on is None
    (attacked.path / damaged).rename(attacked.path.with_name("away"))
    Source.of(attacked, made)
    # With none of those before it, and without their log, it is as good.
    assert delete_unneeded(attacked, 1, print) == attacked_before[:1]
    assert attacked.names() == [made.manifest.name]
    assert (await drill_of(attacked).run()).good


async def test_a_drill_finds_that_a_file_is_missing_or_too_much(attacked: Backups):
    newest = attacked.path / attacked.names()[-1]
    (newest / "folder" / "audit" / "seal.pem").unlink()
    (newest / DATABASE / "stray").touch()
    outcome = await drill_of(attacked).run()
    assert [fault.rpartition("/")[2] for fault in outcome.faults] == [
        "seal.pem is missing.",
        "stray is in no manifest.",
    ]


async def test_a_drill_finds_that_a_wal_file_is_missing_from_the_archive(attacked: Backups):
    """Between the backup and the end: also one that no manifest lists yet."""
    segments = list(segments_in(attacked.archive.stretches()[0]))
    later = segments[-2]
    assert f"{later.file.parent.name}/{later.file.name}" not in attacked.listed_wal()
    later.file.unlink()
    outcome = await drill_of(attacked).run()
    (fault,) = outcome.faults
    assert fault.startswith(f"The file {later.name} of the write-ahead log is missing")


async def test_a_drill_finds_changed_bytes_in_a_wal_file_that_no_manifest_lists(attacked: Backups):
    """A record's, not those that only fill up: they are no part of the log."""
    later = list(segments_in(attacked.archive.stretches()[0]))[-2].file
    change(later, at=2_000, length=64)
    outcome = await drill_of(attacked).run()
    assert not outcome.good
    assert any("cannot be read from" in fault for fault in outcome.faults)


async def test_a_drill_finds_that_a_backup_is_from_before_a_kept_checkpoint(backed_up: BackedUp, attacked: Backups):
    """As where the archive was put back; and one whose root is another is named too."""
    for segment in list(segments_in(attacked.archive.stretches()[0]))[-2:]:
        segment.file.unlink()
    (signed,) = kept_in(backed_up.ledger.data / "audit" / "signed-0.json")
    other = Kept(Path("elsewhere"), signed.origin, 2, bytes(32))
    outcome = await drill_of(attacked, backed_up.ledger, other).run()
    before, another = outcome.faults
    assert before.startswith(f"The backup is from before a kept checkpoint: log 0 ends at position {INCREMENT_AT}")
    assert before.endswith(f"positions {INCREMENT_AT + 1} to {END} are lost.")
    assert another.startswith("Log 0 is another one: its first 2 events")


class DrillBeside(Drill):
    """Of a ledger at work that is said to be so."""

    at_work: ClassVar[Live]

    async def _live(self) -> Live:
        return self.at_work


async def test_a_drill_finds_that_manifest_receipt_and_ledger_at_work_say_otherwise(
    backed_up: BackedUp, attacked: Backups
):
    """Each of what only a restored server can be held to."""
    newest, url = attacked.newest(), backed_up.ledger.server.url
    newest.manifest.model_copy(update={"at_least": {0: 99, -1: 1}}).write(newest.path)
    note = newest.manifest.checkpoints[0]
    proofs = [EventProof.model_construct(position=position) for position in (1, 2)]
    async with EventStore.connected(url, role=EVERY) as store:
        (first,) = await store.page(0, 0, 1)
        lines = (first.line(1), first.line(1))
        DrillBeside.at_work = Live(
            await store.ledger_id(), {}, {0: [{"position": position, "hash": bytes(32)} for position in (3, 99)]}
        )
    receipt = KeptReceipt(Path("receipt"), Receipt.model_construct(log=0, lines=lines, proofs=proofs, checkpoint=note))
    outcome = await DrillBeside(attacked, url, [], [], [receipt], print).run()
    assert outcome.faults == (
        "The receipt receipt says otherwise than log 0 at position 2.",
        f"Log 0 should have 99 events or more, and ends at position {END}.",
        "Position 3 of log 0 is another event than in the ledger that is at work.",
    )


async def test_a_drill_finds_that_the_ledger_at_work_is_another(backed_up: BackedUp, attacked: Backups):
    DrillBeside.at_work = Live("another", {}, {})
    outcome = await DrillBeside(attacked, backed_up.ledger.server.url, [], [], [], print).run()
    (fault,) = outcome.faults
    assert fault.endswith("and the one at work is another.")


def test_a_drill_finds_that_a_backup_is_of_another_ledger(backed_up: BackedUp, tmp_path: Path):
    (signed,) = kept_in(backed_up.ledger.data / "audit" / "signed-0.json")
    other = tmp_path / "checkpoint.json"
    origin = "hourbook/00000000-0000-4000-8000-000000000000/log/0"
    other.write_bytes(orjson.dumps({"origin": origin, "size": 1, "root": signed.root.hex()}))
    done = program("drill", "--data", tmp_path, "--backups", backed_up.folder, "--checkpoint", other)
    assert done.returncode == 1
    assert "FAULT The backup is of another ledger" in done.stderr
    assert figures(backed_up.folder)["hourbook_last_drill_good"] == 0


async def test_an_interrupted_backup_is_never_taken_for_a_whole_one(backed_up: BackedUp, attacked: Backups):
    before = attacked.names()
    url = backed_up.ledger.server.url
    making = asyncio.create_task(back_up(Ledger(backed_up.ledger.data, url), attacked, full=True, say=print))
    while not list(attacked.path.glob(f"*.partial/{DATABASE}/base")):
        assert not making.done()
        await asyncio.sleep(0.001)
    half = next(attacked.path.glob("*.partial"))
    shutil.copytree(
        half, attacked.path / "20300101T000000000000Z", ignore_dangling_symlinks=True
    )  # as a kill leaves it
    making.cancel()
    with suppress(asyncio.CancelledError):
        await making
    assert (attacked.names(), attacked.newest().manifest.name) == (before, before[-1])
    assert list(attacked.path.glob("*.partial")) == []
    Source.of(attacked, attacked.newest())


async def test_a_folder_is_for_one_ledger(backed_up: BackedUp, server_folder: Path):
    (server_folder / "backups").mkdir()
    (server_folder / "backups" / "system-identifier").write_text("1234\n")
    ledger = Ledger(backed_up.ledger.data, backed_up.ledger.server.url)
    with pytest.raises(OperatorError, match="has the backups of PostgreSQL 1234"):
        await back_up(ledger, Backups(server_folder / "backups"), full=True, say=print)


async def test_an_archive_goes_on_unless_something_may_be_missing(backed_up: BackedUp, attacked: Backups):
    url = backed_up.ledger.server.url
    goes_on = await stretch_to_go_on(url, attacked)
    assert goes_on == attacked.archive.stretches()[-1]
    async with asked(url) as connection:
        await connection.execute("SELECT pg_drop_replication_slot($1)".replace("$1", f"'{SLOT}'"))
    begun = await stretch_to_go_on(url, attacked)
    assert (begun != goes_on, begun == await stretch_to_go_on(url, attacked)) == (True, True)


def test_a_manifest_without_its_backup_or_of_another_name_is_damage(attacked: Backups):
    newest = attacked.path / attacked.names()[-1]
    newest.rename(newest.with_name("20990101T000000000000Z"))
    with pytest.raises(Damaged, match="give the folder its name back"):
        attacked.newest()


async def test_a_database_that_cannot_be_reached_is_said(tmp_path: Path):
    with pytest.raises(OperatorError, match="PostgreSQL cannot be reached"):
        await back_up(Ledger(tmp_path, "postgresql://u@127.0.0.1:1/x"), Backups(tmp_path / "b"), full=True, say=print)
