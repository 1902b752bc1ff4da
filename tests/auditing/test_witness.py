"""Another company's witness cosigns what follows from what it has cosigned before, and nothing else."""

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from services.auditing.witness import Witness, application
from services.ledger.audit import witnesses as witnessing
from services.ledger.audit.checkpointer import Checkpointer
from services.ledger.audit.cosignatures import VerifierKey
from services.ledger.audit.keys import PublicKey, published
from services.ledger.audit.notes import NotANote
from services.ledger.audit.tree import StoredCheckpoint, StoredTree
from services.ledger.audit.watch import AuditWatch
from services.ledger.audit.witnesses import Cosigner, cosigners, keep_cosigned
from services.ledger.event_store.identity import ledger_id_of
from services.ledger.event_store.migrations import migrate
from services.ledger.event_store.store import EventStore
from services.process.operator_error import OperatorError
from services.process.stopping import end
from tests.ledger.audit.tampering import as_superuser
from tests.ledger.audit.test_checkpointer import another_machine, grow
from tests.ledger.roles import EVERY
from tests.ledger.serving import serving

NAME = "witness.example.org/hours"
FORGET = ("DELETE FROM ledger.checkpoint", "DELETE FROM ledger.tile")

Submit = Callable[[int, StoredCheckpoint], Awaitable[httpx.Response]]


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[EventStore]:
    await migrate(database_url)
    async with EventStore.connected(database_url, role=EVERY) as opened:
        yield opened


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return tmp_path / "audit" / "key.pem"


async def signed(store: EventStore, key_file: Path, *, events: int) -> StoredCheckpoint:
    """The checkpoint after so many events more."""
    key_file.parent.mkdir(exist_ok=True)
    if events:
        await grow(store, events)
    await Checkpointer(store.readers, 0, key_file).catch_up()
    latest = await StoredTree(store.readers, 0).latest()
    assert latest
    return latest


@pytest.fixture
async def witness(store: EventStore, key_file: Path, tmp_path: Path) -> Witness:
    """Of a ledger that has signed two events."""
    await signed(store, key_file, events=2)
    ledger_id = await ledger_id_of(store.readers)
    keys = [PublicKey.read(note, ledger_id) for _, note in await published(store.readers)]
    file = tmp_path / "keys.json"
    document = {"ledger_id": ledger_id, "keys": [{"public_key": b64encode(key.raw).decode()} for key in keys]}
    file.write_text(json.dumps(document), encoding="utf-8")
    (tmp_path / "witness").mkdir()
    return Witness.in_folder(tmp_path / "witness", NAME, [file])


@pytest.fixture
async def submit(store: EventStore, witness: Witness) -> AsyncIterator[Submit]:
    """What a log sends of a checkpoint, from a size on that it believes the witness to have."""
    tree = StoredTree(store.readers, 0)
    transport = httpx.ASGITransport(application(witness))
    async with httpx.AsyncClient(transport=transport, base_url="http://witness") as client:

        async def sent(old: int, checkpoint: StoredCheckpoint) -> httpx.Response:
            proof = await tree.consistency(old, checkpoint.size) if 0 < old < checkpoint.size else []
            lines = "".join(f"{b64encode(hash_).decode()}\n" for hash_ in proof)
            return await client.post("/add-checkpoint", content=f"old {old}\n{lines}\n{checkpoint.note}".encode())

        yield sent


async def test_a_checkpoint_that_follows_is_cosigned_and_remembered_by_the_next_process(
    store: EventStore, key_file: Path, witness: Witness, submit: Submit, tmp_path: Path
):
    first = await StoredTree(store.readers, 0).latest()
    assert first
    assert witness.verifier_key.line_in(first.note, (await submit(0, first)).text)
    second = await signed(store, key_file, events=300)
    answer = await submit(first.size, second)
    line = witness.verifier_key.line_in(second.note, answer.text)
    assert line == answer.text
    assert witness.verifier_key.line_in(first.note, answer.text) is None
    assert (await submit(second.size, second)).status_code == 200
    again = Witness.in_folder(tmp_path / "witness", NAME, [tmp_path / "keys.json"])
    assert again.verifier_key == witness.verifier_key
    async with httpx.AsyncClient(transport=httpx.ASGITransport(application(again)), base_url="http://w") as client:
        answer = await client.post("/add-checkpoint", content=f"old 0\n\n{second.note}".encode())
        assert (answer.status_code, answer.text) == (409, "302\n")
        assert answer.headers["content-type"].startswith("text/x.tlog.size")


