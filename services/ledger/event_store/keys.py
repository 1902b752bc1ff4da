"""Which log may record the command with which key, where there are several logs; each statement touches one log."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from contracts.placement import log_of
from services.ledger.event_store.database import Database, LedgerUnavailable

_RESERVE = "SELECT command_id, holder, generation FROM ledger.reserve($1, $2, $3)"
_HOLDER = "SELECT holder FROM ledger.reservation WHERE log_id = $1 AND command_id = $2"
_REVOKE = "SELECT ledger.revoke($1, $2, $3)"
_REVOKED = """
    SELECT command_id FROM unnest($2::text[], $3::integer[]) AS reserved (key, generation)
    JOIN ledger.revocation AS r ON r.log_id = $1 AND r.command_id = key AND r.generation >= reserved.generation
"""
_MOVE = """
    UPDATE ledger.reservation SET holder = $5, generation = generation + 1
    WHERE log_id = $1 AND command_id = $2 AND holder = $3 AND generation = $4
"""


@dataclass(frozen=True, slots=True)
class Reservation:
    """The log that may record a key's command, and how often the key has been taken over."""

    holder: int
    generation: int


class Keys:
    """The reservations of idempotency keys; a key's own hash says which log keeps its reservation."""

    def __init__(self, database: Database, logs: int) -> None:
        self._database = database
        self.logs = logs

    def home(self, key: str) -> int:
        """The log that keeps the key's reservation."""
        return log_of(key, self.logs)

    async def reserve(self, home: int, keys: Collection[str], log_id: int) -> dict[str, Reservation]:
        """Reserve for a log those of the keys, all of one home, that are nobody's; who holds each now.

        Where the link breaks it is asked again: it makes no difference whether the first time was heard.
        """
        given = (home, list(keys), log_id)
        try:
            rows = await self._database.rows(_RESERVE, *given)
        except LedgerUnavailable:
            rows = await self._database.rows(_RESERVE, *given)
        return {row["command_id"]: Reservation(row["holder"], row["generation"]) for row in rows}

    async def holder(self, key: str) -> int | None:
        """The log that may record the key's command, if any was named yet."""
        return await self._database.value(_HOLDER, self.home(key), key)

    async def revoke(self, key: str, held: Reservation) -> bool:
        """Keep the holder from recording the key's command; False if it has recorded it."""
        return await self._database.value(_REVOKE, held.holder, key, held.generation)

    async def revoked(self, log_id: int, generations: Mapping[str, int]) -> set[str]:
        """Those of the keys that a log may not record by the reservation of that generation any more."""
        rows = await self._database.rows(_REVOKED, log_id, list(generations), list(generations.values()))
        return {row["command_id"] for row in rows}

    async def take_over(self, key: str, held: Reservation, log_id: int) -> Reservation:
        """Give a key, once it is revoked, to another log, unless somebody was faster; who holds it now."""
        home = self.home(key)
        await self._database.value(_MOVE, home, key, held.holder, held.generation, log_id)
        return (await self.reserve(home, [key], log_id))[key]
