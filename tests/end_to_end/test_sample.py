"""A sample history, played over HTTP with the test clock: every expectation of the independent model holds.

`make campaign` plays the support desk's too, all of whose commands and nearly all of whose refusals the trade's has.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from shutil import unpack_archive
from typing import Any

import httpx
import orjson
import pytest

from contracts.report_hash import Figures, report_hash
from infra.data_folder import free_port
from services.operating.demo import SAMPLE, sample_lines
from services.operating.up import Hourbook, running
from tests.end_to_end.program import program
from tests.end_to_end.questions import client_of, unhurried
from tests.pages.alone import offline_page
from tests.projections.sample import TRADE

ACCOUNT = "/v1/accounts/{account_id}"
ROUTES = {
    "OpenAccount": ("POST", "/v1/accounts"),
    "PurchasePackage": ("POST", f"{ACCOUNT}/packages"),
    "RefundPackage": ("POST", f"{ACCOUNT}/packages/{{package_id}}/refund"),
    "CloseTask": ("POST", f"{ACCOUNT}/tasks/{{task_id}}/close"),
    "CorrectTask": ("POST", f"{ACCOUNT}/tasks/{{task_id}}/correct"),
    "PlanTask": ("PUT", f"{ACCOUNT}/tasks/{{task_id}}/plan"),
    "DropPlan": ("DELETE", f"{ACCOUNT}/tasks/{{task_id}}/plan"),
    "MarkWarranty": ("POST", f"{ACCOUNT}/tasks/{{task_id}}/warranty"),
    "ReopenTask": ("POST", f"{ACCOUNT}/tasks/{{task_id}}/reopen"),
    "PayDebt": ("POST", f"{ACCOUNT}/debt-payments"),
    "SuspendWork": ("POST", f"{ACCOUNT}/suspension"),
    "CloseMonth": ("POST", f"{ACCOUNT}/months/{{month}}/close"),
}
EXPECTED_AFTER = ("balance_minutes", "planned_minutes")
NOT_IN_THE_BODY = {"at", "expect", "command", "idempotency_key", *EXPECTED_AFTER}
EARLY_MONTH = {SAMPLE: "2026-02", TRADE: "2025-08"}
"""A month that most accounts have closed long before the history ends."""


HISTORIES = [SAMPLE, TRADE] if os.environ.get("HYPOTHESIS_PROFILE") == "campaign" else [TRADE]


@pytest.fixture(scope="module", params=HISTORIES, ids=lambda folder: folder.name)
def history(request: pytest.FixtureRequest) -> Path:
    """The folder of the history that is played."""
    return request.param


@pytest.fixture(scope="module")
def hourbook(history: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hourbook]:
    """Everything behind one address, in the sandbox."""
    with running(tmp_path_factory.mktemp(history.name), free_port(), sandbox=True) as started:
        yield started


@pytest.fixture(scope="module")
def client(hourbook: Hourbook) -> Iterator[httpx.Client]:
    """A client of it."""
    with client_of(hourbook.url) as connected:
        yield connected


@pytest.fixture(scope="module")
def expected(history: Path) -> dict[str, Any]:
    """What the independent model says."""
    return orjson.loads((history / "expected.json").read_bytes())


@pytest.fixture(scope="module")
def surprises(hourbook: Hourbook, client: httpx.Client, history: Path, expected: dict[str, Any]) -> list[Any]:
    """Plays the history; the commands that did not come out as expected."""
    with unhurried(hourbook) as player:
        found = list(played(player, history))
    client.put("/v1/test-clock", json={"now": expected["end"]}).raise_for_status()
    return found


def played(client: httpx.Client, history: Path) -> Iterator[Any]:
    """The commands that did not come out as expected, of all."""
    for line in sample_lines(history):
        client.put("/v1/test-clock", json={"now": line["at"]}).raise_for_status()
        answer = post(client, line)
        outcome = "accepted" if answer.status_code == 201 else answer.json()["type"].rpartition(":")[2]
        balance = answer.json()["balance"] if answer.status_code == 201 else {}
        said = {name: balance[name] for name in EXPECTED_AFTER if name in balance and name in line}
        if (outcome, said) != (line["expect"], {name: line[name] for name in EXPECTED_AFTER if name in line}):
            yield line, answer.status_code, answer.text


def post(client: httpx.Client, line: dict[str, Any]) -> httpx.Response:
    """The command by its own route."""
    method, template = ROUTES[line["command"]]
    body = {
        name: value
        for name, value in line.items()
        if name not in NOT_IN_THE_BODY and f"{{{name}}}" not in template
    }  # fmt: skip
    key = {"Idempotency-Key": line["idempotency_key"]}
    said = {"params": body} if method == "DELETE" else {"json": body or None}
    return client.request(method, template.format_map(line), headers=key, **said)


def test_every_command_is_accepted_or_refused_as_expected_with_its_balance(surprises: list[Any]):
    assert surprises == []


@pytest.mark.usefixtures("surprises")
@pytest.mark.parametrize("route", ["balance", "replay"])
def test_every_balance_at_every_instant_by_projection_and_by_replay(client, expected, route: str):
    wrong = [
        (account_id, asked, answer)
        for account_id, account in expected["accounts"].items()
        for asked in account["balances"]
        if (answer := ask(client, account_id, route, asked["as_of"]))["balance_minutes"] != asked["balance_minutes"]
    ]
    assert wrong == []


@pytest.mark.usefixtures("surprises")
@pytest.mark.parametrize("route", ["balance", "replay"])
def test_all_lots_and_holdings_at_the_end(client, expected, route: str):
    for account_id, account in expected["accounts"].items():
        answer = ask(client, account_id, route, expected["end"])
        lots = {lot["lot_id"]: (lot["remaining_minutes"], instant(lot["ends_at"])) for lot in answer["lots"]}
        assert lots == {
            lot_id: (lot["remaining_minutes"], instant(lot["ends_at"])) for lot_id, lot in account["lots"].items()
        }
        for holding in ("balance_minutes", "held_minutes", "owed_minutes", "planned_minutes", "suspended"):
            assert answer[holding] == account.get(holding, 0), (account_id, holding)


@pytest.mark.usefixtures("surprises")
def test_the_audit_finds_nothing_wrong_with_all_balances_of_all_accounts(hourbook: Hourbook):
    audited = program("audit", "verify", "--full", "--data", hourbook.parts[0].folder.parent)
    assert (audited.returncode, "nothing is wrong" in audited.stdout) == (0, True), audited.stdout + audited.stderr


def instant(text: str) -> datetime:
    """The instant, whatever its offset."""
    return datetime.fromisoformat(text)


def ask(client: httpx.Client, account_id: str, route: str, as_of: str) -> dict[str, Any]:
    """One balance."""
    answer = client.get(f"/v1/accounts/{account_id}/{route}", params={"as_of": as_of})
    return answer.raise_for_status().json()


MONTHS = [f"{year}-{month:02}" for year in (2024, 2025, 2026) for month in range(1, 13)]


@pytest.mark.usefixtures("surprises")
def test_every_closing_in_every_months_report_and_balances_that_go_on(client: httpx.Client, expected: dict[str, Any]):
    amounts = ("worked_minutes", "charged_minutes", "amount_kopecks")
    for account_id, account in expected["accounts"].items():
        assert set(account["reports"]) <= set(MONTHS)
        balance = 0
        for month in MONTHS:
            report = client.get(f"/v1/accounts/{account_id}/reports/{month}").raise_for_status().json()
            lines = {
                f"{line['task_id']}/{line['closure']}": {name: line[name] for name in amounts}
                for line in report["lines"]
            }
            assert lines == account["reports"].get(month, {}), (account_id, month)
            totals = report["totals"]
            assert report["opening_balance_minutes"] == balance, (account_id, month)
            balance += totals["purchased_minutes"] + totals["paid_minutes"]
            balance -= totals["charged_minutes"] + totals["forfeited_minutes"] + report["refunded_minutes"]
            assert report["closing_balance_minutes"] == balance, (account_id, month)
            refunds = [refund for refund in account.get("refunds", ()) if refund["month"] == month]
            assert report["refunded_minutes"] == sum(refund["minutes"] for refund in refunds), (account_id, month)
            assert report["refunded_kopecks"] == sum(refund["amount_kopecks"] for refund in refunds)
            assert bool(report["report_hash"]) <= report["closed"]
            assert not report["closed"] or not lines or report["report_hash"] == hashed(report)
        assert balance == account["balance_minutes"]


def hashed(report: dict[str, Any]) -> str:
    """The hash of a report's figures, from nothing but its JSON."""
    lines = [Figures(*(line[name] for name in Figures._fields)) for line in report["lines"]]
    balances = (report["opening_balance_minutes"], report["closing_balance_minutes"])
    return report_hash(report["account_id"], report["month"], *balances, lines)


