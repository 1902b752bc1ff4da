"""The folder of an export: its files, counted and hashed as they are written, and its archive."""

import gzip
import json
import shutil
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from rich.progress import Progress


@dataclass
class Folder:
    """The files of an export, counted and hashed as they are written."""

    path: Path
    progress: Progress
    files: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.path.mkdir()

    def document(self, name: str, value: dict[str, Any]) -> None:
        """A JSON document."""
        (self.path / name).write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        self._list(name)

    def copy(self, file: Path) -> None:
        """A file that comes with the program."""
        shutil.copyfile(file, self.path / file.name)
        self._list(file.name)

    def lines(self, name: str, lines: Iterable[bytes], total: int | None) -> int:
        """A compressed file of lines; the same lines always make the same bytes. Returns how many there were."""
        written = 0
        task = self.progress.add_task(name, total=total)
        with (
            (self.path / name).open("wb") as file,
            gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as packed,
        ):
            for written, line in enumerate(lines, 1):  # noqa: B007 - the last number is the answer
                packed.write(line + b"\n")
                self.progress.advance(task)
        self.progress.update(task, total=written, completed=written)
        self._list(name)
        return written

    def manifest(self, said: dict[str, Any]) -> None:
        """What the export covers, and its files."""
        self.document("manifest.json", {**said, "files": sorted(self.files, key=lambda entry: entry["name"])})

    def _list(self, name: str) -> None:
        with (self.path / name).open("rb") as file:
            digest = sha256()
            while block := file.read(1 << 20):
                digest.update(block)
            self.files.append({"name": name, "bytes": file.tell(), "sha256": digest.hexdigest()})


def archived(folder: Path) -> Path:
    """The folder as one compressed file beside it; the same files always make the same bytes."""
    archive = folder.with_name(f"{folder.name}.tar.gz")

    def anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.mtime = member.uid = member.gid = 0
        member.uname = member.gname = ""
        member.mode = 0o755 if member.isdir() else 0o644
        return member

    with (
        archive.open("wb") as file,
        gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as members,
    ):
        members.add(folder, folder.name, filter=anonymous)
    return archive
