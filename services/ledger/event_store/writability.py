"""Whether an append would succeed now: the appends say so themselves, and while there are none, PostgreSQL is asked."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from services.ledger.event_store.database import Database, LedgerUnavailable

logger = logging.getLogger(__name__)

WAITING_SECONDS_MAX = 5
PROOF_SECONDS_MAX = 2
PROVEN_SECONDS = 5.0

# It writes to PostgreSQL's own log and waits for the disk, and it has more rows at once than it may keep in memory,
# which takes room on the disk as an append does. Nothing of it stays.
_PROVE = """
    DO $$ BEGIN
        IF current_setting('transaction_read_only')::boolean THEN
            RAISE read_only_sql_transaction; -- a standby that is not promoted yet
        END IF;
        IF EXISTS (SELECT FROM ledger.lost_past WHERE epoch >= (SELECT coalesce(max(number), 1) FROM ledger.epoch)) THEN
            RAISE EXCEPTION 'the log has gone back' USING ERRCODE = 'lock_not_available', HINT = 'hourbook restored';
        END IF;
        SET LOCAL work_mem = '64kB';
        PERFORM pg_logical_emit_message(true, 'hourbook', '');
        PERFORM count(*) FROM generate_series(1, 10000) AS rows_kept_in_a_file;
    END $$
"""


class Writability:
    """Of the logs in one PostgreSQL, seen from one process."""

    def __init__(self, writers: Database) -> None:
        self._writers = writers
        self._under_way: dict[object, float] = {}
        self._proven_at = 0.0
        self._halted: LedgerUnavailable | None = None

    def halt(self, because: LedgerUnavailable) -> None:
        """Let nothing more be appended by this process."""
        logger.critical("%s", because)
        self._halted = because

    def _require_not_halted(self) -> None:
        if self._halted:
            raise type(self._halted)(*self._halted.args)

    @contextmanager
    def appending(self) -> Iterator[None]:
        """Around an append."""
        self._require_not_halted()
        clock, this = asyncio.get_running_loop().time, object()
        self._under_way[this] = clock()
        try:
            yield
            self._proven_at = clock()
        except LedgerUnavailable:
            self._proven_at = 0.0
            raise
        finally:
            del self._under_way[this]

    async def require(self) -> None:
        """LedgerUnavailable where nothing can be appended now, or where an append has been waiting for long."""
        self._require_not_halted()
        now = asyncio.get_running_loop().time()
        if any(now - since > WAITING_SECONDS_MAX for since in self._under_way.values()):
            raise LedgerUnavailable("An append has been waiting for PostgreSQL for long")
        if self._proven_at and now - self._proven_at <= PROVEN_SECONDS:
            return
        try:
            async with asyncio.timeout(PROOF_SECONDS_MAX):
                await self._writers.value(_PROVE)
                self._proven_at = now
        except TimeoutError as silent:
            raise LedgerUnavailable("PostgreSQL does not answer in time") from silent