@pytest.mark.usefixtures("surprises")
def test_acts_state_the_money_of_their_reports_and_every_document_renders(
    client: httpx.Client, history: Path, expected: dict[str, Any]
):
    account_id, account = next(iter(expected["accounts"].items()))
    for month in sorted(account["reports"]):
        report = client.get(f"/v1/accounts/{account_id}/reports/{month}.json").raise_for_status().json()
        act = client.get(f"/v1/accounts/{account_id}/acts/{month}").raise_for_status().json()
        assert (
            act["total_kopecks"] == report["totals"]["amount_kopecks"] == sum(e["amount_kopecks"] for e in act["lines"])
        )
        assert act["draft"] == (not report["closed"])
    for document in ("reports", "acts"):
        for form, magic in (("pdf", b"%PDF"), ("xlsx", b"PK")):
            for lang in ("ru", "en"):
                path = f"/v1/accounts/{account_id}/{document}/{EARLY_MONTH[history]}.{form}"
                answer = client.get(path, params={"lang": lang})
                assert answer.raise_for_status().content.startswith(magic)


@pytest.mark.usefixtures("surprises")
def test_a_closed_month_is_the_same_after_all_that_came_later(
    client: httpx.Client, history: Path, expected: dict[str, Any]
):
    closed = 0
    for account_id in expected["accounts"]:
        for document in ("reports", "acts"):
            path = f"/v1/accounts/{account_id}/{document}/{EARLY_MONTH[history]}"
            now = client.get(path).raise_for_status().json()
            then = client.get(path, params={"known_at": now["position"]}).raise_for_status().json()
            assert now | {"known_at": None} == then | {"known_at": None}
            closed += now.get("closed", False)
            for form in ("pdf", "xlsx") if closed == 1 else ():
                earlier = client.get(f"{path}.{form}", params={"known_at": now["position"]}).raise_for_status().content
                assert client.get(f"{path}.{form}").raise_for_status().content == earlier
    assert closed > len(expected["accounts"]) // 2


