"""Where a projection's tables stand: on the nodes of Citus, by account, in a database distributed by infra/postgres."""

import logging

import asyncpg

logger = logging.getLogger(__name__)

IS_DISTRIBUTED = "SELECT to_regprocedure('distribution.place(regnamespace)') IS NOT NULL"

REACH = "SET citus.enable_ddl_propagation = on; SET citus.multi_shard_modify_mode = sequential"

PLACE = "SELECT distribution.place($1::text::regnamespace)"

ASK_EVERY_NODE = "SELECT count(*) FROM distribution.shard"

IN_DOUBT = "SELECT distribution.in_doubt()"


async def is_distributed(connection: asyncpg.Connection) -> bool:
    """Whether there are several nodes; to be asked before a transaction whose state is to be taken later."""
    return await connection.fetchval(IS_DISTRIBUTED)


async def await_committed(connection: asyncpg.Connection) -> None:
    """Return once every node shows what was committed: where one broke meanwhile, that takes Citus up to a minute.

    To be awaited before the transaction that compares what they show; each look takes a second while one does not.
    """
    while await connection.fetchval(IN_DOUBT):
        logger.info("waiting for a node of Citus to end what was committed")


async def take_state_of_nodes(connection: asyncpg.Connection, tables: str) -> None:
    """Begin the transaction on every node while no projection moves; all do again after. It has asked nothing before.

    `tables`: the first one of each projection, which whoever moves it locks.
    """
    meanwhile = connection.transaction()
    await meanwhile.start()
    await connection.execute(f"LOCK TABLE {tables} IN ROW SHARE MODE")
    await connection.execute(ASK_EVERY_NODE)
    await meanwhile.rollback()


async def reach_nodes(connection: asyncpg.Connection) -> None:
    """Make and drop tables on every node from now on, where there are several."""
    if await is_distributed(connection):
        await connection.execute(REACH)


async def distribute(connection: asyncpg.Connection, schema: str) -> None:
    """Distribute the tables of a schema that are new, where there are several nodes."""
    if await is_distributed(connection):
        await connection.execute(PLACE, schema)
