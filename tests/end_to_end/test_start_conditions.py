"""Whatever would keep Hourbook from working is said before anything starts: a sentence, a remedy, no traceback."""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from infra.data_folder import DataFolder, free_port, make_usable
from infra.embedded import EmbeddedNats, EmbeddedPostgres
from services.operating.parts import Part, bound
from services.operating.start_conditions import require_settings
from services.operating.up import Hourbook, running
from services.process import nats_connection
from services.process.file_replacement import replace_file
from services.process.operator_error import CANNOT_START, OperatorError
from services.process.postgres_login import log_in
from services.process.version import VERSION
from tests.end_to_end.program import program

SELLER = '[party]\nname = "ООО «Сопровождение»"\ninn = "7701234561"\n'
SECRET = "d0-not-print"

WRONG = {
    "DATABASE_URL": [
        ("", "is empty"),
        ("somewhere", "does not begin with postgresql://"),
        (f"mysql://u:{SECRET}@host/db", "does not begin with postgresql://"),
        (f"postgresql://u:{SECRET}@host:port/db", "names no host with a port"),
        (f"postgresql://u:{SECRET}@host:70000/db", "names no host with a port"),
        (f"postgresql://u:{SECRET}#@host/db", "names no host with a port"),
        ("postgresql:///db", "names no host"),
    ],
    "NATS_URL": [
        ("", "is empty"),
        ("http://host", "does not begin with nats://"),
        ("nats://", "names no host"),
        (f"nats://u:{SECRET}@host,", "names no host"),
        (f"nats://u:{SECRET}@host,other:port", "names no host with a port"),
        (f"nats://u:{SECRET}@host,http://other", "does not begin with nats://"),
        (f"nats://u:{SECRET}@host,wss://other", "by websocket and others without"),
    ],
    "HOURBOOK_NATS_REPLICAS": [("2", "none of 1, 3 and 5"), ("", "is empty"), ("three", "is not a whole number")],
    "HOURBOOK_LEDGER_URL": [("", "is empty"), ("ftp://host", "does not begin with http://")],
    "HOURBOOK_PROJECTIONS_URL": [("127.0.0.1:8000", "does not begin with http://")],
    "HOURBOOK_WITNESS_PUT_URL": [("bucket", "does not begin with http://")],
    "HOURBOOK_WITNESS_POST_URL": [("https://", "names no host"), ("http://witness.example", "use https")],
    "HOURBOOK_OIDC_ISSUER": [("http://issuer.example", "use https"), ("http://[::ffff:10.0.0.1]", "use https")],
    "HOURBOOK_REQUESTS_PER_SECOND": [("0", "out of range")],
    "HOURBOOK_REQUEST_LOG_FILE": [("{folder}", "is a folder"), ("{folder}/a/b", "there is no folder")],
    "HOURBOOK_SANDBOX": [("maybe", "is neither 1 nor 0")],
    "HOURBOOK_LOG_FORMAT": [("xml", "'text' or 'json'")],
    "HOURBOOK_LOGS": [("four", "is not a whole number"), ("0", "out of range"), ("5000", "out of range")],
    "HOURBOOK_WARM_EVENTS_MAX": [("-1", "out of range"), ("", "whole number")],
    "HOURBOOK_SELER_FILE": [("seller.toml", "write HOURBOOK_SELLER_FILE")],
    "HOURBOOK_SELLER_FILE": [("", "is empty"), ("nowhere.toml", "cannot be read: No such file"), ("{folder}", "read")],
    "HOURBOOK_WEBHOOKS_FILE": [("nowhere.toml", "cannot be read: No such file")],
    "HOURBOOK_BITRIX24_FILE": [("nowhere.toml", "cannot be read: No such file")],
    "HOURBOOK_SMTP_URL": [
        ("mail.example", "write it as smtp://"),
        ("smtp://", "write it as smtp://"),
        ("smtp://mail.example:99999", "write it as smtp://"),
        (f"smtp://u:{SECRET}@mail.example", "HOURBOOK_SMTP_PASSWORD_FILE"),
        ("smtp://mail.example?timeout=0", "from 1 to 600"),
        ("smtp://mail.example?tls=no", "only timeout"),
    ],
    "HOURBOOK_MAIL_FROM": [("", "is empty"), ("office", "write it as Name <office@example.com>")],
    "HOURBOOK_SMTP_PASSWORD_FILE": [("{folder}/text", "name one with HOURBOOK_SMTP_URL")],
    "HOURBOOK_SEND_AFTER_DAYS": [("-1", "out of range"), ("3", "name one with HOURBOOK_SMTP_URL")],
    "HOURBOOK_MAIL_TEXTS_FILE": [("nowhere.toml", "cannot be read: No such file")],
    "HOURBOOK_AUDIT_KEY_FILE": [("{folder}", "cannot be read"), ("{folder}/text/key.pem", "is not a folder")],
    "HOURBOOK_WITNESS_FILE": [("{folder}", "is a folder"), ("{folder}/a/b", "there is no folder")],
}


