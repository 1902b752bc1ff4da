"""Which ledger this is: made once with its database, and the same for ever."""

from services.ledger.event_store.database import Database

_LEDGER_ID = "SELECT ledger_id::text FROM ledger.identity"


async def ledger_id_of(database: Database) -> str:
    """The ledger's id, a UUID."""
    return await database.value(_LEDGER_ID)
