"""Forecasts and what would have been, over HTTP; the quality of forecasts by the command line."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from typer.testing import CliRunner

from services.__main__ import cli
from services.process.operator_error import OperatorError
from tests.ledger.commands import closing_body
from tests.ledger.forecast.customers import customer

OPENING = {"customer_name": "ООО «Ока»", "contract_number": "7", "contract_date": "2026-01-01"}
PURCHASE = {"package_id": "latest", "plan": "hours-20", "purchased_at": datetime.now(UTC).isoformat()}


@pytest.fixture
async def account(client: httpx.AsyncClient) -> str:
    """The path of an account with a package and a closed task."""
    account_id = uuid4().hex
    path = f"/v1/accounts/{account_id}"
    for route, body in (
        ("/v1/accounts", OPENING | {"account_id": account_id}),
        (f"{path}/packages", PURCHASE),
        (f"{path}/tasks/T-1/close", closing_body()),
    ):
        recorded = await client.post(route, json=body, headers={"Idempotency-Key": uuid4().hex})
        assert recorded.status_code == 201, recorded.text
    return path


async def test_a_forecast_says_when_hours_run_out_and_what_each_end_takes(client: httpx.AsyncClient, account: str):
    shown = (await client.get(f"{account}/forecast")).raise_for_status().json()
    assert shown["position"] > 0
    assert [each["package_id"] for each in shown["ends"]] == ["latest"]
    again = (await client.get(f"{account}/forecast")).raise_for_status().json()
    assert {**again, "as_of": shown["as_of"]} == shown


async def test_what_would_have_been_is_shown_and_nothing_recorded(client: httpx.AsyncClient, account: str):
    bigger = PURCHASE | {"plan": "hours-50"}
    before = (await client.get(f"{account}/events")).content
    shown = (await client.post(f"{account}/what-if", json={"purchases": [bigger]})).raise_for_status().json()
    assert shown["was"]["spent_kopecks"] == 6_380_000
    assert shown["difference"]["spent_kopecks"] == 13_650_000 - 6_380_000
    assert shown["difference"]["balance_minutes"] == 3000 - 1200
    assert shown["left_out"] == []
    cheaper = (await client.get("/v1/terms")).json()["versions"][0]
    cheaper["plans"]["hours-20"]["price_kopecks"] = 1
    shown = (await client.post(f"{account}/what-if", json={"terms": [cheaper]})).raise_for_status().json()
    assert shown["would_be"]["spent_kopecks"] == 1
    assert (await client.get(f"{account}/events")).content == before


@pytest.mark.parametrize(
    ("purchase", "slug"),
    [
        ({"plan": "hours-7"}, "unknown-plan"),
        ({"purchased_at": "2060-01-01T00:00:00Z"}, "effective-in-future"),
        ({"package_id": "compensation-x"}, "invalid-request"),
    ],
)
async def test_a_purchase_that_would_be_refused_is(
    client: httpx.AsyncClient, account: str, purchase: dict[str, str], slug: str
):
    answer = await client.post(f"{account}/what-if", json={"purchases": [PURCHASE | purchase]})
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (422, slug)


async def test_terms_out_of_order_are_refused(client: httpx.AsyncClient, account: str):
    versions = (await client.get("/v1/terms")).json()["versions"]
    answer = await client.post(f"{account}/what-if", json={"terms": [versions[0], versions[0]]})
    assert (answer.status_code, answer.json()["fields"][0]["field"]) == (422, "terms")


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
