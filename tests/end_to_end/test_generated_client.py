"""A client that a generator makes from the served document, used as its users use it. It is made anew each time."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from io import BytesIO
from typing import Any

import orjson
import pytest

from contracts.quantities import month_of
from infra.data_folder import free_port
from services.operating.up import Hourbook, running
from tests.end_to_end.questions import caught_up, client_of

CONFIGURATION = """
post_hooks: []
content_type_overrides:
  application/x-ndjson: application/octet-stream
  application/pdf: application/octet-stream
  application/xml: application/octet-stream
  application/zip: application/octet-stream
"""
PACKAGE = "hourbook_client"


@pytest.fixture(scope="module")
def hourbook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hourbook]:
    with running(tmp_path_factory.mktemp("client"), free_port()) as started:
        yield started


@pytest.fixture(scope="module")
def generated(hourbook: Hourbook, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The client's package, made of the document that the server gives; the generator has nothing to warn of."""
    folder = tmp_path_factory.mktemp("generated")
    configuration = folder / "generator.yaml"
    configuration.write_text(CONFIGURATION, encoding="utf-8")
    document = folder / "openapi.json"
    with client_of(hourbook.url) as patient:
        document.write_bytes(patient.get("/openapi.json").raise_for_status().content)
    made = subprocess.run(
        [sys.executable, "-m", "openapi_python_client", "generate", "--path", document,
         "--output-path", folder / PACKAGE, "--meta", "none", "--config", configuration, "--fail-on-warning"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stdout + made.stderr
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield import_module(PACKAGE)


@pytest.fixture
def client(generated: Any, hourbook: Hourbook) -> Iterator[Any]:
    with generated.Client(base_url=hourbook.url, httpx_args={"trust_env": False}, timeout=60) as opened:
        yield opened


def api(operation: str) -> Any:
    """The module of an operation: `commands.close_task`."""
    return import_module(f"{PACKAGE}.api.{operation}")


def model(name: str) -> Any:
    return getattr(import_module(f"{PACKAGE}.models"), name)


def opened(client: Any, account_id: str) -> Any:
    body = model("OpenAccount")(
        account_id=account_id, customer_name="ООО «Ока»", contract_number="17/26", contract_date=date(2026, 1, 15)
    )
    return api("commands.open_account").sync(client=client, body=body, idempotency_key="open")


def test_an_account_is_opened_charged_and_read(client: Any, hourbook: Hourbook):
    now = datetime.now(UTC)
    assert opened(client, "oka").balance.balance_minutes == 0
    package = model("PurchasePackageBody")(package_id="spring", plan="hours-20", purchased_at=now - timedelta(days=1))
    bought = api("commands.purchase_package").sync("oka", client=client, body=package, idempotency_key="buy")
    assert (bought.balance.held_minutes, bought.events[0].type_) == (1200, "PackagePurchased")

    task = model("CloseTaskBody")(
        title="Печать", category=model("CloseTaskBodyCategory").REGULAR, worked_minutes=100, closed_at=now,
        confirmed_at=now,
    )  # fmt: skip
    closing = {"client": client, "body": task, "idempotency_key": "close"}
    tried = api("commands.close_task").sync_detailed("oka", "T-1", dry_run=True, **closing)
    assert (tried.status_code, tried.parsed.position) == (200, None)
    closed = api("commands.close_task").sync_detailed("oka", "T-1", **closing)
    assert (closed.status_code, closed.headers["Hourbook-Position"]) == (201, str(closed.parsed.position))
    again = api("commands.close_task").sync_detailed("oka", "T-1", **closing)
    assert (again.headers["Idempotency-Replayed"], again.parsed) == ("true", closed.parsed)

    with client_of(hourbook.url) as patient:
        caught_up(patient, "/v1/projections", closed.parsed.position)
    read = {"client": client, "hourbook_min_position": closed.parsed.position}
    balance = api("balances.get_balance").sync("oka", **read)
    assert (balance.balance_minutes, balance.lots[0].package_id, balance.suspended) == (1100, "spring", False)
    assert balance.as_of.tzinfo is not None
    (listed,) = api("tasks.list_tasks").sync("oka", **read).tasks
    assert (listed.title, listed.charged_minutes, listed.state.value) == ("Печать", 100, "closed")
    report = api("documents.get_report").sync("oka", f"{month_of(now)}.json", **read)
    assert report.lines[0].task_id == "T-1"


def test_a_refusal_is_a_problem_that_names_field_and_remedy(client: Any):
    problem, field = model("Problem"), model("InvalidField")
    refused = api("accounts.get_account").sync("nobody", client=client)
    assert (type(refused), refused.status) == (problem, 404)
    assert refused.type_ == "urn:hourbook:problem:account-not-found"

    opened(client, "kama")
    body = model("PayDebtBody")(minutes=60, paid_at=datetime.now(UTC), payment_reference="п/п 1")
    refused = api("commands.pay_debt").sync("kama", client=client, body=body, idempotency_key="pay")
    assert refused.type_.endswith(":payment-exceeds-debt")
    assert [type(each) for each in refused.fields] == [field]
    assert refused.fields[0].field == "minutes"
    assert refused.fields[0].remedy


def test_lines_are_sent_and_answered_as_they_are(client: Any, generated: Any):
    command = {"command": "OpenAccount", "customer_name": "X", "contract_number": "1", "contract_date": "2026-01-01"}
    lines = [command | {"account_id": f"a-{n}", "idempotency_key": "open"} for n in range(3)]
    file = import_module(f"{PACKAGE}.types").File(payload=BytesIO(b"\n".join(map(orjson.dumps, lines))))
    answered = api("commands.record_commands").sync(client=client, body=file)
    assert [orjson.loads(line)["status"] for line in answered.payload] == [201, 201, 201]
