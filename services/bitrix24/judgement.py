"""Which of the portal's tasks count, and as what: done, and confirmed by a person of the customer's (rule 5.1).

Pure: what the portal says, what the settings say, and who is whose come in as data.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from contracts.commands import CloseTaskBody
from contracts.events import Category, Rounding
from contracts.quantities import AccountId, TaskId
from contracts.terms import TermsVersion
from services.bitrix24.portal_records import Change, Elapsed, Person, PortalTask, Work
from services.bitrix24.settings import Connector, Customers

DONE = 5
AWAITS_CONTROL = "4"
COMPLETED = str(DONE)
TITLE_CHARACTERS_MAX = 1000
COMMENT_CHARACTERS_MAX = 5000
"""So much of a comment is looked at for a consent."""

SOURCE = "bitrix24"
NOTHING_WRITTEN = ("no time is written on it", "write the time, or reopen the task if it is not to count")


@dataclass(frozen=True)
class Counted:
    """A task that counts: what is to be charged to which account."""

    account_id: AccountId
    task_id: TaskId
    closing: CloseTaskBody
    work: Work


@dataclass(frozen=True)
class Unfinished:
    """A task that is not done yet, or not confirmed: nothing is charged."""

    account_id: AccountId
    task_id: TaskId


@dataclass(frozen=True)
class Undecided:
    """A task that somebody has to put right before it can count: what is wrong, and the remedy."""

    account_id: AccountId
    task_id: TaskId
    work: Work
    reason: str
    remedy: str


Judgement = Counted | Unfinished | Undecided


def judged(
    work: Work, connector: Connector, people: Mapping[int, Person], terms: Sequence[TermsVersion]
) -> Judgement | None:
    """What a task of one of the settings' groups is to the ledger; None where it was confirmed before it began.

    `terms`: all versions, the earliest first.
    """
    account_id = connector.accounts[work.task.group_id]
    task_id = f"{connector.task_prefix}{work.task.id}"
    confirmed, handed_over = _confirmation(work)
    if work.task.status != DONE or confirmed is None or handed_over is None:
        return Unfinished(account_id, task_id)
    if confirmed.at < connector.began_at:
        return None
    try:
        closing = _closing(work, confirmed, handed_over, connector, people, terms)
    except NotClear as unclear:
        return Undecided(account_id, task_id, work, unclear.reason, unclear.remedy)
    return Counted(account_id, task_id, closing, work)


def people_named(work: Work) -> set[int]:
    """The people that a judgement asks about."""
    wrote = {comment.author_id for comment in work.comments}
    return wrote | {entry.user_id for entry in work.entries} | {change.user_id for change in work.changes}


class NotClear(Exception):
    """Somebody has to put a task right: what is wrong, and the remedy."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


def _closing(
    work: Work,
    confirmed: Change,
    handed_over: Change,
    connector: Connector,
    people: Mapping[int, Person],
    terms: Sequence[TermsVersion],
) -> CloseTaskBody:
    who = people.get(confirmed.user_id)
    if who is None or not is_customers(who, connector.customers):
        reason = f"the person № {confirmed.user_id} has confirmed it, who is not the customer's"
        raise NotClear(reason, "have a person of the customer's accept it")
    if not work.entries:
        raise NotClear(*NOTHING_WRITTEN)
    consents, started_at = connector.consents, min(entry.start for entry in work.entries)
    worked_minutes, minutes = rounded(work.entries, connector.rounding, quantum_at(started_at, terms))
    if not worked_minutes:
        raise NotClear(*NOTHING_WRITTEN)
    told = {
        "title": " ".join(work.task.title.split())[:TITLE_CHARACTERS_MAX],
        "category": category_of(work.task, connector),
        "worked_minutes": worked_minutes,
        "started_at": started_at,
        "closed_at": handed_over.at,
        "confirmed_at": confirmed.at,
        "confirmed_by": who.name,
        "urgency_agreed_at": _consent(work, consents.urgency_field, consents.urgency_comment, connector, people),
        "off_hours_requested_at": _consent(
            work, consents.off_hours_field, consents.off_hours_comment, connector, people
        ),
        "time_entries": [
            {"start": entry.start, "minutes": some, "performer": _performer(entry, people)}
            for entry, some in zip(work.entries, minutes, strict=True)
            if some
        ],
        "evidence": {
            "source": SOURCE,
            "raw_seconds": work.seconds,
            "entries": len(work.entries),
            "entries_hash": work.fingerprint,
            "rounding": connector.rounding,
        },
    }
    try:
        return CloseTaskBody.model_validate(told)
    except ValidationError as misfit:
        wrong = misfit.errors()[0]
        field = ".".join(map(str, wrong["loc"]))
        raise NotClear(f"{field}: {wrong['msg'].removeprefix('Value error, ')}", "put it right in the task") from None


