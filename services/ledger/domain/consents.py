"""What a closing must show of itself before anything is charged, in the order of rule 5.7."""

from datetime import datetime, timedelta

from contracts.commands import CloseTaskBody
from services.ledger.domain.local_time import touches_working_hours
from services.ledger.domain.refusals import (
    ConfirmedBeforeClosed,
    EffectiveInFuture,
    EvidenceDoesNotAddUp,
    OffHoursNotRequestedBeforeStart,
    SpecificationNotAgreed,
    StartedAfterClosed,
    TaskNotConfirmed,
    TimeEntriesDoNotAddUp,
    UrgencyNotAgreedBeforeStart,
    WorkedTimeNotInQuantum,
    WorkWasInWorkingHours,
)
from services.ledger.domain.state import Closing
from services.ledger.domain.terms import Terms, TermsVersion

CLOCKS_DIFFER = timedelta(minutes=5)
URGENT = ("urgent", "urgent_off_hours")
OFF_HOURS = ("off_hours", "urgent_off_hours")


def require_past(field: str, instant: datetime, now: datetime) -> None:
    """Refuse what lies ahead; up to 5 minutes ahead will count as now (rule 2.1)."""
    if instant > now + CLOCKS_DIFFER:
        raise EffectiveInFuture(instant.isoformat(), field)


def given_at(command: CloseTaskBody) -> datetime:
    """When a closing takes effect by what it says (rule 5.1); up to 5 minutes of it may lie ahead (rule 2.1)."""
    return max(command.closed_at, command.confirmed_at or command.closed_at)


def terms_of_work(command: CloseTaskBody, terms: Terms, at_latest: datetime) -> TermsVersion:
    """Those in force when the work started or, unknown, when the closing takes effect (rule 3.1)."""
    return terms.at(min(command.started_at or given_at(command), at_latest))


def effect_of(command: CloseTaskBody, now: datetime, corrected: Closing | None = None) -> datetime:
    """When a closing counts: once it is closed and confirmed (rule 5.1); what is a little ahead counts as now (2.1).

    A correction that gives the instant of what it corrects leaves it where it was made now then (rule 8.6).
    """
    given = given_at(command)
    return corrected.effective_at if corrected and given == corrected.given_at else min(given, now)


def require_consents(command: CloseTaskBody, terms: Terms, now: datetime, effective_at: datetime) -> None:
    """Refuse a closing that is not in quanta, confirmed, past, and agreed to where its category asks for it.

    Its quantum is of the terms that its K is of, for they say how it is charged.
    """
    quantum = terms_of_work(command, terms, effective_at).quantum_minutes
    if command.worked_minutes <= 0 or command.worked_minutes % quantum:
        raise WorkedTimeNotInQuantum(command.worked_minutes)
    if command.confirmed_at is None:
        raise TaskNotConfirmed(None)
    if command.confirmed_at < command.closed_at:
        raise ConfirmedBeforeClosed(command.confirmed_at.isoformat())
    if command.started_at is not None and command.started_at > command.closed_at:
        raise StartedAfterClosed(command.started_at.isoformat())
    require_past("confirmed_at", command.confirmed_at, now)
    if command.category in URGENT and not _before_start(command.urgency_agreed_at, command):
        raise UrgencyNotAgreedBeforeStart(command.urgency_agreed_at)
    if command.category in OFF_HOURS and not _before_start(command.off_hours_requested_at, command):
        raise OffHoursNotRequestedBeforeStart(command.off_hours_requested_at)
    if command.kind == "specification":
        _require_agreed_use(command, effective_at)
    _require_time_entries(command)
    _require_evidence(command, quantum)


def _before_start(consent: datetime | None, command: CloseTaskBody) -> bool:
    return consent is not None and command.started_at is not None and consent <= command.started_at


def _require_agreed_use(command: CloseTaskBody, effective_at: datetime) -> None:
    """Refuse a specification unless the customer had agreed by then that the package pays for it (rule 5.8)."""
    agreed_at = command.package_use_agreed_at
    if agreed_at is None or agreed_at > effective_at:
        raise SpecificationNotAgreed(agreed_at)


def _require_time_entries(command: CloseTaskBody) -> None:
    """Given, they add up, and off-hours work lies outside working hours (rule 5.4)."""
    if command.time_entries is None:
        return
    total = sum(entry.minutes for entry in command.time_entries)
    if total != command.worked_minutes:
        raise TimeEntriesDoNotAddUp(f"{total} minutes of {command.worked_minutes}")
    if command.category in OFF_HOURS:
        for entry in command.time_entries:
            if touches_working_hours(entry.start, entry.minutes):
                raise WorkWasInWorkingHours(entry.start.isoformat())


def _require_evidence(command: CloseTaskBody, quantum_minutes: int) -> None:
    """What was written, rounded as it says, is the worked time (rule 5.9)."""
    evidence = command.evidence
    if evidence is None or evidence.rounding is None:
        return
    seconds, quantum = evidence.raw_seconds, 60 * quantum_minutes
    least = most = -(-seconds // quantum)
    if evidence.rounding == "nearest":
        least = most = max((2 * seconds + quantum) // (2 * quantum), min(seconds, 1))
    elif evidence.rounding == "entry":
        most = (seconds + evidence.entries * (quantum - 1)) // quantum
    if not least <= command.worked_minutes // quantum_minutes <= most:
        given = f"{seconds} seconds, rounded by {evidence.rounding}, for {command.worked_minutes} minutes"
        raise EvidenceDoesNotAddUp(given)
