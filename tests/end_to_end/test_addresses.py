"""Who could reach the service, and by what certificate, is judged before anything starts."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from infra.data_folder import free_port
from services.operating.start_conditions import require_settings
from services.process.operator_error import CANNOT_START, OperatorError
from tests.end_to_end.certificates import certificate
from tests.end_to_end.program import program


@pytest.mark.parametrize(
    ("shown", "key", "said"),
    [
        ("own/certificate.pem", None, "HOURBOOK_TLS_KEY is missing"),
        (None, "own/key.pem", "HOURBOOK_TLS_CERTIFICATE is missing"),
        ("own/certificate.pem", "other/key.pem", "no certificate with its own key"),
        ("own/key.pem", "own/key.pem", "no certificate with its own key"),
        ("own/certificate.pem", "nowhere.pem", "cannot be read: No such file"),
        ("own", "own/key.pem", "cannot be read: Is a directory"),
        ("own/certificate.pem", "locked.pem", "the key without a password"),
    ],
)
def test_a_certificate_that_cannot_be_shown_is_said_before_anything_starts(
    shown: str | None, key: str | None, said: str, tmp_path: Path
):
    for name in ("own", "other"):
        _, secret = certificate(tmp_path / name)
    loaded = serialization.load_pem_private_key(secret.read_bytes(), None)
    locked = serialization.BestAvailableEncryption(b"password")
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
    (tmp_path / "locked.pem").write_bytes(loaded.private_bytes(*form, locked))
    named = {"HOURBOOK_TLS_CERTIFICATE": shown, "HOURBOOK_TLS_KEY": key}
    with pytest.raises(OperatorError) as refused:
        require_settings({variable: str(tmp_path / file) for variable, file in named.items() if file})
    assert refused.value.exit_code == CANNOT_START
    (sentence,) = refused.value.sentences
    assert said in sentence


def test_a_file_without_authorities_is_said(tmp_path: Path):
    _, secret = certificate(tmp_path / "own")
    with pytest.raises(OperatorError, match=r"HOURBOOK_CA_FILE, .* holds no certificates"):
        require_settings({"HOURBOOK_CA_FILE": str(secret)})


@pytest.mark.parametrize("command", [["up", "--data", "{data}"], ["ledger"], ["projections"]])
def test_without_a_door_nobody_else_reaches_the_service(command: list[str], tmp_path: Path):
    line = [part.format(data=tmp_path / "data") for part in command]
    for host, settings in ((("--host", "0.0.0.0"), {}), ((), {"HOURBOOK_HOST": "::"})):
        settings |= {"HOURBOOK_ACCESS": "open", "DATABASE_URL": "postgresql://nobody@127.0.0.1:9/x"}
        refused = program(*line, *host, "--port", str(free_port()), **settings)
        assert (refused.returncode, refused.stdout) == (CANNOT_START, "")
        assert refused.stderr.startswith("hourbook: HOURBOOK_ACCESS=open has no door, and is for loopback alone")
        assert len(refused.stderr.splitlines()) == 1
    assert not (tmp_path / "data").exists()