@pytest.mark.usefixtures("surprises")
def test_a_report_of_nobody_or_of_no_month_is_a_problem(client: httpx.Client):
    assert client.get("/v1/accounts/nobody/reports/2026-03").status_code == 404
    refused = client.get("/v1/accounts/nobody/reports/2026-13.pdf")
    assert refused.status_code == 422
    assert refused.json()["fields"][0]["field"].startswith("file")


@pytest.mark.usefixtures("surprises")
def test_the_list_of_accounts_says_the_same(client: httpx.Client, expected: dict[str, Any]):
    listed = client.get("/v1/accounts", params={"limit": 100}).raise_for_status().json()["accounts"]
    balances = {account["account_id"]: account["balance_minutes"] for account in listed}
    assert balances == {account_id: account["balance_minutes"] for account_id, account in expected["accounts"].items()}


@pytest.mark.usefixtures("surprises")
def test_a_command_sent_again_answers_what_it_answered_before(client: httpx.Client, history: Path):
    accepted = [line for line in sample_lines(history) if line["expect"] == "accepted"][:100]
    for line in accepted:
        again = post(client, line)
        assert again.status_code == 201, again.text
        assert again.headers["Idempotency-Replayed"] == "true"
        assert again.json()["balance"]["balance_minutes"] == line["balance_minutes"]


