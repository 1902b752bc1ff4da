"""Names of people: the log holds commitments, the texts stand apart until they are erased."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import orjson
import pytest

from services.ledger.event_store.commitments import stands_for
from services.process.erasure_journal import entries
from tests.ledger.commands import NOW, closing_body

ANNA, BORIS = "Анна Ивановна <anna@example.com>", "Борис"
OPEN = {"customer_name": "ООО «Ока»", "contract_number": "7", "contract_date": "2026-01-01"}
ENTRIES = [{"start": NOW.isoformat(), "minutes": 10, "performer": name} for name in (BORIS, ANNA, BORIS)]


def key() -> dict[str, str]:
    return {"Idempotency-Key": uuid4().hex}


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("journal") / "erasures.ndjson"


@pytest.fixture(scope="module")
def environment(journal: Path) -> dict[str, str]:
    """Positions are spelt out here."""
    return {"HOURBOOK_LOGS": "1", "HOURBOOK_ERASURES_FILE": str(journal)}


@pytest.fixture
async def account(client: httpx.AsyncClient) -> str:
    """The path of an account of the test's own."""
    account_id = uuid4().hex
    answer = await client.post("/v1/accounts", json=OPEN | {"account_id": account_id}, headers=key())
    assert answer.status_code == 201, answer.text
    return f"/v1/accounts/{account_id}"


