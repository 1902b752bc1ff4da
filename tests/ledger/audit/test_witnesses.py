"""Witnesses are told every checkpoint, in order; one that is away stops nobody, and hears later what it missed."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.ledger.audit import witnesses as witnessing
from services.ledger.audit.checkpointer import Checkpointer
from services.ledger.audit.tree import StoredTree
from services.ledger.audit.watch import AuditWatch
from services.ledger.audit.witnesses import FileWitness, HttpWitness, Witness, keep_delivering, witnesses
from services.ledger.event_store.store import EventStore
from services.ledger.settings import Settings
from services.process.outside import NotAsked
from tests.ledger.audit.tampering import as_superuser
from tests.ledger.event_store.events import event
from tests.ledger.serving import serving


@dataclass
class Outside:
    """Somebody else's server."""

    url: str = ""
    away: bool = False
    kept: dict[tuple[str, str, str | None, str], None] = field(default_factory=dict)
    """In order; the last one is told twice where the telling was interrupted before that was noted."""
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def keep(self, request: Request) -> Response:
        self.asked.set()
        if request.url.path.startswith("/redirect/"):
            status = int(request.url.path.removeprefix("/redirect/"))
            return Response(status_code=status, headers={"Location": f"{self.url}/in"})
        if self.away:
            return Response(status_code=503)
        body = (await request.body()).decode()
        self.kept[request.method, request.url.path, request.headers.get("authorization"), body] = None
        return Response(status_code=201)


@pytest.fixture
async def outside() -> AsyncIterator[Outside]:
    made = Outside()
    routes = [Route("/{path:path}", made.keep, methods=["PUT", "POST"])]
    async with serving(lambda: Starlette(routes=routes)) as made.url:
        yield made


@asynccontextmanager
async def telling(witness: Witness, store: EventStore, folder: Path) -> AsyncIterator[None]:
    task = asyncio.create_task(keep_delivering(witness, store.readers, 0, folder))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def checkpoints(store: EventStore, tmp_path: Path, *sizes: int) -> list[str]:
    """The log grows to these sizes, with a checkpoint at each; their notes."""
    checkpointer = Checkpointer(store.readers, 0, tmp_path / "key.pem")
    for size in sizes:
        head = await store.head(0)
        await store.append(0, [event(f"a-{n}", 1, f"k-{n}") for n in range(head, size)], {})
        await checkpointer.catch_up()
    return [note for _, note in await StoredTree(store.readers, 0).page(0, 100)]


@pytest.mark.parametrize(("method", "paths"), [("POST", ["/in"] * 3), ("PUT", ["/in/0/1", "/in/0/2", "/in/0/5"])])
async def test_a_server_that_was_away_hears_every_checkpoint_once_it_is_back(
    store: EventStore, tmp_path: Path, outside: Outside, monkeypatch, caplog, method: str, paths: list[str]
):
    monkeypatch.setattr(witnessing, "RETRY_SECONDS", 0.01)
    outside.away = True
    witness = HttpWitness(method, f"{outside.url}/in", "Bearer secret")
    async with asyncio.timeout(60), telling(witness, store, tmp_path):
        first = await checkpoints(store, tmp_path, 1, 2)
        await outside.asked.wait()
        outside.away = False
        while len(outside.kept) < len(first):
            await asyncio.sleep(0)
    notes = await checkpoints(store, tmp_path, 5)
    async with asyncio.timeout(60), telling(witness, store, tmp_path):
        while len(outside.kept) < len(notes):
            await asyncio.sleep(0)
    assert list(outside.kept) == [
        (method, path, "Bearer secret", note) for path, note in zip(paths, notes, strict=True)
    ]
    assert [record.levelno for record in caplog.records if "witness" in record.message] == [logging.WARNING]


async def test_a_file_gets_one_note_after_another(store: EventStore, tmp_path: Path):
    file = tmp_path / "witness.txt"
    notes = await checkpoints(store, tmp_path, 1, 3)
    async with asyncio.timeout(60), telling(FileWitness(file), store, tmp_path):
        while not file.exists() or file.read_text(encoding="utf-8") != "".join(f"{note}\n" for note in notes):
            await asyncio.sleep(0)


async def test_after_a_restore_every_checkpoint_of_the_new_epoch_is_delivered(
    store: EventStore, tmp_path: Path, database_url: str
):
    """Its sizes begin below what was delivered before; what is left of that is not delivered again."""
    file, name = tmp_path / "notes.txt", "hourbook/x/log/0"
    kept = [(20, name), (40, name)]
    lost = [(60, name), (80, name)]
    since = [(50, f"{name}/epoch/2"), (70, f"{name}/epoch/2")]
    for signed, forget in ((kept + lost, ""), (since, "DELETE FROM ledger.checkpoint WHERE size > 40")):
        rows = ", ".join(f"(0, {size}, '{origin}\n{size}\n')" for size, origin in signed)
        await as_superuser(database_url, *filter(None, [forget]), f"INSERT INTO ledger.checkpoint VALUES {rows}")
        async with asyncio.timeout(60), telling(FileWitness(file), store, tmp_path):
            while not file.exists() or str(signed[-1][0]) not in file.read_text():
                await asyncio.sleep(0.01)
    sizes = [int(line) for line in file.read_text().splitlines() if line.isdecimal()]
    assert sizes == [20, 40, 60, 80, 50, 70]


