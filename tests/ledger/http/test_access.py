"""Keys over HTTP, behind a closed door: made, used, rotated and revoked, in every process, and never with more."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import orjson
import pytest

from contracts.access import KeyRequest, Role
from services.access.keys import Credential
from services.access.principals import LOCAL
from services.ledger.access.keys import Keys
from services.ledger.app import create_api
from services.ledger.running import running_ledger
from services.ledger.settings import Settings
from tests.ledger.serving import serving

OPEN = {"account_id": "oka", "customer_name": "ООО «Ока»", "contract_number": "7", "contract_date": "2026-01-01"}


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    return {"HOURBOOK_ACCESS": "closed"}


@pytest.fixture(scope="module")
async def owner(file_database_url: str) -> str:
    """A key that may everything, made by who owns the server."""
    async with running_ledger(Settings(database_url=file_database_url)) as ledger:
        everything = KeyRequest(name="owner", roles=frozenset(Role))
        return (await Keys(ledger.access, LOCAL).make(everything)).credential


@pytest.fixture
async def admin(owner: str, client: httpx.AsyncClient) -> AsyncIterator[httpx.AsyncClient]:
    """The service, spoken to with the owner's key."""
    await becomes(client, owner, 200)
    headers = bearer(owner)
    async with httpx.AsyncClient(base_url=client.base_url, trust_env=False, timeout=60, headers=headers) as opened:
        yield opened


@pytest.fixture
async def other_process(client: httpx.AsyncClient) -> AsyncIterator[httpx.AsyncClient]:
    """A second process on the same database; after `client`, whose environment it shares."""
    async with (
        serving(create_api) as url,
        httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as opened,
    ):
        yield opened