@pytest.fixture
async def superuser(file_database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(file_database_url)
    yield connection
    await connection.close()


async def close(client: httpx.AsyncClient, account: str, task_id: str = "T-1", **body: Any) -> dict[str, Any]:
    """What the one event of a closing says."""
    path = f"{account}/tasks/{task_id}/close"
    answer = await client.post(path, json=closing_body(worked=10) | body, headers=key())
    assert answer.status_code == 201, answer.text
    return answer.json()["events"][0]


async def kept(client: httpx.AsyncClient, account: str) -> list[dict[str, Any]]:
    return (await client.get(f"{account}/personal-data")).raise_for_status().json()


async def erase(client: httpx.AsyncClient, account: str, **body: str) -> httpx.Response:
    return await client.post(f"{account}/personal-data/erasures", json={"reason": "отзыв согласия"} | body)


async def test_an_event_holds_commitments_to_texts_that_stand_apart_with_their_salts(
    client: httpx.AsyncClient, account: str
):
    event = await close(client, account, confirmed_by=ANNA, worked_minutes=30, time_entries=ENTRIES)
    recorded = await client.get(f"{account}/events")
    assert orjson.loads(recorded.content.splitlines()[1])["data"] == event["data"]
    assert [name in recorded.text for name in (ANNA, BORIS, "anna@")] == [False] * 3
    texts = {each["commitment"]: each for each in await kept(client, account)}
    by, performers = event["data"]["confirmed_by"], [each["performer"] for each in event["data"]["time_entries"]]
    assert [texts[each]["text"] for each in (by, *performers)] == [ANNA, BORIS, ANNA, BORIS]
    assert len(texts) == 2
    for commitment, each in texts.items():
        assert stands_for(commitment, bytes.fromhex(each["salt"]), each["text"])
        assert each["position"] == event["position"]
        assert len(each["salt"]) == 32


async def test_the_same_name_never_makes_the_same_commitment(client: httpx.AsyncClient, account: str):
    events = [await close(client, account, f"T-{number}", confirmed_by=ANNA) for number in range(3)]
    assert len({event["data"]["confirmed_by"] for event in events}) == 3


async def test_a_closing_that_names_nobody_holds_nothing_in_place_of_a_name(client: httpx.AsyncClient, account: str):
    event = await close(client, account, confirmed_by=None)
    assert (event["data"]["confirmed_by"], await kept(client, account)) == (None, [])


OTHER_PEOPLE = {
    "another confirms": {"confirmed_by": "Вера"},
    "nobody confirms": {"confirmed_by": None},
    "another performs": {"time_entries": [*ENTRIES[:2], ENTRIES[2] | {"performer": "Вера"}]},
    "two changed places": {"time_entries": [ENTRIES[1], ENTRIES[0], ENTRIES[2]]},
}
NAMED = closing_body(worked=30) | {"confirmed_by": ANNA, "time_entries": ENTRIES}


def assert_replayed(answer: httpx.Response, first: httpx.Response) -> None:
    assert (answer.status_code, answer.content) == (201, first.content), answer.text
    assert answer.headers["Idempotency-Replayed"] == "true"


def assert_key_reused(answer: dict[str, Any]) -> None:
    assert (answer["status"], answer["type"]) == (422, "urn:hourbook:problem:idempotency-key-reused")


@pytest.mark.parametrize("people", OTHER_PEOPLE.values(), ids=OTHER_PEOPLE)
async def test_a_key_repeated_with_other_names_is_refused_until_they_are_erased(
    client: httpx.AsyncClient, account: str, people: dict[str, Any]
):
    """Erased names do not count, or an answer would tell whether a guessed name is the one that was erased."""
    path, headers = f"{account}/tasks/T-1/close", key()
    first = await client.post(path, json=NAMED, headers=headers)
    before = await kept(client, account)
    other = NAMED | people
    assert_replayed(await client.post(path, json=NAMED, headers=headers), first)
    assert_key_reused((await client.post(path, json=other, headers=headers)).json())
    dry = await client.post(path, params={"dry_run": True}, json=other, headers=headers)
    assert_key_reused(dry.json())
    account_id = account.rpartition("/")[2]
    line = {"command": "CloseTask", "account_id": account_id, "task_id": "T-1", **other}
    bulk = await client.post(
        "/v1/commands", content=orjson.dumps(line | {"idempotency_key": headers["Idempotency-Key"]})
    )
    assert_key_reused(orjson.loads(bulk.content))
    assert await kept(client, account) == before
    await erase(client, account)
    for body in (NAMED, other):
        assert_replayed(await client.post(path, json=body, headers=headers), first)
    assert_key_reused((await client.post(path, json=NAMED | {"title": "Другая"}, headers=headers)).json())
    assert await kept(client, account) == []


async def test_of_a_repeated_commands_names_only_those_that_are_not_erased_are_compared(
    client: httpx.AsyncClient, account: str
):
    path, headers = f"{account}/tasks/T-1/close", key()
    first = await client.post(path, json=NAMED, headers=headers)
    await erase(client, account, person=ANNA)
    assert_replayed(await client.post(path, json=NAMED | {"confirmed_by": "Вера"}, headers=headers), first)
    others = [entry | {"performer": "Вера"} for entry in ENTRIES]
    assert_key_reused((await client.post(path, json=NAMED | {"time_entries": others}, headers=headers)).json())


async def test_a_key_repeated_with_another_name_in_one_conversation_is_refused(client: httpx.AsyncClient, account: str):
    line = {"command": "CloseTask", "account_id": account.rpartition("/")[2], "task_id": "T-1"}
    line |= {"idempotency_key": uuid4().hex} | NAMED
    lines = [line, line | {"confirmed_by": "Вера"}, line]
    answer = await client.post("/v1/commands", content=b"".join(orjson.dumps(each) + b"\n" for each in lines))
    recorded, other, again = map(orjson.loads, answer.content.splitlines())
    assert (recorded["status"], again["status"], again["replayed"]) == (201, 201, True)
    assert_key_reused(other)


async def test_what_is_refused_or_only_tried_leaves_no_name(
    client: httpx.AsyncClient, account: str, superuser: asyncpg.Connection
):
    everyone = "SELECT count(*) FROM ledger.personal WHERE text = 'Глеб'"
    body = closing_body() | {"confirmed_by": "Глеб"}
    dry = await client.post(f"{account}/tasks/T-1/close", params={"dry_run": True}, json=body, headers=key())
    assert (dry.status_code, "Глеб" in dry.text) == (200, False)
    refused = await client.post(f"{account}/tasks/T-1/close", json=body | {"worked_minutes": 7}, headers=key())
    assert refused.status_code == 422
    assert await superuser.fetchval(everyone) == 0
    await close(client, account, confirmed_by="Глеб")
    assert await superuser.fetchval(everyone) == 1


async def test_one_person_is_erased_from_one_account_and_it_is_noted_without_the_name(
    client: httpx.AsyncClient, account: str, superuser: asyncpg.Connection
):
    other = f"/v1/accounts/{uuid4().hex}"
    await client.post("/v1/accounts", json=OPEN | {"account_id": other.rpartition("/")[2]}, headers=key())
    for path in (account, other):
        await close(client, path, confirmed_by=ANNA, worked_minutes=30, time_entries=ENTRIES)
    annas = [each["commitment"] for each in await kept(client, account) if each["text"] == ANNA]
    assert (await erase(client, account, person=ANNA)).json() == {"account_id": account.rpartition("/")[2], "erased": 1}
    assert (await erase(client, account, person=ANNA)).json()["erased"] == 0
    assert [each["text"] for each in await kept(client, account)] == [BORIS]
    assert len(await kept(client, other)) == 2
    notes = await superuser.fetch("SELECT * FROM ledger.erasure WHERE account_id = $1", account.rpartition("/")[2])
    assert [(note["reason"], note["commitments"]) for note in notes] == [("отзыв согласия", annas)]


async def test_the_log_shows_what_is_not_erased_in_order_and_part_by_part(client: httpx.AsyncClient, account: str):
    positions = [(await close(client, account, f"T-{number}"))["position"] for number in range(3)]
    await erase(client, account)
    positions = [(await close(client, account, f"U-{number}"))["position"] for number in range(3)]
    shown = await client.get("/v1/personal-data", params={"after": positions[0] - 1, "until": positions[1]})
    assert [orjson.loads(line) for line in shown.content.splitlines()] == (await kept(client, account))[:2]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [("nobody", {}, "account_id"), (None, {"reason": " "}, "reason"), (None, {"persn": "x"}, "persn")],
)
async def test_an_erasure_that_does_not_fit_is_refused(
    client: httpx.AsyncClient, account: str, path: str | None, body: dict[str, str], field: str
):
    answer = await erase(client, f"/v1/accounts/{path}" if path else account, **body)
    assert (answer.status_code in {404, 422}, answer.json()["fields"][0]["field"]) == (True, field), answer.text


