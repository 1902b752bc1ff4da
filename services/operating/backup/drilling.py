"""A drill: the newest backup is restored beside everything, audited whole, and held to what is kept elsewhere."""

import asyncio
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import asyncpg

from contracts.placement import every_log, log_name
from services.auditing.auditor import Audit
from services.ledger.audit.restore_notes import Restore
from services.ledger.audit.signed_epochs import all_keys, signed_restores
from services.ledger.event_store.database import Database
from services.ledger.event_store.store import EventStore
from services.operating.backup.backup_folder import DATABASE, Backup, Backups, Source
from services.operating.backup.kept_checkpoints import Kept, contradictions, missing_events, of_other_ledgers, standing
from services.operating.backup.ledger_state import Head, asked, first_missing, heads, ledger_of
from services.operating.backup.manifest import Damaged
from services.operating.backup.outcomes import DrillOutcome
from services.operating.backup.receipts import KeptReceipt, receipt_faults
from services.operating.backup.recovery import Target, recovered
from services.operating.backup.restoring import put_beside
from services.process.postgres_roles import AUDITOR

ARCHIVED_SECONDS_MAX = 10
ARCHIVED_EVERY_SECONDS = 0.05
SAMPLED_EVENTS = 100
VERIFIED = Path("audit", "verified.json")

_WRITTEN = "SELECT pg_current_wal_flush_lsn()::text"
_BEING_ARCHIVED = "SELECT count(*) FROM pg_stat_replication WHERE application_name = 'pg_receivewal'"
_ARCHIVED = f"{_BEING_ARCHIVED} AND flush_lsn >= $1::text::pg_lsn"
_SAMPLE = """
    SELECT position, hash FROM ledger.event
    WHERE log_id = $1 AND position IN (SELECT 1 + floor(random() * $2)::bigint FROM generate_series(1, $3))
"""
_OTHERS = """
    SELECT position FROM unnest($2::bigint[], $3::bytea[]) AS live (position, hash)
    JOIN ledger.event AS e USING (position) WHERE e.log_id = $1 AND e.hash <> live.hash ORDER BY position
"""


@dataclass(frozen=True)
class Live:
    """What the ledger had that is at work, when the drill began, and some of its events' hashes by log."""

    ledger_id: str
    heads: Mapping[int, Head]
    sample: Mapping[int, list[asyncpg.Record]]


@dataclass(frozen=True)
class Drill:
    """Of the newest backup. `live_url`: of the database that is at work, where it can be asked.

    `kept`: checkpoints that the backup has to cover. `signed`: the signer's memory, which it covers where the
    write-ahead log is archived; what it does not cover is else the time since the backup.
    """

    backups: Backups
    live_url: str | None
    kept: list[Kept]
    signed: list[Kept]
    receipts: list[KeptReceipt]
    say: Callable[[str], None]
    begun_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    async def run(self, scratch: Path | None = None) -> DrillOutcome:
        """What came of it: damage and contradictions are its faults; OperatorError for what keeps it from running."""
        begun, name = time.monotonic(), "none"
        live = await self._live() if self.live_url else None
        with tempfile.TemporaryDirectory(prefix="hourbook-drill-", dir=scratch) as folder:
            try:
                backup = self.backups.newest()
                name = backup.manifest.name
                return await self._drilled(backup, live, Path(folder), begun)
            except Damaged as damaged:
                return DrillOutcome(name, self.begun_at, good=False, faults=damaged.sentences)

    async def _drilled(self, backup: Backup, live: Live | None, folder: Path, begun: float) -> DrillOutcome:
        _require_same_ledger(backup, live, self._all_kept())
        source = await asyncio.to_thread(Source.of, self.backups, backup)
        put_beside(backup, folder)
        async with recovered(source, folder / DATABASE, Target()) as server:
            rto = time.monotonic() - begun
            self.say(f"backup {backup.manifest.name} is restored, in {rto:.1f} s; the audit begins")
            async with asked(server.url) as connection:
                ledger_id, logs = await ledger_of(connection)
                found = await heads(connection, logs)
                async with EventStore.connected(server.url, logs, role=AUDITOR) as store:
                    restores = await _restores(store.readers, ledger_id)
                    faults = await receipt_faults(store, self.receipts)
                faults += _before_the_manifest(backup, found)
                faults += await self._contradicted(connection, ledger_id, found, logs, restores)
                faults += await _other_events(connection, live)
            audit = Audit(server.url, logs, folder / VERIFIED)
            for log_id, findings in (await audit.run(full=True)).items():
                faults += [f"The audit of log {log_name(log_id)} found: {fault}" for fault in findings.faults]
        return DrillOutcome(
            backup.manifest.name, self.begun_at, not faults, tuple(dict.fromkeys(faults)),
            events=sum(head.position for head in found.values()),
            rpo_seconds=round(await self._rpo(source, live, found, logs), 3), rto_seconds=round(rto, 3),
            audit_seconds=round(time.monotonic() - begun - rto, 3),
        )  # fmt: skip

    def _all_kept(self) -> list[Kept]:
        return [*self.kept, *self.signed, *(each.checkpoint for each in self.receipts)]

    async def _contradicted(
        self,
        connection: asyncpg.Connection,
        ledger_id: str,
        found: Mapping[int, Head],
        logs: int,
        restores: Sequence[Restore],
    ) -> list[str]:
        if faults := of_other_ledgers(self._all_kept(), ledger_id, logs):
            return faults
        kept = standing(self._all_kept(), restores, ledger_id, logs)
        has_to_cover = [each for each in kept if self.backups.archive.stretches() or each in self.kept]
        return [
            *missing_events(has_to_cover, ledger_id, found, logs),
            *await contradictions(connection, kept, ledger_id, found, logs),
        ]

    async def _live(self) -> Live:
        """Waits until what is committed by now is archived, where it is being archived."""
        assert self.live_url
        async with asked(self.live_url) as connection:
            ledger_id, logs = await ledger_of(connection)
            there_are = await heads(connection, logs)
            sample = {
                log_id: await connection.fetch(_SAMPLE, log_id, head.position, SAMPLED_EVENTS)
                for log_id, head in there_are.items()
            }
            await _archived(connection, self.say)
        return Live(ledger_id, there_are, sample)

    async def _rpo(self, source: Source, live: Live | None, found: Mapping[int, Head], logs: int) -> float:
        """For how long before the drill what was recorded is lost: 0 where nothing is.

        Without the database that is at work nobody knows what is lost: all after the last that was archived may be.
        """
        if live is None or self.live_url is None:
            written = [each.file.stat().st_mtime for each in source.segments.values()]
            last = max(written, default=source.chain[-1].manifest.ended_at.timestamp())
            return max(0.0, self.begun_at.timestamp() - last)
        async with asked(self.live_url) as connection:
            lost_from = await first_missing(connection, found, logs)
        return max(0.0, (self.begun_at - lost_from).total_seconds()) if lost_from else 0.0


