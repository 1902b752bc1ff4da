"""What time it is: the real time, or in the sandbox a test clock that all processes read from the database."""

from datetime import UTC, datetime

from services.ledger.event_store.database import Database

_READ = "SELECT now FROM ledger.test_clock"

# Set for the first time, it must not stand before what is recorded already; the log is searched only then.
_MOVE = """
    INSERT INTO ledger.test_clock (now)
    SELECT $1 WHERE EXISTS (SELECT 1 FROM ledger.test_clock)
                 OR NOT EXISTS (SELECT 1 FROM ledger.event WHERE recorded_at > $1 AND log_id >= 0)
    ON CONFLICT (only_row) DO UPDATE SET now = excluded.now WHERE test_clock.now <= excluded.now
    RETURNING now
"""


class SystemClock:
    """The real time."""

    async def now(self) -> datetime:
        return datetime.now(UTC)


class ClockMovesForwardOnly(Exception):
    """The test clock was to be set to a time before the one it shows, or before a recorded event."""


class SandboxClock:
    """A clock that stands still until it is moved; before it was ever set, it follows the real time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def now(self) -> datetime:
        return await self._database.value(_READ) or datetime.now(UTC)

    async def move(self, instant: datetime) -> None:
        """Forward, or nowhere; the first time to any instant that is not before a recorded event."""
        if await self._database.value(_MOVE, instant) is None:
            raise ClockMovesForwardOnly(instant)


Clock = SystemClock | SandboxClock
