"""A closing corrected, as one command (rule 8.6)."""

from datetime import datetime
from typing import Any

from contracts.commands import CorrectTask
from contracts.events import TakenOver, TaskCorrected
from contracts.quantities import rounded_division
from services.ledger.domain.closing import charged
from services.ledger.domain.consents import effect_of
from services.ledger.domain.course import Course
from services.ledger.domain.evolution import evolve
from services.ledger.domain.lots import draw
from services.ledger.domain.refusals import TaskNotClosed
from services.ledger.domain.reversal import give_back, reopened
from services.ledger.domain.state import Account, Closing, Paid, Taken
from services.ledger.domain.terms import Terms

Parts = tuple[Taken | Paid, ...]


def correct_task(command: CorrectTask, course: Course, terms: Terms) -> TaskCorrected:
    """Only the difference moves where both closings take effect at one instant; else the old one is taken back whole.

    Where what is taken back goes on to a successor of its package, a reopening of its own is recorded first: nothing is
    drawn before it has arrived there (rule 8.1).
    """
    account, now = course.account, course.now
    task = account.task(command.task_id)
    old = task.closing
    if old is None:
        raise TaskNotClosed(command.task_id)
    effective_at = effect_of(command, now, old)
    facts: dict[str, Any] = {
        **account.times(effective_at),
        **charged(command, task, terms, effective_at),
        "reason": command.reason,
    }
    facts |= _corrected(account, old)
    if effective_at == old.effective_at and not old.reversed:
        return TaskCorrected(**facts, **_difference(account, command.task_id, old, facts, terms, now))

    reopening = reopened(account, command.task_id, old, command.reason, terms.at(now), now)
    if course.goes_on(reopening):
        course.take_back(reopening)
        gone: dict[str, Any] = {
            f"corrected_{what}": 0 for what in ("worked_minutes", "charged_minutes", "amount_kopecks")
        }
        return TaskCorrected(**facts | gone | _anew(course.account, facts))
    taken_back = {name: getattr(reopening, name) for name in ("returned", "cancelled_owed_minutes", "compensation")}
    return TaskCorrected(**facts, **taken_back, **_anew(evolve(account, reopening), facts))


def _corrected(account: Account, old: Closing) -> dict[str, Any]:
    """All with which the old closing leaves the reports."""
    return {
        "corrected_closure": old.number,
        "corrected_effective_at": old.effective_at,
        "corrected_booking_month": account.booking_month(old.effective_at),
        "corrected_worked_minutes": old.worked_minutes,
        "corrected_charged_minutes": old.charged_minutes,
        "corrected_amount_kopecks": sum(part.amount_kopecks for part in old.parts),
    }


def _anew(account: Account, facts: dict[str, Any]) -> dict[str, Any]:
    """Drawn as by any closing, once the old one is taken back."""
    own = account.compensations(account.task(facts["task_id"]))
    at = facts["effective_at"]
    draws, owed = draw(account.lots_ending_after(at), facts["charged_minutes"], at, own)
    amount = sum(part.amount_kopecks for part in draws)
    return {"only_difference": False, "draws": draws, "owed_minutes": owed, "amount_kopecks": amount}


def _difference(
    account: Account, task_id: str, old: Closing, facts: dict[str, Any], terms: Terms, now: datetime
) -> dict[str, Any]:
    """Too much is cancelled from what is owed, then given back, the last recorded first; too little is drawn."""
    more, owed = facts["charged_minutes"] - old.charged_minutes, account.owed_for(task_id)
    cancelled = min(max(-more, 0), owed)
    kept, back = _split(old.parts, max(-more, 0) - cancelled)
    lots, own = account.lots_ending_after(old.effective_at), account.compensations(account.task(task_id))
    draws, short = draw(lots, max(more, 0), old.effective_at, own)
    return {
        "only_difference": True,
        **give_back(account, task_id, old.number, back, cancelled, terms.at(now), now),
        "taken_over": tuple(_taken_over(part) for part in kept),
        "taken_over_owed_minutes": owed - cancelled,
        "draws": draws,
        "owed_minutes": short,
        "amount_kopecks": sum(part.amount_kopecks for part in (*kept, *draws)),
    }


def _split(parts: Parts, minutes: int) -> tuple[Parts, Parts]:
    """What stays, and so many minutes of the parts recorded last, the latest first; money in proportion."""
    kept, back = list(parts), list[Taken | Paid]()
    while minutes:
        last = kept.pop()
        given = min(minutes, last.minutes)
        rest = last.minutes - given
        money = rounded_division(last.amount_kopecks * rest, last.minutes)
        if rest:
            kept.append(last._replace(minutes=rest, amount_kopecks=money))
        back.append(last._replace(minutes=given, amount_kopecks=last.amount_kopecks - money))
        minutes -= given
    return tuple(kept), tuple(back)


def _taken_over(part: Taken | Paid) -> TakenOver:
    return TakenOver(**part._asdict())
