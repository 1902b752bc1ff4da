"""What the last backup and the last drill came to: files in the folder of backups, which metrics are read from."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import REGISTRY, Collector

from services.operating.backup.manifest import Manifest
from services.process.file_replacement import replace_file

BACKUP = "last-backup.json"
DRILL = "last-drill.json"
METRICS = {
    "hourbook_last_backup_timestamp_seconds": "When the last whole backup was finished; 0 before the first.",
    "hourbook_last_good_drill_timestamp_seconds": "When a drill last found nothing wrong; 0 before the first.",
    "hourbook_last_drill_good": "1 if the last drill found nothing wrong.",
    "hourbook_last_drill_rpo_seconds": "For how long before the last drill events were in no backup.",
    "hourbook_last_drill_rto_seconds": "How long the last drill took to have a server with all that is backed up.",
}


@dataclass(frozen=True)
class DrillOutcome:
    """`rpo_seconds`: how much was lost; `rto_seconds`: how long it took until the server could be used."""

    backup: str
    begun_at: datetime
    good: bool
    faults: tuple[str, ...] = ()
    events: int = 0
    rpo_seconds: float = 0.0
    rto_seconds: float = 0.0
    audit_seconds: float = 0.0


def note_backup(folder: Path, manifest: Manifest) -> None:
    """When it was finished."""
    said = {"name": manifest.name, "ended_at": manifest.ended_at}
    replace_file(folder / BACKUP, orjson.dumps(said, option=orjson.OPT_INDENT_2))


def note_drill(folder: Path, outcome: DrillOutcome) -> None:
    """What came of it, and when one was last good."""
    last_good = outcome.begun_at if outcome.good else _read(folder / DRILL).get("last_good_at")
    said = asdict(outcome) | {"last_good_at": last_good}
    replace_file(folder / DRILL, orjson.dumps(said, option=orjson.OPT_INDENT_2))


def last_backup_at(folder: Path) -> datetime | None:
    """When the last whole one was finished."""
    return _time(_read(folder / BACKUP).get("ended_at"))


def last_drill_at(folder: Path) -> datetime | None:
    """When the last one began, whatever came of it."""
    return _time(_read(folder / DRILL).get("begun_at"))


def last_drill_was_bad(folder: Path) -> bool:
    """Whether there was one, and it found something."""
    return _read(folder / DRILL).get("good") is False


class BackupMetrics(Collector):
    """Of a folder of backups, read whenever somebody asks; without a folder, nothing."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Every metric, with a value where there is a folder."""
        values = figures(self.folder) if self.folder else {}
        for name, meaning in METRICS.items():
            family = GaugeMetricFamily(name, meaning)
            if name in values:
                family.add_metric([], values[name])
            yield family


def figures(folder: Path) -> dict[str, float]:
    """What the files say. Without one, a backup or a drill was at the beginning of time, so that its alert fires."""
    backup, drill = _read(folder / BACKUP), _read(folder / DRILL)
    found = {
        "hourbook_last_backup_timestamp_seconds": _seconds(_time(backup.get("ended_at"))),
        "hourbook_last_good_drill_timestamp_seconds": _seconds(_time(drill.get("last_good_at"))),
    }
    names = ("good", "rpo_seconds", "rto_seconds")
    return found | {f"hourbook_last_drill_{name}": float(drill[name]) for name in names if name in drill}


_shown = BackupMetrics(None)
REGISTRY.register(_shown)


def show_backups(folder: Path | None) -> None:
    """Have this process show the metrics of that folder."""
    _shown.folder = folder


def _time(instant: str | None) -> datetime | None:
    return datetime.fromisoformat(instant) if instant else None


def _seconds(instant: datetime | None) -> float:
    return instant.timestamp() if instant else 0.0


def _read(file: Path) -> dict[str, Any]:
    """What it says; nothing where it is missing or is no JSON object, for a metric must not end."""
    try:
        said = orjson.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}
