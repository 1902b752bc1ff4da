"""The epochs of a log as signed records have them: under which names its checkpoints stand, and up to which size."""

from collections.abc import Sequence
from typing import NamedTuple

from services.ledger.audit.keys import PublicKey, published
from services.ledger.audit.restore_notes import Restore, bound_of, read_restores
from services.ledger.event_store.database import Database
from services.ledger.event_store.epochs import epoch_of, restore_notes
from services.ledger.event_store.identity import epoch_in, ledger_id_of, origin


class SignedEpochs(NamedTuple):
    """Of one log. `restores`: all that were recorded, each of which began an epoch."""

    ledger_id: str
    log_id: int
    restores: Sequence[Restore] = ()

    @classmethod
    async def read(cls, database: Database, log_id: int, keys: Sequence[PublicKey]) -> "SignedEpochs":
        """NotANote where a record is not signed by one of the keys; ValueError for an epoch without a record."""
        ledger_id = await ledger_id_of(database)
        return cls(ledger_id, log_id, await signed_restores(database, ledger_id, keys))

    @property
    def present(self) -> int:
        """The epoch that it is now."""
        return self.restores[-1].epoch if self.restores else 1

    @property
    def name(self) -> str:
        """Under which checkpoints are signed now."""
        return origin(self.ledger_id, self.log_id, self.present)

    def may_have(self, name: str, size: int) -> bool:
        """Whether a checkpoint of this origin and size can be of this log, and of what it still has."""
        epoch = epoch_in(name)
        begun = epoch == 1 or epoch in (each.epoch for each in self.restores)
        bound = bound_of(self.restores, epoch, self.log_id)
        return begun and name == origin(self.ledger_id, self.log_id, epoch) and (bound is None or size <= bound)

    def gave_up(self, name: str, size: int, root: bytes) -> Restore | None:
        """The restore that has declared lost what was signed under that origin; None where it has to stand still."""
        later = [each for each in self.restores if each.epoch > epoch_in(name)]
        return next((each for each in later if each.gives_up(self.log_id, size, root)), None)


async def signed_restores(database: Database, ledger_id: str, keys: Sequence[PublicKey]) -> list[Restore]:
    """All that are recorded; NotANote for one that no key has signed, and for an epoch without a record."""
    epoch, notes = await epoch_of(database), await restore_notes(database)
    restores = read_restores(notes, ledger_id, keys)
    recorded = restores[-1].epoch if restores else 1
    if epoch > recorded:
        raise ValueError(f"it is epoch {epoch}, and the last that a signed record has begun is {recorded}")
    return restores


async def all_keys(database: Database) -> list[PublicKey]:
    """The published keys of the ledger; NotANote where one cannot be read."""
    ledger_id = await ledger_id_of(database)
    return [PublicKey.read(note, ledger_id) for _, note in await published(database)]
