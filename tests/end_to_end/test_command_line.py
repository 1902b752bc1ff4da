"""The program as an operator uses it: a file of commands in, the log out, and exit codes that mean something."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import httpx
import orjson
import pytest
from typer.testing import CliRunner

from infra.data_folder import free_port
from services.__main__ import cli
from services.ledger.settings import TERMS_FILE, terms
from services.operating import close_month
from services.operating.terms import read_version
from services.operating.up import Hourbook, running
from services.process.operator_error import OperatorError
from tests.end_to_end.program import program
from tests.end_to_end.questions import caught_up, client_of

OPEN = {"command": "OpenAccount", "customer_name": "ООО «Ока»", "contract_number": "7", "contract_date": "2026-01-01"}
DRIFT = {
    "compared_at": "2026-03-01T09:00:00+03:00", "agreed": 3, "positions": {},
    "portal_hash": "0" * 64, "ledger_hash": "0" * 64,
    "items": [{"kind": "undecided", "account_id": "a-10007", "task_id": "B24-1", "detail": "no time is written on it"}],
}  # fmt: skip


@pytest.fixture(scope="module")
def hourbook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hourbook]:
    with running(tmp_path_factory.mktemp("program"), free_port()) as started:
        yield started


@pytest.fixture(scope="module")
def client(hourbook: Hourbook) -> Iterator[httpx.Client]:
    with client_of(hourbook.url) as connected:
        yield connected


def commands(file: Path, count: int, *, first: int = 0) -> Path:
    numbers = range(first, first + count)
    lines = [OPEN | {"account_id": f"a-{number}", "idempotency_key": f"open-{number}"} for number in numbers]
    file.write_bytes(b"\n".join(map(orjson.dumps, lines)) + b"\n")
    return file


def test_a_file_of_commands_goes_in_once_and_the_log_comes_out(hourbook: Hourbook, tmp_path: Path):
    file = commands(tmp_path / "commands.ndjson", 1200)
    answers = tmp_path / "answers.ndjson"
    sent = program("import", file, "--url", hourbook.url, "--answers", answers)
    assert (sent.returncode, sent.stdout.split()) == (0, ["1200", "accepted"]), sent.stderr
    assert [orjson.loads(line)["line"] for line in answers.read_bytes().splitlines()] == list(range(1, 1201))

    again = program("import", file, "--url", hourbook.url)
    assert (again.returncode, again.stdout.split()) == (0, ["1200", "replayed"]), again.stderr

    exported = program("export", "--url", hourbook.url, "--output", tmp_path / "log.ndjson")
    assert exported.returncode == 0, exported.stderr
    lines = [orjson.loads(line) for line in (tmp_path / "log.ndjson").read_bytes().splitlines()]
    logs: dict[int, list[int]] = {}
    for line in lines:
        logs.setdefault(line.get("log", 0), []).append(line["position"])
    assert all(positions == list(range(1, len(positions) + 1)) for positions in logs.values())
    assert sorted(line["account_id"] for line in lines) == sorted(f"a-{number}" for number in range(1200))


def test_a_refused_line_is_counted_and_the_exit_code_says_so(hourbook: Hourbook, tmp_path: Path):
    file = commands(tmp_path / "commands.ndjson", 1, first=5000)
    file.write_bytes(file.read_bytes() + b"not a command\n")
    sent = program("import", file, "--url", hourbook.url)
    assert sent.returncode == 1
    assert sent.stdout.split() == ["1", "accepted", "1", "invalid-request"]


def test_a_projection_is_rebuilt_beside_the_running_program(hourbook: Hourbook, client: httpx.Client, tmp_path: Path):
    accounts = commands(tmp_path / "commands.ndjson", 10, first=6000)
    assert program("import", accounts, "--url", hourbook.url).returncode == 0
    heads = list(ends_of_logs(client))
    caught_up(client, "/v1/projections", max(heads))
    places = ", ".join(map(str, heads))
    data = hourbook.parts[0].folder.parent
    for name in ("balances", "monthly_reports"):
        rebuilt = program("rebuild", name, "--url", hourbook.url, "--data", data)
        assert rebuilt.returncode == 0, rebuilt.stderr
        assert rebuilt.stdout == f"{name} is rebuilt up to position {places}\n"


def ends_of_logs(client: httpx.Client) -> Iterator[int]:
    for log in count():
        answer = client.get("/v1/log", params={"log": log, "limit": 1})
        if answer.status_code == 404:
            return
        yield int(answer.headers["Hourbook-Position"])


def test_a_rebuild_without_a_running_program_says_what_to_do(tmp_path: Path):
    refused = program("rebuild", "balances", "--data", tmp_path)
    assert refused.returncode == 1
    assert "Start `hourbook up`" in " ".join(refused.stderr.split())


def outcomes(sent: subprocess.CompletedProcess[str]) -> dict[str, str]:
    """What came of each account."""
    return dict(line.split("\t", 1) for line in sent.stdout.splitlines())


def test_a_month_is_closed_for_all_accounts_again_and_again(hourbook: Hourbook, client: httpx.Client, tmp_path: Path):
    url = ("--url", hourbook.url)
    assert program("import", commands(tmp_path / "commands.ndjson", 1100, first=10_000), *url).returncode == 0
    caught_up(client, "/v1/projections", max(ends_of_logs(client)))

    one = program("close-month", "2026-02", *url, "--account", "a-10007")
    assert (one.returncode, outcomes(one)) == (0, {"a-10007": "closed"}), one.stderr
    assert "portal" not in one.stderr
    client.put("/v1/drift/2026-02", json=DRIFT).raise_for_status()

    answers = tmp_path / "answers.ndjson"
    rest = program("close-month", "2026-02", *url, "--answers", answers)
    closed = outcomes(rest)
    assert "portal and ledger agree on 3 tasks; 1 undecided (2026-03-01" in rest.stderr
    assert rest.returncode == 0, rest.stderr
    assert closed.pop("a-10007") == "already closed"
    assert set(closed.values()) == {"closed"}
    assert closed.keys() >= {f"a-{number}" for number in range(10_000, 11_100)} - {"a-10007"}
    lines = map(orjson.loads, answers.read_bytes().splitlines())
    told = {answer["account_id"]: answer["status"] for answer in lines}
    assert told == dict.fromkeys(closed, 201) | {"a-10007": 409}

    reopened = {"json": {"reason": "ошибка в акте"}, "headers": {"Idempotency-Key": "r"}}
    client.post("/v1/accounts/a-10007/months/2026-02/reopen", **reopened).raise_for_status()
    again = program("close-month", "2026-02", *url, "--account", "a-10007", "--account", "nobody")
    assert (again.returncode, outcomes(again)["a-10007"]) == (1, "closed"), again.stderr
    assert outcomes(again)["nobody"].startswith("refused\taccount-not-found: ")


def test_no_account_is_left_out_that_the_projections_do_not_know_yet(
    hourbook: Hourbook, client: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The worker stands still, as it does while it is started again."""
    worker = next(part.process for part in hourbook.parts if part.name == "worker")
    assert worker
    caught_up(client, "/v1/projections", max(ends_of_logs(client)))
    worker.send_signal(signal.SIGSTOP)
    try:
        program("import", commands(tmp_path / "commands.ndjson", 1, first=30_000), "--url", hourbook.url)
        monkeypatch.setattr(close_month, "BEHIND_TRIES", 1)
        refused = CliRunner().invoke(cli, ["close-month", "2026-01", "--url", hourbook.url])
        assert isinstance(refused.exception, OperatorError)
        assert "does not reach the end of the log" in str(refused.exception)
        assert refused.stdout == ""
    finally:
        worker.send_signal(signal.SIGCONT)
    closed = program("close-month", "2026-01", "--url", hourbook.url)
    assert (closed.returncode, outcomes(closed)["a-30000"]) == (0, "closed"), closed.stderr


