"""Personal texts, kept in a table beside the log until they are erased; each statement touches one log."""

import asyncio
from collections.abc import Collection

import asyncpg

from services.ledger.event_store.database import Database, LedgerUnavailable

ERASING_WAITS_MAX = "1s"
"""How long an erasure waits for readers. Appends wait behind it meanwhile, so it must be short."""

OLD_READERS_SECONDS_MAX = 20
RETRY_SECONDS = 0.1

_PAGE = """
    SELECT position, commitment, salt, text FROM ledger.personal
    WHERE log_id = $1 AND (position, commitment) > ($2, $3) AND position <= $4 ORDER BY position, commitment LIMIT $5
"""
_OF_ACCOUNT = """
    SELECT p.position, p.commitment, p.salt, p.text FROM ledger.event AS e
    JOIN ledger.personal AS p ON p.log_id = $1 AND p.position = e.position
    WHERE e.log_id = $1 AND e.account_id = $2 AND ($3::text IS NULL OR p.commitment = $3)
    ORDER BY p.position, p.commitment
"""
_AT = "SELECT position, commitment, salt, text FROM ledger.personal WHERE log_id = $1 AND position = ANY ($2)"
_ERASE = """
    WITH erased AS (
        DELETE FROM ledger.personal AS p USING ledger.event AS e
        WHERE p.log_id = $1 AND e.log_id = $1 AND e.account_id = $2 AND p.position = e.position
            AND ($3::text IS NULL OR p.text = $3)
        RETURNING p.commitment
    )
    INSERT INTO ledger.erasure
    SELECT $1, $2, clock_timestamp(), $4, array_agg(commitment) FROM erased HAVING count(*) > 0
    RETURNING cardinality(commitments)
"""
# As services/process/erasure_journal.py keeps it.
_ERASURES = """
    SELECT jsonb_build_object('of', 'ledger', 'log_id', log_id, 'account_id', account_id, 'erased_at', erased_at,
        'reason', reason, 'commitments', commitments)::text AS entry
    FROM ledger.erasure WHERE log_id = $1 AND account_id = $2 ORDER BY erased_at
"""
# The deletion's count is flushed before VACUUM counts, so that the statistics then hold what VACUUM found.
_COUNTED = "SELECT pg_stat_force_next_flush()"
# Of a table: of this one, or of each of its copies on other nodes.
_VACUUM = "VACUUM %s"
_STILL_SEEN = "SELECT n_dead_tup FROM pg_stat_all_tables WHERE relid = '%s'::regclass"
_WRITE_ANEW = "VACUUM (FULL) %s"
_HAS_CITUS = "SELECT to_regclass('pg_catalog.pg_dist_shard_placement') IS NOT NULL"
_ON_EACH_NODE = """
    SELECT nodename || ':' || nodeport AS node, success, result FROM pg_dist_shard_placement AS there,
        LATERAL master_run_on_worker(
            ARRAY[nodename::text], ARRAY[nodeport::integer],
            ARRAY[format($2::text, shard_name('ledger.personal', shardid))], false
        )
    WHERE shardid = get_shard_id_for_distribution_column('ledger.personal', $1::integer)
"""


class PersonalData:
    """The texts that events hold commitments to."""

    def __init__(self, readers: Database, erasers: Database) -> None:
        self._readers = readers
        self._erasers = erasers

    async def page(self, log_id: int, after: tuple[int, str], until: int, limit: int) -> list[asyncpg.Record]:
        """What is not erased, after a position and a commitment, up to a position, in order, at most so much."""
        return await self._readers.rows(_PAGE, log_id, *after, until, limit)

    async def of_account(self, log_id: int, account_id: str, commitment: str | None = None) -> list[asyncpg.Record]:
        """What of an account is not erased, in the order of its events, or what a commitment stands for."""
        return await self._readers.rows(_OF_ACCOUNT, log_id, account_id, commitment)

    async def at(self, log_id: int, positions: Collection[int]) -> list[asyncpg.Record]:
        """What of the events at those positions is not erased."""
        return await self._readers.rows(_AT, log_id, list(positions))

    async def erase(self, log_id: int, account_id: str, person: str | None, reason: str) -> int:
        """Erase an account's texts, or those that are this very text; how many there were.

        The table is written anew, for a deleted row stays in its page; so it is even when there was nothing to delete,
        for the time before may have been cut short. LedgerUnavailable while somebody reads for long, or a node that has
        a copy does not do it: erase again then.
        """
        erased = await self._erasers.value(_ERASE, log_id, account_id, person, reason)
        await self._erasers.value(_COUNTED)
        try:
            async with asyncio.timeout(OLD_READERS_SECONDS_MAX):
                await self._no_older_snapshot_sees_it(log_id)
        except TimeoutError as late:
            raise LedgerUnavailable("a transaction from before the erasure still sees what was erased") from late
        await self._on_each_copy(log_id, _WRITE_ANEW)
        return erased or 0

    async def erasures(self, log_id: int, account_id: str) -> list[str]:
        """What was erased of an account: commitments, when and why, as JSON."""
        return [row["entry"] for row in await self._readers.rows(_ERASURES, log_id, account_id)]

    async def _no_older_snapshot_sees_it(self, log_id: int) -> None:
        """Wait for transactions that began before the erasure: rows that they could still see would be kept."""
        while True:
            await self._on_each_copy(log_id, _VACUUM)
            if not any(map(int, await self._on_each_copy(log_id, _STILL_SEEN))):
                return
            await asyncio.sleep(RETRY_SECONDS)

    async def _on_each_copy(self, log_id: int, command: str) -> list[str]:
        """What a command answers for the table, or, where Citus has placed the log's part of it, for each copy there.

        Citus sends neither VACUUM nor questions about statistics to other nodes by itself.
        """
        if not await self._erasers.value(_HAS_CITUS):
            return [await self._erasers.value(command % "ledger.personal") or "0"]
        answers = await self._erasers.rows(_ON_EACH_NODE, log_id, command)
        failed = [f"{each['node']}: {each['result']}" for each in answers if not each["success"]]
        if failed or not answers:
            raise LedgerUnavailable(f"what was erased is still on another node ({'; '.join(failed) or 'unknown'})")
        return [each["result"] for each in answers]
