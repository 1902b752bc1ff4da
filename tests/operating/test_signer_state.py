"""The signer's memory is put back beside its key, wherever that is: else it would sign anew what is lost."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.ledger.audit.signer_memory import Remembered, SignerMemory
from services.ledger.event_store.identity import origin
from services.operating.backup.backup_folder import SETTINGS
from services.operating.backup.beside import copy_beside, copy_settings, put_back
from services.operating.backup.kept_checkpoints import Kept, signers_memory
from services.operating.backup.signer_state import remember

ORIGIN, ROOT = origin("ledger", 0), bytes(32)
OUTSIDE = f"{SETTINGS}/HOURBOOK_AUDIT_KEY_FILE/ours.pem"
NOW = datetime(2026, 11, 28, tzinfo=UTC)


@pytest.mark.parametrize(
    ("key", "restored", "signed"),
    [
        ("data/audit/key.pem", "audit/key.pem", 3),
        ("data/audit/key.pem", "audit/key.pem", 0),
        ("data/signing/key.pem", "signing/key.pem", 3),
        ("data/signing/key.pem", "signing/key.pem", 0),
        ("data/signing/ours.pem", "signing/ours.pem", 3),
        ("elsewhere/ours.pem", OUTSIDE, 3),
        ("elsewhere/ours.pem", OUTSIDE, 0),
    ],
)
def test_it_lies_beside_the_key_and_knows_what_was_signed_last(tmp_path: Path, key: str, restored: str, signed: int):
    key_file, data, backup, folder = (tmp_path / name for name in (key, "data", "backup", "restored"))
    for each in (key_file.parent, data / "audit"):
        each.mkdir(parents=True, exist_ok=True)
    key_file.write_text("the key")
    if signed:
        SignerMemory(key_file, 0).write(Remembered(ORIGIN, signed, ROOT, NOW, signed))
    copy_beside(data, backup / "folder")
    copy_settings({"HOURBOOK_AUDIT_KEY_FILE": str(key_file)}, data, backup / SETTINGS)

    folder.mkdir()
    put_back(backup / "folder", folder)
    put_back(backup / SETTINGS, folder / SETTINGS)
    assert (folder / restored).read_text() == "the key"
    assert [each.size for each in signers_memory(folder / restored)] == [signed] * bool(signed)
    remember(folder, "ledger", 1, [Kept(Path("a note"), ORIGIN, 7, ROOT), Kept(Path("a note"), ORIGIN, 5, ROOT)])
    assert [each.size for each in signers_memory(folder / restored)] == [7]
