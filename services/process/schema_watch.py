"""A part and its schemas: it waits while one is older, and ends where a newer one no longer serves it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any, NamedTuple

import asyncpg

from services.process import metrics
from services.process.operator_error import CANNOT_START, OperatorError
from services.process.postgres_login import log_in
from services.process.postgres_pool import POSTGRES_UNAVAILABLE
from services.process.schema import Standing
from services.process.stopping import end, raise_where_ended

logger = logging.getLogger(__name__)

WAIT_SECONDS = 0.5
WATCH_SECONDS = 60.0

Look = Callable[[str], Awaitable[Standing]]
"""How a schema stands in the database of that URL."""

SchemaOfPart = tuple[str, Look]
"""The database as a part enters it, and a schema there."""


class Hindrance(NamedTuple):
    """A schema that is older than the program, and the sentence that says so."""

    schema: str
    sentence: str


class SchemaWatch:
    """The schemas of one part: each is looked at by the login with which the part works on it."""

    def __init__(self, *schemas: SchemaOfPart) -> None:
        self._schemas = schemas

    async def stood(self) -> None:
        """Return once all schemas are this program's, or newer and serve it; OperatorError where one does not."""
        said = ""
        while hindrance := await self.hindrance():
            if hindrance.sentence != said:
                logger.warning(hindrance.sentence)
            said, metrics.WAITING[:] = hindrance.sentence, [hindrance.sentence]
            await asyncio.sleep(WAIT_SECONDS)
        metrics.WAITING.clear()

    async def hindrance(self) -> Hindrance | None:
        """The first schema that is older, once PostgreSQL answers; OperatorError as above."""
        for database_url, look in self._schemas:
            standing = await _seen(database_url, look)
            require_served(standing)
            if standing.missing:
                return Hindrance(standing.schema, _older(standing))
        return None

    async def until_refused(self) -> None:
        """Look again and again until cancelled; OperatorError once a schema no longer serves this program.

        A schema that cannot be looked at now, as while its database is restored, is an outage of the part's own work.
        """
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            for database_url, look in self._schemas:
                with suppress(*POSTGRES_UNAVAILABLE, asyncpg.PostgresError):
                    require_served(await look(database_url))

    async def guard(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Work once the schemas stand, for as long as they serve this program."""
        await self.stood()
        tasks = [asyncio.create_task(work()), asyncio.create_task(self.until_refused())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            raise_where_ended(tasks)
        finally:
            await end(*tasks)


async def _seen(database_url: str, look: Look) -> Standing:
    """Waits for PostgreSQL. What this login may not see, its part's first work says better, with the remedy."""
    while True:
        await log_in(database_url)
        try:
            return await look(database_url)
        except asyncpg.InsufficientPrivilegeError:
            return Standing("")
        except POSTGRES_UNAVAILABLE:
            await asyncio.sleep(WAIT_SECONDS)


def require_served(standing: Standing) -> None:
    """OperatorError where a later release has taken away what this program uses."""
    if standing.refusing:
        raise OperatorError(
            f"The schema {standing.schema} is newer than this program can work on: a later release has applied "
            f"{', '.join(standing.refusing)}. Start that release, or a later one.",
            exit_code=CANNOT_START,
        )


def require_standing(standing: Standing) -> None:
    """OperatorError where a part would wait, or would end."""
    require_served(standing)
    if standing.missing:
        raise OperatorError(_older(standing), exit_code=CANNOT_START)


def _older(standing: Standing) -> str:
    more = f" and {len(standing.missing) - 1} more" if len(standing.missing) > 1 else ""
    return (
        f"The schema {standing.schema} is older than this program ({standing.missing[0]}{more} missing): run "
        "`hourbook migrate`, nothing works on it before."
    )