@pytest.mark.parametrize(("variable", "value", "said"), [(name, *case) for name in WRONG for case in WRONG[name]])
def test_a_setting_that_does_not_fit_is_named_with_its_remedy(variable: str, value: str, said: str, tmp_path: Path):
    (tmp_path / "text").write_text("text")
    with pytest.raises(OperatorError) as refused:
        require_settings({variable: value.format(folder=tmp_path)})
    assert refused.value.exit_code == CANNOT_START
    (sentence,) = refused.value.sentences
    assert sentence.startswith(variable)
    assert said in sentence
    assert SECRET not in sentence


@pytest.mark.parametrize(
    ("variable", "content", "said"),
    [
        ("HOURBOOK_SELLER_FILE", SELLER, "party.0.inn: "),
        ("HOURBOOK_SELLER_FILE", "[party", "it is not TOML"),
        ("HOURBOOK_SELLER_FILE", 'x = 1\n[[vat]]\nmode = "19"', "x: "),
        ("HOURBOOK_WEBHOOKS_FILE", '[[endpoint]]\nurl = "nowhere"\nsecret = "x"', "endpoint.0.url: "),
        ("HOURBOOK_BITRIX24_FILE", "[accounts]\nx = 'oka'", "webhook: "),
        ("HOURBOOK_MAIL_TEXTS_FILE", '[ru]\nsubject = "{mouth}"', "line 2: subject has {mouth}"),
        ("HOURBOOK_AUDIT_KEY_FILE", "text", "is no private key"),
    ],
)
def test_a_file_that_does_not_fit_is_named_with_the_field(variable: str, content: str, said: str, tmp_path: Path):
    file = tmp_path / "file"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(OperatorError) as refused:
        require_settings({variable: str(file)})
    assert all(str(file) in sentence for sentence in refused.value.sentences)
    assert any(said in sentence for sentence in refused.value.sentences), refused.value.sentences


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"HOURBOOK_MAIL_FROM": None}, "HOURBOOK_MAIL_FROM is not set"),
        ({"HOURBOOK_SMTP_PASSWORD_FILE": None}, "or neither"),
        ({"HOURBOOK_SMTP_URL": "smtp://mail.example"}, "or neither"),
        ({"HOURBOOK_SMTP_PASSWORD_FILE": "nowhere"}, "HOURBOOK_SMTP_PASSWORD_FILE, nowhere: it cannot be read"),
        ({"HOURBOOK_SMTP_PASSWORD_FILE": "{folder}/empty"}, "it holds no password"),
        ({"HOURBOOK_SMTP_PASSWORD_FILE": "{folder}/lines"}, "it holds no password"),
    ],
)
def test_a_mail_server_is_named_whole(changes: dict[str, str | None], said: str, tmp_path: Path):
    for name, content in {"password": SECRET, "empty": "", "lines": f"{SECRET}\n{SECRET}\n"}.items():
        (tmp_path / name).write_text(content)
    whole = {
        "HOURBOOK_SMTP_URL": "smtps://hourbook@mail.example",
        "HOURBOOK_SMTP_PASSWORD_FILE": "{folder}/password",
        "HOURBOOK_MAIL_FROM": "Hourbook <office@seller.example>",
    }
    given = {name: value.format(folder=tmp_path) for name, value in (whole | changes).items() if value}
    require_settings({name: value.format(folder=tmp_path) for name, value in whole.items()})
    with pytest.raises(OperatorError) as refused:
        require_settings(given)
    (sentence,) = refused.value.sentences
    assert said in sentence
    assert SECRET not in sentence


def test_everything_that_is_wrong_is_said_at_once():
    with pytest.raises(OperatorError) as refused:
        require_settings({"HOURBOOK_LOGS": "x", "NATS_URL": "", "HOURBOOK_SELLER_FILE": "nowhere"})
    assert len(refused.value.sentences) >= 2


def test_what_fits_is_let_through(tmp_path: Path):
    url = "postgresql://u:p%40@one:5432,[::1]:5433/db?sslmode=disable"
    require_settings({"DATABASE_URL": url, "HOURBOOK_WITNESS_FILE": str(tmp_path / "w"), "HOURBOOK_IMAGE": "x"})


async def test_a_login_that_postgresql_refuses_is_said_at_once(database_url: str):
    parts = urlsplit(database_url)
    server = f"{parts.hostname}:{parts.port}"
    for login, name, said in (
        (f"{parts.username}:wrong@{server}", parts.path, "refuses the password"),
        (f"nobody-here:x@{server}", parts.path, "refuses the"),
        (f"{parts.username}:{parts.password}@{server}", "/nowhere", "has no database of that name"),
        (f"{parts.username}:{parts.password}@{server}", f"{parts.path}?sslmode=odd", "cannot be read"),
    ):
        with pytest.raises(OperatorError, match=said):
            await log_in(f"postgresql://{login}{name}")
    await log_in(database_url)


async def test_a_login_that_nats_refuses_is_said_and_an_absent_nats_is_not_an_error(server_folder: Path):
    with EmbeddedNats(server_folder) as nats:
        url = nats.url
        assert await nats_connection.log_in(url)
        with pytest.raises(OperatorError, match="NATS_URL"):
            await nats_connection.log_in(url.replace("hourbook:", "hourbook:wrong"))
    assert not await nats_connection.log_in(url)