async def test_another_past_is_not_cosigned_though_the_ledger_s_own_key_signs_it(
    store: EventStore, key_file: Path, submit: Submit, database_url: str
):
    first = await StoredTree(store.readers, 0).latest()
    assert first
    assert (await submit(0, first)).status_code == 200
    await as_superuser(database_url, "UPDATE ledger.event SET hash = sha256(hash) WHERE position = 1", *FORGET)
    forged = await signed(store, another_machine(key_file), events=0)
    assert (await submit(2, forged)).status_code == 409
    longer = await signed(store, another_machine(key_file, 1), events=3)
    assert (await submit(2, longer)).status_code == 422


async def test_what_is_not_of_a_ledger_that_it_witnesses_is_refused(
    store: EventStore, key_file: Path, witness: Witness, submit: Submit
):
    latest = await StoredTree(store.readers, 0).latest()
    assert latest
    other = latest.note.replace("/log/0", "/log/7")
    assert (await submit(0, latest._replace(note=other))).status_code == 403
    assert (await submit(0, latest._replace(note=latest.note.replace("hourbook/", "elsewhere/")))).status_code == 404
    for malformed in ("nothing", "", latest.note.partition("\n\n")[0]):
        assert (await submit(0, latest._replace(note=malformed))).status_code == 400
    assert (await submit(9, latest)).status_code == 400
    assert not list(witness.folder.glob("log-*.json"))


async def cosigned(store: EventStore, size: int) -> str:
    """The lines below the checkpoint of that size, once there are any."""
    async with asyncio.timeout(60):
        while not (lines := await StoredTree(store.readers, 0).cosignatures(size)):
            await asyncio.sleep(0.01)
    return lines


async def test_a_ledger_has_its_newest_checkpoint_cosigned_whatever_its_database_says_of_the_witness(
    store: EventStore, key_file: Path, witness: Witness, database_url: str
):
    async with serving(lambda: application(witness)) as url:
        working = asyncio.create_task(keep_cosigned(Cosigner(url, witness.verifier_key), store.readers, 0))
        assert witness.verifier_key.name in await cosigned(store, 2)
        await end(working)
        await as_superuser(database_url, "UPDATE ledger.witness SET size = 9000000000000")
        await signed(store, key_file, events=5)
        working = asyncio.create_task(keep_cosigned(Cosigner(url, witness.verifier_key), store.readers, 0))
        assert witness.verifier_key.name in await cosigned(store, 7)
        await end(working)


async def test_a_witness_that_has_cosigned_another_past_is_heard_of(
    store: EventStore, key_file: Path, witness: Witness, submit: Submit, database_url: str, monkeypatch
):
    monkeypatch.setattr(witnessing, "RETRY_SECONDS", 0.01)
    latest = await signed(store, key_file, events=3)
    assert (await submit(0, latest)).status_code == 200
    await as_superuser(database_url, "UPDATE ledger.event SET hash = sha256(hash) WHERE position = 1", *FORGET)
    await signed(store, another_machine(key_file), events=2)
    watch = AuditWatch(store.readers, 1)
    async with serving(lambda: application(witness)) as url, asyncio.timeout(60):
        monkeypatch.setattr(witnessing, "BEHIND_SECONDS_MAX", 0)
        working = asyncio.create_task(keep_cosigned(Cosigner(url, witness.verifier_key), store.readers, 0))
        while f"The witness {NAME} of log 0 is hindered" not in str(watch.hindrances):
            await watch.look()
        await end(working)


def test_cosigners_are_named_in_a_file(tmp_path: Path, witness: Witness):
    file = tmp_path / "cosigners"
    file.write_text(f"# ours\nhttps://w.example/ {witness.verifier_key}\n\n", encoding="utf-8")
    assert list(cosigners(file)) == [Cosigner("https://w.example/", witness.verifier_key)]
    assert list(cosigners(None)) == []
    file.write_text("http://keeper:SECRET@w.example/in key")
    with pytest.raises(OperatorError, match=r"the address http://…@w\.example/in goes over http"):
        list(cosigners(file))
    file.write_text("https://w.example/\n", encoding="utf-8")
    with pytest.raises(OperatorError, match="give a line"):
        list(cosigners(file))
    file.write_text(f"http://w.example/ {witness.verifier_key}\n", encoding="utf-8")
    with pytest.raises(OperatorError, match="use https"):
        list(cosigners(file))
    for wrong in ("w+00000000+AAAA", str(witness.verifier_key).replace(NAME, "other"), "w"):
        with pytest.raises(NotANote):
            VerifierKey.parse(wrong)
