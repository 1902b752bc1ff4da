"""The program with its door closed: one command as before, with a key from the data folder."""

import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import orjson
import pytest
from typer.testing import CliRunner

from contracts.access import Role
from infra.data_folder import free_port
from services.__main__ import cli
from services.access.caller import KeyInFile
from services.access.keys import Credential
from services.operating import door_keys
from services.operating.up import Hourbook, running
from services.process.operator_error import OperatorError
from tests.end_to_end.program import program
from tests.end_to_end.questions import caught_up, client_of
from tests.ledger.commands import closing_body

OF_CUSTOMER = {"customer_name": "ООО «Ока»", "contract_number": "7", "contract_date": "2026-01-01"}
OPEN = {"command": "OpenAccount", **OF_CUSTOMER}
CLOSE = {
    "command": "CloseTask", "task_id": "T-1", **closing_body(), "closed_at": "2026-03-02T12:00:00Z",
    "confirmed_at": "2026-03-02T12:00:00Z", "confirmed_by": "Xylophia Quendelbaum",
}  # fmt: skip

pytestmark = pytest.mark.usefixtures("one_log", "closed")


@pytest.fixture(scope="module")
def closed() -> Iterator[None]:
    """Whatever is started or asked meets a closed door, and finds no key but the one it is told of."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOURBOOK_ACCESS", "closed")
        patch.delenv("HOURBOOK_KEY_FILE", raising=False)
        yield


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("closed")


@pytest.fixture(scope="module")
def said() -> list[str]:
    """What the start says to its operator."""
    return []


@pytest.fixture(scope="module")
def hourbook(closed: None, one_log: None, data: Path, said: list[str]) -> Iterator[Hourbook]:
    with running(data, free_port(), say=said.append) as started:
        yield started


def key(data: Path, name: str = door_keys.OWNER) -> str:
    return str(door_keys.file_of(data, name))


@pytest.fixture
def client(hourbook: Hourbook, data: Path) -> Iterator[httpx.Client]:
    """The owner."""
    with client_of(hourbook.url) as opened:
        opened.auth = KeyInFile(Path(key(data)))
        yield opened


def test_the_first_start_makes_a_key_for_each_role_and_says_so(hourbook: Hourbook, data: Path, said: list[str]):
    folder = data / door_keys.FOLDER
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {file.name for file in folder.glob("*.key")} == {f"{name}.key" for name in door_keys.ROLES_OF}
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.glob("*.key")} == {0o600}
    assert [line.partition(str(folder))[0] for line in said if str(folder) in line] == [
        "keys are made in ", "every request shows a key: ",
    ]  # fmt: skip
    with client_of(hourbook.url) as client:
        for name, roles in door_keys.ROLES_OF.items():
            me = client.get("/v1/me", auth=KeyInFile(Path(key(data, name)))).raise_for_status().json()
            assert me["roles"] == sorted(roles)


def test_the_keys_stand_in_the_log_of_access(client: httpx.Client):
    facts = [orjson.loads(line) for line in client.get("/v1/access/records").content.splitlines()]
    made = [fact for fact in facts if fact["type"] == "KeyMade"]
    assert len(made) == len(door_keys.ROLES_OF)
    assert {fact["actor"] for fact in made} == {"system-operator"}


def test_no_secret_is_in_a_log_or_a_process_list(hourbook: Hourbook, data: Path):
    shown = [Credential.parse(file.read_text().strip()) for file in (data / door_keys.FOLDER).glob("*.key")]
    secrets = [each.secret for each in shown if each]
    assert len(secrets) == len(shown) > 5
    logs = [log.read_text() for log in (data / "processes").glob("*.log")]
    lines = [Path(f"/proc/{part.process.pid}/{name}").read_text() for part in hourbook.parts if part.process
             for name in ("cmdline", "environ")]  # fmt: skip
    assert logs
    assert not [secret for secret in secrets for text in (*logs, *lines) if secret in text]


def refusal(*line: str | Path) -> str:
    """The sentence with which a command ends that may not."""
    done = CliRunner().invoke(cli, [*map(str, line)])
    assert isinstance(done.exception, OperatorError), (line, done.exception)
    assert done.stdout == ""
    return str(done.exception)


def test_a_caller_without_a_key_is_told_what_is_missing(
    hourbook: Hourbook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "commands.ndjson").write_text("{}\n")
    for line in (
        ["import", tmp_path / "commands.ndjson"], ["export"], ["close-month", "2026-03"], ["access", "list"],
        ["audit", "export", "--output", tmp_path / "export"], ["audit", "replay", "oka"], ["access", "me"],
        ["privacy", "erase", "oka", "--reason", "x"],
    ):  # fmt: skip
        assert "--key-file or HOURBOOK_KEY_FILE" in refusal(*line, "--url", hourbook.url), line


def test_a_key_that_may_not_is_told_which_right_is_missing(hourbook: Hourbook, data: Path, tmp_path: Path):
    reader = ("--url", hourbook.url, "--key-file", key(data, Role.READER))
    for line, right in (
        (["export"], "log"), (["access", "list"], "access"), (["privacy", "erase", "oka", "--reason", "x"], "erasure"),
    ):  # fmt: skip
        assert f"The right {right} is missing" in refusal(*line, *reader)
    (tmp_path / "text").write_text("no key\n")
    (tmp_path / "unknown").write_text("hb1_aaaaaaaaaaaaaaaa_0123456789012345678901234567890123456789012\n")
    for name, fault in (("text", "holds no key"), ("unknown", "does not let in"), ("nowhere", "cannot be read")):
        sentence = refusal("access", "me", "--url", hourbook.url, "--key-file", tmp_path / name)
        assert fault in sentence
        assert "0123456789" not in sentence


def test_the_programs_own_commands_work_with_a_key(
    hourbook: Hourbook, data: Path, client: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Some are given the key by name, some by the environment."""
    url, named = ("--url", hourbook.url), ("--key-file", key(data))
    lines = [OPEN, CLOSE]
    keyed = [line | {"account_id": "oka", "idempotency_key": str(number)} for number, line in enumerate(lines)]
    file = tmp_path / "commands.ndjson"
    file.write_bytes(b"\n".join(map(orjson.dumps, keyed)) + b"\n")

    sent = program("import", file, *url, *named)
    assert (sent.returncode, sent.stdout.split()) == (0, ["2", "accepted"]), sent.stdout + sent.stderr
    caught_up(client, "/v1/projections", 2)
    finance = ("--key-file", key(data, Role.FINANCE))
    month = program("close-month", "2026-03", *url, "--account", "oka", *finance)
    assert (month.returncode, month.stdout) == (0, "oka\tclosed\n"), month.stderr

    monkeypatch.setenv("HOURBOOK_KEY_FILE", key(data))
    exported = program("export", *url)
    assert len(exported.stdout.splitlines()) == 3, exported.stderr
    replayed = program("audit", "replay", "oka", *url, "--format", "ndjson")
    assert replayed.returncode == 0, replayed.stderr
    erased = program("privacy", "erase", "oka", "--reason", "consent withdrawn", *url)
    assert (erased.returncode, erased.stdout) == (0, "1 erased\n"), erased.stderr
    monkeypatch.delenv("HOURBOOK_KEY_FILE")

    rebuild = ("rebuild", "balances", *url, "--data", data)
    assert "The right log is missing" in refusal(*rebuild, "--key-file", key(data, Role.RECORDER))
    rebuilt = program(*rebuild)
    assert rebuilt.returncode == 0, rebuilt.stderr


