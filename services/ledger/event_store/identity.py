"""Which ledger this is: made once with its database, and the same for ever."""

from contracts.placement import ACCESS_LOG
from services.ledger.event_store.database import Database

_LEDGER_ID = "SELECT ledger_id::text FROM ledger.identity"


async def ledger_id_of(database: Database) -> str:
    """The ledger's id, a UUID."""
    return await database.value(_LEDGER_ID)


def origin(ledger_id: str, log_id: int) -> str:
    """How a log of a ledger is named, for ever."""
    return f"hourbook/{ledger_id}/{'access' if log_id == ACCESS_LOG else f'log/{log_id}'}"
