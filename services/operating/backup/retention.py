"""Which backups are not needed any more: full ones but the newest, with all that rests on them, and the log before."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from services.operating.backup.backup_folder import PARTIAL, Backup, Backups
from services.operating.backup.outcomes import last_drill_was_bad
from services.operating.backup.wal_archive import WalArchive, segment_number


def delete_unneeded(backups: Backups, keep: int, say: Callable[[str], None]) -> list[str]:
    """Keep so many full backups, the newest, with all that rests on them; the names of those that are deleted.

    Nothing is deleted after a drill that was not good, nor a backup whose manifest cannot be read.
    """
    if last_drill_was_bad(backups.path):
        say("the last drill was not good: no backup is deleted")
        return []
    alone = backups.lock()
    alone.acquire()
    try:
        readable = backups.readable()
        deleted = unneeded(readable, keep)
        for backup in deleted:
            _delete(backup.path)
        if kept := [backup for backup in readable if backup not in deleted]:
            _delete_log_before(backups.archive, min(segment_number(each.manifest.begins_at) for each in kept))
    finally:
        alone.release()
    return [backup.manifest.name for backup in deleted]


def unneeded(backups: Sequence[Backup], keep: int) -> list[Backup]:
    """Of backups in their order, those that no kept one rests on; each before what it rests on itself."""
    full_one: dict[str, str] = {}
    for backup in backups:
        manifest = backup.manifest
        full_one[manifest.name] = full_one.get(manifest.based_on, "") if manifest.based_on else manifest.name
    kept = sorted({name for name in full_one.values() if name})[-keep:]
    return [each for each in reversed(backups) if kept and "" < full_one[each.manifest.name] < kept[0]]


def _delete(folder: Path) -> None:
    """With another name it is no backup any more; what an interruption leaves goes when the next one is made."""
    going = folder.with_name(f"{folder.name}{PARTIAL}")
    folder.rename(going)
    shutil.rmtree(going)


def _delete_log_before(archive: WalArchive, first: int) -> None:
    """The segments that nothing needs, and folders that have none left, but for the one that may be written to."""
    for file in list(_segments_before(archive, first)):
        file.unlink()
    for stretch in archive.stretches()[:-1]:
        with suppress(OSError):  # it has something still
            stretch.rmdir()


def _segments_before(archive: WalArchive, first: int) -> Iterator[Path]:
    return (segment.file for segment in archive.segments(0) if segment.number < first and not segment.partial)
