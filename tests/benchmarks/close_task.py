"""Closing a task over HTTP, durably, against an empty route with the same models: both in one run, as a ratio."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from infra import processes
from infra.data_folder import free_port
from infra.embedded import EmbeddedPostgres
from services.up import running

HERE = Path(__file__).parent
CONNECTIONS = 64
PACKAGES = 5
ROUNDS = 5
REACH = 1 / 3


def measure(seconds: float, output: Path, console: Console) -> None:
    """Measure each side alternately in rounds; print a table, write JSON. Seconds are for each side in all."""
    with tempfile.TemporaryDirectory(prefix="hourbook-bench-") as folder:
        Path(folder).chmod(0o711)
        alone, empty = _ledger_alone(Path(folder)), _empty_route()
        with alone as ledger_port, empty as empty_port:
            rounds = [_round(ledger_port, empty_port, seconds / ROUNDS, number) for number in range(ROUNDS)]
        with running(Path(folder) / "all", free_port(), say=console.print) as hourbook, _empty_route() as empty_port:
            _open_accounts(hourbook.url)
            port = int(hourbook.url.rpartition(":")[2])
            everything = [_round(port, empty_port, seconds / ROUNDS, number) for number in range(ROUNDS)]
    figures = {"the ledger service alone": _summary(rounds), "with relay, worker and expiry": _summary(everything)}
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps({"connections": CONNECTIONS, "reach": REACH, **figures}, indent=1), encoding="utf-8")
    console.print(_table(figures))


def _round(ledger_port: int, empty_port: int, seconds: float, number: int) -> dict[str, Any]:
    """The two sides one after the other, so that a slow moment of the machine meets both."""
    return {
        "close": _load(ledger_port, seconds, f"r{number}"),
        "empty": _load(empty_port, seconds, f"r{number}"),
    }


def _load(port: int, seconds: float, run: str) -> dict[str, float]:
    line = [sys.executable, str(HERE / "http_load.py"), str(port), str(CONNECTIONS), str(seconds), run]
    return json.loads(subprocess.run(line, check=True, capture_output=True).stdout)


def _summary(rounds: list[dict[str, Any]]) -> dict[str, float]:
    return {
        "close_per_second": median(r["close"]["rate"] for r in rounds),
        "empty_per_second": median(r["empty"]["rate"] for r in rounds),
        "close_p50_ms": median(r["close"]["p50_ms"] for r in rounds),
        "close_p99_ms": median(r["close"]["p99_ms"] for r in rounds),
        "ratio": median(r["close"]["rate"] / r["empty"]["rate"] for r in rounds),
    }


def _table(figures: dict[str, dict[str, float]]) -> Table:
    table = Table("close-task over HTTP, 64 connections, fsync on", title="Hourbook against an empty FastAPI route")
    for name in ("closings/s", "empty/s", "p50, ms", "p99, ms", "ratio", "reach"):
        table.add_column(name, justify="right")
    for name, f in figures.items():
        rates = (f"{f['close_per_second']:.0f}", f"{f['empty_per_second']:.0f}")
        table.add_row(name, *rates, f"{f['close_p50_ms']:.1f}", f"{f['close_p99_ms']:.1f}", f"{f['ratio']:.2f}", "0.33")
    return table


@contextmanager
def _ledger_alone(folder: Path) -> Iterator[int]:
    """One ledger process on a durable PostgreSQL, with accounts that have hours."""
    with EmbeddedPostgres(folder / "alone") as postgres:
        port = free_port()
        environment = {**os.environ, "DATABASE_URL": postgres.url, "NATS_URL": "nats://127.0.0.1:1"}
        line = [sys.executable, "-m", "services", "ledger", "--only", "api", "--port", str(port)]
        with _server(line, port, environment):
            _open_accounts(f"http://127.0.0.1:{port}")
            yield port


@contextmanager
def _empty_route() -> Iterator[int]:
    port = free_port()
    line = [
        sys.executable, "-m", "uvicorn", "--factory", "empty_route:create_app", "--app-dir", str(HERE),
        "--port", str(port), "--no-access-log", "--log-level", "warning", "--loop", "uvloop", "--http", "httptools",
    ]  # fmt: skip
    with _server(line, port, dict(os.environ)):
        yield port


@contextmanager
def _server(line: list[str], port: int, environment: dict[str, str]) -> Iterator[None]:
    process = subprocess.Popen(line, env=environment)
    try:
        for _ in processes.until(time.monotonic() + 60):
            if _answers(port):
                break
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/openapi.json", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def _open_accounts(url: str) -> None:
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
    answers = httpx.post(f"{url}/v1/commands", content=lines.encode(), timeout=60, trust_env=False).raise_for_status()
    refused = [line for line in answers.text.splitlines() if json.loads(line)["status"] != 201]
    if refused:
        raise RuntimeError(f"the accounts could not be set up: {refused[0]}")
