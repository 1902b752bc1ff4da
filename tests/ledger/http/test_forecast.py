"""The forecast over HTTP, and its quality by the command line."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import httpx
from typer.testing import CliRunner

from services.__main__ import cli
from services.process.operator_error import OperatorError
from tests.ledger.commands import closing_body
from tests.ledger.forecast.customers import customer

OPENING = {"customer_name": "ООО «Ока»", "contract_number": "7", "contract_date": "2026-01-01"}
PURCHASE = {"package_id": "latest", "plan": "hours-20", "purchased_at": datetime.now(UTC).isoformat()}


async def test_a_forecast_says_when_hours_run_out_and_what_each_end_takes(client: httpx.AsyncClient):
    account_id = uuid4().hex
    path = f"/v1/accounts/{account_id}"
    for route, body in (
        ("/v1/accounts", OPENING | {"account_id": account_id}),
        (f"{path}/packages", PURCHASE),
        (f"{path}/tasks/T-1/close", closing_body()),
    ):
        recorded = await client.post(route, json=body, headers={"Idempotency-Key": uuid4().hex})
        assert recorded.status_code == 201, recorded.text
    shown = (await client.get(f"{path}/forecast")).raise_for_status().json()
    assert shown["position"] == recorded.json()["position"]
    assert [each["package_id"] for each in shown["ends"]] == ["latest"]
    again = (await client.get(f"{path}/forecast")).raise_for_status().json()
    assert {**again, "as_of": shown["as_of"]} == shown


async def test_an_unknown_account_has_no_forecast(client: httpx.AsyncClient):
    answer = await client.get(f"/v1/accounts/{uuid4().hex}/forecast")
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (404, "account-not-found")


def test_forecasts_are_measured_over_a_log(tmp_path: Path):
    file = tmp_path / "log.ndjson"
    lines = [line.model_dump_json() for seed in range(4) for line in customer(seed)]
    file.write_text("\n".join(lines) + "\n")
    shown = CliRunner().invoke(cli, ["forecast", "evaluate", str(file)])
    assert shown.exit_code == 0, shown.output
    assert "run_out_on" in shown.output
    assert "forfeited" in shown.output


def test_a_line_that_is_no_event_is_named(tmp_path: Path):
    file = tmp_path / "log.ndjson"
    file.write_text(customer(0)[0].model_dump_json() + "\n{}\n")
    done = CliRunner().invoke(cli, ["forecast", "evaluate", str(file)])
    assert isinstance(done.exception, OperatorError)
    assert "line 2" in str(done.exception)
