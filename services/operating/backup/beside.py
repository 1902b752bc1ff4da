"""What lies in a data folder beside the database: keys, what was signed and verified, logins. Copied, and put back."""

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from services.ledger.audit.key_files import OF_CHECKPOINTS
from services.ledger.audit.signer_memory import memories_beside
from services.process.file_replacement import replace_file
from services.process.operator_error import OperatorError

LEFT_OUT = ("postgres", "nats/store", "processes", "demo")
"""The database, which has a backup of its own; streams, which are made from it; logs; the demo's folder."""

LEFT_OUT_FILES = {"lock", "port", "pid", "server.log", "nats.conf", ".room", "key.pem.lock", "seal.pem.lock"}
PASSWORD = Path("postgres", "password")
_SETTING = re.compile(r"HOURBOOK_\w+_(FILE|KEY|CERTIFICATE)")


def copy_beside(data: Path, into: Path) -> None:
    """All of it, for the owner's eyes alone. Files are replaced as a whole, so that each is copied as it was once."""
    for file in _files(data):
        copied = into / file.relative_to(data)
        copied.parent.mkdir(parents=True, exist_ok=True)
        replace_file(copied, file.read_bytes())
    _close_to_others(into)


def copy_settings(environment: Mapping[str, str], data: Path, into: Path) -> None:
    """The files that settings name, as the seller's and the keys of TLS, where they are not in the data folder.

    With the key of checkpoints goes what the signer remembers beside it.
    """
    for variable, value in sorted(environment.items()):
        file = Path(value).absolute() if _SETTING.fullmatch(variable) else None
        if file and file.is_file() and not file.is_relative_to(data.absolute()):
            (into / variable).mkdir(parents=True)
            memories = memories_beside(file) if variable == OF_CHECKPOINTS[0] else ()
            for each in (file, *memories):
                replace_file(into / variable / each.name, each.read_bytes())
    _close_to_others(into)


def put_back(copied: Path, data: Path) -> None:
    """Into a new data folder."""
    if copied.is_dir():
        copy_tree(copied, data)
    _close_to_others(data)


def copy_tree(source: Path, target: Path) -> None:
    """Into a folder that may be there already; OperatorError names the first file that could not be copied."""
    try:
        shutil.copytree(source, target, dirs_exist_ok=True)
    except shutil.Error as failures:
        _, file, reason = failures.args[0][0]
        why = str(reason).partition(": ")[0]
        raise OperatorError(f"{file} cannot be written: {why}. Make room there, or name another folder.") from failures


def _close_to_others(folder: Path) -> None:
    for path, _, files in os.walk(folder):
        Path(path).chmod(0o700)
        for name in files:
            Path(path, name).chmod(0o600)


def _files(data: Path) -> Iterator[Path]:
    if (data / PASSWORD).is_file():
        yield data / PASSWORD
    for file in sorted(data.rglob("*")):
        within = file.relative_to(data)
        left_out = any(within.is_relative_to(each) for each in LEFT_OUT) or file.name in LEFT_OUT_FILES
        if not left_out and file.is_file() and not file.is_symlink():
            yield file
