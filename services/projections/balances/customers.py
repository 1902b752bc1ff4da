"""Who the customer of each account is now: what it was opened with, and what has changed since (rule 16)."""

from collections.abc import Sequence

from asyncpg import Connection

from contracts.events import AccountOpened, CustomerChanged
from contracts.read_models import CustomerInForce
from contracts.requisites import Requisites
from services.projections.balances.search import grams, searched
from services.projections.customer_data import EVER_SINCE, IN_FORCE, CustomerData
from services.projections.following.logged import CannotApply, Logged, of_types
from services.projections.lookups import UnknownAccount
from services.projections.rows import Row, copy

CUSTOMER_DATA = ("account_id", "position", *CustomerData._fields)

NOW = "SELECT account_id, {} FROM customer_data WHERE account_id = ANY ($1::text[]) GROUP BY account_id"

BY_DAY = """
    SELECT day, {}
    FROM (SELECT DISTINCT effective_on AS day FROM customer_data WHERE account_id = $1) AS days
        JOIN customer_data ON account_id = $1 AND effective_on <= day
    GROUP BY day ORDER BY day DESC
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
    for row in await connection.fetch(NOW.format(IN_FORCE), list(changed)):
        name, number = row["customer_name"], row["contract_number"]
        if name is None:
            raise CannotApply(f"it is about the account {row['account_id']}, which was never opened")
        text = searched(name, number)
        await connection.execute(NAME_ACCOUNT, row["account_id"], name, number)
        new = (row["contract_date"], row["requisites"], text, grams(text))
        await connection.execute(CHANGE_CUSTOMER, row["account_id"], *new)


async def history(connection: Connection, account_id: str) -> list[CustomerInForce]:
    """The customer by the day from which on it is so, the latest first; UnknownAccount for one never opened."""
    rows = await connection.fetch(BY_DAY.format(IN_FORCE), account_id)
    if not rows:
        raise UnknownAccount(account_id)
    return [
        CustomerInForce(
            effective_on=None if row["day"] == EVER_SINCE else row["day"],
            customer_requisites=row["requisites"] and Requisites.model_validate_json(row["requisites"]),
            **row,
        )
        for row in rows
    ]


def _data(logged: Logged) -> Row:
    recorded, event = logged
    assert isinstance(event, AccountOpened | CustomerChanged)
    return (recorded.account_id, recorded.position, *CustomerData.of(event))
