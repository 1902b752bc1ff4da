"""Debt is paid by the first hours that were there after it arose (rule 6.4)."""

from datetime import datetime

from contracts.events import DebtSettled
from services.ledger.domain.state import Account


def settle_oldest(account: Account, triggered_at: datetime) -> tuple[DebtSettled, ...]:
    """What lots give to the oldest debt, the earliest at hand first; nothing if there is no such debt or lot.

    A younger debt need not be asked then: a lot that ends after it has arisen ends after the oldest has.
    """
    if not account.debts:
        return ()
    debt = account.debts[0]
    since = max(debt.effective_at, triggered_at)
    offers = [(max(since, lot.starts_at), lot) for lot in account.lots_ending_after(since)]
    settled: list[DebtSettled] = []
    owed = debt.minutes
    for at, lot in sorted(offers, key=lambda offer: (offer[0], offer[1].priority(offer[0]))):
        if not owed:
            break
        given = lot.give(min(owed, lot.left_minutes))
        owed -= given.minutes
        settled.append(
            DebtSettled(
                **account.times(at),
                task_id=debt.task_id,
                closure=debt.closure,
                **given.model_dump(),
            )
        )
    return tuple(settled)
