"""Who appended: what no process of the ledger has sealed is found, whatever the owner of the database works out."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import asyncpg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contracts.placement import ACCESS_LOG, every_log
from services.auditing.handed_out import verify as verify_py
from services.ledger.audit import seal_check
from services.ledger.audit.checkpointer import Checkpointer
from services.ledger.audit.cursor import Cursor
from services.ledger.audit.key_files import CannotSign, raw
from services.ledger.audit.keys import PublicKey
from services.ledger.audit.notes import NotANote, signed
from services.ledger.audit.seal_keys import rotate
from services.ledger.audit.seal_notes import SealKey, StatedSeals, seals_of
from services.ledger.audit.verification import verify
from services.ledger.event_store.appending import AlreadyTaken
from services.ledger.event_store.database import LedgerUnavailable
from services.ledger.event_store.migrations import fix_logs, migrate
from services.ledger.event_store.seals import NEWEST_FORM
from services.ledger.event_store.store import EventStore
from services.ledger.sealing import opened_sealer
from services.ledger.settings import Settings
from services.process.operator_error import OperatorError
from tests.ledger.audit.earlier_seal_keys import publish_keys_of_form
from tests.ledger.audit.mutations import REHASH
from tests.ledger.audit.tampering import as_superuser
from tests.ledger.audit.test_checkpointer import grow
from tests.ledger.event_store.events import append_as_before, event
from tests.ledger.roles import EVERY


class Kept(NamedTuple):
    """How a ledger is kept: in so many logs, sealed by keys of that form."""

    logs: int
    form: int = NEWEST_FORM


@pytest.fixture(params=[Kept(1), Kept(3), Kept(1, form=1)], ids=["one log", "three logs", "seals of the first form"])
def kept(request: pytest.FixtureRequest) -> Kept:
    return request.param


@pytest.fixture
async def settings(database_url: str, tmp_path: Path, kept: Kept, monkeypatch: pytest.MonkeyPatch) -> Settings:
    publish_keys_of_form(kept.form, monkeypatch)
    await migrate(database_url)
    await fix_logs(database_url, kept.logs)
    folder = tmp_path / "audit"
    return Settings(
        database_url=database_url,
        nats_url=None,
        logs=kept.logs,
        audit_key_file=folder / "key.pem",
        seal_key_file=folder / "seal.pem",
    )


@pytest.fixture
async def unsealed(settings: Settings) -> AsyncIterator[EventStore]:
    """Of a process of an earlier version: it seals nothing."""
    async with EventStore.connected(settings.database_url, settings.logs, role=EVERY) as opened:
        yield opened


@pytest.fixture
async def store(settings: Settings) -> AsyncIterator[EventStore]:
    """Of a process that seals."""
    async with EventStore.connected(
        settings.database_url, settings.logs, await opened_sealer(settings), role=EVERY
    ) as opened:
        yield opened


async def sign(store: EventStore, settings: Settings) -> None:
    assert settings.audit_key_file
    for log_id in every_log(settings.logs):
        await Checkpointer(store.readers, log_id, settings.audit_key_file).catch_up()


async def faults(
    store: EventStore, settings: Settings, cursor: Cursor | None = None, *, full: bool = True
) -> list[str]:
    found, _ = await verify(store.readers, settings.logs, cursor or Cursor(), full=full)
    return [fault for findings in found.values() for fault in findings.faults]


async def known(store: EventStore, settings: Settings) -> Cursor:
    found, cursor = await verify(store.readers, settings.logs, Cursor(), full=True)
    assert not any(findings.faults for findings in found.values())
    return cursor


async def append_anyhow(settings: Settings, log_id: int, *statements: str) -> None:
    """An event more by SQL, as the superuser, with a hash that fits."""
    await as_superuser(
        settings.database_url,
        f"""INSERT INTO ledger.event (log_id, position, account_id, version, event_id, command_id, fingerprint, type,
                schema_version, recorded_at, data, hash)
            SELECT {log_id}, 1 + coalesce(max(position), 0), 'intruder', 1, gen_random_uuid(), 'k', '\\x01',
                'WorkResumed', 1, now(), '{{}}', '' FROM ledger.event WHERE log_id = {log_id}""",
        *statements,
        REHASH,
    )


async def test_sealed_logs_are_not_accused(store: EventStore, settings: Settings):
    for log_id in every_log(settings.logs):
        for _ in range(3):
            await grow(store, 5, log_id)
            await grow(store, 1, log_id)
            await sign(store, settings)
    cursor = await known(store, settings)
    for log_id in every_log(settings.logs):
        await grow(store, 2, log_id)
    assert await faults(store, settings, cursor, full=False) == []
    assert await faults(store, settings, cursor) == []


async def test_a_log_that_began_without_seals_goes_on_with_them(unsealed: EventStore, settings: Settings):
    for log_id in every_log(settings.logs):
        await grow(unsealed, 5, log_id)
    await sign(unsealed, settings)
    cursor = await known(unsealed, settings)
    async with EventStore.connected(
        settings.database_url, settings.logs, await opened_sealer(settings), role=EVERY
    ) as store:
        for log_id in every_log(settings.logs):
            await grow(store, 5, log_id)
        for full in (True, False):
            assert await faults(store, settings, cursor, full=full) == []
        with pytest.raises(LedgerUnavailable, match="sealed"):
            await grow(unsealed, 1)
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await append_as_before(settings.database_url, 0, event("before", 1, "k"))
        await append_anyhow(settings, 0)
        assert await faults(store, settings, cursor, full=False)


async def test_several_processes_and_restarts_make_chains_of_their_own(
    store: EventStore, settings: Settings, kept: Kept
):
    async with EventStore.connected(
        settings.database_url, settings.logs, await opened_sealer(settings), role=EVERY
    ) as other:
        for _ in range(3):
            await grow(store, 2)
            await grow(other, 3)
        await asyncio.gather(*(one.append(ACCESS_LOG, [event(f"s-{n}", 1, f"k{n}")], {}) for n, one in
                               enumerate([store, store, other, other, store])))  # fmt: skip
        with pytest.raises(AlreadyTaken):
            await store.append(0, [event("a-0", 1, "again")], {})
        await grow(store, 1)
    async with EventStore.connected(
        settings.database_url, settings.logs, await opened_sealer(settings), role=EVERY
    ) as again:
        await grow(again, 2)
    assert await faults(store, settings) == []
    expected = await store.readers.rows("""
        SELECT position - (SELECT coalesce(max(position), 0) FROM ledger.event AS before
            WHERE before.log_id = e.log_id AND before.position < e.position AND seal IS NOT NULL) AS events,
            position, right(encode(seal, 'hex'), 16) AS place FROM ledger.event AS e WHERE seal IS NOT NULL
    """)
    right = {row["position"] - row["events"] + 1 == int(row["place"], 16) for row in expected}
    assert kept.form == 1 or right == {True, False}, "some appends are where they were expected, some are not"


async def test_verification_begins_within_an_append(store: EventStore, settings: Settings):
    """A checkpoint ends with the close of a month, in the middle of what was appended with it."""
    batch = [event(f"m-{n}", 1, f"k-{n}")._replace(type="MonthClosed" if n == 3 else "TaskClosed") for n in range(6)]
    await store.append(0, batch, {})
    assert settings.audit_key_file
    signer = Checkpointer(store.readers, 0, settings.audit_key_file)
    await signer._resume()
    await signer._sign((await signer._leaves(0, 100))[:4])
    cursor = await known(store, settings)
    assert cursor.logs[0].size == 4
    await grow(store, 3)
    assert await faults(store, settings, cursor, full=False) == []
    await as_superuser(settings.database_url, "UPDATE ledger.event SET data = '[]' WHERE position = 6", REHASH)
    assert await faults(store, settings, cursor, full=False)


SET_SEAL = "UPDATE ledger.event SET seal = "
APPENDED = {
    "at the end": [],
    "with the seal of another append": [
        SET_SEAL + "(SELECT seal FROM ledger.event WHERE position = 6 AND log_id = {log}) WHERE account_id = 'intruder'"
    ],
    "with a seal of nobody": [SET_SEAL + "decode(repeat('00', 96), 'hex') WHERE account_id = 'intruder'"],
    "with a seal of another form": [SET_SEAL + "'\\x00' WHERE account_id = 'intruder'"],
    "with a seal of a place without end": [
        SET_SEAL + "decode(repeat('99', 5000), 'hex') WHERE account_id = 'intruder'"
    ],
}


@pytest.mark.parametrize("how", APPENDED)
async def test_who_appends_past_the_ledger_is_found(store: EventStore, settings: Settings, how: str):
    for log_id in every_log(settings.logs):
        await grow(store, 4, log_id)
        await grow(store, 2, log_id)
    await sign(store, settings)
    cursor = await known(store, settings)
    log_id = settings.logs - 1
    await append_anyhow(settings, log_id, *(each.format(log=log_id) for each in APPENDED[how]))
    await sign(store, settings)  # the ledger signs it
    for full in (True, False):
        assert await faults(store, settings, cursor, full=full)
    await grow(store, 2, log_id)  # and goes on
    for full in (True, False):
        assert await faults(store, settings, cursor, full=full)
    assert await faults(store, settings)


async def test_who_appends_by_the_ledgers_own_function_is_found(store: EventStore, settings: Settings):
    await grow(store, 4)
    superuser = await asyncpg.connect(settings.database_url)
    await superuser.execute("""
        SELECT ledger.append_sealed(0, '{intruder}', '{1}', ARRAY[gen_random_uuid()], '{k}', ARRAY['\\x01'::bytea],
            '{WorkResumed}', '{1}', ARRAY[now()], '{"{}"}', '{}', '{}', '{}', '{}', '{}', '{}', '{null}', '{null}',
            (SELECT seal FROM ledger.event WHERE position = 4), 1, NULL, NULL)
    """)
    await superuser.close()
    assert await faults(store, settings)


KEYS_DELETED = """
    ALTER TABLE ledger.seal_key DISABLE TRIGGER ALL;
    DELETE FROM ledger.seal_key;
    ALTER TABLE ledger.seal_key ENABLE ALWAYS TRIGGER seal_key_is_insert_only;
    UPDATE ledger.event SET seal = NULL
