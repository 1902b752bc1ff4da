"""`hourbook payments`: a statement from the command line, shown first and recorded when that is wanted."""

import asyncio
from pathlib import Path

import httpx
import pytest

from tests.billing.counterparty import in_state, invoiced, opened
from tests.billing.statements import document, statement
from tests.billing.test_payments import naming
from tests.end_to_end.program import program

pytestmark = pytest.mark.timeout(240)


async def test_a_statement_is_shown_and_then_recorded(client: httpx.AsyncClient, joined_url: str, tmp_path: Path):
    account_id = await opened(client, "7736207543")
    invoice = await invoiced(client, account_id)
    unknown = document(Номер="9", ПлательщикИНН="", НазначениеПлатежа="возврат")
    file = tmp_path / "kl_to_1c.txt"
    file.write_bytes(statement(document(Номер="8", **naming(invoice)), unknown))

    shown = await asyncio.to_thread(program, "payments", file, "--url", joined_url)
    assert shown.returncode == 1, shown.stderr
    assert "2 payments in, 2 of them new" in shown.stderr
    assert f"pays {invoice['number']} of {account_id}" in shown.stdout
    assert "to be decided" in shown.stdout

    recorded = await asyncio.to_thread(program, "payments", file, "--accept", "--url", joined_url)
    assert "0 of them new" in recorded.stderr
    assert f"recorded on {account_id}" in recorded.stdout
    await in_state(client, invoice, "paid")
    open_ones = (await client.get("/v1/payments", params={"state": "open"})).json()["payments"]
    aside = f"/v1/payments/{open_ones[0]['payment_id']}/set-aside"
    (await client.post(aside, json={"reason": "возврат"})).raise_for_status()
    after = await asyncio.to_thread(program, "payments", file, "--url", joined_url)
    assert (after.returncode, after.stdout) == (0, "")

    file.write_bytes(statement(document(Сумма="нет")))
    refused = await asyncio.to_thread(program, "payments", file, "--url", joined_url)
    assert refused.returncode == 1
    assert "Сумма: give rubles and kopecks" in refused.stderr
