"""The audit of a running Hourbook: the log against what was signed, and the projections against the log."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg

from contracts.quantities import SELLER_ZONE
from services.ledger.audit.balances import Holdings, Replayed, replayed, streams
from services.ledger.audit.cursor import Cursor
from services.ledger.audit.log_verification import Findings
from services.ledger.audit.verification import verify
from services.ledger.event_store.database import LedgerUnavailable
from services.ledger.event_store.store import EventStore
from services.ledger.running import prepared
from services.projections import catalogue, database
from services.projections.balances import BALANCES
from services.projections.balances.holdings import Totals, latest, totals_as_of, totals_kept
from services.projections.following.tracking import Projection, Tracking
from services.projections.monthly_reports import MONTHLY_REPORTS
from services.projections.monthly_reports.queries import booked_minutes

logger = logging.getLogger(__name__)

MONTHS_BACK = 3
FULL_EVERY = timedelta(days=1)
ACCOUNTS_TOLD_MAX = 20

Heard = Callable[[int], None]
"""Hears how many more events have been gone over."""

_TELL = """
    INSERT INTO ledger.verification (log_id, size, faults) VALUES ($1, $2, $3)
    ON CONFLICT (log_id) DO UPDATE SET size = excluded.size, faults = excluded.faults, verified_at = now()
"""
_FAULTY = "SELECT EXISTS (SELECT FROM ledger.verification WHERE cardinality(faults) > 0)"


@dataclass(frozen=True)
class Audit:
    """What is audited, and where is kept what was found good."""

    database_url: str
    logs: int
    cursor_file: Path
    with_projections: bool = True

    async def run(self, *, full: bool, trust_keys: bool = False, heard: Heard = lambda _: None) -> dict[int, Findings]:
        """Once; what was found by log, which health and metrics hear of too. Without faults the cursor moves on.

        `full`: from the first event, and all accounts; always so after faults, which else would be forgotten.
        `trust_keys`: the operator vouches for the keys as they are.
        """
        cursor = await asyncio.to_thread(Cursor.load, self.cursor_file)
        async with EventStore.connected(self.database_url, self.logs) as store:
            full = full or await store.readers.value(_FAULTY)
            found, after = await verify(
                store.readers, self.logs, cursor, full=full, trust_keys=trust_keys, went_over=heard
            )
            if self.with_projections:
                async with _snapshot(self.database_url) as connection:
                    for log_id, findings in found.items():
                        if not findings.faults:  # a log that was tampered with is nothing to compare with
                            accounts = None if full or not cursor.logs else findings.accounts
                            findings.faults += await compare(store, connection, log_id, accounts, heard)
            for log_id, findings in found.items():
                await store.readers.value(_TELL, log_id, findings.size, findings.faults)
        await asyncio.to_thread(after.save, self.cursor_file)
        return found

    async def keep_running(self, every_seconds: float) -> None:
        """Again and again until cancelled: what is new each time, everything once a day; faults are told in the log."""
        await prepared(self.database_url, self.logs)
        if self.with_projections:
            await catalogue.migrate(self.database_url, [str(log_id) for log_id in range(self.logs)])
        clock, full_at = asyncio.get_running_loop().time, 0.0
        said: dict[int, list[str]] = {}
        while True:
            full = clock() >= full_at > 0
            try:
                found = await self.run(full=full)
            except (LedgerUnavailable, *database.POSTGRES_UNAVAILABLE) as away:
                logger.warning("nothing can be audited now: %r", away)
            else:
                faults = {log_id: findings.faults for log_id, findings in found.items()}
                if faults != said:
                    _tell(faults)
                said = faults
                if full or not full_at:
                    full_at = clock() + FULL_EVERY.total_seconds()
            await asyncio.sleep(every_seconds)


def _tell(faults: dict[int, list[str]]) -> None:
    for log_id, sentences in faults.items():
        for sentence in sentences:
            logger.critical("THE AUDIT OF LOG %s FOUND: %s", log_id, sentence)
        if not sentences:
            logger.info("the audit of log %s found nothing wrong", log_id)


@asynccontextmanager
async def _snapshot(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """One state of all projections."""
    async with (
        database.pool(database_url, 1) as pool,
        pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        yield connection


async def compare(
    store: EventStore,
    connection: asyncpg.Connection,
    log_id: int,
    account_ids: Collection[str] | None,
    heard: Heard = lambda _: None,
) -> list[str]:
    """Where a projection's balance is not the replay's, by as much of the log as the projection has applied.

    Tables of another version of this program, which a worker is about to replace, are not compared.
    """
    accounts = None if account_ids is None else list(account_ids)
    until: dict[Projection, int] = {}
    for projection in (BALANCES, MONTHLY_REPORTS):
        place = await Tracking(projection, str(log_id)).place(connection)
        if place.version != projection.version:
            logger.warning("the projection %s is not compared: its tables are of another version", projection.name)
            return []
        until[projection] = place.position
    now = await latest(connection, accounts)
    instants = [] if now is None else [now, *_month_starts(now)]
    by_movements = [await totals_as_of(connection, accounts, as_of) for as_of in instants]
    kept = [await totals_kept(connection, accounts, as_of) for as_of in instants[:1]]
    booked = await booked_minutes(connection, accounts)

    faults: list[str] = []
    async for account_id, events in streams(store, log_id, max(until.values()), accounts):
        heard(len(events))
        known = {
            position: replayed(account_id, (event for event in events if (event.position or 0) <= position), instants)
            for position in set(until.values())
        }
        faults += _differences(account_id, known[until[BALANCES]], instants, by_movements, kept)
        if booked.get(account_id, 0) != known[until[MONTHLY_REPORTS]].booked_minutes:
            faults.append(f"the monthly reports of {account_id} do not add up to its balance")
    return faults[:ACCOUNTS_TOLD_MAX]


def _differences(
    account_id: str, known: Replayed, instants: list[datetime], by_movements: list[Totals], kept: list[Totals]
) -> Iterator[str]:
    sources = [("the movements of the projection", by_movements), ("the rows of the projection", kept)]
    for source, totals in sources:
        for as_of, expected, found in zip(instants, known.at, totals, strict=False):
            held_and_owed = Holdings(*found.get(account_id, (0, 0)))
            if held_and_owed != expected:
                yield f"{source} say of {account_id} as of {as_of.isoformat()} {held_and_owed}, its events {expected}"


def _month_starts(now: datetime) -> Iterator[datetime]:
    """The starts of the last months, the seller's."""
    start = now.astimezone(SELLER_ZONE).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    for _ in range(MONTHS_BACK):
        yield start
        start = (start - timedelta(days=1)).replace(day=1)
