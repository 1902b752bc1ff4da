"""Taking a closing back: what can go back is undone, what cannot is made up for from now on (rule 8)."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TypedDict

from contracts.events import Compensation, Payment, Returned
from services.ledger.domain.local_time import local_date, midnight
from services.ledger.domain.state import Account, Closing, Taken
from services.ledger.domain.terms import TermsVersion


class Undone(TypedDict):
    """What a reversal states beside its task, reason and times."""

    closure: int | None
    charged_minutes: int
    returned: tuple[Returned, ...]
    cancelled_owed_minutes: int
    compensation: Compensation | None


def undo(account: Account, task_id: str, closing: Closing | None, terms: TermsVersion, now: datetime) -> Undone:
    """Unwind the recorded draws, settlements and payments of that closing (rule 8.1)."""
    if closing is None:
        return Undone(closure=None, charged_minutes=0, returned=(), cancelled_owed_minutes=0, compensation=None)
    returned: list[Returned] = []
    lost: list[Taken | Payment] = [*closing.payments]
    for taken in closing.taken:
        expired = account.lots[taken.lot_id].expired
        if expired and not taken.released:
            lost.append(taken)
        else:
            returned.append(_returned(taken, forfeited=expired))
    owed = sum(debt.minutes for debt in account.debts if debt.task_id == task_id)
    return Undone(
        closure=closing.number,
        charged_minutes=closing.charged_minutes,
        returned=tuple(returned),
        cancelled_owed_minutes=owed,
        compensation=_compensation(account, f"compensation-{task_id}-{closing.number}", lost, terms, now),
    )


def _returned(taken: Taken, *, forfeited: bool) -> Returned:
    return Returned(
        lot_id=taken.lot_id,
        minutes=taken.minutes,
        amount_kopecks=taken.amount_kopecks,
        effective_at=taken.effective_at,
        settlement=taken.settlement,
        forfeited=forfeited,
    )


def _compensation(
    account: Account, package_id: str, lost: Iterable[Taken | Payment], terms: TermsVersion, now: datetime
) -> Compensation | None:
    """What cannot go back, valid at least 30 days and as long as any package of the account (rule 8.2)."""
    shares = list(lost)
    if not shares:
        return None
    at_least = midnight(local_date(now) + timedelta(days=terms.compensation_days + 1))
    ends = [ends_at for ends_at, _, _ in account.to_expire if ends_at > now]
    return Compensation(
        package_id=package_id,
        minutes=sum(share.minutes for share in shares),
        amount_kopecks=sum(share.amount_kopecks for share in shares),
        starts_at=now,
        ends_at=max([at_least, *ends]),
    )
