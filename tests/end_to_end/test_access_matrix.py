"""Every route, every command of a line and every stream, for every role, about one's own and other accounts."""

from collections.abc import AsyncIterator, Iterator
from itertools import count, product
from typing import NamedTuple

import httpx
import orjson
import pytest

from contracts.commands import COMMAND
from services.access.guard import routes_of
from services.access.keys import Credential
from services.app import create_app
from tests.end_to_end.access_calls import CALLS, COMMANDS, IN_PATH, KNOWN, PUBLIC, Call, slugs_expected
from tests.end_to_end.guarded_service import FOREIGN, OWN, UNKNOWN, Guarded, guarded_service

OF_THE_DOOR = ("not-authenticated", "not-allowed", "account-not-found")
OF_ONE_ANSWER = ("date", "x-request-id")
OTHER_TYPES = {"/v1/commands": "application/x-ndjson", "/v1/payments/statement": "text/plain"}
CASES_MIN = 1500

_number = count()


@pytest.fixture(scope="module")
async def guarded(file_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Guarded]:
    async with guarded_service(file_database_url, tmp_path_factory.mktemp("matrix")) as running:
        yield running


class Case(NamedTuple):
    """One call of a route, about an account or about none."""

    method: str
    route: str
    call: Call
    account: str | None

    @property
    def of_account(self) -> bool:
        return self.account is not None


class Answer(NamedTuple):
    """What came of it; of a stream, its beginning."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def slug(self) -> str:
        """Of its problem, if it is one."""
        if self.status < 400:
            return ""
        return orjson.loads(self.body).get("type", "").rpartition(":")[2]

    def about(self, account: str) -> tuple[object, ...]:
        """What anybody can see of it, but for the account's id and what no two answers share."""
        headers = {name: value for name, value in self.headers.items() if name not in OF_ONE_ANSWER}
        return self.status, headers, self.body.replace(account.encode(), b"?")


def cases() -> Iterator[Case]:
    for (method, route), calls in CALLS.items():
        for call in calls:
            about = "{account_id}" in route or "{account_id}" in str(call.body)
            for account in (OWN, FOREIGN, UNKNOWN) if about else (None,):
                yield Case(method, route, call, account)


async def answered(client: httpx.AsyncClient, case: Case) -> Answer:
    given = {**IN_PATH, **case.call.path, "account_id": case.account or ""}
    path = case.route.replace(":path", "").format(**given)
    body = orjson.dumps(case.call.body).replace(b"{account_id}", given["account_id"].encode())
    headers = {"Idempotency-Key": f"matrix-{next(_number)}"}
    if case.method in ("POST", "PUT"):
        headers["Content-Type"] = OTHER_TYPES.get(case.route, "application/json")
    content = body if case.call.body is not None else b""
    async with client.stream(case.method, path, params=case.call.query, headers=headers, content=content) as answer:
        endless = answer.status_code == 200 and ("stream" in path or "follow" in case.call.query)
        read = b"" if endless else await answer.aread()
        return Answer(answer.status_code, dict(answer.headers), read)


def test_every_route_and_every_command_has_an_entry():
    routes = {(method, route.path) for route in routes_of(create_app()) for method in route.methods}
    assert set(CALLS) == routes
    commands = {
        each["properties"]["command"]["const"]
        for each in COMMAND.json_schema()["$defs"].values()
        if "command" in each.get("properties", {})
    }
    assert set(COMMANDS) == commands


async def test_every_role_meets_every_route_as_the_table_says(guarded: Guarded):
    wrong: list[str] = []
    asked = 0
    for holder, credential in guarded.keys.items():
        async with guarded.client(credential) as client:
            for case in cases():
                answer = await answered(client, case)
                own = case.account == OWN if case.of_account else None
                opens = case.route == "/v1/accounts"
                expected = slugs_expected(holder, case.call, own, opens=opens)
                may_be_absent = () if own or holder.scoped else ("account-not-found",)
                if answer.status == 500 or not fits(answer.slug, expected, may_be_absent):
                    wrong.append(f"{holder} {case.method} {case.route} {case.account}: {answer.slug}, not {expected}")
                asked += 1
    print(f"{asked} calls of {len(CALLS)} routes by {len(guarded.keys)} keys")
    assert not wrong, "\n".join(wrong[:20])
    assert asked >= CASES_MIN


def fits(slug: str, expected: tuple[str, ...], may_be: tuple[str, ...]) -> bool:
    """Whether the door has said what it should; what happens behind it is not its business."""
    return slug in expected if expected else slug not in OF_THE_DOOR or slug in may_be


async def test_another_account_is_answered_as_an_unknown_one_is(guarded: Guarded):
    compared = 0
    for holder in (each for each in guarded.keys if each.scoped):
        async with guarded.client(guarded.keys[holder]) as client:
            for case in (each for each in cases() if each.account == FOREIGN):
                foreign, unknown = [
                    (await answered(client, case._replace(account=account))).about(account)
                    for account in (FOREIGN, UNKNOWN)
                ]
                assert foreign == unknown, (holder, case)
                compared += 1
    assert compared >= 200


async def test_every_line_of_many_commands_is_met_as_the_table_says(guarded: Guarded):
    asked = list(product(COMMANDS.items(), (OWN, FOREIGN, UNKNOWN)))
    for holder, credential in guarded.keys.items():
        lines = [
            {"command": name, "account_id": account, "idempotency_key": f"line-{next(_number)}", **call.body}
            for (name, call), account in asked
        ]
        async with guarded.client(credential) as client:
            content = b"\n".join(map(orjson.dumps, lines))
            answer = await client.post(
                "/v1/commands", content=content, headers={"Content-Type": "application/x-ndjson"}
            )
        answers = list(map(orjson.loads, answer.content.splitlines()))
        assert [each["line"] for each in answers] == list(range(1, len(asked) + 1))
        for ((name, call), account), said in zip(asked, answers, strict=True):
            slug = said.get("type", "").rpartition(":")[2]
            expected = slugs_expected(holder, call, account == OWN, opens=name == "OpenAccount")
            may_be_absent = () if account == OWN or holder.scoped else ("account-not-found",)
            assert fits(slug, expected, may_be_absent), (holder, name, account, said)
    for (_, call), account in asked:
        assert call.needs not in (PUBLIC, KNOWN), account


async def test_without_a_credential_that_holds_nothing_is_answered(guarded: Guarded):
    real = Credential.parse(guarded.owner)
    assert real
    false = f"hb1_{real.key_id}_{Credential.make().secret}"
    for credential in (None, false, str(Credential.make()), "hb1_short", "a.b.c"):
        async with guarded.client(credential) as client:
            for case in cases():
                answer = await answered(client, case)
                public = case.call.needs == PUBLIC
                assert (answer.slug == "not-authenticated") != public, (credential, case)
                assert public or answer.headers["www-authenticate"].startswith("Bearer"), case
                assert credential is None or credential.encode() not in answer.body
