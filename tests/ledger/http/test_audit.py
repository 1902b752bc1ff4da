"""What auditors and customers are given over HTTP proves itself, without asking anybody."""

import asyncio
from base64 import b64decode
from collections.abc import Callable
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest
from fastapi import FastAPI

from services.ledger.app import create_app
from services.ledger.audit.checkpoints import Checkpoint
from services.ledger.audit.keys import PublicKey
from services.ledger.audit.merkle import entries, full_root, is_consistent, root_from_inclusion
from services.ledger.audit.notes import Note
from services.ledger.event_store.leaf import hash_of
from services.ledger.event_store.stored_event import StoredEvent
from tests.ledger.commands import closing_body

OPENING = {"customer_name": "ООО «Ока»", "contract_number": "7", "contract_date": "2026-01-01"}


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A ledger that signs, of one log, whose positions are spelt out here."""
    return {"HOURBOOK_AUDIT_KEY_FILE": str(tmp_path_factory.mktemp("audit") / "key.pem"), "HOURBOOK_LOGS": "1"}


@pytest.fixture(scope="module")
def application() -> Callable[[], FastAPI]:
    """The whole ledger, the checkpointer with it."""
    return create_app


async def send(client: httpx.AsyncClient, path: str, body: dict[str, Any], key: str | None = None) -> httpx.Response:
    answer = await client.post(path, json=body, headers={"Idempotency-Key": key or uuid4().hex})
    assert answer.status_code == 201, answer.text
    return answer


@pytest.fixture
async def account(client: httpx.AsyncClient) -> str:
    """An account whose events are 1, and 2 to 4 of one purchase that paid two debts."""
    account_id = uuid4().hex
    await send(client, "/v1/accounts", {"account_id": account_id, **OPENING})
    for number in range(2):
        await send(client, f"/v1/accounts/{account_id}/tasks/T-{number}/close", closing_body())
    return account_id


async def purchase(client: httpx.AsyncClient, account_id: str, key: str) -> httpx.Response:
    body = {"package_id": "spring", "plan": "hours-20", "purchased_at": closing_body()["closed_at"]}
    return await send(client, f"/v1/accounts/{account_id}/packages", body, key)


async def checkpoint(client: httpx.AsyncClient, size: int = 1) -> Checkpoint:
    """The newest checkpoint, once it covers so many events, its signature checked by the published keys."""
    async with asyncio.timeout(60):
        while True:
            answer = await client.get("/v1/audit/checkpoint")
            if answer.status_code == 200 and Checkpoint.read(Note.parse(answer.text)).size >= size:
                break
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    keys = (await client.get("/v1/audit/keys")).json()
    return trusted(answer.text, [key["note"] for key in keys["keys"]])


def trusted(note: str, key_notes: list[str]) -> Checkpoint:
    """What a checkpoint says, after its signature and those of the keys have been checked from the first key on."""
    parsed = Note.parse(note)
    said = Checkpoint.read(parsed)
    ledger_id = said.origin.split("/")[1]
    keys = [PublicKey.read(key, ledger_id) for key in key_notes]
    assert all(after.follows(before, ledger_id) for before, after in pairwise(keys))
    assert any(parsed.signed_by(said.origin, key.raw) for key in keys)
    return said


def event_of(line: str) -> StoredEvent:
    """The event of a line, its data the bytes between."""
    read = orjson.loads(line)
    read["fingerprint"] = read["fingerprint"] and bytes.fromhex(read["fingerprint"])
    read["recorded_at"] = datetime.fromisoformat(read["recorded_at"])
    return StoredEvent(**{**read, "data": line.partition('"data":')[2][:-1]})


def unhex(path: list[str]) -> list[bytes]:
    return [bytes.fromhex(each) for each in path]


async def test_a_receipt_proves_by_itself_what_a_command_led_to(client: httpx.AsyncClient, account: str):
    key = f'"{uuid4().hex}"data":'
    bought = await purchase(client, account, key)
    await checkpoint(client, bought.json()["position"])
    by_version = [await client.get(f"/v1/accounts/{account}/receipts/{version}") for version in (4, 5, 6)]
    by_key = await client.get(f"/v1/accounts/{account}/receipts", params={"idempotency_key": key})
    assert {each.content for each in by_version} == {by_key.content}
    receipt = by_key.json()
    assert [orjson.loads(line) for line in receipt["lines"]] == bought.json()["events"]
    said = trusted(receipt["checkpoint"], receipt["keys"])
    for line, proof in zip(receipt["lines"], receipt["proofs"], strict=True):
        event = event_of(line)
        assert event.command_id == key
        leaf = hash_of(receipt["log"], event)
        assert root_from_inclusion(proof["position"] - 1, said.size, leaf, unhex(proof["path"])) == said.root
        assert event.position == proof["position"]


async def test_an_answer_tells_how_far_the_newest_checkpoint_has_come(client: httpx.AsyncClient, account: str):
    said = await checkpoint(client, 3)
    key = uuid4().hex
    first = await purchase(client, account, key)
    async with asyncio.timeout(60):
        while (
            int((again := await purchase(client, account, key)).headers.get("Hourbook-Checkpoint-Size", 0)) < said.size
        ):
            pass
    assert again.content == first.content
    body = {"command": "CloseTask", "account_id": account, "task_id": "T-9", "idempotency_key": key + "9"}
    line = (await client.post("/v1/commands", json=body | closing_body())).json()
    assert (line["status"], line["checkpoint_size"] >= said.size) == (201, True)


async def test_proofs_of_inclusion_and_consistency(client: httpx.AsyncClient, account: str):
    lines = (await client.get("/v1/log")).text.splitlines()
    new = await checkpoint(client, len(lines))
    for position in (1, len(lines) // 2, len(lines)):
        asked = {"position": position, "size": new.size}
        proof = (await client.get("/v1/audit/proof/inclusion", params=asked)).json()
        leaf = hash_of(0, event_of(lines[position - 1]))
        assert root_from_inclusion(position - 1, new.size, leaf, unhex(proof["path"])) == new.root
    stored = [orjson.loads(line) for line in (await client.get("/v1/audit/checkpoints")).content.splitlines()]
    assert stored[-1]["size"] == new.size
    for each in stored:
        old = Checkpoint.read(Note.parse(each["note"]))
        asked = {"from": each["size"], "to": new.size}
        proof = (await client.get("/v1/audit/proof/consistency", params=asked)).json()
        assert is_consistent(old.size, new.size, old.root, new.root, unhex(proof["path"]))
    after = await client.get("/v1/audit/checkpoints", params={"after": stored[0]["size"], "limit": 1})
    assert [orjson.loads(line) for line in after.content.splitlines()] == stored[1:2]


async def test_a_tile_has_the_hashes_of_the_log(client: httpx.AsyncClient, account: str):
    lines = (await client.get("/v1/log")).text.splitlines()[:2]
    await checkpoint(client, 2)
    tile = await client.get("/v1/audit/tile/0/000.p/2")
    assert entries(tile.content) == [hash_of(0, event_of(line)) for line in lines]
    proof = (await client.get("/v1/audit/proof/inclusion", params={"position": 1, "size": 2})).json()
    assert unhex(proof["path"]) == [full_root(entries(tile.content)[1:])]


@pytest.mark.parametrize(
    ("path", "status", "slug"),
    [
        ("tile/0/000", 404, "not-found"),
        ("tile/9/x001/x234/067", 404, "not-found"),
        ("tile/0/1", 422, "invalid-request"),
        ("tile/0/000.p/0", 404, "not-found"),
        ("tile/0/000.p/1?log=1", 404, "not-found"),
        ("checkpoint?log=1", 404, "not-found"),
        ("checkpoints?limit=0", 422, "invalid-request"),
        ("keys?x=1", 422, "invalid-request"),
        ("proof/inclusion?position=1&size=999999", 422, "invalid-request"),
        ("proof/inclusion?position=0&size=1", 422, "invalid-request"),
        ("proof/inclusion?size=1", 422, "invalid-request"),
        ("proof/consistency?from=3&to=2", 422, "invalid-request"),
        ("proof/consistency?from=0&to=2", 422, "invalid-request"),
    ],
)
async def test_what_is_not_there_is_said(client: httpx.AsyncClient, account: str, path: str, status: int, slug: str):
    await checkpoint(client, 3)
    answer = await client.get(f"/v1/audit/{path}")
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:hourbook:problem:{slug}")


@pytest.mark.parametrize(
    ("path", "slug"),
    [
        ("receipts/99", "account-not-found"),
        ("receipts?idempotency_key=nobody's", "not-found"),
        ("receipts/0", "invalid-request"),
        ("receipts", "invalid-request"),
    ],
)
async def test_there_is_no_receipt_of_what_was_not_recorded(
    client: httpx.AsyncClient, account: str, path: str, slug: str
):
    answer = await client.get(f"/v1/accounts/{account}/{path}")
    assert answer.json()["type"] == f"urn:hourbook:problem:{slug}"


async def test_a_key_of_another_account_has_no_receipt_here(client: httpx.AsyncClient, account: str):
    other, key = uuid4().hex, uuid4().hex
    await send(client, "/v1/accounts", {"account_id": other, **OPENING}, key)
    answer = await client.get(f"/v1/accounts/{account}/receipts", params={"idempotency_key": key})
    assert answer.status_code == 404


async def test_the_public_keys_are_told(client: httpx.AsyncClient, account: str):
    await checkpoint(client, 1)
    told = (await client.get("/v1/audit/keys")).json()
    (key,) = told["keys"]
    read = PublicKey.read(key["note"], told["ledger_id"])
    assert (read.number, read.raw) == (key["number"], b64decode(key["public_key"])) == (1, read.raw)


async def test_metrics_and_health_know_of_checkpoints(client: httpx.AsyncClient, account: str, environment):
    await checkpoint(client, 1)
    async with asyncio.timeout(60):
        while 'hourbook_audit_checkpoint_size{log="0"}' not in (await client.get("/metrics")).text:
            pass
    assert (await client.get("/health/ready")).status_code == 200
    assert Path(environment["HOURBOOK_AUDIT_KEY_FILE"]).stat().st_mode & 0o077 == 0
