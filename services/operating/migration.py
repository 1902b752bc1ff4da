"""The schemas of the ledger, the projections and billing, brought up to date by the login that owns them."""

import asyncio

import asyncpg

from services.billing import database as billing
from services.ledger.event_store import migrations
from services.ledger.running import prepared
from services.ledger.settings import Settings
from services.process.operator_error import CANNOT_START, OperatorError
from services.process.postgres_login import log_in
from services.projections import catalogue

ANSWER_SECONDS_MAX = 120


async def bring_up_to_date(settings: Settings) -> None:
    """Make roles, schemas, tables, functions and grants where they are missing.

    OperatorError where PostgreSQL does not answer in time, where this login may not, or where the ledger has another
    number of logs.
    """
    await _answering(settings)
    await prepared(settings.database_url, settings.logs)
    await catalogue.migrate(settings.database_url, _log_names(settings))
    await billing.migrate(settings.database_url)


async def outstanding(settings: Settings) -> list[str]:
    """What this program needs and the database has not, by its name; OperatorError as above."""
    await _answering(settings)
    try:
        return [
            *await migrations.missing(settings.database_url),
            *await catalogue.missing(settings.database_url, _log_names(settings)),
            *await billing.missing(settings.database_url),
        ]
    except asyncpg.InsufficientPrivilegeError as refused:
        raise OperatorError(
            f"DATABASE_URL: this login may not look at the schemas ({refused}): name the one that owns them.",
            exit_code=CANNOT_START,
        ) from refused


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
