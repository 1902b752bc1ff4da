"""Taking a closing back: what can go back is undone, what cannot is made up for from now on (rule 8)."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TypedDict

from contracts.events import Compensation, Returned, TaskReopened
from services.ledger.domain.local_time import local_date, midnight
from services.ledger.domain.state import Account, Closing, Paid, Taken
from services.ledger.domain.terms import TermsVersion


class Undone(TypedDict):
    """What a reversal, or a correction, states of what it takes back."""

    returned: tuple[Returned, ...]
    cancelled_owed_minutes: int
    compensation: Compensation | None


def undo(account: Account, task_id: str, closing: Closing, terms: TermsVersion, now: datetime) -> Undone:
    """Unwind the recorded draws, settlements and payments of that closing, and cancel what is owed (rule 8.1)."""
    owed = account.owed_for(task_id)
    return give_back(account, task_id, closing.number, closing.parts, owed, terms, now)


def reopened(
    account: Account, task_id: str, closing: Closing, reason: str, terms: TermsVersion, now: datetime
) -> TaskReopened:
    """The closing is taken back, its worked time as well, also where a mark had reversed it already (rule 8.5)."""
    return TaskReopened(
        **account.times(closing.effective_at),
        task_id=task_id,
        reason=reason,
        closure=closing.number,
        worked_minutes=closing.worked_minutes,
        charged_minutes=closing.charged_minutes,
        **undo(account, task_id, closing, terms, now),
    )


def give_back(
    account: Account,
    task_id: str,
    closure: int,
    parts: Iterable[Taken | Paid],
    owed_minutes: int,
    terms: TermsVersion,
    now: datetime,
) -> Undone:
    """What becomes of these parts of a closing, each judged by how its lot stands now, before anything goes back."""
    returned: list[Returned] = []
    lost: list[Taken | Paid] = []
    for part in parts:
        if isinstance(part, Taken) and _goes_back(account, part):
            returned.append(_returned(part, forfeited=account.lots[part.lot_id].expired))
        else:
            lost.append(part)
    return Undone(
        returned=tuple(returned),
        cancelled_owed_minutes=owed_minutes,
        compensation=_compensation(account, f"compensation-{task_id}-{closure}", lost, terms, now),
    )


def _goes_back(account: Account, taken: Taken) -> bool:
    """To a lot that lives, or to what it has forfeited; never to one that was refunded (rules 8.1, 14.3)."""
    lot = account.lots[taken.lot_id]
    return not lot.refunded and (taken.released or not lot.expired)


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
    account: Account, package_id: str, lost: list[Taken | Paid], terms: TermsVersion, now: datetime
) -> Compensation | None:
    """What cannot go back, valid at least 30 days and as long as any package that was not refunded (rule 8.2)."""
    if not lost:
        return None
    at_least = midnight(local_date(now) + timedelta(days=terms.compensation_days + 1))
    ahead = [account.packages[package_id] for ends_at, _, package_id in account.to_expire if ends_at > now]
    return Compensation(
        package_id=package_id,
        minutes=sum(share.minutes for share in lost),
        amount_kopecks=sum(share.amount_kopecks for share in lost),
        starts_at=now,
        ends_at=max([at_least, *(package.ends_at for package in ahead if not package.refunded)]),
    )
