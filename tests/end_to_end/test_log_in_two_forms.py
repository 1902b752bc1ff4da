"""A log that began before events had actors goes on with them: audit and exports verify both forms."""

import asyncio
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import asyncpg
import httpx
import orjson
import pytest
from rich.console import Console

from contracts.placement import log_of
from services.access.caller import Caller
from services.auditing.auditor import Audit
from services.auditing.export import Wanted, export, size_of
from services.auditing.handed_out import verify
from services.ledger.app import create_app
from services.ledger.audit.checkpointer import Checkpointer
from services.ledger.clock import SystemClock
from services.ledger.event_store import migrations
from services.ledger.event_store.database import Database
from services.ledger.event_store.known_account import KnownAccount
from services.ledger.event_store.migrations import FUNCTIONS, MIGRATIONS, migrate
from services.ledger.event_store.roles import SIGNER
from services.ledger.settings import terms
from services.ledger.writing.submissions import Submission
from tests.ledger.audit.mutations import REHASH
from tests.ledger.audit.tampering import as_superuser
from tests.ledger.commands import closing_body, opening, purchase
from tests.ledger.event_store.events import append_as_before
from tests.ledger.event_store.test_earlier_databases import PARTITIONS
from tests.ledger.serving import serving

WITHOUT_ACTORS = [file for file in MIGRATIONS if file.name < "0012"]
CHANGED = {"append.sql", "leaf_hash.sql"}
AS_THEY_WERE = PARTITIONS.with_name("functions_before_0012.sql")
ACCOUNTS = ("a", "b", "c")
EVENTS_BEFORE = 2 * len(ACCOUNTS)


async def make_without_actors(database_url: str, logs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the program of migration 0010 made it: neither an actor nor a log of access."""
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "FUNCTIONS", [])
        patch.setattr(migrations, "MIGRATIONS", MIGRATIONS[:5])
        await migrate(database_url)
        connection = await asyncpg.connect(database_url)
        await connection.execute("INSERT INTO ledger.logs (number) VALUES ($1)", logs)
        if logs > 1:
            await connection.execute(PARTITIONS.read_text(encoding="utf-8"))
        await connection.close()
        patch.setattr(migrations, "MIGRATIONS", WITHOUT_ACTORS)
        unchanged = [file for file in FUNCTIONS if file.name not in CHANGED]
        patch.setattr(migrations, "FUNCTIONS", [AS_THEY_WERE, *unchanged])
        await migrate(database_url)


async def record_as_before(database_url: str, logs: int) -> None:
    """Each account is opened and buys hours, by commands of which nobody knows who gave them."""
    now = await SystemClock().now()
    for account_id in ACCOUNTS:
        known = KnownAccount.unopened(account_id)
        for command in (opening(account_id), purchase(account_id)):
            draft = Submission.of(command, f"k {command.command}", "local").decide(known, terms(), now)
            await append_as_before(database_url, log_of(account_id, logs), *draft.events)
            known = draft.after


async def record_today(client: httpx.AsyncClient) -> None:
    for account_id in ACCOUNTS:
        headers = {"Idempotency-Key": "today"}
        answer = await client.post(f"/v1/accounts/{account_id}/tasks/T-1/close", json=closing_body(), headers=headers)
        assert answer.status_code == 201, answer.text


async def signed(client: httpx.AsyncClient, logs: int, events: int) -> None:
    """Wait until checkpoints cover so many events in all."""
    size = 0
    async with asyncio.timeout(60):
        while size < events:
            notes = [await client.get("/v1/audit/checkpoint", params={"log": log}) for log in range(logs)]
            size = sum(size_of(note.text) for note in notes if note.is_success)


async def exported(url: str, output: Path, **wanted: str) -> tuple[int, str]:
    """The exit code of verify.py, and what it said."""
    await asyncio.to_thread(export, Caller(url), output, Wanted(**wanted), Console(file=StringIO()))
    with redirect_stdout(StringIO()) as said:
        code = verify.main([str(output)])
    return code, said.getvalue()


@pytest.mark.parametrize("logs", [1, 3])
async def test_a_log_of_before_actors_goes_on_with_them_and_is_verified(
    database_url: str, logs: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    await make_without_actors(database_url, logs, monkeypatch)
    await record_as_before(database_url, logs)
    await migrate(database_url)  # today's signer reads today's schema
    key_file, verified = tmp_path / "key.pem", tmp_path / "verified.json"
    async with Database.connected(database_url, 2, role=SIGNER) as database:
        for log_id in range(logs):
            await Checkpointer(database, log_id, key_file).catch_up()

    for name in ("NATS_URL", "HOURBOOK_SANDBOX", "HOURBOOK_PROJECTIONS_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("HOURBOOK_LOGS", str(logs))
    monkeypatch.setenv("HOURBOOK_AUDIT_KEY_FILE", str(key_file))
    async with serving(create_app) as url, httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as client:
        await record_today(client)
        await signed(client, logs, EVENTS_BEFORE + len(ACCOUNTS))
        code, said = await exported(url, tmp_path / "export")
        assert code == 0, said
        counted = f"{len(ACCOUNTS)} events with an actor, {EVENTS_BEFORE} of before there were actors"
        assert f"who was entitled: judged by 2 facts of access: {counted}" in said
        code, said = await exported(url, tmp_path / "account", account_id="a")
        assert (code, "1 events with an actor, 2 of before" in said) == (0, True), said
        [line, *_] = (await client.get("/v1/accounts/a/events")).content.splitlines()
        assert "actor" not in orjson.loads(line)

    audit = Audit(database_url, logs, verified, with_projections=False)
    for full in (True, False):
        assert {fault for found in (await audit.run(full=full)).values() for fault in found.faults} == set()
    where = f"WHERE log_id = {log_of('a', logs)} AND account_id = 'a' AND version = 1"
    await as_superuser(database_url, f"UPDATE ledger.event SET actor = 'local' {where}", f"{REHASH} {where}")
    assert (await audit.run(full=True))[log_of("a", logs)].faults