@pytest.mark.usefixtures("surprises")
def test_an_export_says_every_balance_at_every_instant_in_an_empty_folder_without_us(
    hourbook: Hourbook, client: httpx.Client, expected: dict[str, Any], tmp_path: Path
):
    head = int(client.get("/v1/log", params={"limit": 1}).headers["Hourbook-Position"])
    while (note := client.get("/v1/audit/checkpoint")).is_error or int(note.text.splitlines()[1]) < head:
        pass
    export = tmp_path / "export.tar.gz"
    exported = program("audit", "export", "--url", hourbook.url, "--output", export)
    assert exported.returncode == 0, exported.stderr
    unpack_archive(export, tmp_path, filter="data")
    instants = sorted({asked["as_of"] for account in expected["accounts"].values() for asked in account["balances"]})
    asked = [option for at in instants for option in ("--as-of", at)]
    (tmp_path / "empty").mkdir()
    line = [sys.executable, "-I", tmp_path / "export" / "verify.py", *asked]
    verified = subprocess.run(line, cwd=tmp_path / "empty", capture_output=True, text=True, check=False, timeout=200)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    table = verified.stdout.partition("minutes\n")[2].splitlines()[:-1]
    said = {(account_id, at): int(minutes) for account_id, at, minutes, *_ in map(str.split, table)}
    balances = {
        (account_id, asked["as_of"]): asked["balance_minutes"]
        for account_id, account in expected["accounts"].items()
        for asked in account["balances"]
    }
    assert {key: said[key] for key in balances} == balances


@pytest.mark.usefixtures("surprises")
def test_the_story_of_each_balance_ends_with_it(hourbook: Hourbook, expected: dict[str, Any]):
    account_id, account = max(expected["accounts"].items(), key=lambda each: len(each[1]["lots"]))
    replay = ("audit", "replay", account_id, "--url", hourbook.url, "--format", "ndjson")
    asked = account["balances"][len(account["balances"]) // 2]
    for options, minutes in (((), account["balance_minutes"]), (("--as-of", asked["as_of"]), asked["balance_minutes"])):
        told = program(*replay, *options)
        assert orjson.loads(told.stdout.splitlines()[-1])["balance_minutes"] == minutes, told.stderr


@pytest.mark.usefixtures("surprises")
def test_the_export_that_is_a_page_gives_every_balance_offline(
    hourbook: Hourbook, client: httpx.Client, expected: dict[str, Any], tmp_path: Path
):
    """Of all accounts, and of one alone with hashes in place of the others; also by what was known earlier."""
    one = next(iter(expected["accounts"]))
    for name, more in (("all", ()), ("one", ("--account", one))):
        file = tmp_path / f"{name}.html"
        written = program("export", "--url", hourbook.url, "--page", file, *more)
        assert written.returncode == 0, written.stderr
        accounts = expected["accounts"] if name == "all" else {one: expected["accounts"][one]}
        asked = [(each, said["as_of"], "") for each, account in accounts.items() for said in account["balances"]]
        known = [(one, expected["end"], str(position)) for position in range(10, 400, 10)]
        found = offline_balances(file, asked + known)
        assert found[: len(asked)] == [
            said["balance_minutes"] for account in accounts.values() for said in account["balances"]
        ]
        replay = f"/v1/accounts/{one}/replay"
        assert found[len(asked) :] == [
            client.get(replay, params={"as_of": as_of, "known_at": known_at}).json()["balance_minutes"]
            for _, as_of, known_at in known
        ]


def offline_balances(file: Path, asked: list[tuple[str, str, str]]) -> list[int]:
    """What the page answers, opened from disk without a network, once it has verified what it carries."""
    with offline_page() as page:
        page.goto(file.as_uri())
        page.wait_for_selector("body[data-verified=true]")
        return page.evaluate("(asked) => asked.map((each) => balanceOf(...each).balance)", asked)
