"""Terms are published, not shipped: a version is recorded in the log of access an hour ahead (rule 3.4)."""

from contextlib import suppress
from datetime import datetime, timedelta

from contracts.access_events import TermsPublished
from contracts.quantities import GIVEN_LATEST
from contracts.terms import PublishedTerms, TermsVersion
from services.access.principals import SYSTEM
from services.access.state import AccessState
from services.ledger.access.log import AccessLog
from services.ledger.domain.terms import Terms

NOTICE = timedelta(hours=1)
SUBJECT = "terms"
"""Whose events they are in the log of access."""


class CannotPublish(ValueError):
    """The version does not follow those that are published: the field that is wrong, and what would fit."""

    def __init__(self, field: str, remedy: str) -> None:
        super().__init__(f"{field}: {remedy}")
        self.field = field
        self.remedy = remedy


class PublishedAlready(Exception):
    """This very version is published."""


async def begin_terms(log: AccessLog, first: Terms) -> None:
    """Publish the versions that the program came with, where none is published yet: as a ledger begins, or goes on."""

    def require(state: AccessState, _: datetime) -> None:
        if state.published:
            raise PublishedAlready

    versions = [TermsPublished(version=version) for version in first.versions]
    with suppress(PublishedAlready):
        await log.record_where(require, SUBJECT, versions, SYSTEM["operator"].id)


async def publish(log: AccessLog, version: TermsVersion, actor: str) -> PublishedTerms:
    """Publish a version; CannotPublish where it may not be. Published again, it is as it was."""

    def require(state: AccessState, now: datetime) -> None:
        if any(known.version == version for known in state.published):
            raise PublishedAlready
        require_next(version, state, now)

    with suppress(PublishedAlready):
        await log.record_where(require, SUBJECT, [TermsPublished(version=version)], actor)
    return next(known for known in log.state.published if known.version == version)


def require_next(version: TermsVersion, state: AccessState, now: datetime) -> None:
    """CannotPublish unless it has a name of its own, and comes into force late enough to touch nothing before."""
    if version.name in {known.version.name for known in state.published}:
        raise CannotPublish("name", "give a name that no version has yet: events say by it which terms they rest on")
    earliest = now + NOTICE
    if version.in_force_from < earliest:
        remedy = f"give an instant at least an hour ahead, {earliest.isoformat()} or later"
        raise CannotPublish("in_force_from", remedy)
    if version.in_force_from >= GIVEN_LATEST:
        raise CannotPublish("in_force_from", f"give a year up to {GIVEN_LATEST.year - 1}")
    last = max(known.version.in_force_from for known in state.published)
    if version.in_force_from <= last:
        remedy = f"give an instant after {last.isoformat()}, from which the version before it is in force"
        raise CannotPublish("in_force_from", remedy)
