"""Where a projection's tables stand: on the nodes of Citus, by account, in a database distributed by infra/postgres."""

import asyncpg

IS_DISTRIBUTED = "SELECT to_regprocedure('distribution.place(regnamespace)') IS NOT NULL"

REACH = "SET citus.enable_ddl_propagation = on; SET citus.multi_shard_modify_mode = sequential"

PLACE = "SELECT distribution.place($1::text::regnamespace)"


ASK_EVERY_NODE = "SELECT count(*) FROM distribution.shard"


async def reach_nodes(connection: asyncpg.Connection) -> None:
    """Make and drop tables on every node from now on, where there are several."""
    if await connection.fetchval(IS_DISTRIBUTED):
        await connection.execute(REACH)


async def distribute(connection: asyncpg.Connection, schema: str) -> None:
    """Distribute the tables of a schema that are new, where there are several nodes."""
    if await connection.fetchval(IS_DISTRIBUTED):
        await connection.execute(PLACE, schema)
