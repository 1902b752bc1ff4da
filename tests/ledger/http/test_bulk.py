"""NDJSON both ways at once: answers in the order of the lines, one bad line spoils no other."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest
from starlette.types import Message

from contracts.commands import Command
from services.access.principals import LOCAL
from services.ledger.domain.account import course_of
from services.ledger.domain.course import Course
from services.ledger.http import bulk
from services.ledger.http.bulk import (
    BREATH_LINES,
    IN_FLIGHT_BYTES_MAX,
    IN_FLIGHT_MAX,
    LINE_BYTES_MAX,
    Asked,
    Conversation,
    InFlight,
)
from services.ledger.running import Ledger
from tests.ledger.commands import closing_body
from tests.ledger.http.duplex import Duplex

COMMANDS = "/v1/commands"


def opening(account_id: str, **changed: Any) -> bytes:
    line = {
        "command": "OpenAccount", "account_id": account_id, "idempotency_key": f"open-{account_id}",
        "customer_name": "ООО «Ока»", "contract_number": "7", "contract_date": "2026-01-01",
    }  # fmt: skip
    return orjson.dumps(line | changed) + b"\n"


def closing(account_id: str, task_id: str, **changed: Any) -> bytes:
    line = {
        "command": "CloseTask", "account_id": account_id, "task_id": task_id,
        "idempotency_key": f"close-{account_id}-{task_id}", **closing_body(),
    }  # fmt: skip
    return orjson.dumps(line | changed) + b"\n"


async def post(client: httpx.AsyncClient, content: bytes, **asked: Any) -> list[dict[str, Any]]:
    answer = await client.post(COMMANDS, content=content, params=asked)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-ndjson")
    return [orjson.loads(line) for line in answer.content.splitlines()]


async def test_answers_come_in_the_order_of_the_lines_and_blank_lines_count(client: httpx.AsyncClient):
    a, b = uuid4().hex, uuid4().hex
    answers = await post(client, opening(a) + b"\n  \r\n" + opening(b) + closing(b, "T-1") + closing(a, "T-1").strip())
    assert [(answer["line"], answer["status"], answer["account_id"]) for answer in answers] == [
        (1, 201, a), (4, 201, b), (5, 201, b), (6, 201, a),
    ]  # fmt: skip
    assert [answer["version"] for answer in answers] == [1, 1, 2, 2]


async def test_accounts_keep_the_order_of_their_lines_also_when_they_are_not_in_memory_yet(client: httpx.AsyncClient):
    accounts = [uuid4().hex for _ in range(60)]
    lines = [opening(each) for each in accounts]
    lines += [closing(each, f"T-{number}") for number in range(15) for each in accounts]
    answers = await post(client, b"".join(lines))
    versions: dict[str, list[int]] = {}
    for answer in answers:
        assert answer["status"] == 201, answer
        versions.setdefault(answer["account_id"], []).append(answer["version"])
    assert list(versions.values()) == [list(range(1, 17))] * 60


async def test_one_bad_line_spoils_no_other(client: httpx.AsyncClient):
    a = uuid4().hex
    bad: list[tuple[bytes, str, str]] = [
        (b"{not json}\n", "invalid-request", "line"),
        (b"[1]\n", "invalid-request", "line"),
        (b'"text"\n', "invalid-request", "line"),
        (b"\xff\xfe\n", "invalid-request", "line"),
        (b"[" * 5000 + b"\n", "invalid-request", "line"),
        (b'{"title": "\\ud800"}\n', "invalid-request", "line"),
        (opening(a, idempotency_key=None), "invalid-request", "idempotency_key"),
        (opening(a, idempotency_key="with space"), "invalid-request", "idempotency_key"),
        (opening(a, command="CloseAccount"), "invalid-request", "command"),
        (opening(a, command=None), "invalid-request", "command"),
        (b'{"idempotency_key": "k"}\n', "invalid-request", "command"),
        (opening(a, colour="red"), "invalid-request", "colour"),
        (opening("a b", idempotency_key="k"), "invalid-request", "account_id"),
        (closing(a, "T-1", closed_at="2026-03-01T10:00:00"), "invalid-request", "closed_at"),
        (closing(a, "T-1", worked_minutes=10**15), "invalid-request", "worked_minutes"),
        (opening(a, customer_name="x" * LINE_BYTES_MAX), "body-too-large", "line"),
        (closing("nobody", "T-1"), "account-not-found", "account_id"),
    ]
    lines = [opening(a)] + [part for line, _, _ in bad for part in (line, closing(a, f"T-{uuid4().hex}"))]
    answers = await post(client, b"".join(lines))
    assert [answer["line"] for answer in answers] == list(range(1, len(lines) + 1))
    assert [answer["status"] for answer in answers[0::2]] == [201] * (len(bad) + 1)
    for answer, (line, slug, field) in zip(answers[1::2], bad, strict=True):
        assert answer["type"] == f"urn:hourbook:problem:{slug}", (line[:80], answer)
        assert field in [wrong["field"] for wrong in answer["fields"]], (line[:80], answer)
        assert 400 <= answer["status"] < 500


async def test_a_line_of_the_greatest_length_is_read_and_a_longer_one_is_not_kept(client: httpx.AsyncClient):
    a = uuid4().hex
    longest = opening(a).strip().ljust(LINE_BYTES_MAX)
    answers = await post(client, longest + b"\n" + b"x" * 2 * LINE_BYTES_MAX + b"\n" + closing(a, "T-1"))
    assert [(answer["line"], answer["status"]) for answer in answers] == [(1, 201), (2, 413), (3, 201)]


@pytest.mark.parametrize(("entries", "letters"), [(600, 40), (1000, 300)])
async def test_what_a_commands_own_route_takes_a_line_takes_too(client: httpx.AsyncClient, entries: int, letters: int):
    a = uuid4().hex
    entry = {"start": "2026-03-01T10:00:00.000000+03:00", "minutes": 10, "performer": "Ш" * letters}
    changed = {"time_entries": [entry] * entries, "worked_minutes": 10 * entries}
    _, answer = await post(client, opening(a) + closing(a, "T-1", **changed))
    assert answer["status"] == 201, answer
    single = await client.post(
        f"/v1/accounts/{a}/tasks/T-2/close",
        content=orjson.dumps(closing_body() | changed),
        headers={"Idempotency-Key": "k", "Content-Type": "application/json"},
    )
    assert single.status_code == 201, single.text


async def test_lines_wait_behind_so_many_bytes_without_an_answer():
    queue, large = InFlight(), Asked(1, ValueError(), IN_FLIGHT_BYTES_MAX // 2)
    for _ in range(2):
        queue.put_nowait(large)
    assert queue.full()
    waiting = asyncio.create_task(queue.put(large))
    await queue.get()
    await asyncio.wait_for(waiting, 60)
    assert queue.full()


async def test_a_replayed_line_says_so(client: httpx.AsyncClient):
    a = uuid4().hex
    lines = opening(a) + closing(a, "T-1") + closing(a, "T-2")
    first = await post(client, lines)
    again = await post(client, lines)
    assert [answer.pop("replayed") for answer in again] == [True, True, True]
    assert again == first


async def test_a_dry_run_answers_what_recording_would_and_records_nothing(client: httpx.AsyncClient):
    """Each line as if those before it were recorded; a line that was recorded already is answered as it was."""
    old, new = uuid4().hex, uuid4().hex
    await post(client, opening(old))
    lines = [
        opening(old), closing(old, "T-1"), closing(new, "T-1", idempotency_key="early"), opening(new),
        closing(new, "T-1"), closing(new, "T-1", idempotency_key="again"), b"{}\n",
    ]  # fmt: skip
    tried = await post(client, b"".join(lines), dry_run="true")
    assert (await client.get(f"/v1/accounts/{new}/events")).status_code == 404
    recorded = await post(client, b"".join(lines))

    said = [(200 if answer["status"] == 201 else answer["status"], answer.get("type")) for answer in recorded]
    assert [(answer["status"], answer.get("type")) for answer in tried] == said
    assert [status for status, _ in said] == [200, 200, 404, 200, 200, 409, 422]
    assert [answer.get("replayed") for answer in tried] == [True] + [None] * 6
    assert [answer.get("balance") for answer in tried] == [answer.get("balance") for answer in recorded]
    assert {answer["position"] for answer in tried[1:] if "position" in answer} == {None}


async def test_a_dry_run_keeps_no_more_than_so_many_accounts(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(bulk, "TRIED_ACCOUNTS_MAX", 2)
    accounts = [uuid4().hex for _ in range(3)]
    tried = await post(client, b"".join(map(opening, [*accounts, accounts[0]])), dry_run="true")
    assert [answer["status"] for answer in tried] == [200, 200, 422, 409]
    assert tried[2]["fields"][0]["field"] == "line"


async def test_nothing_sent_is_nothing_answered(client: httpx.AsyncClient):
    assert await post(client, b"") == []
    assert await post(client, b"\n\n") == []


async def test_answers_come_while_lines_are_still_being_sent(url: str):
    a = uuid4().hex
    async with Duplex.post(url, COMMANDS) as talk, asyncio.timeout(60):
        await talk.send(opening(a))
        assert (await talk.line() or {})["version"] == 1
        half, other_half = closing(a, "T-1")[:40], closing(a, "T-1")[40:]
        await talk.send(half)
        await talk.send(other_half)
        assert (await talk.line() or {})["version"] == 2
        await talk.send(closing(a, "T-2").strip())
        await talk.end()
        assert [answer["line"] for answer in await talk.rest()] == [3]


async def test_a_file_of_any_length_goes_through_a_client_that_reads_while_it_sends(url: str):
    a, lines = uuid4().hex, IN_FLIGHT_MAX * 4

    async with Duplex.post(url, COMMANDS) as talk, asyncio.timeout(240):

        async def send() -> None:
            await talk.send(opening(a))
            for first in range(0, lines, 100):
                await talk.send(b"".join(closing(a, f"T-{number}") for number in range(first, first + 100)))
            await talk.end()

        _, answers = await asyncio.gather(send(), talk.rest())
    assert [answer["version"] for answer in answers] == list(range(1, lines + 2))


async def test_a_client_that_reads_only_once_it_has_sent_everything_is_not_kept_waiting(client: httpx.AsyncClient):
    """More answers than connection and memory hold: the rest waits on disk."""
    unknown = b'{"%b": 1}\n' % (b"x" * 300)
    answers = await post(client, unknown * 8_000)
    assert [answer["line"] for answer in answers] == list(range(1, 8_001))
    assert {answer["type"] for answer in answers} == {"urn:hourbook:problem:invalid-request"}


async def test_a_client_that_leaves_midway_leaves_nothing_behind(client: httpx.AsyncClient, url: str):
    a = uuid4().hex
    async with Duplex.post(url, COMMANDS) as talk:
        await talk.send(opening(a) + b"".join(closing(a, f"T-{number}") for number in range(50)))
        await talk.line()
    async with asyncio.timeout(60):
        await asyncio.gather(*conversations())
    assert not conversations()
    assert (await post(client, opening(a)))[0]["replayed"]


def conversations() -> list[Any]:
    """Tasks that serve a request to this route."""
    return [task for task in asyncio.all_tasks() if "Conversation" in repr(task.get_coro())]


@pytest.mark.parametrize("content_type", [None, "application/json", "application/x-ndjson; charset=utf-8"])
async def test_lines_are_read_with_or_without_their_media_type(client: httpx.AsyncClient, content_type: str | None):
    headers = {"Content-Type": content_type} if content_type else {}
    answer = await client.post(COMMANDS, content=opening(uuid4().hex), headers=headers)
    assert answer.json()["status"] == 201


async def test_everybody_else_goes_on_while_lines_are_refused(ledger: Ledger):
    """The loop turns often, though none of these lines waits for anything."""
    lines, turns = 100 * BREATH_LINES, 0
    body: Message = {"type": "http.request", "body": b"{}\n" * lines, "more_body": False}
    answered: list[bytes] = []

    async def receive() -> Message:
        return body

    async def send(message: Message) -> None:
        answered.append(message.get("body", b""))

    answering = asyncio.create_task(Conversation(ledger, LOCAL)({"type": "http"}, receive, send))
    while not answering.done():
        await asyncio.sleep(0)
        turns += 1
    answering.result()
    assert b"".join(answered).count(b"invalid-request") == lines
    assert turns >= lines / BREATH_LINES


async def test_a_fault_of_the_service_spoils_no_other_line(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch):
    a, b = uuid4().hex, uuid4().hex

    def failing(command: Command, *given: Any) -> Course:
        if command.account_id == b:
            raise ZeroDivisionError("a fault of ours")
        return course_of(command, *given)

    monkeypatch.setattr("services.ledger.writing.submissions.course_of", failing)
    answers = await post(client, opening(a) + opening(b) + closing(a, "T-1"))
    assert [answer["status"] for answer in answers] == [201, 500, 201]
    assert answers[1]["type"] == "urn:hourbook:problem:internal-error"
    assert "ZeroDivision" not in str(answers[1])