async def test_an_erasure_waits_for_transactions_from_before_that_still_see_what_is_erased(
    client: httpx.AsyncClient, account: str, superuser: asyncpg.Connection, file_database_url: str
):
    name = f"Дарья {uuid4().hex}"
    in_pages = "SELECT position($1::bytea IN pg_read_binary_file(pg_relation_filepath('ledger.personal'))) > 0"
    await close(client, account, confirmed_by=name)
    await superuser.execute("CHECKPOINT")
    assert await superuser.fetchval(in_pages, name.encode())
    reader = await asyncpg.connect(file_database_url)
    async with reader.transaction(isolation="repeatable_read"):
        await reader.fetchval("SELECT count(*) FROM ledger.identity")
        erasing = asyncio.create_task(erase(client, account))
        while await kept(client, account):
            pass
        assert await superuser.fetchval(in_pages, name.encode())
        await asyncio.wait([erasing], timeout=0.3)
        assert not erasing.done()
    await reader.close()
    assert (await erasing).json()["erased"] == 1
    await superuser.execute("CHECKPOINT")
    assert not await superuser.fetchval(in_pages, name.encode())


async def test_an_erasure_does_not_hold_up_commands_while_somebody_reads_the_texts(
    client: httpx.AsyncClient, account: str, superuser: asyncpg.Connection
):
    await close(client, account, confirmed_by=ANNA)
    async with superuser.transaction():
        await superuser.execute("LOCK TABLE ledger.personal IN ACCESS SHARE MODE")
        assert (await erase(client, account)).status_code == 503
        await close(client, account, "T-2", confirmed_by=BORIS)
    assert (await erase(client, account)).json()["erased"] == 1


SIGNED = {"inn": "7707083893", "signatory_name": ANNA}


async def test_a_customers_signatory_stands_apart_and_can_be_erased(client: httpx.AsyncClient):
    """Of an account as it is opened, and as it is changed."""
    account_id, headers = uuid4().hex, key()
    opening = OPEN | {"account_id": account_id, "customer_requisites": SIGNED}
    opened = await client.post("/v1/accounts", json=opening, headers=headers)
    change = {"effective_on": "2026-01-01", "customer_requisites": SIGNED | {"signatory_name": BORIS}}
    changed = await client.put(f"/v1/accounts/{account_id}/customer", json=change, headers=key())
    held = [answer.json()["events"][0]["data"]["customer_requisites"]["signatory_name"] for answer in (opened, changed)]
    texts = await kept(client, f"/v1/accounts/{account_id}")
    assert [(each["commitment"], each["text"]) for each in texts] == list(zip(held, (ANNA, BORIS), strict=True))
    one = await client.get(f"/v1/accounts/{account_id}/personal-data", params={"commitment": held[1]})
    assert [each["text"] for each in one.json()] == [BORIS]

    assert_replayed(await client.post("/v1/accounts", json=opening, headers=headers), opened)
    other = opening | {"customer_requisites": SIGNED | {"signatory_name": BORIS}}
    assert_key_reused((await client.post("/v1/accounts", json=other, headers=headers)).json())
    assert (await erase(client, f"/v1/accounts/{account_id}", person=ANNA)).json()["erased"] == 1
    assert_replayed(await client.post("/v1/accounts", json=other, headers=headers), opened)
    nobody = opening | {"customer_requisites": {"inn": SIGNED["inn"]}}
    assert_key_reused((await client.post("/v1/accounts", json=nobody, headers=headers)).json())
    events = (await client.get(f"/v1/accounts/{account_id}/events")).text
    assert (ANNA in events, BORIS in events) == (False, False)


async def test_an_erasure_is_in_a_journal_outside_the_database_that_names_nobody(
    client: httpx.AsyncClient, account: str, journal: Path
):
    """Where the journal cannot be written, the caller hears it, and asking again writes what was erased before."""
    event = await close(client, account, confirmed_by=ANNA)
    journal.rename(journal.with_suffix(".before")) if journal.exists() else None
    journal.mkdir()
    assert (await erase(client, account)).status_code == 503
    journal.rmdir()
    assert (await erase(client, account)).json()["erased"] == 0
    (entry,) = map(orjson.loads, entries(journal))
    assert (entry["of"], entry["commitments"]) == ("ledger", [event["data"]["confirmed_by"]])
    assert "anna" not in journal.read_text(encoding="utf-8").lower()
