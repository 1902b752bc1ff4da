"""The first login to PostgreSQL: a server that does not answer yet is waited for, one that refuses is not."""

import asyncio
import logging

import asyncpg

from services.process.operator_error import CANNOT_START, OperatorError

logger = logging.getLogger(__name__)

ANSWER_SECONDS_MAX = 5
RETRY_SECONDS = 0.2
VERSION_MIN = 17

REFUSED = {
    asyncpg.InvalidPasswordError: "refuses the password: correct it",
    asyncpg.InvalidAuthorizationSpecificationError: "refuses the user: correct its name, or allow it in pg_hba.conf",
    asyncpg.InvalidCatalogNameError: "has no database of that name: correct it, or create the database",
    asyncpg.ClientConfigurationError: "is named by a URL that cannot be read",
    asyncpg.InsufficientPrivilegeError: "does not let this user connect: GRANT CONNECT ON DATABASE to it",
}
"""What no waiting changes, and what an operator does about it."""


async def log_in(database_url: str) -> None:
    """Return when PostgreSQL lets this login in; OperatorError at once when it refuses, or is too old."""
    waiting = False
    while True:
        try:
            connection = await asyncpg.connect(database_url, timeout=ANSWER_SECONDS_MAX)
        except tuple(REFUSED) as refused:
            raise _refusal(refused) from None
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as unavailable:
            if not waiting:
                logger.warning("PostgreSQL does not answer yet; waiting for it: %s", _reason(unavailable))
            waiting = True
            await asyncio.sleep(RETRY_SECONDS)
            continue
        version = connection.get_server_version().major
        connection.terminate()
        if version < VERSION_MIN:
            raise OperatorError(
                f"DATABASE_URL: PostgreSQL there is version {version}: {VERSION_MIN} or newer is needed.",
                exit_code=CANNOT_START,
            )
        return


def _refusal(refused: Exception) -> OperatorError:
    advice = next(advice for kind, advice in REFUSED.items() if isinstance(refused, kind))
    return OperatorError(f"DATABASE_URL: PostgreSQL {advice} ({_reason(refused)}).", exit_code=CANNOT_START)


def _reason(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
