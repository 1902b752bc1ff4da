"""The watch on payments: it reads every event once, and reads again a log that has another past."""

from typing import Any

import httpx
import pytest

from services.billing.database import pool
from services.billing.invoices.numbers import numbers_in
from tests.billing.counterparty import BOUGHT_AT, in_state, invoiced, opened, post

pytestmark = pytest.mark.timeout(240)
ENDS = "SELECT count(*) FROM invoice_end JOIN invoice ON id = invoice_id WHERE number = $1"


async def _bought(client: httpx.AsyncClient, invoice: dict[str, Any]) -> None:
    body = {"package_id": invoice["package"]["package_id"], "plan": "hours-20", "purchased_at": BOUGHT_AT}
    (await post(client, f"/v1/accounts/{invoice['account_id']}/packages", body)).raise_for_status()


async def test_a_log_with_another_past_is_read_again_and_pays_nothing_twice(
    client: httpx.AsyncClient, file_database_url: str
):
    """As after a restore: what was read last is not there any more."""
    account_id = await opened(client)
    invoice = await invoiced(client, account_id)
    await _bought(client, invoice)
    paid = await in_state(client, invoice, "paid")
    async with pool(file_database_url) as connections:
        await connections.execute("UPDATE log_place SET event_id = 'of-a-past-that-was'")
        later = await invoiced(client, account_id)
        await _bought(client, later)
        await in_state(client, later, "paid")
        ends = await connections.fetchval(ENDS, invoice["number"])
    assert ends == 1
    assert await in_state(client, invoice, "paid") == paid


@pytest.mark.parametrize(
    ("text", "is_named"),
    [
        ("счёт 2026-17", True), ("2026-17", True), ("сч.2026-17/1", False), ("№2026-17,от 28.11.2026", True),
        ("2026-171", False), ("12026-17", False), ("2026-17-2", False), ("1-2026-17", False), ("", False),
    ],
)  # fmt: skip
def test_a_number_is_named_by_itself_alone(text: str, is_named: bool):
    assert ("2026-17" in numbers_in(text)) == is_named
