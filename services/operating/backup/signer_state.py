"""The signer of a restored data folder knows what was signed last: so that a log which went back is noticed."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from contracts.placement import every_log
from services.ledger.audit.signer_memory import Remembered, SignerMemory
from services.ledger.event_store.identity import epoch_in
from services.operating.backup.kept_checkpoints import Kept, is_of

KEY_FILE = Path("audit", "key.pem")


def remember(folder: Path, ledger_id: str, logs: int, known: Iterable[Kept]) -> None:
    """Bring its memory to the latest of these checkpoints, for each log, where that is later than what it has."""
    known = list(known)
    for log_id in every_log(logs):
        memory = SignerMemory(folder / KEY_FILE, log_id)
        had = memory.read()
        latest = max((each for each in known if is_of(each, ledger_id, log_id)), key=_age, default=None)
        if latest and (had is None or _age(latest) > _age(had)):
            published = had.published_size if had else 0
            signed_at = latest.signed_at or datetime.now(UTC)
            memory.write(Remembered(latest.origin, latest.size, latest.root, signed_at, min(published, latest.size)))


def _age(checkpoint: Kept | Remembered) -> tuple[int, int]:
    return epoch_in(checkpoint.origin), checkpoint.size
