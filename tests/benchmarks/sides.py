"""What is measured against what: programs started for a measurement, each printing one JSON object."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx
import psutil
import psycopg

from infra import processes
from infra.data_folder import free_port
from infra.embedded_postgres import binary
from services.ledger.event_store import migrations
from services.ledger.event_store.migrations import migrate
from services.ledger.settings import Settings
from services.operating.migration import bring_up_to_date
from services.operating.up import running

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CONNECTIONS = 64
PACKAGES = 5

ROW = """
\\set account random(1, 64)
BEGIN;
{inserts}
COMMIT;
"""
ROWS_A_TRANSACTION = 200


def environment(database_url: str, **more: str) -> dict[str, str]:
    """What a measured program is started with; it finds the project's packages wherever it stands."""
    return {**os.environ, "DATABASE_URL": database_url, "PYTHONPATH": str(ROOT), **more}


def run(database_url: str, program: str, *arguments: object, **more: str) -> dict[str, Any]:
    """Run one side to its end, with more in its environment."""
    line = [sys.executable, str(HERE / program), *map(str, arguments)]
    done = subprocess.run(line, check=True, stdout=subprocess.PIPE, env=environment(database_url, **more))
    return json.loads(done.stdout)


def http_load(port: int, seconds: float, name: str, rate: float = 0, credential: str = "") -> dict[str, Any]:
    """Close tasks over HTTP from 64 connections."""
    return run("", "http_load.py", port, CONNECTIONS, seconds, name, rate, credential)


def database(server_url: str, name: str) -> str:
    """A database of its own on the same server."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return urlsplit(server_url)._replace(path=f"/{name}").geturl()


def pgbench(database_url: str, seconds: int, payload: str) -> dict[str, float]:
    """Rows of our width, two hundred to a transaction, one client: what PostgreSQL takes at its easiest."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("""
            CREATE TABLE IF NOT EXISTS bench_row (log_id integer, position bigserial, account_id text, version integer,
                event_id uuid, command_id text, fingerprint bytea, type text, schema_version smallint,
                recorded_at timestamptz, data json, PRIMARY KEY (log_id, position))
        """)
    payload = payload.replace(":", ": ")  # pgbench takes a colon before a letter or digit for a variable
    insert = (
        "INSERT INTO bench_row (log_id, account_id, version, event_id, command_id, fingerprint, type, schema_version, "
        "recorded_at, data) VALUES (0, 'acc-' || :account, 1, gen_random_uuid(), 'r1-12-345', "
        f"sha256('r1-12-345'), 'TaskClosed', 1, now(), $json${payload}$json$);"
    )
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(ROW.format(inserts="\n".join([insert] * ROWS_A_TRANSACTION)))
        script.flush()
        line = [binary("pgbench"), "-n", "-f", script.name, "-c", "1", "-M", "prepared", "-T", str(seconds)]
        done = subprocess.run([*line, database_url], check=True, capture_output=True, text=True)
    transactions = float(re.search(r"tps = ([\d.]+)", done.stdout).group(1))  # type: ignore[union-attr]
    return {"rate": transactions * ROWS_A_TRANSACTION}


class Served(NamedTuple):
    """A server at work."""

    port: int
    pid: int

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def memory(self) -> int:
        """Its resident bytes."""
        return psutil.Process(self.pid).memory_info().rss


def _migrate(database_url: str) -> None:
    """As an operator does before anything of Hourbook is started."""
    asyncio.run(bring_up_to_date(Settings(database_url=database_url)))


@contextmanager
def serving(line: list[str], environment: dict[str, str]) -> Iterator[Served]:
    """A server on a port of its own, once it answers."""
    if "services" in line:
        _migrate(environment["DATABASE_URL"])
    port = free_port()
    process = subprocess.Popen([sys.executable, *line, "--port", str(port)], env=environment)
    try:
        for _ in processes.until(time.monotonic() + 60):
            if _answers(port):
                break
        yield Served(port, process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def uvicorn(application: str) -> list[str]:
    """The command line of a peer, with the server that ours has."""
    return [
        "-m", "uvicorn", "--factory", application, "--no-access-log", "--log-level", "warning", "--loop", "uvloop",
        "--http", "httptools",
    ]  # fmt: skip


def ledger_alone() -> list[str]:
    """The command line of one ledger service without relay, expiry or projections."""
    return ["-m", "services", "ledger", "--only", "api"]


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/openapi.json", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def open_accounts(url: str, credential: str = "") -> None:
    """An account with hours for each connection."""
    opening = {"customer_name": "ООО «Ока»", "contract_number": "7", "contract_date": "2026-01-01"}
    commands: list[dict[str, Any]] = []
    for number in range(CONNECTIONS):
        account_id = f"acc-{number}"
        commands.append({"command": "OpenAccount", "account_id": account_id, **opening})
        commands += [
            {"command": "PurchasePackage", "account_id": account_id, "package_id": f"p{package}", "plan": "hours-100",
             "purchased_at": "2026-03-01T12:00:00+03:00"}
            for package in range(PACKAGES)
        ]  # fmt: skip
    lines = "\n".join(json.dumps({**c, "idempotency_key": f"set-up-{n}"}) for n, c in enumerate(commands))
    shown = {"Authorization": f"Bearer {credential}"} if credential else {}
    answers = httpx.post(f"{url}/v1/commands", content=lines.encode(), headers=shown, timeout=60, trust_env=False)
    answers.raise_for_status()
    refused = [line for line in answers.text.splitlines() if json.loads(line)["status"] != 201]
    if refused:
        raise RuntimeError(f"the accounts could not be set up: {refused[0]}")


PLAIN_INSERT = """
    INSERT INTO ledger.event (log_id, position, account_id, version, event_id, command_id, fingerprint, type,
        schema_version, recorded_at, data, actor, hash)
    SELECT log, head + n, account_id, version, event_id, command_id, fingerprint, type, schema_version, recorded_at,
        data::json, actor, ''
    FROM unnest(
        account_ids, versions, event_ids, command_ids, fingerprints, types, schema_versions, recorded_ats, datas, actors
    ) WITH ORDINALITY AS new (
        account_id, version, event_id, command_id, fingerprint, type, schema_version, recorded_at, data, actor, n
    );
    stored_hashes := '';
