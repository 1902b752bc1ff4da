"""Of a ledger with its door closed, verify.py judges every event from the export alone, and accuses nobody."""

import asyncio
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from rich.console import Console

from contracts.access import KeyRequest, Role
from services.access.caller import Caller
from services.access.principals import SYSTEM
from services.auditing.export import Wanted, export, size_of
from services.auditing.handed_out import verify
from services.ledger.access.keys import Keys
from services.ledger.app import create_app
from services.ledger.running import running_ledger
from services.ledger.settings import Settings
from tests.ledger.commands import closing_body
from tests.ledger.http.test_access import OPEN, bearer


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return {
        "HOURBOOK_ACCESS": "closed",
        "HOURBOOK_AUDIT_KEY_FILE": str(tmp_path_factory.mktemp("audit") / "key.pem"),
        "HOURBOOK_LOGS": "1",
    }


@pytest.fixture(scope="module")
def application() -> Callable[[], FastAPI]:
    """The whole ledger, the checkpointer with it."""
    return create_app


async def test_nobody_is_accused_who_came_in_by_the_door(
    client: httpx.AsyncClient, url: str, file_database_url: str, tmp_path: Path
):
    async with running_ledger(Settings(database_url=file_database_url)) as ledger:
        owner = await Keys(ledger.access, SYSTEM["operator"]).make(KeyRequest(name="owner", roles=frozenset(Role)))
    ways = {
        "finance": ("/v1/accounts", OPEN),
        "recorder": ("/v1/accounts/oka/tasks/T-1/close", closing_body()),
    }
    async with asyncio.timeout(60):
        while (await client.get("/v1/me", headers=bearer(owner.credential))).status_code != 200:
            await asyncio.sleep(0.05)
    for role, (path, body) in ways.items():
        request = {"name": role, "roles": [role], **({"accounts": ["oka"]} if role == "recorder" else {})}
        made = (await client.post("/v1/access/keys", json=request, headers=bearer(owner.credential))).json()
        headers = bearer(made["credential"]) | {"Idempotency-Key": uuid4().hex}
        assert (await client.post(path, json=body, headers=headers)).status_code == 201
        revocation = f"/v1/access/keys/{made['key_id']}/revocation"
        answer = await client.post(revocation, json={"reason": "left"}, headers=bearer(owner.credential))
        assert answer.status_code == 201
    size = 0
    async with asyncio.timeout(60):
        while size < 2:
            note = await client.get("/v1/audit/checkpoint", headers=bearer(owner.credential))
            size = size_of(note.text) if note.is_success else 0
    key_file = tmp_path / "owner.key"
    key_file.write_text(owner.credential, encoding="ascii")
    await asyncio.to_thread(export, Caller(url, key_file), tmp_path / "export", Wanted(), Console(file=StringIO()))
    with redirect_stdout(StringIO()) as said:
        code = verify.main([str(tmp_path / "export")])
    assert code == 0, said.getvalue()
    assert "judged by 7 facts of access: 2 events with an actor" in said.getvalue()
    assert "3 names shown" in said.getvalue()