def quantum_at(instant: datetime, terms: Sequence[TermsVersion]) -> int:
    """The quantum in force then, in minutes (rule 1.1); that of the first version before there was any."""
    return next(
        (each.quantum_minutes for each in reversed(terms) if each.in_force_from <= instant), terms[0].quantum_minutes
    )


def _confirmation(work: Work) -> tuple[Change | None, Change | None]:
    """The change by which the task was accepted last, from control to completed, and the one that handed it over."""
    changes = sorted(work.changes, key=lambda change: (change.at, change.id), reverse=True)
    last = changes[0] if changes else None
    if last is None or (last.before, last.after) != (AWAITS_CONTROL, COMPLETED):
        return None, None
    return last, next((change for change in changes[1:] if change.after == AWAITS_CONTROL), None)


def is_customers(person: Person, customers: Customers) -> bool:
    """Whether somebody of the portal is the customer's."""
    if customers.extranet and person.type == "extranet":
        return True
    return not customers.departments.isdisjoint(person.departments or ())


def _performer(entry: Elapsed, people: Mapping[int, Person]) -> str:
    who = people.get(entry.user_id)
    return who.name if who else f"№ {entry.user_id}"


def category_of(task: PortalTask, connector: Connector) -> Category:
    """By the field, then by a tag; else regular. Raises NotClear."""
    told = connector.categories
    if told.field and (value := task.own(told.field)) not in (None, "", False):
        if (category := told.values.get(str(value))) is None:
            reason = f"{told.field} says {value!r}, which the settings do not know"
            raise NotClear(reason, f"choose {' or '.join(map(repr, told.values))}")
        return category
    found = {category for tag, category in told.tags.items() if tag.casefold() in map(str.casefold, task.tags)}
    if len(found) > 1:
        raise NotClear(f"its tags say {' and '.join(sorted(found))}", "leave one of them")
    return found.pop() if found else "regular"


def _consent(
    work: Work, field: str | None, pattern: str | None, connector: Connector, people: Mapping[int, Person]
) -> Any:
    """When the customer agreed: as the field has it, else by the first comment of a person of theirs that matches.

    The closing's own shape judges what a field says.
    """
    if field and (told := work.task.own(field)):
        return told
    for comment in work.comments if pattern else ():
        who, text = people.get(comment.author_id), comment.text[:COMMENT_CHARACTERS_MAX]
        if who and is_customers(who, connector.customers) and re.search(pattern or "", text, re.IGNORECASE):
            return comment.at
    return None


def may_agree_in_comments(task: PortalTask, connector: Connector) -> bool:
    """Whether a consent that the task needs can stand in a comment."""
    try:
        category = category_of(task, connector)
    except NotClear:
        return False
    consents = connector.consents
    return bool(
        (consents.urgency_comment and category in {"urgent", "urgent_off_hours"})
        or (consents.off_hours_comment and category in {"off_hours", "urgent_off_hours"})
    )


def rounded(entries: Sequence[Elapsed], rounding: Rounding, quantum_minutes: int) -> tuple[int, tuple[int, ...]]:
    """The worked minutes, a multiple of the quantum (rule 1.1), and the minutes of each entry, which add up to them.

    `task`: the whole task up. `entry`: each entry up. `nearest`: the task to the nearest, a half up, work never to 0.
    """
    quantum = 60 * quantum_minutes
    seconds = [entry.seconds for entry in entries]
    if rounding == "entry":
        each = tuple(-(-some // quantum) * quantum_minutes for some in seconds)
        return sum(each), each
    whole = sum(seconds)
    up, nearest = -(-whole // quantum), (2 * whole + quantum) // (2 * quantum)
    quanta = up if rounding == "task" else max(nearest, min(whole, 1))
    worked = quanta * quantum_minutes
    return worked, _shares(worked, seconds, whole)


def _shares(worked: int, seconds: Sequence[int], whole: int) -> tuple[int, ...]:
    """The minutes in proportion to the entries, whole ones, which add up."""
    shares, reached, given = [], 0, 0
    for some in seconds:
        reached += some
        upto = (2 * worked * reached + whole) // (2 * whole) if whole else 0
        shares.append(upto - given)
        given = upto
    assert given == worked
    return tuple(shares)
