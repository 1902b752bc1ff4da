"""What events say of an account's customer, and what is in force of it on a day (rule 16.1)."""

from datetime import date
from typing import NamedTuple, Self

from contracts.events import AccountOpened, CustomerChanged
from services.projections.following.logged import as_said

EVER_SINCE = date.min
"""The day from which on an account is what it was opened with; PostgreSQL's -infinity."""


class CustomerData(NamedTuple):
    """The data that hold from a day on; None where a change leaves them. `requisites`: as JSON."""

    effective_on: date
    customer_name: str | None
    contract_number: str | None
    contract_date: date | None
    requisites: str | None

    @classmethod
    def of(cls, event: AccountOpened | CustomerChanged) -> Self:
        """What the event says."""
        since = event.effective_on if isinstance(event, CustomerChanged) else EVER_SINCE
        requisites = as_said(event.customer_requisites)
        return cls(since, event.customer_name, event.contract_number, event.contract_date, requisites)


IN_FORCE = ", ".join(
    f"(array_agg({column} ORDER BY effective_on DESC, position DESC)"
    f" FILTER (WHERE {column} IS NOT NULL))[1] AS {column}"
    for column in CustomerData._fields[1:]
)
"""The columns of a query over such data: each as of the latest day, of one day as it was recorded last."""
