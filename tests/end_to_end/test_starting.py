"""Starting, stopping and starting again: nothing is left running, and the data are there."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil

from infra.data_folder import free_port

OPEN = {"account_id": "oka", "customer_name": "ООО «Ока»", "contract_number": "7", "contract_date": "2026-01-01"}


@contextmanager
def up(data: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    """`hourbook up` as an operator starts it, from its line `ready` on."""
    line = [sys.executable, "-m", "services", "up", "--data", str(data), "--port", str(port)]
    process = subprocess.Popen(line, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == f"ready http://127.0.0.1:{port}\n"
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_second_start_finds_its_data_and_a_stop_leaves_nothing_running(server_folder: Path):
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with up(server_folder, port) as first:
        httpx.post(f"{url}/v1/accounts", json=OPEN, headers={"Idempotency-Key": "k"}).raise_for_status()
        children = psutil.Process(first.pid).children(recursive=True)
        assert len(children) >= 6
        first.send_signal(signal.SIGTERM)
        assert first.wait(timeout=60) == 0
        assert [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE] == []
    with up(server_folder, port) as second:
        read = {"Hourbook-Min-Position": "1"}
        assert httpx.get(f"{url}/v1/accounts/oka/balance", headers=read).raise_for_status().json()["position"] == 1
        second.send_signal(signal.SIGINT)
        assert second.wait(timeout=60) == 0


def test_a_start_after_kill_9_of_everything_takes_over(server_folder: Path):
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with up(server_folder, port) as first:
        httpx.post(f"{url}/v1/accounts", json=OPEN, headers={"Idempotency-Key": "k"}).raise_for_status()
        first.kill()
        first.wait()
    with up(server_folder, port):
        again = httpx.post(f"{url}/v1/accounts", json=OPEN, headers={"Idempotency-Key": "k"}).raise_for_status()
        assert again.headers["Idempotency-Replayed"] == "true"
