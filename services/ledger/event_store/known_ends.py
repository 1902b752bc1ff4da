"""How far a process knows each log: what every new connection to PostgreSQL is asked to have still.

A restore or a failover breaks all connections, so none is used on a log that has lost what this process knows of it.
"""

from collections.abc import Callable
from contextlib import suppress

import asyncpg

from contracts.placement import ACCESS_LOG
from services.ledger.event_store.database import LogWentBack

_EPOCH = "SELECT coalesce(max(number), 1) FROM ledger.epoch"
_THERE = """
    SELECT e.log_id, e.event_id::text FROM unnest($1::integer[], $2::bigint[]) AS known (log_id, position)
    JOIN ledger.event AS e ON e.log_id = known.log_id AND e.position = known.position
"""
_NOTICE = "INSERT INTO ledger.lost_past VALUES ($1, $2, $3)"


UNREADABLE = (asyncpg.SyntaxOrAccessError, asyncpg.DataError)
"""What comes of tables that are not those of the migrations: who uses them finds that by itself."""


class KnownEnds:
    """The furthest event that this process has recorded or read of each log, and the epoch it knows them in."""

    def __init__(self) -> None:
        self.epoch: int | None = None
        self._ends: dict[int, tuple[int, str]] = {}
        self._at_new_epoch: list[Callable[[], None]] = []

    def at_new_epoch(self, forget: Callable[[], None]) -> None:
        """Call this whenever another epoch has begun: what was known before may be of a lost past."""
        self._at_new_epoch.append(forget)

    def know(self, epoch: int | None, log_id: int, position: int, event_id: str) -> None:
        """That event stood in that log at that position, when it was read in that epoch."""
        if epoch == self.epoch and position > self._ends.get(log_id, (0, ""))[0]:
            self._ends[log_id] = position, event_id

    async def require(self, connection: asyncpg.Connection) -> None:
        """LogWentBack where a log does not have what is known of it, in the epoch that it is known in.

        All processes stop appending then: that is noticed in the database for all of them.
        """
        with suppress(*UNREADABLE):
            await self._require(connection)

    async def _require(self, connection: asyncpg.Connection) -> None:
        epoch = await connection.fetchval(_EPOCH)
        if self.epoch is None or epoch > self.epoch:
            self._begin(epoch)
        known, ends = self.epoch or 1, dict(self._ends)
        positions = [position for position, _ in ends.values()]
        there = {row["log_id"]: row["event_id"] for row in await connection.fetch(_THERE, list(ends), positions)}
        lost = {log_id: position for log_id, (position, event_id) in ends.items() if there.get(log_id) != event_id}
        if epoch < known:
            lost.setdefault(ACCESS_LOG, 0)  # which had the record of its beginning
        for log_id, position in lost.items():
            with suppress(asyncpg.UniqueViolationError):
                await connection.execute(_NOTICE, log_id, known, position)
        if lost:
            raise LogWentBack

    def _begin(self, epoch: int) -> None:
        another, self.epoch = self.epoch is not None, epoch
        self._ends.clear()
        for forget in self._at_new_epoch if another else ():
            forget()
