"""Accounts that a projection cannot follow any further: each is halted alone, and the others go on.

Like the table of places, theirs is found by the connection's search_path: a projection that is rebuilt tries all of
them anew.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import NamedTuple

import asyncpg
from asyncpg import Connection, Pool

from services.projections.following.logged import CannotApply, Logged

SCHEMA = """
-- The first event of an account that could not be applied: neither it nor any after it counts in this projection.
CREATE TABLE IF NOT EXISTS halted_account (
    projection text NOT NULL,
    log        text NOT NULL,
    account_id text COLLATE "C" NOT NULL,
    position   bigint NOT NULL,
    event_id   text NOT NULL,
    reason     text NOT NULL,
    PRIMARY KEY (projection, log, account_id)
);
"""

OF_PLACE = """
    ARRAY(
        SELECT account_id FROM halted_account AS halted
        WHERE (halted.projection, halted.log) = (tracking.projection, tracking.log) ORDER BY account_id
    ) AS halted_accounts
"""
"""A column of a query for rows of `tracking`."""

HALT = """
    INSERT INTO halted_account (projection, log, account_id, position, event_id, reason) VALUES ($1, $2, $3, $4, $5, $6)
"""

HALTED = "SELECT projection, account_id, position, event_id, reason FROM halted_account ORDER BY 1, 2 LIMIT 100"

REFUSED = (
    CannotApply,
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    ValueError,  # asyncpg's own errors about data, and pydantic's
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    TypeError,
)
"""What applying an event raises that cannot be: by PostgreSQL, which refuses its rows, or on the way there."""

ACCOUNTS_MAX = 100
"""Of so many in one batch, no account is to blame but the program: the projection halts as a whole."""

Project = Callable[[Connection, Sequence[Logged]], Awaitable[None]]


class Blamed(NamedTuple):
    """The first event of an account that cannot be applied, and why."""

    event: Logged
    reason: str


class HaltedAccount(NamedTuple):
    """An account that a projection does not follow any further."""

    projection: str
    account_id: str
    position: int
    event_id: str
    reason: str


async def blamed(connection: Connection, project: Project, batch: Sequence[Logged]) -> dict[str, Blamed]:
    """Who is to blame where a batch is refused, by account: found by halves, and nothing of it is kept.

    CannotApply where that is no fault of a few accounts.
    """
    reason = await _refusal(connection, project, batch)
    if reason is None:
        return {}
    accounts = list(dict.fromkeys(logged.recorded.account_id for logged in batch))
    if len(accounts) == 1:
        return {accounts[0]: await _first(connection, project, batch, reason)}
    half = set(accounts[: len(accounts) // 2])
    found = await blamed(connection, project, [logged for logged in batch if logged.recorded.account_id in half])
    found |= await blamed(connection, project, [logged for logged in batch if logged.recorded.account_id not in half])
    if len(found) > ACCOUNTS_MAX or not found:
        raise CannotApply(f"events {batch[0].position} to {batch[-1].position}, of {len(found)} accounts: {reason}")
    return found


async def _first(connection: Connection, project: Project, batch: Sequence[Logged], reason: str) -> Blamed:
    """The first event of one account's that cannot be applied after those before it, in a batch that is refused."""
    applied, refused = 0, len(batch)
    while refused - applied > 1:
        middle = (applied + refused) // 2
        why = await _refusal(connection, project, batch[:middle])
        if why is None:
            applied = middle
        else:
            refused, reason = middle, why
    return Blamed(batch[refused - 1], reason)


async def _refusal(connection: Connection, project: Project, batch: Sequence[Logged]) -> str | None:
    """Why a batch cannot be applied, if it cannot; whatever it did is undone. Without rows, which may name people."""
    trial = connection.transaction()
    await trial.start()
    try:
        await project(connection, batch)
    except REFUSED as refused:
        return f"{refused}".partition("\n")[0] or repr(refused)
    finally:
        await trial.rollback()
    return None


async def halt(connection: Connection, key: tuple[str, str], accounts: Iterable[tuple[str, Blamed]]) -> None:
    """Let everybody see which accounts do not go on in that projection and log."""
    rows = [
        (*key, account_id, found.event.position, found.event.recorded.event_id, found.reason)
        for account_id, found in accounts
    ]
    await connection.executemany(HALT, rows)


async def halted_accounts(database: Pool | Connection) -> list[HaltedAccount]:
    """The accounts that do not go on, by projection; of very many the first ones."""
    return [HaltedAccount(*row) for row in await database.fetch(HALTED)]
