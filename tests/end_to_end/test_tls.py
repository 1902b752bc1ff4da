"""The program behind TLS, at every address of this machine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.data_folder import free_port
from services.access.caller import Caller
from services.operating import door_keys
from services.operating.up import Hourbook, running
from tests.end_to_end.certificates import certificate
from tests.end_to_end.program import program


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """It does not name the address at which the parts ask."""
    return certificate(tmp_path_factory.mktemp("tls") / "own")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("behind-tls")


@pytest.fixture(scope="module")
def hourbook(pair: tuple[Path, Path], data: Path) -> Iterator[Hourbook]:
    """Behind a closed door, at every address of this machine, with a test clock: its parts ask each other over TLS."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOURBOOK_ACCESS", "closed")
        patch.setenv("HOURBOOK_HOST", "0.0.0.0")
        patch.setenv("HOURBOOK_TLS_CERTIFICATE", str(pair[0]))
        patch.setenv("HOURBOOK_TLS_KEY", str(pair[1]))
        with running(data, free_port(), sandbox=True) as started:
            yield started


@pytest.fixture
def elsewhere(hourbook: Hourbook, monkeypatch: pytest.MonkeyPatch) -> str:
    """The service's address, for who does not have its certificate."""
    for variable in ("HOURBOOK_TLS_CERTIFICATE", "HOURBOOK_TLS_KEY", "HOURBOOK_HOST"):
        monkeypatch.delenv(variable)
    return hourbook.url.replace("127.0.0.1", "localhost")


def me(url: str, data: Path, **settings: str) -> tuple[int, str]:
    """The exit code, and all that is said."""
    asked = program("access", "me", "--url", url, "--key-file", door_keys.file_of(data, door_keys.OWNER), **settings)
    assert "Traceback" not in asked.stderr
    return asked.returncode, asked.stdout + asked.stderr


def test_up_says_https_and_its_parts_speak_to_each_other(hourbook: Hourbook, data: Path):
    assert hourbook.url.startswith("https://127.0.0.1:")
    assert me(hourbook.url, data)[0] == 0
    owner = Caller(hourbook.url, door_keys.file_of(data, door_keys.OWNER))
    with owner.client() as client:
        opening = {"account_id": "oka", "customer_name": "Oka", "contract_number": "7", "contract_date": "2026-01-01"}
        client.post("/v1/accounts", json=opening, headers={"Idempotency-Key": "k"}).raise_for_status()
        client.put("/v1/test-clock", json={"now": "2036-01-01T00:00:00Z"}).raise_for_status()
        assert client.get("/v1/accounts/oka/balance").raise_for_status().json()["balance_minutes"] == 0


def test_the_programs_commands_trust_the_authorities_of_a_file(elsewhere: str, pair: tuple[Path, Path], data: Path):
    assert me(elsewhere, data, HOURBOOK_CA_FILE=str(pair[0]))[0] == 0


def test_who_does_not_trust_the_certificate_shows_no_key(elsewhere: str, data: Path, tmp_path: Path):
    other, _ = certificate(tmp_path / "other")
    for trusted in ({}, {"HOURBOOK_CA_FILE": str(other)}):
        code, said = me(elsewhere, data, **trusted)
        assert (code, "CERTIFICATE_VERIFY_FAILED" in said) == (1, True)