def test_an_export_is_verified_without_us(hourbook: Hourbook, data: Path, client: httpx.Client, tmp_path: Path):
    head = client.get("/v1/log", params={"limit": 1}).headers["Hourbook-Position"]
    while client.get("/v1/audit/checkpoint").text.split("\n")[1:2] != [head]:
        pass
    named = ("--key-file", key(data, Role.AUDITOR))
    written = program("audit", "export", "--url", hourbook.url, "--output", tmp_path / "export", *named)
    assert written.returncode == 0, written.stderr
    line = [sys.executable, "-I", tmp_path / "export" / "verify.py"]
    verified = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=100)
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_keys_are_made_listed_rotated_explained_and_revoked(hourbook: Hourbook, data: Path, tmp_path: Path):
    named = ("--url", hourbook.url, "--key-file", key(data))
    made = program("access", "make", "CRM", "--role", "recorder", "--account", "oka", "--ends",
                   "2099-01-01T00:00:00+03:00", *named)  # fmt: skip
    assert made.returncode == 0, made.stderr
    file = tmp_path / "crm.key"
    file.write_text(made.stdout)
    key_id = made.stdout.split("_")[1]

    mine = program("access", "me", "--url", hourbook.url, "--key-file", file)
    assert "accounts\toka\n" in mine.stdout, mine.stderr
    listed = program("access", "list", *named).stdout
    assert f"{key_id}\tCRM\trecorder\toka\tends 2098-12-31T21:00:00" in listed
    assert made.stdout.strip() not in listed

    may = ("access", "why", f"key-{key_id}", "tasks", "--account")
    assert (program(*may, "oka", *named).returncode, program(*may, "kama", *named).returncode) == (0, 1)
    rotated = program("access", "rotate", key_id, "--overlap", "0", *named)
    assert program("access", "me", "--url", hourbook.url, "--key-file", file).returncode == 1
    file.write_text(rotated.stdout)
    assert program("access", "me", "--url", hourbook.url, "--key-file", file).returncode == 0
    assert program("access", "revoke", key_id, "--reason", "test", *named).stdout == f"{key_id} is revoked\n"
    shut = program("access", "me", "--url", hourbook.url, "--key-file", file)
    assert (shut.returncode, "is revoked" in shut.stderr) == (1, True)
    odd = program("access", "make", "CRM", "--role", "recorder", "--account", "?", *named)
    assert (odd.returncode, "accounts" in odd.stderr) == (1, True), odd.stderr


@pytest.mark.parametrize("access", ["open", "closed"])
def test_the_demo_is_one_command_and_shows_the_door(access: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """With a history that is over, so that it plays nothing anew: it takes most of a minute."""
    monkeypatch.setenv("HOURBOOK_ACCESS", access)
    with running(tmp_path, free_port(), sandbox=True) as started, client_of(started.url) as client:
        client.auth = KeyInFile(Path(key(tmp_path))) if access == "closed" else None
        client.post(
            "/v1/accounts", json={"account_id": "oka", **OF_CUSTOMER}, headers={"Idempotency-Key": "1"}
        ).raise_for_status()
        client.put("/v1/test-clock", json={"now": "2027-01-01T00:00:00Z"}).raise_for_status()
    done = program("demo", "--exit", "--port", str(free_port()), "--data", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Where to look next" in done.stdout
    shown = "GET /v1/access/keys with reader.key: 403 The right access is missing" in done.stdout
    assert shown == (access == "closed"), done.stdout
    for name in door_keys.ROLES_OF if shown else ():
        assert f"{name}.key" in done.stdout