"""
FROM_ANOTHER = "UPDATE ledger.event AS e SET seal = o.seal FROM ledger.event AS o WHERE e.log_id = o.log_id AND "
ANOTHER_KEY = "INSERT INTO ledger.seal_key SELECT 2, replace(note, e'seals\\n1', e'seals\\n2') FROM ledger.seal_key"
CHANGED = {
    "all seals deleted": SET_SEAL + "NULL",
    "one seal deleted": SET_SEAL + "NULL WHERE position = 4",
    "the last seal deleted": SET_SEAL + "NULL WHERE position = 7",
    "one bit of a seal": SET_SEAL + "set_bit(seal, 300, 1 - get_bit(seal, 300)) WHERE position = 7",
    "the last bit of a seal": SET_SEAL + "set_bit(seal, 8 * length(seal) - 1, 1 - get_bit(seal, 8 * length(seal) - 1))",
    "seals a byte longer": SET_SEAL + "seal || '\\x00'",
    "seals cut to the other length": SET_SEAL + "substr(seal || '\\x0000000000000001', 1, 200 - length(seal))",
    "a bit of what a seal follows": SET_SEAL + "set_bit(seal, 3, 1 - get_bit(seal, 3)) WHERE position = 6",
    "seals exchanged": FROM_ANOTHER + "(e.position, o.position) IN ((6, 4), (4, 6))",
    "an append cut in two": FROM_ANOTHER + "(e.position, o.position) = (2, 4)",
    "an event changed": "UPDATE ledger.event SET data = '[]' WHERE position = 2",
    "a command changed": "UPDATE ledger.event SET command_id = command_id || '+' WHERE position = 7",
    "an append left out": "DELETE FROM ledger.event WHERE position = 6;"
    " UPDATE ledger.event SET position = 6 WHERE position = 7",
    "appends in another order": "UPDATE ledger.event SET position = position + 100 WHERE position > 5;"
    " UPDATE ledger.event SET position = 113 - position WHERE position > 100",
    "the keys of seals deleted": KEYS_DELETED,
    "a key of seals of nobody": ANOTHER_KEY,
}


@pytest.mark.parametrize("what", CHANGED)
async def test_what_is_done_to_seals_and_to_what_is_sealed_is_found(store: EventStore, settings: Settings, what: str):
    """By who verifies for the first time, and by who goes on; before anything was signed but the keys of seals."""
    log_id = settings.logs - 1
    await grow(store, 1, ACCESS_LOG)
    await sign(store, settings)
    cursor = await known(store, settings)
    for events in (4, 1, 1, 1):
        await grow(store, events, log_id)
    await as_superuser(settings.database_url, CHANGED[what], REHASH)
    assert await faults(store, settings)
    assert await faults(store, settings, cursor, full=False)


async def test_the_signer_signs_nothing_where_keys_of_seals_are_gone(store: EventStore, settings: Settings):
    await grow(store, 2)
    await sign(store, settings)
    await grow(store, 2)
    await as_superuser(settings.database_url, CHANGED["the keys of seals deleted"])
    with pytest.raises(CannotSign, match="keys of seals are not those"):
        await sign(store, settings)
    with pytest.raises(OperatorError, match="keys of seals are not those"):
        await opened_sealer(settings)


async def test_a_checkpoint_states_the_keys_of_seals(store: EventStore, settings: Settings):
    await grow(store, 2)
    await sign(store, settings)
    note = await store.readers.value("SELECT note FROM ledger.checkpoint WHERE log_id = 0")
    notes = [row["note"] for row in await store.readers.rows("SELECT note FROM ledger.seal_key")]
    assert f"\n{StatedSeals.of(notes).line()}\n" in note
    assert all(f"\nafter {log} 0\n" in notes[0] for log in ("access", *range(settings.logs)))


async def test_after_a_rotation_the_old_key_seals_nothing(store: EventStore, settings: Settings):
    assert settings.seal_key_file
    assert settings.audit_key_file
    await grow(store, 3)
    old = settings.seal_key_file.with_name("old.pem")
    old.write_bytes(settings.seal_key_file.read_bytes())
    assert await rotate(store.readers, settings.logs, settings.seal_key_file, settings.audit_key_file) == 2
    await grow(store, 3)  # this process finds the new one by itself
    assert await faults(store, settings) == []
    with pytest.raises(OperatorError, match="is not the newest key of seals"):
        await opened_sealer(settings.model_copy(update={"seal_key_file": old}))
    superuser = await asyncpg.connect(settings.database_url)
    assert await superuser.fetchval("SELECT count(*) FROM ledger.seal_key") == 2
    await superuser.close()


@pytest.mark.parametrize("kept", [Kept(1, form=1)], indirect=True)
async def test_the_next_key_of_a_ledger_has_seals_of_the_newest_form(
    store: EventStore, settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    """Those before stay as they are."""
    assert settings.seal_key_file
    assert settings.audit_key_file
    await grow(store, 3)
    monkeypatch.undo()
    await rotate(store.readers, settings.logs, settings.seal_key_file, settings.audit_key_file)
    await grow(store, 3)
    assert await faults(store, settings) == []
    found = await store.readers.rows("SELECT length(seal) FROM ledger.event WHERE seal IS NOT NULL ORDER BY position")
    assert [length for (length,) in found] == [96, 104]


async def test_events_that_nothing_seals_are_not_kept_without_bound(
    store: EventStore, settings: Settings, kept: Kept, monkeypatch: pytest.MonkeyPatch
):
    """By keys of the first form hashes alone are, so their appends may be of any length."""
    monkeypatch.setattr(seal_check, "APPEND_EVENTS_MAX", 3)
    await grow(store, 7)
    assert bool(await faults(store, settings)) == (kept.form > 1)
    await as_superuser(settings.database_url, SET_SEAL + "NULL")
    parts = ["events 1 to 7"] if kept.form == 1 else ["events 1 to 3", "events 4 to 6", "event 7"]
    assert await faults(store, settings) == [f"no seal covers {part}" for part in parts]


NOTE = f"{seals_of('L')}\n1\n{'ab' * 32}\ntime 2026-03-01T00:00:00Z"
NOTES = {
    f"{NOTE}\nafter access 0\nafter 0 7": 1,
    f"{NOTE}\nform 2\nafter access 0\nafter 0 7": 2,
    **dict.fromkeys(
        [
            NOTE, f"{NOTE}\nform 2", f"{NOTE}\nform 1\nafter 0 7", f"{NOTE}\nform 3\nafter 0 7",
            f"{NOTE}\nform 02\nafter 0 7", f"{NOTE}\nform 2\nform 2\nafter 0 7", f"{NOTE}\nafter 0 7\nform 2",
            f"{NOTE}\nform 2 5\nafter 0 7", f"{NOTE}\nform 2\nbefore 0 7", f"{NOTE}\nform 2\nafter 0 -7",
            f"{NOTE}\nform 2\nafter 0 07", f"{NOTE}\nform 2 \nafter 0 7", f"{NOTE}\nform 2\nafter 0 ٧",
            f"{NOTE}\nform 2\nafter 0 7".replace("time", "form"), f"{NOTE}\nform 2\nafter 0 7".replace("ab", "AB"),
            f"{NOTE}\nform 2\nafter 0 7".replace("\n1\n", "\n01\n"),
        ],
        None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("text", NOTES, ids=range(len(NOTES)))
def test_the_ledger_and_its_auditors_read_the_same_notes_of_keys(text: str):
    key = Ed25519PrivateKey.generate()
    try:
        form = SealKey.read(signed(text, seals_of("L"), key), "L", [PublicKey(1, raw(key), "")]).form
    except NotANote:
        form = None
    read = verify_py.SEAL_KEY_FORM.fullmatch(f"{text}\n")
    assert (form, int(read[4] or 1) if read else None) == (NOTES[text], NOTES[text])


async def test_a_process_without_the_key_does_not_start_where_appends_are_sealed(settings: Settings):
    without = settings.model_copy(update={"seal_key_file": None})
    assert await opened_sealer(without) is None
    await opened_sealer(settings)
    with pytest.raises(OperatorError, match="HOURBOOK_SEAL_KEY_FILE"):
        await opened_sealer(without)


async def test_a_process_without_the_key_of_checkpoints_waits_for_who_has_it(settings: Settings):
    waiting = asyncio.create_task(opened_sealer(settings.model_copy(update={"audit_key_file": None})))
    first = await opened_sealer(settings)
    async with asyncio.timeout(60):
        second = await waiting
    assert first
    assert second
    assert first.key_number == second.key_number == 1


async def test_many_that_start_at_once_make_one_key(settings: Settings):
    sealers = await asyncio.gather(*(opened_sealer(settings) for _ in range(5)))
    assert {sealer.key_number for sealer in sealers if sealer} == {1}
    assert settings.seal_key_file
    assert settings.seal_key_file.stat().st_mode & 0o077 == 0


async def test_a_key_that_is_missing_is_one_sentence(settings: Settings):
    await opened_sealer(settings)
    assert settings.seal_key_file
    settings.seal_key_file.unlink()
    with pytest.raises(OperatorError, match=r"The key that seals is missing: .*rotate-seal-key"):
        await opened_sealer(settings)
