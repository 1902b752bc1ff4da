"""A log that has lost its end: whoever holds something later stops everybody, until a signed record begins an epoch."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from contracts.access_events import LedgerRestored
from contracts.placement import log_of
from services.access.principals import SYSTEM
from services.ledger.access.log import AccessLog
from services.ledger.audit.checkpointer import Checkpointer
from services.ledger.audit.cursor import Cursor
from services.ledger.audit.key_files import CannotSign
from services.ledger.audit.keys import rotate
from services.ledger.audit.notes import Note
from services.ledger.audit.restore_notes import Loss
from services.ledger.audit.seal_keys import rotate as rotate_seals
from services.ledger.audit.signer_memory import SignerMemory
from services.ledger.audit.tree import StoredTree
from services.ledger.audit.verification import verify
from services.ledger.clock import SystemClock
from services.ledger.event_store import epochs
from services.ledger.event_store.database import LedgerUnavailable, LogWentBack
from services.ledger.event_store.store import EventStore
from services.ledger.running import Ledger, running_ledger
from services.ledger.settings import Settings
from services.operating.new_epoch import Kept, Restored, Survey, restored_ledger
from services.process.lost_past import WENT_BACK
from services.process.operator_error import OperatorError
from tests.ledger.audit.tampering import as_superuser
from tests.ledger.audit.test_checkpointer import grow
from tests.ledger.commands import closing, opening, purchase
from tests.ledger.event_store.events import event
from tests.ledger.roles import EVERY

CUT_OFF = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


async def go_back(database_url: str, position: int) -> None:
    """The logs of accounts as they were then, before anything of them was signed; PostgreSQL has been started again."""
    await as_superuser(
        database_url,
        f"DELETE FROM ledger.event WHERE log_id >= 0 AND position > {position}",
        f"DELETE FROM ledger.personal WHERE log_id >= 0 AND position > {position}",
        "DELETE FROM ledger.checkpoint WHERE log_id >= 0",
        "DELETE FROM ledger.tile WHERE log_id >= 0",
        CUT_OFF,
    )


@asynccontextmanager
async def started(database_url: str) -> AsyncIterator[EventStore]:
    """Of a process that has just started, and knows nothing of the logs."""
    async with EventStore.connected(database_url, role=EVERY) as opened:
        yield opened


async def closed(ledger: Ledger, key: str) -> bool:
    """Whether a closing is recorded, once PostgreSQL is reached again; False where the log has gone back."""
    while True:
        try:
            return bool(await ledger.submit(closing("a", key), key))
        except LogWentBack:
            return False
        except LedgerUnavailable:
            continue


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return tmp_path / "audit" / "key.pem"


@asynccontextmanager
async def restored(database_url: str, key_file: Path) -> AsyncIterator[Restored]:
    seal_file = key_file.with_name("seal.pem")
    settings = Settings(
        database_url=database_url, nats_url=None, sandbox=False, audit_key_file=key_file,
        seal_key_file=seal_file if seal_file.exists() else None,
    )  # fmt: skip
    async with restored_ledger(settings) as ledger:
        yield ledger


async def begin_epoch(database_url: str, key_file: Path) -> Survey:
    async with restored(database_url, key_file) as ledger:
        survey = await ledger.survey()
        await ledger.begin(survey)
    return survey


async def test_one_process_that_knows_more_stops_all_until_the_next_epoch(
    ledger: Ledger, other_ledger: Ledger, store: EventStore, database_url: str, key_file: Path
):
    """The other one has read nothing of what is lost."""
    await ledger.submit(opening("a"), "k1")
    await ledger.submit(purchase("a"), "k2")
    log_id = log_of("a", ledger.settings.logs)
    await Checkpointer(store.readers, log_id, key_file).catch_up()
    await ledger.submit(closing("a", "lost"), "k3")
    await go_back(database_url, 2)
    for each in (ledger, other_ledger):
        assert not await closed(each, "since")
        assert f"{WENT_BACK}." in (await each.parts())["commands"]
    survey = await begin_epoch(database_url, key_file)
    assert survey.logs[log_id].loss[:3] == (2, 3, 2)
    assert "positions 3 to 3, 1 events, are lost" in survey.logs[log_id].sentence("0")
    for number, each in enumerate((ledger, other_ledger)):
        assert await closed(each, f"T-{number}")
        assert (await each.parts())["commands"] == []
        await each.store.require_known_past()
        assert await each.store.epoch() == 2
    assert [each.account_id for each in await ledger.store.page(log_id, 0, 9)] == ["a"] * 4


async def test_a_ledger_that_has_lost_nothing_begins_no_epoch(store: EventStore, database_url: str, key_file: Path):
    await grow(store, 3)
    await Checkpointer(store.readers, 0, key_file).catch_up()
    async with restored(database_url, key_file) as ledger:
        assert not (await ledger.survey()).noticed
        assert await ledger.finish() is None


async def test_what_was_signed_is_no_false_notice(store: EventStore, database_url: str, key_file: Path):
    await grow(store, 3)
    await Checkpointer(store.readers, 0, key_file).catch_up()
    await go_back(database_url, 2)
    async with restored(database_url, key_file) as ledger:
        survey = await ledger.survey()
        assert (survey.noticed, survey.is_proved) == (True, True)
        with pytest.raises(OperatorError, match="that is no false notice"):
            await ledger.dismiss(survey)


@pytest.mark.parametrize("since", [1, 3, 7], ids=["fewer", "as many", "more"])
async def test_what_a_process_that_knew_nothing_has_recorded_since_is_no_part_of_what_was_kept(
    store: EventStore, database_url: str, key_file: Path, since: int
):
    """It stands at positions that are lost: they are listed, and what was signed of them is given up."""
    await grow(store, 5)
    await Checkpointer(store.readers, 0, key_file).catch_up()
    await grow(store, 3)
    await Checkpointer(store.readers, 0, key_file).catch_up()
    await go_back(database_url, 5)
    async with started(database_url) as fresh:
        await fresh.append(0, [event(f"z-{number}", 1, f"k-{number}") for number in range(since)], {})
        signer = Checkpointer(fresh.readers, 0, key_file)
        with pytest.raises(CannotSign):
            await signer.catch_up()
        survey = await begin_epoch(database_url, key_file)
        assert (survey.is_proved, survey.logs[0].loss.kept, survey.logs[0].loss.lost) == (True, 5, 3)
        await signer.catch_up()
        found, _ = await verify(fresh.readers, 1, Cursor(), full=True)
    assert [fault for findings in found.values() for fault in findings.faults] == []


async def test_two_that_begin_an_epoch_at_once_begin_one(store: EventStore, database_url: str, key_file: Path):
    """Each has seen what is lost before the other has recorded it."""
    await grow(store, 3)
    await Checkpointer(store.readers, 0, key_file).catch_up()
    await go_back(database_url, 2)
    async with restored(database_url, key_file) as ledger, restored(database_url, key_file) as other:
        surveys = [await ledger.survey(), await other.survey()]
        await ledger.begin(surveys[0])
        with pytest.raises(OperatorError, match="Epoch 2 has been recorded meanwhile"):
            await other.begin(surveys[1])
        assert not (await other.survey()).noticed


async def test_an_epoch_that_was_recorded_begins_when_the_command_is_given_again(
    store: EventStore, database_url: str, key_file: Path
):
    """It was killed between the two; or after the epoch had begun, before the notices were forgotten."""
    await grow(store, 3)
    await Checkpointer(store.readers, 0, key_file).catch_up()
    await go_back(database_url, 2)
    async with restored(database_url, key_file) as ledger:
        await ledger.begin(await ledger.survey())
    notice = "INSERT INTO ledger.lost_past VALUES (0, 1, 3)"
    await as_superuser(database_url, "DELETE FROM ledger.epoch", notice)
    async with restored(database_url, key_file) as ledger:
        finished = await ledger.finish()
        assert finished
        assert "log 0 has kept 2 events: positions 3 to 3 are lost" in finished.sentences()
        await as_superuser(database_url, notice)
        assert await ledger.finish() is None
        assert not (await ledger.survey()).noticed
    async with started(database_url) as fresh:
        await grow(fresh, 1)
        await Checkpointer(fresh.readers, 0, key_file).catch_up()


class Interrupted(Checkpointer):
    """A signer that is about to look for new events when an operator begins an epoch, and others record in it."""

    meanwhile: Callable[[], Awaitable[None]] | None = None

    async def _leaves(self, size: int, limit: int) -> list[bytes]:
        if meanwhile := self.meanwhile:
            self.meanwhile = None
            await meanwhile()
        return await super()._leaves(size, limit)


async def test_what_is_recorded_in_an_epoch_is_signed_in_it(store: EventStore, database_url: str, key_file: Path):
    """Also the record that begins it, before it has begun, and what comes while a signer looks."""
    await grow(store, 3)
    await Checkpointer(store.readers, 0, key_file).catch_up()
    await go_back(database_url, 2)
    async with started(database_url) as fresh, restored(database_url, key_file) as ledger:
        of_access, of_log = Checkpointer(fresh.readers, -1, key_file), Interrupted(fresh.readers, 0, key_file)
        await of_access.catch_up()
        survey = await ledger.survey()
        SignerMemory(key_file, 0).file.unlink()  # it would stop this signer; another machine's has none

        async def begin() -> None:
            await ledger.begin(survey)
            await fresh.require_known_past()
            await grow(fresh, 1)

        of_log.meanwhile = begin
        await of_log.catch_up()
        await as_superuser(database_url, "DELETE FROM ledger.epoch")
        await of_access.catch_up()
        assert await StoredTree(fresh.readers, -1).latest() is None
        await ledger.finish()
        for signer in (of_access, of_log):
            await signer.catch_up()
        found, _ = await verify(fresh.readers, 1, Cursor(), full=True)
    assert [fault for findings in found.values() for fault in findings.faults] == []


async def test_the_signer_goes_on_only_by_a_record_that_names_what_it_signed(
    store: EventStore, database_url: str, key_file: Path
):
    await grow(store, 5)
    await Checkpointer(store.readers, 0, key_file).catch_up()
    await grow(store, 3)
    await Checkpointer(store.readers, 0, key_file).catch_up()
    await go_back(database_url, 5)
    async with started(database_url) as fresh, restored(database_url, key_file) as ledger:
        signer = Checkpointer(fresh.readers, 0, key_file)
        with pytest.raises(CannotSign, match="has gone back"):
            await signer.catch_up()
        with pytest.raises(LogWentBack):
            await fresh.append(0, [event("z", 1, "z")], {})
        survey = await ledger.survey()
        kept = survey.logs[0]
        false = Kept(Loss(5, 8, 8, bytes(32)), kept.recorded_at, kept.signed)
        await ledger.begin(replace(survey, logs={**survey.logs, 0: false}))
        with pytest.raises(CannotSign, match="no record of a restore says"):
            await signer.catch_up()
        await ledger.begin(replace(survey, before=2))
        await grow(fresh, 1)
        await signer.catch_up()
        latest = await StoredTree(fresh.readers, 0).latest()
    assert latest
    assert (latest.size, Note.parse(latest.note).text.split("\n")[0].rpartition("/log/")[2]) == (6, "0/epoch/3")
    remembered = SignerMemory(key_file, 0).read()
    assert remembered
    assert (remembered.size, remembered.epoch) == (6, 3)


async def test_the_auditor_accepts_the_break_by_the_signed_record_alone(
    store: EventStore, database_url: str, key_file: Path
):
    await grow(store, 4)
    signers = [Checkpointer(store.readers, log_id, key_file) for log_id in (0, -1)]
    for signer in signers:
        await signer.catch_up()
    await grow(store, 4)
    await signers[0].catch_up()
    found, cursor = await verify(store.readers, 1, Cursor(), full=True)
    assert not any(findings.faults for findings in found.values())
    await go_back(database_url, 4)
    async with started(database_url) as fresh:
        await follow(fresh, cursor, database_url, key_file)


async def follow(store: EventStore, cursor: Cursor, database_url: str, key_file: Path) -> None:
    """The audit of a log that has gone back behind what was verified of it."""
    found, unchanged = await verify(store.readers, 1, cursor, full=False)
    assert (found[0].faults, unchanged.logs) == ([f"{WENT_BACK}."], cursor.logs)
    with pytest.raises(LogWentBack):
        await store.append(0, [event("z", 1, "z")], {})
    log = AccessLog(store, SystemClock())
    unsigned = LedgerRestored(epoch=2, note="hourbook/x/restores\n2")
    await log.record(epochs.LEDGER_SUBJECT, unsigned, SYSTEM["operator"].id)
    found, _ = await verify(store.readers, 1, cursor, full=False)
    assert any("a record of a restore cannot be read" in fault for fault in found[0].faults)
    await as_superuser(database_url, "DELETE FROM ledger.event WHERE log_id = -1")
    await begin_epoch(database_url, key_file)
    async with started(database_url) as fresh:
        await grow(fresh, 2)
        for log_id in (-1, 0):
            await Checkpointer(fresh.readers, log_id, key_file).catch_up()
        found, moved = await verify(fresh.readers, 1, cursor, full=False)
    assert not any(findings.faults for findings in found.values())
    assert "the ledger was restored to 4 at" in found[0].notices[0]
    assert "4 events were lost" in found[0].notices[0]
    assert moved.logs[0].size == 6


async def test_a_state_from_before_the_first_checkpoint_goes_on_under_the_same_key(
    store: EventStore, database_url: str, key_file: Path
):
    """The key is published once more, which auditors have to be told."""
    await grow(store, 3)
    await Checkpointer(store.readers, 0, key_file).catch_up()
    _, cursor = await verify(store.readers, 1, Cursor(), full=True)
    key = key_file.read_bytes()
    await go_back(database_url, 2)
    await as_superuser(
        database_url, "ALTER TABLE ledger.audit_key DISABLE TRIGGER USER", "DELETE FROM ledger.audit_key"
    )
    survey = await begin_epoch(database_url, key_file)
    assert (survey.is_proved, survey.logs[0].loss[:3]) == (True, (2, 2, 3))
    async with started(database_url) as fresh:
        await grow(fresh, 2)
        await Checkpointer(fresh.readers, 0, key_file).catch_up()
        found, _ = await verify(fresh.readers, 1, cursor, full=True)
        assert found[0].faults == ["the published keys are not those that were published before"]
        found, _ = await verify(fresh.readers, 1, cursor, full=True, trust_keys=True)
    assert ([fault for findings in found.values() for fault in findings.faults], key_file.read_bytes()) == ([], key)


async def test_keys_that_were_rotated_since_are_brought_back_and_vouched_for(
    store: EventStore, settings: Settings, database_url: str, key_file: Path
):
    """The restored database knows the keys from before: nobody signs or seals with others, and auditors see it."""
    seal_file = key_file.with_name("seal.pem")
    sealed = settings.model_copy(update={"audit_key_file": key_file, "seal_key_file": seal_file})
    log_id = log_of("a", settings.logs)
    async with started(database_url) as opened:
        async with running_ledger(sealed) as ledger:
            await ledger.submit(opening("a"), "k1")
            await ledger.submit(purchase("a"), "k2")
            kept = {file: file.read_bytes() for file in (key_file, seal_file)}
            await rotate(opened.readers, key_file)
            await rotate_seals(opened.readers, settings.logs, seal_file, key_file)
            await ledger.submit(closing("a", "lost"), "k3")
        await Checkpointer(opened.readers, log_id, key_file).catch_up()
        found, cursor = await verify(opened.readers, settings.logs, Cursor(), full=True)
        assert not any(findings.faults for findings in found.values())
    await go_back(database_url, 2)
    for table in ("ledger.audit_key", "ledger.seal_key"):
        lost = f"ALTER TABLE {table} DISABLE TRIGGER USER", f"DELETE FROM {table} WHERE number = 2"
        await as_superuser(database_url, *lost)
    with pytest.raises(OperatorError, match=r"move .*seals.json away"):
        await begin_epoch(database_url, key_file)
    key_file.with_name("seals.json").unlink()
    with pytest.raises(OperatorError, match="rotate-seal-key"):
        await begin_epoch(database_url, key_file)
    seal_file.write_bytes(kept[seal_file])
    with pytest.raises(CannotSign, match="rotate-key --lost"):
        await begin_epoch(database_url, key_file)
    key_file.write_bytes(kept[key_file])
    await begin_epoch(database_url, key_file)
    async with started(database_url) as fresh:
        async with running_ledger(sealed) as ledger:
            assert await closed(ledger, "since")
        await Checkpointer(fresh.readers, log_id, key_file).catch_up()
        found, _ = await verify(fresh.readers, settings.logs, cursor, full=True)
        assert found[log_id].faults == [
            "the published keys are not those that were published before",
            "the published keys of seals are not those that were published before",
        ]
        found, _ = await verify(fresh.readers, settings.logs, cursor, full=True, trust_keys=True)
    assert [fault for findings in found.values() for fault in findings.faults] == []