"""


def without_evidence(database_url: str) -> None:
    """A ledger's database that appends without hashes, and without comparing what it stores."""
    asyncio.run(migrate(database_url))
    append = Path(migrations.__file__).with_name("functions") / "append_sealed.sql"
    proved = r"    -- What is stored is compared.+?END IF;\n"
    text, changed = re.subn(proved, lambda _: PLAIN_INSERT, append.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert changed == 1
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(text)


def keys_in(folder: Path) -> dict[str, str]:
    """The settings of a process that seals what it appends."""
    return {
        "HOURBOOK_AUDIT_KEY_FILE": str(folder / "audit" / "key.pem"),
        "HOURBOOK_SEAL_KEY_FILE": str(folder / "audit" / "seal.pem"),
    }


@contextmanager
def checkpointing(database_url: str, folder: Path) -> Iterator[None]:
    """A checkpointer in a process of its own, once it has signed what is in that database."""
    _migrate(database_url)
    line = [sys.executable, "-m", "services", "ledger", "--only", "expiry"]
    signing = environment(database_url, **keys_in(folder))
    process = subprocess.Popen(line, env=signing)
    try:
        with psycopg.connect(database_url, autocommit=True) as connection:
            for _ in processes.until(time.monotonic() + 60):
                if connection.execute("SELECT FROM ledger.checkpoint LIMIT 1").fetchone():
                    break
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


@contextmanager
def everything(folder: Path, database_url: str, say: Callable[[str], None]) -> Iterator[str]:
    """All of Hourbook's processes at work on that database, with a NATS of their own; yields their address."""
    before = os.environ.get("DATABASE_URL")
    os.environ["DATABASE_URL"] = database_url
    try:
        with running(folder, free_port(), say=say) as hourbook:
            yield hourbook.url
    finally:
        os.environ.pop("DATABASE_URL")
        if before is not None:
            os.environ["DATABASE_URL"] = before
