"""The customer changes: its name, its contract, its requisites, from a day on (rule 16)."""

from datetime import datetime

from contracts.commands import ChangeCustomer
from contracts.events import CustomerChanged
from contracts.quantities import month_of
from services.ledger.domain.local_time import local_date, midnight
from services.ledger.domain.refusals import MonthAlreadyClosed
from services.ledger.domain.state import Account


def change_customer(command: ChangeCustomer, account: Account, now: datetime) -> CustomerChanged:
    """Documents of a month name what was in force on its last day, so that no closed month can be touched."""
    day = min(command.effective_on, local_date(now))
    since = midnight(day)
    if account.closed_through is not None and month_of(since) <= account.closed_through:
        remedy = f"Give a day after {account.closed_through}, the last month that is closed."
        raise MonthAlreadyClosed(day.isoformat(), "effective_on", remedy)
    return CustomerChanged(
        **account.times(since),
        effective_on=day,
        customer_name=command.customer_name,
        contract_number=command.contract_number,
        contract_date=command.contract_date,
        customer_requisites=command.customer_requisites,
    )