@pytest.mark.parametrize("started_before", [True, False])
async def test_a_witness_cannot_be_silenced_in_the_database(
    store: EventStore, tmp_path: Path, database_url: str, started_before: bool
):
    """Nor by what an earlier version has written there: it counts only as far as the log has been signed."""
    file = tmp_path / "notes.txt"
    first = await checkpoints(store, tmp_path, 1)
    if started_before:
        async with asyncio.timeout(60), telling(FileWitness(file), store, tmp_path):
            while not list(tmp_path.glob("witness-*.txt")):
                await asyncio.sleep(0)
    await as_superuser(
        database_url,
        f"INSERT INTO ledger.witness VALUES (0, 'file {file}', 1) ON CONFLICT DO NOTHING",
        "UPDATE ledger.witness SET size = 9000000000000",
    )
    notes = await checkpoints(store, tmp_path, 3)
    async with asyncio.timeout(60), telling(FileWitness(file), store, tmp_path):
        while not file.exists() or not file.read_text(encoding="utf-8").endswith(f"{notes[-1]}\n"):
            await asyncio.sleep(0)
    assert file.read_text(encoding="utf-8") == "".join(f"{note}\n" for note in [*first, *notes[1:]])


async def test_a_witness_that_falls_behind_is_heard_of_until_it_is_back(
    store: EventStore, tmp_path: Path, outside: Outside, monkeypatch
):
    monkeypatch.setattr(witnessing, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(witnessing, "BEHIND_SECONDS_MAX", 0.0)
    outside.away = True
    await checkpoints(store, tmp_path, 1)
    watch = AuditWatch(store.readers, 1)
    async with asyncio.timeout(60), telling(HttpWitness("POST", outside.url, None), store, tmp_path):
        while "it falls behind" not in str(watch.hindrances):
            await watch.look()
        outside.away = False
        while watch.hindrances:
            await watch.look()


@pytest.mark.parametrize(
    "witness", [HttpWitness("POST", "https://10.0.0.1/", None), HttpWitness("PUT", "https://[fd00::1]/", None)]
)
async def test_a_witness_in_a_private_network_is_not_asked(store: EventStore, tmp_path: Path, witness: HttpWitness):
    await checkpoints(store, tmp_path, 1)
    (checkpoint,) = await StoredTree(store.readers, 0).page(0, 1)
    with pytest.raises(NotAsked):
        await witness.keep(0, checkpoint)


@pytest.mark.parametrize("status", [302, 307])
async def test_a_witness_that_sends_elsewhere_has_taken_nothing(
    store: EventStore, tmp_path: Path, outside: Outside, status: int
):
    await checkpoints(store, tmp_path, 1)
    (checkpoint,) = await StoredTree(store.readers, 0).page(0, 1)
    with pytest.raises(httpx.HTTPStatusError):
        await HttpWitness("POST", f"{outside.url}/redirect/{status}", "Bearer secret").keep(0, checkpoint)
    assert not outside.kept


async def test_no_secret_of_an_address_is_in_a_log_or_in_health(
    store: EventStore,
    tmp_path: Path,
    outside: Outside,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    monkeypatch.setattr(witnessing, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(witnessing, "BEHIND_SECONDS_MAX", 0.0)
    outside.away = True
    await checkpoints(store, tmp_path, 1)
    watch = AuditWatch(store.readers, 1)
    url = f"{outside.url.replace('//', '//keeper:SECRET@')}/in?signature=SECRET"
    async with asyncio.timeout(60), telling(HttpWitness("POST", url, "Bearer SECRET"), store, tmp_path):
        while "it falls behind" not in str(watch.hindrances):
            await watch.look()
    assert "503" in str(watch.hindrances)
    assert "SECRET" not in f"{watch.hindrances} {caplog.text}"


def test_the_operator_names_them(tmp_path: Path):
    named = Settings(
        database_url="postgresql://ledger",
        witness_file=tmp_path / "w",
        witness_put_url="https://p",
        witness_post_url="https://w",
        witness_authorization="a",
    )
    assert list(witnesses(named)) == [
        FileWitness(tmp_path / "w"),
        HttpWitness("PUT", "https://p", "a"),
        HttpWitness("POST", "https://w", "a"),
    ]
    assert list(witnesses(Settings(database_url="postgresql://ledger"))) == []