def bearer(credential: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {credential}"}


async def made(admin: httpx.AsyncClient, *roles: str, **given: object) -> dict[str, str]:
    answer = await admin.post("/v1/access/keys", json={"name": "CRM", "roles": roles, **given})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def status(client: httpx.AsyncClient, credential: str) -> int:
    return (await client.get("/v1/me", headers=bearer(credential))).status_code


async def becomes(client: httpx.AsyncClient, credential: str, wanted: int) -> None:
    """Comes when a process answers this credential so."""
    while await status(client, credential) != wanted:
        await asyncio.sleep(0.02)


async def test_without_a_key_nobody_comes_in(client: httpx.AsyncClient, owner: str):
    assert (await client.get("/v1/me")).status_code == 401
    assert (await client.get("/health/live")).status_code == 200


async def test_a_key_says_who_it_is_and_is_shown_once(admin: httpx.AsyncClient, client: httpx.AsyncClient):
    key = await made(admin, "recorder", accounts=["oka"])
    me = (await client.get("/v1/me", headers=bearer(key["credential"]))).json()
    assert (me["principal"], me["kind"], me["name"]) == (f"key-{key['key_id']}", "key", "CRM")
    assert (me["roles"], me["accounts"]) == (["recorder"], ["oka"])
    listed = (await admin.get("/v1/access/keys")).text
    assert key["key_id"] in listed
    assert Credential.parse(key["credential"]).secret not in listed


async def test_a_key_works_in_every_process_and_ends_in_every_process(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, other_process: httpx.AsyncClient
):
    key = await made(admin, "reader")
    await becomes(other_process, key["credential"], 200)
    revoked = await admin.post(f"/v1/access/keys/{key['key_id']}/revocation", json={"reason": "lost"})
    assert revoked.json()["revoked_at"]
    assert await status(client, key["credential"]) == 401
    await becomes(other_process, key["credential"], 401)


async def test_a_rotated_key_has_two_secrets_for_a_while(admin: httpx.AsyncClient, client: httpx.AsyncClient):
    first = await made(admin, "reader")
    rotate = f"/v1/access/keys/{first['key_id']}/rotation"
    second = (await admin.post(rotate, json={"overlap_minutes": 60})).json()
    assert [await status(client, each["credential"]) for each in (first, second)] == [200, 200]
    third = (await admin.post(rotate, json={"overlap_minutes": 0})).json()
    assert [await status(client, each["credential"]) for each in (first, second, third)] == [401, 401, 200]


async def test_a_credential_of_the_callers_own_makes_one_key_however_often_it_is_sent(
    admin: httpx.AsyncClient, client: httpx.AsyncClient
):
    own = Credential.make()
    asked = {"name": "CRM", "roles": ["reader"], "credential": str(own)}
    at_once = await asyncio.gather(*(admin.post("/v1/access/keys", json=asked) for _ in range(4)))
    assert [answer.status_code for answer in at_once] == [201] * 4, at_once[0].text
    assert [answer.json() for answer in at_once] == [at_once[0].json()] * 4
    assert at_once[0].json()["credential"] == str(own)
    assert await status(client, str(own)) == 200

    rotation = f"/v1/access/keys/{own.key_id}/rotation"
    next_one = str(Credential.make(own.key_id))
    twice = [
        (await admin.post(rotation, json={"overlap_minutes": 60, "credential": next_one})).json()["credential"]
        for _ in "12"
    ]
    assert twice == [next_one] * 2
    assert [await status(client, each) for each in (str(own), next_one)] == [200, 200]
    types = [fact["type"] for fact in await records_of(admin, f"key-{own.key_id}")]
    assert types == ["KeyMade", "KeyRotated"]


async def test_a_credential_of_another_key_is_refused_and_never_repeated(admin: httpx.AsyncClient):
    own, other = Credential.make(), await made(admin, "reader")
    asked = {"name": "CRM", "roles": ["reader"], "credential": str(own)}
    assert (await admin.post("/v1/access/keys", json=asked)).status_code == 201
    stolen = str(Credential.make(other["key_id"]))
    for path, body in (
        ("/v1/access/keys", asked | {"name": "another"}),
        ("/v1/access/keys", asked | {"roles": ["auditor"]}),
        ("/v1/access/keys", asked | {"credential": stolen}),
        ("/v1/access/keys", asked | {"credential": f"{own}x"}),
        (f"/v1/access/keys/{other['key_id']}/rotation", {"credential": str(own)}),
        (f"/v1/access/keys/{other['key_id']}/rotation", {"credential": "hb1_x"}),
    ):
        refused = await admin.post(path, json=body)
        (field,) = refused.json()["fields"]
        assert (refused.status_code, field["field"].removeprefix("body.")) == (422, "credential"), refused.text
        assert str(body["credential"]) not in refused.text
    assert len(await records_of(admin, f"key-{own.key_id}")) == 1


@pytest.mark.parametrize("ended", ["is revoked", "has ended"])
async def test_a_key_that_does_nothing_any_more_is_given_no_secret_and_ends_once(admin: httpx.AsyncClient, ended: str):
    soon = (datetime.now(UTC) + timedelta(seconds=0 if ended == "has ended" else 3600)).isoformat()
    key = await made(admin, "reader", ends_at=soon)
    address, subject = f"/v1/access/keys/{key['key_id']}", f"key-{key['key_id']}"
    if ended == "is revoked":
        views = [
            (await admin.post(f"{address}/revocation", json={"reason": each})).json() for each in ("lost", "again")
        ]
        assert views[0] == views[1]
    before = await records_of(admin, subject)
    refused = await admin.post(f"{address}/rotation", json={})
    assert (refused.status_code, refused.json()["type"].rpartition(":")[2]) == (409, "key-ended")
    assert refused.json()["detail"] == f"The key {key['key_id']} {ended}. Make another one."
    assert await records_of(admin, subject) == before
    assert [fact["type"] for fact in before] == ["KeyMade", *(["KeyRevoked"] if ended == "is revoked" else [])]


async def test_a_key_cannot_make_see_or_change_more_than_its_own(admin: httpx.AsyncClient, client: httpx.AsyncClient):
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    small = await made(admin, "admin", "reader", ends_at=tomorrow)
    big = await made(admin, "finance")
    mine = bearer(small["credential"])
    for wanted in (
        {"roles": ["finance"]}, {"roles": ["reader", "auditor"]}, {"roles": ["reader"]},
        {"roles": ["reader"], "ends_at": (datetime.now(UTC) + timedelta(days=2)).isoformat()},
    ):  # fmt: skip
        answer = await client.post("/v1/access/keys", json={"name": "more", **wanted}, headers=mine)
        assert (answer.status_code, answer.json()["fields"][0]["field"] in wanted | {"ends_at": 0}) == (422, True)
    assert big["key_id"] not in (await client.get("/v1/access/keys", headers=mine)).text
    for deed, body in (("rotation", {}), ("revocation", {"reason": "mine now"})):
        answer = await client.post(f"/v1/access/keys/{big['key_id']}/{deed}", json=body, headers=mine)
        assert answer.status_code == 404
    assert await status(client, big["credential"]) == 200


async def test_events_say_by_whom_their_command_was_given(admin: httpx.AsyncClient, client: httpx.AsyncClient):
    key = await made(admin, "finance")
    headers = bearer(key["credential"]) | {"Idempotency-Key": "open"}
    answer = await client.post("/v1/accounts", json=OPEN, headers=headers)
    assert [event["actor"] for event in answer.json()["events"]] == [f"key-{key['key_id']}"]
    again = await admin.post("/v1/accounts", json=OPEN, headers={"Idempotency-Key": "open"})
    assert (again.headers["Idempotency-Replayed"], again.text) == ("true", answer.text)


async def test_a_line_of_many_commands_needs_the_right_of_its_command(
    admin: httpx.AsyncClient, client: httpx.AsyncClient
):
    key = await made(admin, "recorder", accounts=["oka"])
    asked = [("SuspendWork", "oka"), ("MarkWarranty", "kama"), ("MarkWarranty", "none"), ("SuspendWork", "kama")]
    lines = [
        {"command": name, "account_id": account, "idempotency_key": str(number), "reason": "r"}
        | ({"task_id": "T"} if name == "MarkWarranty" else {})
        for number, (name, account) in enumerate(asked)
    ]
    headers = bearer(key["credential"]) | {"Content-Type": "application/x-ndjson"}
    answer = await client.post("/v1/commands", content=b"\n".join(map(orjson.dumps, lines)), headers=headers)
    slugs = [line.split('"type":"urn:hourbook:problem:')[1].split('"')[0] for line in answer.text.splitlines()]
    assert slugs == ["not-allowed", "account-not-found", "account-not-found", "not-allowed"]


async def test_decisions_say_why(admin: httpx.AsyncClient):
    key = await made(admin, "recorder", accounts=["oka"])

    async def why(**asked: str) -> tuple[bool, str]:
        found = await admin.get("/v1/access/decisions", params={"principal": f"key-{key['key_id']}", **asked})
        return found.json()["allowed"], found.json()["reason"]

    assert await why(right="tasks", account="oka") == (True, f"key-{key['key_id']} has the right tasks for oka.")
    assert not (await why(right="tasks", account="kama"))[0]
    assert "money" in (await why(right="money", account="oka"))[1]
    await admin.post(f"/v1/access/keys/{key['key_id']}/revocation", json={"reason": "lost"})
    assert "revoked" in (await why(right="tasks", account="oka"))[1]
    unknown = await admin.get("/v1/access/decisions", params={"principal": "key-nobody", "right": "tasks"})
    assert not unknown.json()["allowed"]


async def records_of(admin: httpx.AsyncClient, subject: str) -> list[dict[str, Any]]:
    """What the log of access says about a principal."""
    facts, page = [], b"begin"
    while page:
        after = facts[-1]["position"] if facts else 0
        page = (await admin.get("/v1/access/records", params={"after": after})).content
        facts += map(orjson.loads, page.splitlines())
    return [fact for fact in facts if fact["account_id"] == subject]


async def facts_of(admin: httpx.AsyncClient, subject: str) -> list[tuple[str, object]]:
    """What it says of what a principal has done, each fact about an account."""
    own = [fact for fact in await records_of(admin, subject) if fact["type"] != "KeyMade"]
    assert all(fact["actor"] == subject for fact in own)
    return [(fact["type"], fact["data"]["account_id"]) for fact in own]


async def test_what_an_auditor_reads_of_names_and_events_is_recorded_and_an_erasure_too(
    admin: httpx.AsyncClient, client: httpx.AsyncClient
):
    opened = await admin.post("/v1/accounts", json={**OPEN, "account_id": "volga"}, headers={"Idempotency-Key": "v"})
    assert opened.status_code == 201
    account = "/v1/accounts/volga"
    reads = (f"{account}/personal-data", "/v1/personal-data", "/v1/log", f"{account}/events", "/v1/log?limit=1")
    noted = [("NamesRead", "volga"), ("NamesRead", None), ("ExportMade", None), ("ExportMade", "volga")]
    for roles, expected in (
        (("auditor",), noted), (("auditor", "finance"), noted[2:]), (("auditor", "finance", "follower"), []),
    ):  # fmt: skip
        key = await made(admin, *roles)
        answers = [(await client.get(path, headers=bearer(key["credential"]))).status_code for path in reads]
        assert answers == [200] * len(reads)
        assert (await client.get("/v1/accounts/none/events", headers=bearer(key["credential"]))).status_code == 404
        assert await facts_of(admin, f"key-{key['key_id']}") == expected
    eraser = await made(admin, "admin")
    erased = await client.post(
        f"{account}/personal-data/erasures", json={"reason": "asked for"}, headers=bearer(eraser["credential"])
    )
    assert erased.status_code == 200
    assert await facts_of(admin, f"key-{eraser['key_id']}") == [("NamesErased", "volga")]


async def test_nobody_is_the_customer_of_every_account(admin: httpx.AsyncClient, client: httpx.AsyncClient):
    asked = {"name": "a customer", "roles": ["customer"]}
    refused = await admin.post("/v1/access/keys", json=asked)
    assert (refused.status_code, refused.json()["fields"][0]["field"]) == (422, "accounts")
    mixed = await made(admin, "customer", "recorder")
    names = await client.get("/v1/accounts/oka/personal-data", headers=bearer(mixed["credential"]))
    assert (names.status_code, names.json()["type"]) == (403, "urn:hourbook:problem:not-allowed")


async def test_refusals_are_counted_by_reason_and_right(admin: httpx.AsyncClient, client: httpx.AsyncClient):
    key = await made(admin, "recorder", accounts=["oka"])

    async def counted() -> dict[tuple[str, str], float]:
        text = (await client.get("/metrics")).text
        found = re.findall(r'hourbook_door_refusals_total\{reason="(.+)",right="(.+)"\} (.+)', text)
        return {(reason, right): float(count) for reason, right, count in found}

    before = await counted()
    for credential, path in (
        ("", "/v1/me"),
        (key["credential"], "/v1/log"),
        (key["credential"], "/v1/accounts/kama/events"),
    ):
        await client.get(path, headers=bearer(credential) if credential else {})
    names = await client.get("/v1/accounts/kama/receipts/1", headers=bearer(key["credential"]))
    assert names.status_code == 404
    line = {"command": "SuspendWork", "account_id": "oka", "idempotency_key": "1", "reason": "of a line"}
    ndjson = bearer(key["credential"]) | {"Content-Type": "application/x-ndjson"}
    assert b'"status":403' in (await client.post("/v1/commands", content=orjson.dumps(line), headers=ndjson)).content
    after = await counted()
    grown = {labels: count - before.get(labels, 0) for labels, count in after.items()}
    assert {labels: count for labels, count in grown.items() if count} == {
        ("not-authenticated", "none"): 1, ("not-allowed", "log"): 2, ("account-not-found", "evidence"): 1,
        ("not-allowed", "money"): 1,
    }  # fmt: skip
