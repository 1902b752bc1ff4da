"""The schemas of the ledger, the projections and billing, brought up to date by the login that owns them."""

import asyncio
from collections.abc import Iterable, Iterator

import asyncpg

from services.billing import database as billing
from services.ledger.event_store import migrations
from services.ledger.running import prepared
from services.ledger.settings import Settings
from services.process.operator_error import CANNOT_START, OperatorError
from services.process.postgres_login import log_in
from services.process.schema import Standing
from services.process.schema_watch import require_served
from services.projections import catalogue

ANSWER_SECONDS_MAX = 120
DUE, NEWER = 1, 2
"""Exit codes of `hourbook migrate --check`."""


async def bring_up_to_date(settings: Settings) -> None:
    """Make roles, schemas, tables, functions and grants where they are missing.

    OperatorError where PostgreSQL does not answer in time, where this login may not, where a later release has taken
    away what this program uses, or where the ledger has another number of logs.
    """
    for found in await standings(settings):
        require_served(found)
    await prepared(settings.database_url, settings.logs)
    await catalogue.migrate(settings.database_url, _log_names(settings))
    await billing.migrate(settings.database_url)


async def standings(settings: Settings) -> list[Standing]:
    """Each schema, compared with this program; OperatorError where nobody answers, or the login may not look."""
    await _answering(settings)
    try:
        return [
            await migrations.standing(settings.database_url),
            await catalogue.standing(settings.database_url, _log_names(settings)),
            await billing.standing(settings.database_url),
        ]
    except asyncpg.InsufficientPrivilegeError as refused:
        raise OperatorError(
            f"DATABASE_URL: this login may not look at the schemas ({refused}): name the one that owns them.",
            exit_code=CANNOT_START,
        ) from refused


def described(found: Standing) -> Iterator[str]:
    """What differs in a schema, a line each."""
    yield from (f"missing in the schema {found.schema}: {name}" for name in found.due)
    yield from (f"of a later release, in the schema {found.schema}: {name}" for name in found.newer)


def judged(found: Iterable[Standing]) -> int:
    """An exit code: something is due, or something there is newer, or neither."""
    standings = list(found)
    if any(each.newer for each in standings):
        return NEWER
    return DUE if any(each.due for each in standings) else 0


async def _answering(settings: Settings) -> None:
    try:
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            await log_in(settings.database_url)
    except TimeoutError as late:
        raise OperatorError(
            f"PostgreSQL did not answer within {ANSWER_SECONDS_MAX} s: see DATABASE_URL.", exit_code=CANNOT_START
        ) from late


def _log_names(settings: Settings) -> list[str]:
    return [str(log_id) for log_id in range(settings.logs)]
