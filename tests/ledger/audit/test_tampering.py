"""Whatever the owner of the database changes, the verification finds; an untouched log it never accuses.

The suite tries each kind of tampering a few times; `make campaign` thousands of times, new ones on every run.
"""

import os
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from shutil import copyfile
from typing import Any

import asyncpg
import pytest

from services.ledger.audit import keys
from services.ledger.audit.checkpointer import Checkpointer
from services.ledger.audit.checkpoints import Checkpoint
from services.ledger.audit.cursor import Cursor, Verified
from services.ledger.audit.key_files import CannotSign
from services.ledger.audit.notes import Note
from services.ledger.audit.verification import verify
from services.ledger.event_store.database import Database
from services.ledger.event_store.migrations import migrate
from services.ledger.event_store.store import EventStore
from services.process.operator_error import OperatorError
from tests.ledger.audit.mutations import CUT_OFF, KINDS, REHASH
from tests.ledger.event_store.events import event
from tests.ledger.roles import EVERY

CAMPAIGN = os.environ.get("HYPOTHESIS_PROFILE") == "campaign"
TIMES = 120 if CAMPAIGN else 2
RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID")  # the same in each process of a run, another in each run
CHANCE = random.Random(RUN if CAMPAIGN else 5)
SEEDS = [CHANCE.randrange(10**9) for _ in range(TIMES)]

# A log of more than one tile: 300 events with checkpoints, verified; 40 more, with a checkpoint; 3 that have none yet.
KNOWN, COVERED, HEAD = 300, 340, 343
CHECKPOINTS = (1, 100, 256, KNOWN, COVERED)
CONSTRAINTS = {
    "event": ("event_pkey", "event_account_version", "event_position_check", "event_version_check"),
    "audit_key": ("audit_key_pkey",),
}


class Within(Database):
    """The database as it is inside of one transaction, which will be rolled back."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self.connection = connection

    async def rows(self, statement: str, *arguments: Any) -> list[asyncpg.Record]:
        return await self.connection.fetch(statement, *arguments)

    async def value(self, statement: str, *arguments: Any) -> Any:
        return await self.connection.fetchval(statement, *arguments)


@dataclass(frozen=True)
class Signed:
    """A log with checkpoints, and what a verification has kept of it."""

    url: str
    key_file: Path
    cursor: Cursor


async def grow(store: EventStore, until: int) -> None:
    head = await store.head(0)
    data = '{"effective_at":"2026-03-01T12:00:00Z","n":%d}'
    events = [
        event(f"a-{n % 7}", n // 7 + 1, f"k-{n - n % 2}", first=n % 2 == 0, data=data % n) for n in range(head, until)
    ]
    await store.append(0, events, {})


@pytest.fixture(scope="module")
async def signed(file_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Signed:
    key_file = tmp_path_factory.mktemp("audit") / "key.pem"
    await migrate(file_database_url)
    async with EventStore.connected(file_database_url, role=EVERY) as store:
        cursor = Cursor()
        for size in CHECKPOINTS:
            if size == COVERED:
                _, cursor = await verify(store.readers, 1, cursor, full=False)
            await grow(store, size)
            await Checkpointer(store.readers, 0, key_file).catch_up()
        await grow(store, HEAD)
        assert cursor.logs[0].size == KNOWN
    return Signed(file_database_url, key_file, cursor)


@asynccontextmanager
async def tampered(signed: Signed) -> AsyncIterator[Within]:
    """As the superuser, without triggers and constraints; afterwards nothing has happened."""
    connection = await asyncpg.connect(signed.url)
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(f"CREATE TEMP TABLE known ON COMMIT DROP AS SELECT {KNOWN}::bigint AS size")
        for table in ("event", "checkpoint", "audit_key"):
            await connection.execute(f"ALTER TABLE ledger.{table} DISABLE TRIGGER ALL")
            for constraint in CONSTRAINTS.get(table, ()):
                await connection.execute(f"ALTER TABLE ledger.{table} DROP CONSTRAINT {constraint}")
        await connection.execute("DROP INDEX ledger.event_command_of_account")
        yield Within(connection)
    finally:
        await transaction.rollback()
        await connection.close()


async def faults(database: Database, cursor: Cursor, *, full: bool = True) -> list[str]:
    findings, _ = await verify(database, 1, cursor, full=full)
    return findings[0].faults


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", KINDS)
async def test_tampering_is_found(signed: Signed, kind: str, seed: int):
    async with tampered(signed) as database:
        await KINDS[kind](database.connection, random.Random(f"{kind} {seed}"), KNOWN if kind in CUT_OFF else COVERED)
        if kind in CUT_OFF:
            with suppress(CannotSign):  # the ledger goes on, and signs what it finds
                await Checkpointer(database, 0, signed.key_file).catch_up()
        assert await faults(database, signed.cursor), f"{kind} was missed with seed {seed}"


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", KINDS)
async def test_who_hashes_all_anew_and_starts_everything_again_is_found(
    signed: Signed, tmp_path: Path, kind: str, seed: int
):
    """Tree and checkpoints are gone, and what the auditor remembered: the signer's memory is left."""
    for file in signed.key_file.parent.iterdir():
        copyfile(file, tmp_path / file.name)
    async with tampered(signed) as database:
        await KINDS[kind](database.connection, random.Random(f"{kind} {seed}"), KNOWN)
        await database.connection.execute(REHASH)
        await database.connection.execute("DELETE FROM ledger.checkpoint; DELETE FROM ledger.tile")
        try:
            await Checkpointer(database, 0, tmp_path / "key.pem").catch_up()
        except CannotSign:
            return
        assert await faults(database, Cursor()), f"{kind} was missed with seed {seed}"


