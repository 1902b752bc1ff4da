"""What a process knows of the audit's work in others: for answers, health and metrics."""

import asyncio
from contextlib import suppress

from contracts.placement import every_log
from services.ledger.event_store.database import Database, LedgerUnavailable
from services.ledger.metrics import AUDIT_FAULTS, AUDIT_HINDRANCES, CHECKPOINT, VERIFIED

EVERY_SECONDS = 4.0

_SIZE = "SELECT max(size) FROM ledger.checkpoint WHERE log_id = $1"
_VERIFICATIONS = "SELECT log_id, size, faults FROM ledger.verification WHERE log_id < $1 ORDER BY log_id"
_HINDRANCES = "SELECT log_id, source, sentence FROM ledger.hindrance WHERE log_id < $1 ORDER BY log_id, source"


class AuditWatch:
    """Looks every four seconds."""

    def __init__(self, database: Database, logs: int) -> None:
        self._database = database
        self._logs = logs
        self.sizes: dict[int, int] = {}
        """How much of each log the newest checkpoint covers; absent before the first."""
        self.faults: list[str] = []
        """What the last verification found wrong, a sentence each."""
        self.hindrances: list[str] = []
        """What hinders the signer and the delivery to witnesses, a sentence each."""

    async def look(self) -> None:
        """See what is new."""
        sizes = {log_id: await self._database.value(_SIZE, log_id) for log_id in every_log(self._logs)}
        self.sizes = {log_id: size for log_id, size in sizes.items() if size}
        verifications = await self._database.rows(_VERIFICATIONS, self._logs)
        hindrances = await self._database.rows(_HINDRANCES, self._logs)
        self.faults = [f"The audit of log {row['log_id']}: {fault}" for row in verifications for fault in row["faults"]]
        self.hindrances = [
            f"{row['source']} of log {row['log_id']} is hindered: {row['sentence']}" for row in hindrances
        ]
        for log_id, size in self.sizes.items():
            CHECKPOINT.labels(log_id).set(size)
        for row in verifications:
            VERIFIED.labels(row["log_id"]).set(row["size"])
            AUDIT_FAULTS.labels(row["log_id"]).set(len(row["faults"]))
        for log_id in every_log(self._logs):
            AUDIT_HINDRANCES.labels(log_id).set(sum(row["log_id"] == log_id for row in hindrances))

    async def run(self) -> None:
        """Until cancelled; while PostgreSQL is unavailable, what was seen last stands."""
        while True:
            with suppress(LedgerUnavailable):
                await self.look()
            await asyncio.sleep(EVERY_SECONDS)
