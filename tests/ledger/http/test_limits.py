"""What one principal may ask of the ledger: answers that it has are declared, and what was begun is finished."""

import httpx
import orjson
import pytest

from contracts.access import KeyRequest, Role
from services.access.principals import LOCAL
from services.ledger.access.keys import Keys
from services.ledger.running import running_ledger
from services.ledger.settings import Settings

BYTES_PER_SECOND = 2_000
AT_ONCE_SECONDS = 5
LINES = 100


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    return {
        "HOURBOOK_ACCESS": "closed",
        "HOURBOOK_BULK_BYTES_PER_SECOND": str(BYTES_PER_SECOND),
        "HOURBOOK_REQUESTS_PER_SECOND": "3",
    }


@pytest.fixture
async def key(file_database_url: str, client: httpx.AsyncClient) -> dict[str, str]:
    """The header with a key that may everything, once the service knows it."""
    async with running_ledger(Settings(database_url=file_database_url)) as ledger:
        made = await Keys(ledger.access, LOCAL).make(KeyRequest(name="many", roles=frozenset(Role)))
    header = {"Authorization": f"Bearer {made.credential}"}
    while (await client.get("/v1/me", headers=header)).status_code != 200:
        pass
    return header


def lines() -> bytes:
    """Twice as many bytes as may be sent at once."""
    text = "x" * (2 * BYTES_PER_SECOND * AT_ONCE_SECONDS // LINES)
    command = {"command": "SuspendWork", "account_id": "none", "reason": text}
    return b"\n".join(orjson.dumps({**command, "idempotency_key": f"{number}"}) for number in range(LINES))


async def test_who_sends_too_many_bytes_is_answered_to_the_end_and_then_told_to_wait(
    client: httpx.AsyncClient, key: dict[str, str]
):
    ndjson = key | {"Content-Type": "application/x-ndjson"}
    answer = await client.post("/v1/commands", content=lines(), headers=ndjson)
    assert [orjson.loads(line)["line"] for line in answer.content.splitlines()] == list(range(1, LINES + 1))
    refused = await client.post("/v1/commands", content=lines(), headers=ndjson)
    assert (refused.status_code, refused.json()["type"]) == (429, "urn:hourbook:problem:too-many-requests")
    assert "HOURBOOK_BULK_BYTES_PER_SECOND" in refused.json()["detail"]
    assert int(refused.headers["Retry-After"]) >= 1
    assert (await client.get("/v1/me", headers=key)).status_code == 200


async def test_too_many_requests_are_a_declared_answer(client: httpx.AsyncClient, key: dict[str, str]):
    while (answer := await client.get("/v1/terms", headers=key)).status_code == 200:
        pass
    assert (answer.status_code, answer.json()["type"]) == (429, "urn:hourbook:problem:too-many-requests")
    assert answer.headers["Retry-After"]
