"""Who the customer was on a day, as known at any time (rule 16.1)."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime

import orjson
from asyncpg import Connection, Record

from contracts.events import AccountOpened, CustomerChanged
from contracts.reports import Party
from services.projections.customer_data import IN_FORCE, CustomerData
from services.projections.following.logged import Logged
from services.projections.rows import Row, insert

ADD_CUSTOMERS = """
    INSERT INTO report_customer (account_id, position, recorded_at, effective_on, customer_name, contract_number,
                                 contract_date, requisites)
    SELECT * FROM unnest($1::text[], $2::bigint[], $3::timestamptz[], $4::date[], $5::text[], $6::text[], $7::date[],
                         $8::jsonb[])
"""

# What the account was opened with was there before anything that can be asked about.
ON_DAYS = """
    SELECT day, {}
    FROM unnest($2::date[]) AS day JOIN report_customer
        ON account_id = $1 AND effective_on <= day
        AND (effective_on = '-infinity' OR position <= $3 AND recorded_at <= $4)
    GROUP BY day
"""


async def add_customers(connection: Connection, batch: Sequence[Logged]) -> None:
    """Add what a batch of events says of customers."""
    await insert(connection, ADD_CUSTOMERS, [row for logged in batch for row in _said(logged)])


def _said(logged: Logged) -> Collection[Row]:
    recorded, event = logged
    if not isinstance(event, AccountOpened | CustomerChanged):
        return ()
    return [(recorded.account_id, recorded.position, recorded.recorded_at, *CustomerData.of(event))]


async def customers_on(
    connection: Connection, account_id: str, days: Collection[date], until: int, recorded: datetime
) -> Mapping[date, Record]:
    """What was in force on each of those days by what was known then; nothing for an account never opened."""
    rows = await connection.fetch(ON_DAYS.format(IN_FORCE), account_id, list(days), until, recorded)
    return {row["day"]: row for row in rows}


def party(customer: Record) -> Party:
    """The customer as documents name it."""
    return Party(name=customer["customer_name"], **orjson.loads(customer["requisites"] or "{}"))