def test_a_port_in_use_is_one_sentence_and_nothing_is_started(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        for command in (["up", "--data", tmp_path / "data"], ["ledger"], ["projections"]):
            refused = program(*command, "--port", str(port), DATABASE_URL="postgresql://nobody@127.0.0.1:9/x")
            assert refused.returncode == CANNOT_START
            assert refused.stderr == (
                f"hourbook: Port {port} of 127.0.0.1 is in use by another program: "
                "stop that one, or choose another --port.\n"
            )
            assert refused.stdout == ""
    assert not (tmp_path / "data").exists()


def test_a_data_folder_that_is_a_file_is_said(tmp_path: Path):
    file = tmp_path / "file"
    file.write_text("")
    for data in (file, file / "below"):
        refused = program("up", "--port", str(free_port()), "--data", data)
        assert (refused.returncode, refused.stderr) == (1, f"hourbook: {data} is a file: name a folder with --data.\n")


@pytest.mark.skipif(not os.access("/dev/full", os.W_OK) or os.geteuid() != 0, reason="mounts a small disk as root")
def test_a_full_disk_is_said_and_nobody_is_told_to_delete_data(tmp_path: Path):
    mounted = os.system(f"mount -t tmpfs -o size=64k tmpfs {tmp_path} 2>/dev/null") == 0
    if not mounted:
        pytest.skip("this machine lets nobody mount")
    try:
        with pytest.raises(OperatorError, match="The disk is full") as refused:
            make_usable(tmp_path)
    finally:
        os.system(f"umount {tmp_path}")
    assert "delete" not in str(refused.value).lower()


@pytest.mark.parametrize("content", ["", "\n", "port", "99999999", "-5"])
def test_a_port_file_that_says_nothing_is_replaced(server_folder: Path, content: str):
    (server_folder / "port").write_text(content)
    folder = DataFolder(server_folder)
    with pytest.raises(OperatorError, match="names no port"):
        folder.port_in_use()
    assert folder.port() == int((server_folder / "port").read_text())


def test_a_lost_password_is_said_and_not_made_anew(server_folder: Path):
    with EmbeddedPostgres(server_folder):
        pass
    (server_folder / "password").write_text("")
    with pytest.raises(OperatorError, match="bring the file from a backup"):
        EmbeddedPostgres(server_folder).start()


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path):
    file = tmp_path / "port"
    replace_file(file, "1")
    with pytest.raises(TypeError):
        replace_file(file, 2)  # type: ignore[arg-type]
    assert (file.read_text(), list(tmp_path.iterdir())) == ("1", [file])
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        (["ledger", "--only", "relay"], "NATS_URL is not set: the relay needs to know where to publish."),
        (["sender"], "HOURBOOK_SMTP_URL is not set: name the mail server."),
    ],
)
def test_a_process_that_cannot_start_is_not_started_for_ever(line: list[str], wrong: str, tmp_path: Path):
    """What is not set is said though PostgreSQL does not answer."""
    environment = {name: value for name, value in os.environ.items() if name not in {"NATS_URL", "HOURBOOK_SMTP_URL"}}
    part = Part("part", line, environment | {"DATABASE_URL": "postgresql://h/d"}, tmp_path)
    part.start()
    assert part.process
    part.process.wait(timeout=60)
    with pytest.raises(OperatorError, match=wrong):
        part.require_start()
    said: list[str] = []
    part.starts = [0.0]
    part.revive(said.append)
    part.process.wait(timeout=60)
    part.starts = [0.0]
    part.revive(said.append)
    part.process.wait(timeout=60)
    assert said == [f"part: {wrong}"]


def test_a_log_that_is_too_long_is_put_aside_and_emptied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("services.operating.parts.LOG_BYTES_MAX", 10)
    log = tmp_path / "worker.log"
    with log.open("a") as writing:
        for line in ("one\n", "two, a longer one\n", "three\n"):
            writing.write(line)
            writing.flush()
            bound(log)
    assert log.read_text() == "three\n"
    assert (tmp_path / "worker.log.1").read_text() == "one\ntwo, a longer one\n"


def test_the_version_is_said():
    assert program("--version").stdout == f"hourbook {VERSION}\n"


@pytest.fixture
def hourbook(tmp_path: Path) -> Iterator[Hourbook]:
    with running(tmp_path / "one", free_port()) as started:
        yield started


def test_a_service_that_is_started_again_keeps_its_port_against_everybody(hourbook: Hourbook):
    """Its socket is its parent's: nobody can take the port meanwhile, and whoever connects waits."""
    service = hourbook.parts[0]
    assert service.process
    service.process.send_signal(signal.SIGKILL)
    service.process.wait()
    port = int(hourbook.url.rpartition(":")[2])
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", port))
    service.start()
    assert httpx.get(f"{hourbook.url}/health/live", timeout=60, trust_env=False).status_code == 200
