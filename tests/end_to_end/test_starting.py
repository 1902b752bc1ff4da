"""Starting, stopping and starting again: nothing is left running, and the data are there."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil

from infra.data_folder import free_port
from tests.end_to_end.questions import caught_up, client_of

OPEN = {"account_id": "oka", "customer_name": "ООО «Ока»", "contract_number": "7", "contract_date": "2026-01-01"}


def backups_of(data: Path) -> Path:
    """Where that Hourbook archives its write-ahead log."""
    return data.with_name(f"{data.name}-backups")


@contextmanager
def up(data: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    """`hourbook up` as an operator starts it, from its line `ready` on."""
    line = [sys.executable, "-m", "services", "up", "--data", str(data), "--port", str(port)]
    environment = os.environ | {"HOURBOOK_BACKUPS": str(backups_of(data))}
    process = subprocess.Popen(line, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == f"ready http://127.0.0.1:{port}\n"
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_every_start_finds_its_data_and_a_stop_leaves_nothing_running(server_folder: Path):
    """A first start that is stopped, a second that is killed with everything, and a third that takes over.

    Its write-ahead log is archived without a gap all the while.
    """
    data, port = server_folder / "data", free_port()
    with up(data, port) as first:
        assert "Idempotency-Replayed" not in open_account(port).headers
        children = psutil.Process(first.pid).children(recursive=True)
        assert len(children) >= 6
        while not list(backups_of(data).glob("wal/*/*.partial")):
            pass
        first.send_signal(signal.SIGTERM)
        assert first.wait(timeout=120) == 0
        assert [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE] == []
    with up(data, port) as second:
        with client_of(f"http://127.0.0.1:{port}") as client:
            assert caught_up(client, "/v1/accounts/oka/balance", 1).json()["position"] == 1
        second.kill()
        second.wait()
    with up(data, port) as third:
        assert open_account(port).headers["Idempotency-Replayed"] == "true"
        third.send_signal(signal.SIGINT)
        assert third.wait(timeout=120) == 0
    assert len(list(backups_of(data).glob("wal/*"))) == 1


def open_account(port: int) -> httpx.Response:
    """What is answered."""
    with client_of(f"http://127.0.0.1:{port}") as client:
        return client.post("/v1/accounts", json=OPEN, headers={"Idempotency-Key": "k"}).raise_for_status()
