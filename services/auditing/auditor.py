"""The audit of a running Hourbook: the log against what was signed, and the projections against the log."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

import asyncpg

from contracts.placement import ACCESS_LOG
from contracts.quantities import SELLER_ZONE
from services.auditing.side_tables import SideTables
from services.ledger.access.log import AccessLog
from services.ledger.audit.balances import Holdings, Replayed, replayed, streams
from services.ledger.audit.catalogue import Catalogue
from services.ledger.audit.cursor import Cursor
from services.ledger.audit.findings import Findings
from services.ledger.audit.statements import Surroundings
from services.ledger.audit.verification import verify
from services.ledger.clock import SystemClock
from services.ledger.domain.terms import Terms
from services.ledger.event_store import migrations
from services.ledger.event_store.database import LedgerUnavailable
from services.ledger.event_store.known_account import AccountUnreadable
from services.ledger.event_store.store import EventStore
from services.ledger.event_store.stored_event import StoredEvent
from services.ledger.settings import terms
from services.process.postgres_pool import POSTGRES_UNAVAILABLE
from services.process.postgres_roles import AUDITOR
from services.process.schema import Standing
from services.process.schema_watch import SchemaWatch
from services.process.stopping import finish
from services.projections import catalogue, database
from services.projections.balances import BALANCES
from services.projections.balances.holdings import Totals, latest, totals_as_of, totals_kept
from services.projections.following.tracking import Projection, Tracking
from services.projections.monthly_reports import MONTHLY_REPORTS
from services.projections.monthly_reports.queries import booked_minutes
from services.projections.nodes import await_committed, is_distributed, take_state_of_nodes

logger = logging.getLogger(__name__)

MONTHS_BACK = 3
FULL_EVERY = timedelta(days=1)
LAST_SECONDS_MAX = 10
ACCOUNTS_TOLD_MAX = 20
DIFFERENCES_MAX = 20

Progress = Callable[[int], None]
"""Is called with the number of events that were verified since the last call."""

_SAY = """
    INSERT INTO ledger.verification (log_id, size, faults, log_is_sound, full_at) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (log_id) DO UPDATE
    SET size = excluded.size, faults = excluded.faults, log_is_sound = excluded.log_is_sound,
        verified_at = excluded.verified_at, full_at = excluded.full_at
