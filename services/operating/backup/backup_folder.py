"""The folder of backups: which are whole, what each rests on, and whether all of it is as it was written."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from infra.data_folder import DataFolder, make_usable
from services.operating.backup.manifest import MANIFEST, Damaged, FileHash, Manifest, differences
from services.operating.backup.wal_archive import (
    Segment,
    Timelines,
    WalArchive,
    furthest,
    gaps,
    segment_name,
    segment_number,
    segments_in,
)
from services.process.file_replacement import replace_file
from services.process.operator_error import OperatorError

DATABASE = "postgres"
"""Within a backup: what pg_basebackup has written."""

BESIDE = "folder"
"""Within a backup: what lay in the data folder beside the database."""

SETTINGS = "settings"
"""Within a backup: the files that settings name, each in a folder called after its setting."""


PARTIAL = ".partial"
"""What the name of a backup ends in that is being made."""

OPTION = "--backups"
"""By which commands name the folder."""

SYSTEM = "system-identifier"
"""Whose backups these are: how PostgreSQL tells one cluster from another."""


@dataclass(frozen=True)
class Backup:
    """A whole one."""

    path: Path
    manifest: Manifest

    def own_segments(self) -> Iterator[Segment]:
        """What of the write-ahead log it came with: enough for itself."""
        return segments_in(self.path / DATABASE / "pg_wal")


@dataclass(frozen=True)
class Backups:
    """All backups of one ledger."""

    path: Path

    @property
    def archive(self) -> WalArchive:
        return WalArchive(self.path / "wal")

    def lock(self) -> DataFolder:
        """What one program at a time takes that makes or deletes backups."""
        return DataFolder(self.path, OPTION)

    def make(self, system_identifier: str) -> None:
        """Have the folder, for its owner's eyes alone: what is in it is as secret as the ledger.

        OperatorError where it is another PostgreSQL's.
        """
        make_usable(self.path, 0o700, OPTION)
        self.path.chmod(0o700)
        file = self.path / SYSTEM
        if not file.exists():
            replace_file(file, f"{system_identifier}\n")
        if (known := file.read_text(encoding="ascii").strip()) != system_identifier:
            raise OperatorError(
                f"{self.path} has the backups of PostgreSQL {known}, and this one is {system_identifier}: name another "
                "folder with --backups or HOURBOOK_BACKUPS."
            )

    def names(self) -> list[str]:
        """Of the backups that were finished, the earliest first."""
        found = (each.parent.name for each in self.path.glob(f"*/{MANIFEST}"))
        return sorted(name for name in found if not name.endswith(PARTIAL))

    def backup(self, name: str) -> Backup:
        """That one; Damaged where its manifest is not as it was written."""
        manifest = Manifest.read(self.path / name)
        if manifest.name != name:
            raise Damaged(f"{self.path / name} holds the backup {manifest.name}: give the folder its name back.")
        return Backup(self.path / name, manifest)

    def newest(self) -> Backup:
        """OperatorError where there is none."""
        if names := self.names():
            return self.backup(names[-1])
        raise OperatorError(f"There is no backup in {self.path}: make one with `hourbook backup`.")

    def chain(self, backup: Backup) -> list[Backup]:
        """What a backup rests on, the full one first, and itself."""
        found = [backup]
        while based_on := found[0].manifest.based_on:
            found.insert(0, self.backup(based_on))
        return found

    def listed_wal(self) -> dict[str, FileHash]:
        """What the manifests say of the archive's files; Damaged where one is not as it was written."""
        return wal_listed_by(map(self.backup, self.names()))

    def readable(self) -> list[Backup]:
        """Those whose manifest is as it was written, the earliest first: a new one is made beside damaged ones too."""
        found: list[Backup] = []
        for name in self.names():
            with suppress(Damaged):
                found.append(self.backup(name))
        return found


def wal_listed_by(backups: Iterable[Backup]) -> dict[str, FileHash]:
    """What their manifests say of the archive's files."""
    return {name: each for backup in backups for name, each in backup.manifest.wal.items()}


@dataclass(frozen=True)
class Source:
    """What a restore takes: a chain of backups, and the write-ahead log after it."""

    chain: list[Backup]
    segments: dict[str, Segment]
    histories: list[Path]

    @classmethod
    def of(cls, backups: Backups, backup: Backup) -> "Source":
        """Damaged, with a sentence for each file, where anything that is needed is not as it was written."""
        chain = backups.chain(backup)
        first = segment_number(backup.manifest.begins_at)
        histories = list(backups.archive.histories())
        way = Timelines.of(histories)
        if not way.lead_by(backup.manifest.timeline, first):
            raise Damaged(f"Backup {backup.manifest.name} is of a past that a restore has given up: make a new one.")
        found = furthest(_both(backup.own_segments(), backups.archive.segments(first)))
        segments = {name: each for name, each in found.items() if way.lead_by(each.timeline, each.number)}
        faults = [fault for each in chain for fault in differences(each.path, each.manifest.files)]
        faults += _of_archive(backups, first)
        last_timeline = max((segment.timeline for segment in segments.values()), default=backup.manifest.timeline)
        faults += [
            f"The file {segment_name(last_timeline, number)} of the write-ahead log is missing: nothing that was "
            "recorded after it can be restored."
            for number in gaps(first, segments)
        ]
        if faults:
            raise Damaged(*faults)
        return cls(chain, segments, histories)


def _both(own: Iterator[Segment], archived: Iterator[Segment]) -> Iterator[Segment]:
    yield from own
    yield from archived


def _of_archive(backups: Backups, first: int) -> Iterator[str]:
    """What differs in the part of the archive that is needed, as far as manifests list it."""
    archive = backups.archive
    for name, listed in sorted(backups.listed_wal().items()):
        file = archive.path / name
        segment = Segment.of(file)
        if segment and segment.number < first:
            continue
        if not file.exists():
            yield f"{file} is missing."
        elif not listed.fits(file):
            yield f"{file} is not as it was written: it has other bytes than the manifest says."
