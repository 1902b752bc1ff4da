"""What finance does with an account, in a few words."""

from itertools import count
from typing import Any

import httpx

_NUMBERS = count(1)
BOUGHT_AT = "2026-11-02T10:00:00+03:00"


async def post(client: httpx.AsyncClient, path: str, body: Any, key: str | None = None, **asked: Any) -> httpx.Response:
    """A request with a key of its own, unless it is given one."""
    headers = {"Idempotency-Key": key or f"key-{next(_NUMBERS)}"}
    return await client.post(path, json=body, headers=headers, params=asked)


async def opened(client: httpx.AsyncClient, inn: str | None = None) -> str:
    """An account that is known to every read model."""
    account_id = f"account-{next(_NUMBERS)}"
    body = {
        "account_id": account_id, "customer_name": f"ООО «Ока {account_id}»", "contract_number": "7/26",
        "contract_date": "2026-01-15",
    }  # fmt: skip
    if inn:
        body["customer_requisites"] = {"inn": inn}
    answer = await post(client, "/v1/accounts", body)
    await caught_up(client, account_id, answer.raise_for_status().json()["position"])
    return account_id


async def owing(client: httpx.AsyncClient, account_id: str, minutes: int = 90) -> None:
    """The account owes so much, for one task."""
    body = {
        "title": "Печать счетов", "category": "regular", "worked_minutes": minutes,
        "closed_at": "2026-11-03T12:00:00+03:00", "confirmed_at": "2026-11-03T13:00:00+03:00",
    }  # fmt: skip
    answer = await post(client, f"/v1/accounts/{account_id}/tasks/T-{next(_NUMBERS)}/close", body)
    await caught_up(client, account_id, answer.raise_for_status().json()["position"])


async def caught_up(client: httpx.AsyncClient, account_id: str, position: int) -> None:
    """Balances and tasks have come so far."""
    for path in ("balance", "tasks"):
        asked = {"headers": {"Hourbook-Min-Position": str(position)}}
        while (await client.get(f"/v1/accounts/{account_id}/{path}", **asked)).status_code == 503:
            pass


async def invoiced(client: httpx.AsyncClient, account_id: str, **what: Any) -> dict[str, Any]:
    """An invoice that was issued."""
    answer = await post(client, f"/v1/accounts/{account_id}/invoices", what or {"package": {"plan": "hours-20"}})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def in_state(client: httpx.AsyncClient, invoice: dict[str, Any], state: str) -> dict[str, Any]:
    """The invoice once it is in that state; a test that waits too long is ended from outside."""
    path = f"/v1/accounts/{invoice['account_id']}/invoices/{invoice['number']}"
    while (found := (await client.get(path)).raise_for_status().json())["state"] != state:
        pass
    return found
