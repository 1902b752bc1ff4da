"""Which ledger this is: made once with its database, and the same for ever."""

from contracts.placement import ACCESS_LOG
from services.ledger.event_store.database import Database

_LEDGER_ID = "SELECT ledger_id::text FROM ledger.identity"


async def ledger_id_of(database: Database) -> str:
    """The ledger's id, a UUID."""
    return await database.value(_LEDGER_ID)


def origin(ledger_id: str, log_id: int, epoch: int = 1) -> str:
    """How a log of a ledger is named; its checkpoints of a later epoch have the epoch in their name."""
    name = f"hourbook/{ledger_id}/{'access' if log_id == ACCESS_LOG else f'log/{log_id}'}"
    return name if epoch == 1 else f"{name}/epoch/{epoch}"


def epoch_in(named: str) -> int:
    """Of which epoch a checkpoint of that origin is."""
    _, found, epoch = named.rpartition("/epoch/")
    return int(epoch) if found and epoch.isdecimal() else 1
