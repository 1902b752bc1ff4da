"""Who the customer of each account is now: what it was opened with, and what has changed since (rule 16)."""

from collections.abc import Sequence
from datetime import date

from asyncpg import Connection

from contracts.events import AccountOpened, CustomerChanged
from services.projections.balances.search import grams, searched
from services.projections.following.logged import CannotApply, Logged, of_types
from services.projections.rows import Row, copy

EVER_SINCE = date.min
"""The day from which on an account is what it was opened with; PostgreSQL's -infinity."""

CUSTOMER_DATA = (
    "account_id", "position", "effective_on", "customer_name", "contract_number", "contract_date", "requisites",
)  # fmt: skip

IN_FORCE = """
    SELECT account_id,
        (array_agg(customer_name ORDER BY effective_on DESC, position DESC)
         FILTER (WHERE customer_name IS NOT NULL))[1] AS customer_name,
        (array_agg(contract_number ORDER BY effective_on DESC, position DESC)
         FILTER (WHERE contract_number IS NOT NULL))[1] AS contract_number,
        (array_agg(contract_date ORDER BY effective_on DESC, position DESC)
         FILTER (WHERE contract_date IS NOT NULL))[1] AS contract_date,
        (array_agg(requisites ORDER BY effective_on DESC, position DESC)
         FILTER (WHERE requisites IS NOT NULL))[1] AS requisites
    FROM customer_data WHERE account_id = ANY ($1::text[]) GROUP BY account_id
"""

NAME_ACCOUNT = "UPDATE account SET customer_name = $2, contract_number = $3 WHERE account_id = $1"

CHANGE_CUSTOMER = """
    UPDATE customer SET contract_date = $2, requisites = $3, folded = $4, grams = $5 WHERE account_id = $1
"""


async def change_customers(connection: Connection, batch: Sequence[Logged]) -> None:
    """Keep what the batch says of customers, and what is in force of those that it changes.

    A change may be recorded after another that holds from a later day on, so that all of them are looked at.
    """
    told = of_types(batch, AccountOpened, CustomerChanged)
    await copy(connection, "customer_data", CUSTOMER_DATA, [_data(logged) for logged in told])
    changed = {logged.recorded.account_id for logged in told if isinstance(logged.event, CustomerChanged)}
    if not changed:
        return
    for row in await connection.fetch(IN_FORCE, list(changed)):
        name, number = row["customer_name"], row["contract_number"]
        if name is None:
            raise CannotApply(f"it is about the account {row['account_id']}, which was never opened")
        text = searched(name, number)
        await connection.execute(NAME_ACCOUNT, row["account_id"], name, number)
        new = (row["contract_date"], row["requisites"], text, grams(text))
        await connection.execute(CHANGE_CUSTOMER, row["account_id"], *new)


def _data(logged: Logged) -> Row:
    recorded, event = logged
    assert isinstance(event, AccountOpened | CustomerChanged)
    since = event.effective_on if isinstance(event, CustomerChanged) else EVER_SINCE
    requisites = event.customer_requisites and event.customer_requisites.model_dump_json(exclude_none=True)
    of_contract = (event.contract_number, event.contract_date, requisites)
    return (recorded.account_id, recorded.position, since, event.customer_name, *of_contract)