"""
_BEING_BUILT = "SELECT to_regnamespace('projections_building_' || $1) IS NOT NULL"


@dataclass(frozen=True)
class Audit:
    """What is audited, and where is kept what was found good. `terms`: others than those that are published."""

    database_url: str
    logs: int
    cursor_file: Path
    with_projections: bool = True
    terms: Terms | None = None

    async def run(
        self, *, full: bool, trust_keys: bool = False, progress: Progress = lambda _: None
    ) -> dict[int, Findings]:
        """Once; what was found by log, which health and metrics hear of too. Without faults the cursor moves on.

        `full`: from the first event, and all accounts; always so after faults, which else would be forgotten.
        `trust_keys`: the operator vouches for the keys as they are.
        """
        cursor = await asyncio.to_thread(Cursor.load, self.cursor_file)
        full = full or any(cursor.faults.values())
        async with EventStore.connected(self.database_url, self.logs, role=AUDITOR) as store:
            found, after = await verify(
                store.readers, self.logs, cursor, full=full, trust_keys=trust_keys,
                surroundings=self._surroundings(store), went_over=progress,
            )  # fmt: skip
            differences = await self._differences()
            if differences:
                after = replace(after, logs=cursor.logs)
            for findings in found.values():
                findings.faults[:0] = differences
                findings.log_is_sound &= not differences
            if self.with_projections:
                await self._compare(store, found, progress, everything=full or not cursor.logs)
                if full and all(findings.log_is_sound for findings in found.values()):
                    await self._compare_tables(store, found, progress)
            after = replace(
                after,
                full_at=datetime.now(UTC) if full else cursor.full_at,
                faults={log_id: tuple(findings.faults) for log_id, findings in found.items() if findings.faults},
                unsound=frozenset(log_id for log_id, findings in found.items() if not findings.log_is_sound),
            )
            await asyncio.to_thread(after.save, self.cursor_file)  # before the database, which may have its own mind
            for log_id, findings in found.items():
                said = (log_id, findings.size, findings.faults, findings.log_is_sound, after.full_at)
                await store.readers.value(_SAY, *said)
        return found

    def _surroundings(self, store: EventStore) -> Surroundings:
        """The number of logs, and the terms: those given, those published, or those that the program came with."""

        async def published() -> Terms:
            known = await AccessLog(store, SystemClock()).terms_now()
            return known if known.versions else terms()

        return Surroundings.of(self.logs, self.terms) if self.terms else Surroundings(self.logs, published)

    async def _differences(self) -> list[str]:
        """Between the schema and what the migrations make: with others, what is read may be anything."""
        shown = Findings()
        with shown.instead_of_an_end("the schema"):
            shown.faults += await self._catalogue.differences()
        return shown.faults[:DIFFERENCES_MAX]

    @property
    def _schemas(self) -> SchemaWatch:
        async def of_log(database_url: str) -> Standing:
            return replace(await migrations.standing(database_url), refusing=())

        async def of_read_models(database_url: str) -> Standing:
            return await catalogue.standing(database_url, [str(log_id) for log_id in range(self.logs)])

        looks = (of_log, of_read_models) if self.with_projections else (of_log,)
        return SchemaWatch(*((self.database_url, look) for look in looks))

    @cached_property
    def _catalogue(self) -> Catalogue:
        return Catalogue(self.database_url, self.logs)

    async def _compare(
        self, store: EventStore, found: dict[int, Findings], progress: Progress, *, everything: bool
    ) -> None:
        """Read models with the log they are made of; a log that was tampered with is nothing to compare with."""
        async with _snapshot(self.database_url) as connection:
            for log_id, findings in found.items():
                if findings.log_is_sound and log_id != ACCESS_LOG:
                    accounts = None if everything else findings.accounts
                    with findings.instead_of_an_end(f"the read models of log {log_id}"):
                        findings.faults += await compare(store, connection, log_id, accounts, progress)

    async def _compare_tables(self, store: EventStore, found: dict[int, Findings], progress: Progress) -> None:
        """All rows and columns of the read models with what the logs make of them; see `side_tables`."""
        with found[0].instead_of_an_end("the tables of the read models"):
            async with SideTables.beside(self.database_url, store, self.logs) as side:
                async for events in side.follow():
                    progress(events)
                async for difference in side.compare():
                    found[difference.log_id(self.logs)].fault(str(difference))
                async for log_id, notice in side.notices():
                    found[log_id].notices.append(notice)

    async def keep_running(self, every_seconds: float) -> None:
        """Again and again until cancelled, and once more then: what is new each time, everything once a day.

        When everything was gone over last is remembered outside of this process, which may be started every day. It
        waits for an older schema; what is newer there, or pretends to be, it says as a fault.
        """
        await self._schemas.stood()
        said: dict[int, list[str]] = {}
        try:
            while True:
                said = await self._run_and_say(said)
                await asyncio.sleep(every_seconds)
        except asyncio.CancelledError:
            await finish(self._run_and_say(said, last=True), LAST_SECONDS_MAX)
            raise

    async def _run_and_say(self, said: dict[int, list[str]], *, last: bool = False) -> dict[int, list[str]]:
        """What was found by now: said where it is news. The last run before the end is a short one."""
        try:
            full_at = (await asyncio.to_thread(Cursor.load, self.cursor_file)).full_at
            due = full_at is None or datetime.now(UTC) - full_at >= FULL_EVERY
            found = await self.run(full=due and not last)
        except (LedgerUnavailable, *POSTGRES_UNAVAILABLE) as unavailable:
            logger.warning("nothing can be audited now: %r", unavailable)
            return said
        faults = {log_id: findings.faults for log_id, findings in found.items()}
        if faults != said:
            _tell(faults)
        return faults


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
        database.pool(database_url, 1, database.WHOLE_TABLES_SECONDS_MAX, role=AUDITOR) as pool,
        pool.acquire() as connection,
    ):
        if on_nodes := await is_distributed(connection):
            await await_committed(connection)
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            if on_nodes:
                await take_state_of_nodes(connection, catalogue.FIRST_TABLES)
            yield connection


async def compare(
    store: EventStore,
    connection: asyncpg.Connection,
    log_id: int,
    account_ids: Collection[str] | None,
    progress: Progress = lambda _: None,
) -> list[str]:
    """Where a projection's balance is not the replay's, by as much of the log as the projection has applied.

    An account that cannot be replayed is named, however far the projections are. Tables of another version of this
    program are not compared, and that is a fault, unless they are being replaced at this time.
    """
    accounts = None if account_ids is None else list(account_ids)
    faults = await _of_other_versions(connection, log_id)
    until = {} if faults is None or faults else await _applied(connection, log_id)
    faults = faults or []
    now = await latest(connection, accounts) if until else None
    instants = [] if now is None else [now, *_month_starts(now)]
    by_movements = [await totals_as_of(connection, accounts, as_of) for as_of in instants]
    kept = [await totals_kept(connection, accounts, as_of) for as_of in instants[:1]]
    booked = await booked_minutes(connection, accounts) if until else {}

    async for account_id, events in streams(store, log_id, await store.head(log_id), accounts):
        progress(len(events))
        try:
            known = {position: _replayed(account_id, events, position, instants) for position in {*until.values()}}
            if (events[-1].position or 0) > max(until.values(), default=0):
                replayed(account_id, events, ())
        except AccountUnreadable as unreadable:
            faults.append(str(unreadable))
            continue
        if until:
            faults += _differences(account_id, known[until[BALANCES]], instants, by_movements, kept)
            if booked.get(account_id, 0) != known[until[MONTHLY_REPORTS]].booked_minutes:
                faults.append(f"the monthly reports of {account_id} do not add up to its balance")
    return faults[:ACCOUNTS_TOLD_MAX]


async def _of_other_versions(connection: asyncpg.Connection, log_id: int) -> list[str] | None:
    """The projections that are none of this program's, a sentence each; None while those are being built anew."""
    faults: list[str] = []
    for projection in catalogue.PROJECTIONS:
        place = await Tracking(projection, str(log_id)).place(connection)
        if place.version == projection.version:
            continue
        if await connection.fetchval(_BEING_BUILT, projection.name):
            logger.warning("the projections are not compared: %s is being built anew", projection.name)
            return None
        versions = f"its tables are of version {place.version}, this program's of version {projection.version}"
        faults.append(f"the projection {projection.name} is not compared: {versions}")
    return faults


async def _applied(connection: asyncpg.Connection, log_id: int) -> dict[Projection, int]:
    """How far each projection has come that is compared."""
    return {
        projection: (await Tracking(projection, str(log_id)).place(connection)).position
        for projection in (BALANCES, MONTHLY_REPORTS)
    }


def _replayed(account_id: str, events: list[StoredEvent], until: int, instants: Sequence[datetime]) -> Replayed:
    return replayed(account_id, (event for event in events if (event.position or 0) <= until), instants)


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