def test_a_month_that_is_not_over_stays_open(hourbook: Hourbook, tmp_path: Path):
    program("import", commands(tmp_path / "commands.ndjson", 1, first=20_000), "--url", hourbook.url)
    early = program("close-month", "2198-12", "--url", hourbook.url, "--account", "a-20000")
    assert early.returncode == 1
    assert early.stdout.startswith("a-20000\trefused\tmonth-not-over: ")


def test_what_is_no_month_is_not_closed():
    refused = program("close-month", "2026-13")
    assert refused.returncode == 2
    assert "such as 2026-08" in refused.stderr


def test_what_cannot_work_ends_with_a_sentence_and_not_with_a_traceback(tmp_path: Path):
    nowhere = program("export", "--url", "http://127.0.0.1:9", "--output", tmp_path / "log.ndjson")
    assert nowhere.returncode == 1
    assert "Is Hourbook running, and is --url its address?" in " ".join(nowhere.stderr.split())
    assert "Traceback" not in nowhere.stderr


def test_a_price_list_is_tried_published_and_listed(hourbook: Hourbook, client: httpx.Client, tmp_path: Path):
    version = client.get("/v1/terms").json()["versions"][-1]
    new, file = version | {"name": "2190-01", "in_force_from": "2190-01-01T00:00:00+03:00"}, tmp_path / "terms.json"
    file.write_text(orjson.dumps(new).decode(), encoding="utf-8")
    tried = program("terms", "publish", file, "--dry-run", "--url", hourbook.url)
    assert (tried.returncode, tried.stdout) == (0, ""), tried.stderr
    assert tried.stderr.startswith("account_id\tcharged_minutes\t"), tried.stderr
    done = program("terms", "publish", file, "--url", hourbook.url)
    assert (done.returncode, "2190-01 is published" in done.stdout) == (0, True), done.stderr
    listed = program("terms", "list", "--url", hourbook.url)
    assert [line.split("\t")[0] for line in listed.stdout.splitlines()] == [version["name"], "2190-01"]
    file.write_text(orjson.dumps(new | {"name": "again"}).decode(), encoding="utf-8")
    refused = program("terms", "publish", file, "--url", hourbook.url)
    assert (refused.returncode, "in_force_from: give an instant after" in " ".join(refused.stderr.split())) == (1, True)