@pytest.mark.parametrize("full", [True, False])
async def test_an_untouched_log_is_not_accused(signed: Signed, full: bool):
    async with tampered(signed) as database:
        for cursor in (signed.cursor, Cursor()):
            assert await faults(database, cursor, full=full) == []


@pytest.mark.parametrize("kind", [*sorted(CUT_OFF), "delete_a_known_checkpoint"])
async def test_without_looking_back_a_log_that_was_cut_off_is_found(signed: Signed, kind: str):
    for seed in range(3):
        async with tampered(signed) as database:
            await KINDS[kind](database.connection, random.Random(seed), KNOWN)
            assert await faults(database, signed.cursor, full=False)


@pytest.mark.parametrize("column", ["data", "hash", "recorded_at", "version", "fingerprint"])
async def test_without_looking_back_tampering_with_what_is_new_is_found(signed: Signed, column: str):
    statement = {
        "data": "data = '{}'", "hash": "hash = sha256(hash)", "version": "version = version + 1",
        "recorded_at": "recorded_at = recorded_at + interval '1 microsecond'", "fingerprint": "fingerprint = ''",
    }[column]  # fmt: skip
    for position in (KNOWN + 1, COVERED, HEAD):
        async with tampered(signed) as database:
            await database.connection.execute(f"UPDATE ledger.event SET {statement} WHERE position = {position}")
            assert await faults(database, signed.cursor, full=False)


async def test_a_verification_goes_on_where_the_last_one_ended(signed: Signed, tmp_path: Path):
    async with tampered(signed) as database:
        signed.cursor.save(tmp_path / "cursor.json")
        loaded = Cursor.load(tmp_path / "cursor.json")
        assert loaded == signed.cursor
        findings, cursor = await verify(database, 1, loaded, full=False)
        assert (findings[0].events, findings[0].size, cursor.logs[0].size) == (HEAD - KNOWN, COVERED, COVERED)
        findings, again = await verify(database, 1, cursor, full=False)
        assert (findings[0].events, again) == (HEAD - COVERED, cursor)
        findings, whole = await verify(database, 1, cursor, full=True)
        assert (findings[0].events, whole) == (HEAD, cursor)


async def test_where_there_are_faults_the_cursor_stays(signed: Signed):
    async with tampered(signed) as database:
        await database.connection.execute("UPDATE ledger.event SET data = '{}' WHERE position = 320")
        _, cursor = await verify(database, 1, signed.cursor, full=False)
    assert cursor == signed.cursor


async def test_a_rotated_key_accuses_nobody_and_a_retired_one_signs_nothing_new(signed: Signed, tmp_path: Path):
    async with tampered(signed) as database:
        key_file = tmp_path / "key.pem"
        key_file.write_bytes(signed.key_file.read_bytes())
        old = await keys.signing_key(database, key_file)
        await keys.rotate(database, key_file)
        await Checkpointer(database, 0, key_file).catch_up()
        assert await faults(database, signed.cursor) == []
        new = await keys.signing_key(database, key_file)
        for size, key in ((COVERED, new), (HEAD, old)):
            note = await database.value("SELECT note FROM ledger.checkpoint WHERE size = $1", size)
            again = Checkpoint.read(Note.parse(note)).sign(key.private, datetime.now(UTC))
            await database.value("UPDATE ledger.checkpoint SET note = $2 WHERE size = $1", size, again)
        assert await faults(database, signed.cursor) == [f"the checkpoint of size {HEAD} is signed by a retired key"]


async def test_a_key_that_was_lost_is_to_be_heard_of_from_the_operator(signed: Signed, tmp_path: Path):
    async with tampered(signed) as database:
        await keys.rotate(database, tmp_path / "key.pem", lost=True)
        (fault,) = await faults(database, signed.cursor)
        assert "key 2 is not signed by key 1" in fault


def test_a_cursor_that_cannot_be_read_is_not_taken_for_none(tmp_path: Path):
    (tmp_path / "cursor.json").write_text('{"logs": 3}', encoding="utf-8")
    with pytest.raises(OperatorError, match=r"cursor\.json"):
        Cursor.load(tmp_path / "cursor.json")
    assert Cursor.load(tmp_path / "nothing") == Cursor()
    assert Verified().size == 0
