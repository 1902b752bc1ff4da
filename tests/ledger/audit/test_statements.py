"""Checkpoints state how many logs there are and what the price lists say; neither can be changed behind them."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from contracts.placement import ACCESS_LOG
from services.auditing.auditor import Audit
from services.ledger.audit.checkpointer import Checkpointer
from services.ledger.audit.checkpoints import Checkpoint
from services.ledger.audit.cursor import Cursor
from services.ledger.audit.key_files import CannotSign
from services.ledger.audit.notes import NotANote, Note
from services.ledger.audit.statements import Surroundings, terms_hashes
from services.ledger.audit.tree import StoredTree
from services.ledger.audit.verification import verify
from services.ledger.domain.terms import Terms, TermsVersion
from services.ledger.event_store.migrations import migrate
from services.ledger.event_store.store import EventStore
from services.ledger.settings import terms
from tests.ledger.audit.test_checkpointer import grow
from tests.ledger.roles import EVERY

LOGS = 3
FIRST = terms().versions[0]
LATER = FIRST.model_copy(update={"name": "later", "in_force_from": FIRST.in_force_from.replace(year=2040)})
DEARER = FIRST.model_copy(update={"debt_hour_price_kopecks": FIRST.debt_hour_price_kopecks + 1})
MORE, CHANGED, CHANGED_AND_MORE = Terms((FIRST, LATER)), Terms((DEARER,)), Terms((DEARER, LATER))


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[EventStore]:
    await migrate(database_url)
    async with EventStore.connected(database_url, LOGS, role=EVERY) as opened:
        yield opened


def signer(store: EventStore, folder: Path, known: Terms, log_id: int = 0, logs: int = LOGS) -> Checkpointer:
    return Checkpointer(store.readers, log_id, folder / "key.pem", surroundings=Surroundings.of(logs, known))


async def latest(store: EventStore, log_id: int = 0) -> Checkpoint:
    found = await StoredTree(store.readers, log_id).latest()
    assert found
    return Checkpoint.read(Note.parse(found.note))


async def test_a_checkpoint_states_the_logs_that_have_begun_and_the_terms(store: EventStore, tmp_path: Path):
    for log_id in (2, ACCESS_LOG, 0):
        await grow(store, 3, log_id)
        await signer(store, tmp_path, MORE, log_id).catch_up()
    stated = [(await latest(store, log_id)).stated for log_id in (2, ACCESS_LOG, 0)]
    surroundings = Surroundings.of(LOGS, MORE)
    assert stated == [await surroundings.stated(begun) for begun in ([2], [ACCESS_LOG, 2], [ACCESS_LOG, 0, 2])]


@pytest.mark.parametrize(
    ("known", "logs", "why"),
    [(terms(), LOGS, None), (MORE, LOGS, None), (CHANGED, LOGS, "other terms"), (CHANGED_AND_MORE, LOGS, "other terms"),
     (terms(), LOGS + 1, "states 3 logs")],
    ids=["the same", "one more", "changed", "changed, and one more", "another number of logs"],
)  # fmt: skip
async def test_price_lists_and_logs_that_were_signed_stay_and_others_may_follow(
    store: EventStore, tmp_path: Path, known: Terms, logs: int, why: str | None
):
    await grow(store, 3)
    await signer(store, tmp_path, terms()).catch_up()
    await grow(store, 3)
    found, _ = await verify(store.readers, LOGS, Cursor(), full=True, surroundings=Surroundings.of(logs, known))
    if why is None:
        assert found[0].faults == []
        await signer(store, tmp_path, known, logs=logs).catch_up()
        assert (await latest(store)).size == 6
    else:
        assert [why in fault for fault in found[0].faults] == [True]
        with pytest.raises(CannotSign, match=why):
            await signer(store, tmp_path, known, logs=logs).catch_up()


async def test_versions_that_were_signed_cannot_be_taken_back(store: EventStore, tmp_path: Path):
    await grow(store, 3)
    await signer(store, tmp_path, MORE).catch_up()
    with pytest.raises(CannotSign, match="first 2 versions"):
        await signer(store, tmp_path, terms()).catch_up()


async def test_the_audit_holds_the_terms_that_it_is_given_against_what_was_signed(
    store: EventStore, tmp_path: Path, database_url: str
):
    await grow(store, 3)
    await signer(store, tmp_path, CHANGED).catch_up()
    for known, wrong in ((CHANGED, False), (terms(), True)):
        audit = Audit(database_url, LOGS, tmp_path / f"{wrong}.json", with_projections=False, terms=known)
        assert any("other terms" in fault for fault in (await audit.run(full=True))[0].faults) == wrong


async def test_checkpoints_of_before_state_nothing_and_hold(store: EventStore, tmp_path: Path):
    await grow(store, 3)
    await Checkpointer(store.readers, 0, tmp_path / "key.pem").catch_up()
    assert (await latest(store)).stated is None
    await grow(store, 3)
    await signer(store, tmp_path, terms()).catch_up()
    found, _ = await verify(store.readers, LOGS, Cursor(), full=True, surroundings=Surroundings.of(LOGS, terms()))
    assert found[0].faults == []


@pytest.mark.parametrize(
    "further",
    [
        "logs 1", "logs 0\nbegun\nterms 1 HASH", "logs 1\nbegun x\nterms 1 HASH", "logs 1\nbegun\nterms 0 HASH",
        "logs 1\nbegun\nterms 1 AB", "terms 1 HASH\nlogs 1\nbegun", "logs ٣\nbegun\nterms 1 HASH",
        "logs 1\nlogs 1\nbegun\nterms 1 HASH",
    ],
)  # fmt: skip
def test_a_statement_in_another_form_is_refused(further: str):
    text = f"o\n1\n{'A' * 43}=\n{further.replace('HASH', 'a' * 64)}"
    with pytest.raises(NotANote, match="states what cannot be read"):
        Checkpoint.read(Note(text, []))


def test_every_version_is_hashed_with_all_that_it_says():
    numbers = [{name: value + 1} for name, value in FIRST if isinstance(value, int)]
    plan = FIRST.plans["hours-20"].model_copy(update={"price_kopecks": 1})
    others = [
        {"name": "other"},
        {"in_force_from": LATER.in_force_from},
        {"coefficients": {**FIRST.coefficients, "urgent": Decimal(3)}},
        {"plans": {**FIRST.plans, "hours-20": plan}},
    ]
    changed = [Terms((FIRST.model_copy(update=change),)) for change in (*numbers, *others)]
    assert {*(name for change in (*numbers, *others) for name in change)} == {*TermsVersion.model_fields}
    assert len({terms_hashes(each) for each in (terms(), *changed)}) == len(changed) + 1
