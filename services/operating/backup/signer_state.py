"""The signer of a restored data folder knows what was signed last: so that a log which went back is noticed."""

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

from contracts.placement import every_log
from services.ledger.audit.key_files import OF_CHECKPOINTS
from services.ledger.audit.signer_memory import Remembered, SignerMemory
from services.ledger.event_store.identity import epoch_in
from services.operating.backup.backup_folder import DATABASE, SETTINGS
from services.operating.backup.kept_checkpoints import Kept, is_of


def remember(folder: Path, ledger_id: str, logs: int, known: Iterable[Kept]) -> None:
    """Bring its memory to the latest of these checkpoints, for each log, where that is later than what it has."""
    known = list(known)
    for key_folder, log_id in product(key_folders(folder), every_log(logs)):
        memory = SignerMemory(key_folder / OF_CHECKPOINTS[1], log_id)
        had = memory.read()
        latest = max((each for each in known if is_of(each, ledger_id, log_id)), key=_age, default=None)
        if latest and (had is None or _age(latest) > _age(had)):
            published = had.published_size if had else 0
            signed_at = latest.signed_at or datetime.now(UTC)
            memory.write(Remembered(latest.origin, latest.size, latest.root, signed_at, min(published, latest.size)))


def key_folders(folder: Path) -> list[Path]:
    """Where a restored data folder has the key of checkpoints, or may have it: the signer remembers beside it."""
    outside = folder / SETTINGS / OF_CHECKPOINTS[0]
    if outside.is_dir():
        return [outside]
    places = [place for place in folder.iterdir() if place.name != DATABASE]
    signs = (OF_CHECKPOINTS[1], "signed-*.json")
    return sorted({file.parent for place in places for sign in signs for file in place.rglob(sign)}) or [
        folder / "audit"
    ]


def _age(checkpoint: Kept | Remembered) -> tuple[int, int]:
    return epoch_in(checkpoint.origin), checkpoint.size