def _require_same_ledger(backup: Backup, live: Live | None, kept: list[Kept]) -> None:
    """Damaged, before anything is restored, where the manifest names another ledger than what is known elsewhere."""
    own = backup.manifest.ledger_id
    if faults := of_other_ledgers(kept, own, backup.manifest.logs):
        raise Damaged(*faults)
    if live and live.ledger_id != own:
        raise Damaged(f"The backup is of another ledger: it is of {own}, and the one at work is {live.ledger_id}.")


async def _restores(database: Database, ledger_id: str) -> Sequence[Restore]:
    """Those that are recorded; none where they cannot be read, which the audit says."""
    try:
        return await signed_restores(database, ledger_id, await all_keys(database))
    except ValueError:
        return ()


def _before_the_manifest(backup: Backup, found: Mapping[int, Head]) -> list[str]:
    """Where a log is shorter than it was when the backup was begun."""
    manifest = backup.manifest
    return [
        f"Log {log_name(log_id)} should have {manifest.at_least[log_id]} events or more, and ends at position "
        f"{found[log_id].position if log_id in found else 0}."
        for log_id in every_log(manifest.logs)
        if (found[log_id].position if log_id in found else 0) < manifest.at_least.get(log_id, 0)
    ]


async def _other_events(connection: asyncpg.Connection, live: Live | None) -> list[str]:
    """Of the sampled events of the ledger at work those that are others here."""
    return [
        f"Position {row['position']} of log {log_name(log_id)} is another event than in the ledger that is at work."
        for log_id, sample in (live.sample.items() if live else ())
        for row in await connection.fetch(
            _OTHERS, log_id, [each["position"] for each in sample], [each["hash"] for each in sample]
        )
    ]


async def _archived(connection: asyncpg.Connection, say: Callable[[str], None]) -> None:
    if not await connection.fetchval(_BEING_ARCHIVED):
        say("the write-ahead log is not being archived: what was recorded since the backup is not in it")
        return
    written = await connection.fetchval(_WRITTEN)
    for _ in range(round(ARCHIVED_SECONDS_MAX / ARCHIVED_EVERY_SECONDS)):
        if await connection.fetchval(_ARCHIVED, written):
            return
        await asyncio.sleep(ARCHIVED_EVERY_SECONDS)
    say(f"the write-ahead log was not archived within {ARCHIVED_SECONDS_MAX} s")
