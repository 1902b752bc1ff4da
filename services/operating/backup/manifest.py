"""What a backup says of itself. It is written last: a folder without it is no backup."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Literal, Self

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from services.process.file_replacement import replace_file
from services.process.operator_error import OperatorError

MANIFEST = "manifest.json"


class Damaged(OperatorError):
    """A backup is not as it was made: a sentence for each part that is not."""


class FileHash(BaseModel):
    """What a file was when it was copied."""

    model_config = ConfigDict(frozen=True)

    sha256: str
    size: int
    modified_at: datetime

    @classmethod
    def of(cls, file: Path) -> Self:
        status = file.stat()
        with file.open("rb") as opened:
            found = file_digest(opened, "sha256").hexdigest()
        return cls(sha256=found, size=status.st_size, modified_at=datetime.fromtimestamp(status.st_mtime).astimezone())

    def fits(self, file: Path) -> bool:
        """Whether the file has these bytes still."""
        if file.stat().st_size != self.size:
            return False
        with file.open("rb") as opened:
            return file_digest(opened, "sha256").hexdigest() == self.sha256


class Login(BaseModel):
    """A superuser of the server that was backed up, and the database of the ledger."""

    model_config = ConfigDict(frozen=True)

    user: str = "hourbook"
    database: str = "hourbook"


class Manifest(BaseModel):
    """Of one backup. Positions and checkpoints are by log; that of access is -1.

    `at_least`: what the backup holds for certain. `at_most`: what it may hold, for some of it was recorded meanwhile.
    `files` are the backup's own; `wal` those of the archive that no earlier
    manifest lists.
    """

    model_config = ConfigDict(frozen=True)

    form: Literal[1] = 1
    name: str
    program: str
    begun_at: datetime
    ended_at: datetime
    based_on: str | None
    system_identifier: str
    timeline: int
    begins_at: str
    ends_at: str
    login: Login = Login()
    ledger_id: str
    epoch: int = 1
    logs: int
    at_least: Mapping[int, int]
    at_most: Mapping[int, int]
    checkpoints: Mapping[int, str]
    files: Mapping[str, FileHash]
    wal: Mapping[str, FileHash]

    def write(self, folder: Path) -> None:
        """As a whole, with a hash of its own."""
        replace_file(folder / MANIFEST, _text(self.model_dump(mode="json")))

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Damaged where one byte differs from what was written."""
        file = folder / MANIFEST
        try:
            text = file.read_bytes()
            said = orjson.loads(text)["manifest"]
            if _text(said) == text:
                return cls.model_validate(said)
        except FileNotFoundError:
            raise Damaged(f"{file} is missing: bring its folder back, or choose a backup without it.") from None
        except ValidationError:
            raise Damaged(f"{file} was written by another version of Hourbook: restore it with that one.") from None
        except (ValueError, KeyError, TypeError):
            pass
        raise Damaged(f"{file} is not as it was written: make a full backup, and move this one away.")


def _text(said: object) -> bytes:
    digest = sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()
    return orjson.dumps({"manifest": said, "sha256": digest}, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)


def hashes_within(folder: Path) -> dict[str, FileHash]:
    """Of every file below the folder but the manifest itself, by its path from there."""
    return {name: FileHash.of(folder / name) for name in _names(folder)}


def differences(folder: Path, listed: Mapping[str, FileHash]) -> Iterator[str]:
    """A sentence for each file that is missing, is another, or is not in the list."""
    found = set(_names(folder))
    yield from (f"{folder / name} is missing." for name in sorted(listed.keys() - found))
    yield from (f"{folder / name} is in no manifest." for name in sorted(found - listed.keys()))
    for name in sorted(found & listed.keys()):
        if not listed[name].fits(folder / name):
            yield f"{folder / name} is not as it was written: it has other bytes than the manifest says."


def _names(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        if path.is_file() and (name := path.relative_to(folder).as_posix()) != MANIFEST:
            yield name
