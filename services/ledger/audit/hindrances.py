"""Why somebody whose work is evidence cannot do it now: said in the log, and in the database for health and metrics.

Not evidence itself: who owns the database can delete it, and every time it is found again it is said again.
"""

import logging
from collections.abc import Iterable, Mapping
from contextlib import suppress

import asyncpg

from services.ledger.event_store.database import Database, LedgerUnavailable

logger = logging.getLogger(__name__)

_SAY = """
    INSERT INTO ledger.hindrance VALUES ($1, $2, $3)
    ON CONFLICT (log_id, source) DO UPDATE SET sentence = excluded.sentence
"""
_TAKE_BACK = "DELETE FROM ledger.hindrance WHERE log_id = $1 AND source = $2"


class Hindrances:
    """What hinders one of them, by log."""

    def __init__(self, database: Database, source: str) -> None:
        self._database = database
        self._source = source
        self._said: dict[int, str] = {}
        self._logged: set[str] = set()

    async def say(self, logs: Iterable[int], sentences: Mapping[int, str]) -> None:
        """These of those logs, and no others any more."""
        for sentence in set(sentences.values()) - self._logged:
            logger.critical("%s is hindered: %s", self._source, sentence)
        self._logged = set(sentences.values())
        with suppress(LedgerUnavailable, asyncpg.PostgresError):  # it stands in the log of this process
            for log_id in logs:
                if log_id in sentences:
                    await self._database.value(_SAY, log_id, self._source, sentences[log_id])
                    self._said[log_id] = sentences[log_id]
                elif self._said.get(log_id) != "":
                    await self._database.value(_TAKE_BACK, log_id, self._source)
                    self._said[log_id] = ""