def test_a_price_list_may_be_written_as_the_first_one_is_and_a_file_without_one_is_refused(tmp_path: Path):
    text = TERMS_FILE.read_text(encoding="utf-8")
    first = read_version(TERMS_FILE)
    assert first == terms().versions[0].model_dump(mode="json") | {"in_force_from": "2000-01-01T00:00:00+03:00"}
    for name, wrong in (("a.toml", text + text), ("b.toml", "version = 1"), ("c.json", "{"), ("d.toml", "")):
        (tmp_path / name).write_text(wrong, encoding="utf-8")
        with pytest.raises(OperatorError, match="has no version of the terms"):
            read_version(tmp_path / name)


AUDIT = ["audit verify", "audit rotate-key", "audit export", "audit replay"]
ACCESS = [f"access {name}" for name in ("begin", "make", "list", "rotate", "revoke", "why", "me")]
COMMANDS = [
    "",
    "up",
    "demo",
    "ledger",
    "projections",
    "import",
    "export",
    "rebuild",
    "close-month",
    "bench",
    *AUDIT,
    *ACCESS,
    "terms publish",
    "terms list",
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda name: name or "all")
def test_help_is_everywhere(command: str):
    shown = CliRunner().invoke(cli, [*command.split(), "--help"])
    assert shown.exit_code == 0
    assert "Usage" in shown.output


def test_the_command_line_imports_what_a_command_needs_only_when_it_runs():
    """So help and completion answer at once."""
    heavy = {"asyncpg", "fastapi", "httpx", "nats", "typst", "uvicorn"}
    line = [sys.executable, "-c", "import sys, services.__main__; print(*sys.modules)"]
    imported = subprocess.run(line, capture_output=True, text=True, check=True).stdout.split()
    assert heavy & set(imported) == set()
