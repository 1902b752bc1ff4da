"""Which ledger's log a database of projections follows: the first one that it meets, for ever."""

from asyncpg import Connection, Pool

from services.projections.following.logged import CannotApply

SCHEMA = """
CREATE TABLE IF NOT EXISTS followed_ledger (
    only_row  boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    ledger_id text NOT NULL
);
"""

ADOPT = "INSERT INTO projections.followed_ledger (ledger_id) VALUES ($1) ON CONFLICT DO NOTHING"

FOLLOWED = "SELECT ledger_id FROM projections.followed_ledger"


class OtherLedger(CannotApply):
    """The log belongs to another ledger than the one that these projections follow."""

    def __init__(self, found: str, followed: str) -> None:
        super().__init__(
            f"these projections follow ledger {followed}, and the ledger that answers is {found}: "
            "set HOURBOOK_LEDGER_URL and DATABASE_URL to those of one ledger"
        )


class FollowedLedger:
    """The ledger that this database's projections follow."""

    def __init__(self, database: Pool) -> None:
        self._database = database
        self._known: str | None = None

    async def require(self, found: str | None) -> None:
        """Adopt the first ledger that is met; OtherLedger for any other. One of an earlier version names none."""
        if found in (None, self._known):
            return
        await self._database.execute(ADOPT, found)
        self._known = await followed_ledger(self._database)
        if found != self._known:
            raise OtherLedger(found, self._known or "")


async def followed_ledger(database: Pool | Connection) -> str | None:
    """The id of the ledger that is followed; None before the first is met."""
    return await database.fetchval(FOLLOWED)
