"""Ledger and projections as processes of their own, each with its door closed: what one records, the other obeys."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from os import environ
from pathlib import Path

import httpx
import pytest

from contracts.access import Role
from infra.data_folder import free_port
from infra.embedded import EmbeddedNats
from services.access.caller import Caller, KeyInFile
from services.operating.door_keys import OWNER, file_of
from tests.end_to_end.program import program
from tests.end_to_end.questions import caught_up

OPEN = {"account_id": "oka", "customer_name": "ООО «Ока»", "contract_number": "7", "contract_date": "2026-01-01"}

pytestmark = pytest.mark.usefixtures("one_log")


@contextmanager
def part(command: str, port: int, settings: dict[str, str]) -> Iterator[str]:
    """The address of a part that answers."""
    line = [sys.executable, "-m", "services", command, "--port", str(port)]
    with subprocess.Popen(line, env=environ | settings) as process:
        try:
            while not answers(f"http://127.0.0.1:{port}"):
                assert process.poll() is None
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(timeout=60)


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/live", trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.fixture
def own_nats(server_folder: Path) -> Iterator[str]:
    """A ledger at work takes the stream of alerts of its NATS server for its own, for good."""
    with EmbeddedNats(server_folder) as server:
        yield server.url


def test_the_projections_admit_whom_the_ledger_knows_and_nobody_else(database_url: str, own_nats: str, tmp_path: Path):
    ports = free_port(), free_port()
    settings = {
        "DATABASE_URL": database_url, "NATS_URL": own_nats, "HOURBOOK_ACCESS": "closed",
        "HOURBOOK_LEDGER_URL": f"http://127.0.0.1:{ports[0]}",
        "HOURBOOK_LEDGER_KEY_FILE": str(file_of(tmp_path, Role.FOLLOWER)),
    }  # fmt: skip
    assert program("migrate", **settings).returncode == 0
    begun = program("access", "begin", "--data", tmp_path, **settings)
    assert begun.returncode == 0, begun.stderr
    owner, reader = file_of(tmp_path, OWNER), file_of(tmp_path, Role.READER)
    with part("ledger", ports[0], settings) as ledger, part("projections", ports[1], settings) as projections:
        with Caller(ledger, owner).client() as client:
            signed = OPEN | {"customer_requisites": {"signatory_name": "Роман Ромашкин"}}
            opened = client.post("/v1/accounts", json=signed, headers={"Idempotency-Key": "k"})
            position = opened.raise_for_status().json()["position"]
        assert httpx.get(f"{projections}/v1/accounts/oka/balance", timeout=60, trust_env=False).status_code == 401
        with httpx.Client(base_url=projections, auth=KeyInFile(reader), trust_env=False, timeout=60) as client:
            while client.get("/v1/projections").status_code == 401:
                pass
            caught_up(client, "/v1/accounts/oka/balance", position)
            while client.get("/v1/accounts/oka").raise_for_status().json()["run_out_on"] is None:
                pass
            report = caught_up(client, "/v1/accounts/oka/reports/2026-03", position).json()
            assert report["customer"]["signatory_name"] == "Роман Ромашкин"
            key_id = reader.read_text().split("_")[1]
            with Caller(ledger, owner).client() as admin:
                revocation = f"/v1/access/keys/{key_id}/revocation"
                admin.post(revocation, json={"reason": "test"}).raise_for_status()
            while client.get("/v1/accounts/oka/balance").status_code != 401:
                pass
