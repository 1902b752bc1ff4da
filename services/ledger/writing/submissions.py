"""Commands in flight, and what has been decided about them."""

import asyncio
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from random import Random

from contracts.commands import Command
from contracts.events import Event
from services.access.principals import SYSTEM
from services.ledger.domain.account import Account, course_of, due, fold
from services.ledger.domain.refusals import Refusal
from services.ledger.domain.terms import Terms
from services.ledger.event_store.database import LedgerUnavailable
from services.ledger.event_store.known_account import KnownAccount
from services.ledger.event_store.store import CommandKey
from services.ledger.event_store.stored_event import StoredEvent
from services.ledger.writing.answers import Answer
from services.ledger.writing.personal_data import set_apart, without_names
from services.process import tracing

_chance = Random()  # noqa: S311 - an id is no secret
"""Seeded by the operating system once: asking it for every id takes a seventh of what deciding a command takes."""

os.register_at_fork(after_in_child=_chance.seed)  # or each fork would give the same ids


def new_id() -> str:
    """A random UUID, version 4; written out here because the library's takes four times as long."""
    digits = f"{_chance.getrandbits(128):032x}"
    variant = "89ab"[_chance.getrandbits(2)]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


@dataclass(frozen=True, slots=True)
class ExpirePackages:
    """The scheduler's own command: record what is due (rule 7.1)."""

    account_id: str


class NothingIsDue(Exception):
    """There is nothing to expire on this account now."""


@dataclass(frozen=True, slots=True)
class Draft:
    """The events of a command, decided but not yet appended, and the account before and after them."""

    before: KnownAccount
    events: tuple[StoredEvent, ...]
    after: KnownAccount


@dataclass(slots=True, eq=False)
class Submission:
    """A command that was taken in, to be answered once."""

    command: Command | ExpirePackages
    key: str
    fingerprint: bytes
    actor: str
    answer: "asyncio.Future[Answer]"
    refusal: Exception | None = None
    traceparent: str | None = None
    _draft: Draft | None = None

    @classmethod
    def of(cls, command: Command, key: str, actor: str) -> "Submission":
        """A caller's command; the fingerprint tells the same command from another with the same key, whoever gives it.

        It is recorded, so it is taken without what is personal, or a guess at an erased name could be tested by it;
        names that are not erased are compared when the key is repeated (`Replays`).
        """
        fingerprint = sha256(without_names(command)).digest()
        answer = asyncio.get_running_loop().create_future()
        return cls(command, key, fingerprint, actor, answer, traceparent=tracing.current())

    @classmethod
    def of_scheduler(cls, account_id: str) -> "Submission":
        """No caller's key has a space in it."""
        key = f"expiry {new_id()}"
        fingerprint = sha256(key.encode()).digest()
        actor = SYSTEM["scheduler"].id
        return cls(ExpirePackages(account_id), key, fingerprint, actor, asyncio.get_running_loop().create_future())

    def has_fingerprint(self, recorded: bytes) -> bool:
        """Whether that was taken of the same command, by this version or by one before it."""
        if recorded == self.fingerprint or isinstance(self.command, ExpirePackages):
            return recorded == self.fingerprint
        return recorded == sha256(without_names(self.command, as_before=True)).digest()

    @property
    def account_id(self) -> str:
        return self.command.account_id

    @property
    def command_key(self) -> CommandKey:
        """The key in its account."""
        return self.account_id, self.key

    def decide(self, before: KnownAccount, terms: Terms, now: datetime) -> Draft:
        """What the command leads to; Refusal or NothingIsDue if to nothing. Time never runs back in an account.

        A draft that was made before stands while the account before it is the very same.
        """
        if self._draft is None or self._draft.before is not before:
            now = max(now, before.recorded_at)
            events, after = self._decided(before.account, terms, now)
            stored = tuple(self._stored(before, events, now))
            self._draft = Draft(before, stored, KnownAccount(after, now, stored[-1].event_id))
        return self._draft

    def _decided(self, account: Account, terms: Terms, now: datetime) -> tuple[Sequence[Event], Account]:
        """The events, and the account they lead to."""
        if not isinstance(self.command, ExpirePackages):
            course = course_of(self.command, account, terms, now)
            return course.events, course.account
        if events := due(account, now):
            return events, fold(account, events)
        raise NothingIsDue(self.account_id)

    def _stored(self, before: KnownAccount, events: Sequence[Event], now: datetime) -> Iterator[StoredEvent]:
        """Only the first event has the fingerprint: it takes the key."""
        follows = before.event_id
        for number, decided in enumerate(events):
            event, personal = set_apart(decided)
            stored = StoredEvent(
                position=None,
                account_id=self.account_id,
                version=before.account.version + number + 1,
                event_id=new_id(),
                command_id=self.key,
                fingerprint=None if number else self.fingerprint,
                type=type(event).__name__,
                schema_version=event.schema_version,
                recorded_at=now,
                data=event.model_dump_json(),
                actor=self.actor,
                personal=personal,
                follows=follows,
            )
            follows = stored.event_id
            yield stored

    def resolve(self, answer: Answer) -> None:
        """Give the answer, unless the caller has left."""
        if not self.answer.done():
            self.answer.set_result(answer)

    def fail(self, error: BaseException) -> None:
        """Give the refusal or the failure; the caller may have left."""
        if not self.answer.done():
            self.answer.set_exception(error)
            self.answer.exception()


def decide_in_order(
    batch: list[Submission], states: Mapping[str, KnownAccount], terms: Terms, now: datetime
) -> tuple[list[tuple[Submission, Draft]], list[Submission]]:
    """Each command on its account as the one before left it: what was accepted, and whose refusal is to be checked.

    A second command with the same key waits among these, without a refusal, until the outcome of the
    first is known.
    """
    accepted: list[tuple[Submission, Draft]] = []
    unsure: list[Submission] = []
    latest, keys = dict(states), set[CommandKey]()
    for submission in batch:
        submission.refusal = None
        if submission.command_key in keys:
            unsure.append(submission)
            continue
        keys.add(submission.command_key)
        try:
            draft = submission.decide(latest[submission.account_id], terms, now)
        except (Refusal, NothingIsDue) as refusal:
            submission.refusal = refusal
            unsure.append(submission)
        except Exception as failure:  # noqa: BLE001 - a command that the domain cannot bear spoils no other
            submission.fail(failure)
        else:
            latest[submission.account_id] = draft.after
            accepted.append((submission, draft))
    return accepted, unsure


def next_due_changes(drafts: Iterable[Draft]) -> dict[str, datetime | None]:
    """The accounts whose next package to expire is another one now, and its end."""
    before: dict[str, datetime | None] = {}
    after: dict[str, datetime | None] = {}
    for draft in drafts:
        account = draft.after.account
        before.setdefault(account.account_id, draft.before.account.next_due_at)
        after[account.account_id] = account.next_due_at
    return {each: due_at for each, due_at in after.items() if due_at != before[each]}


def traceparents(accepted: Iterable[tuple[Submission, Draft]]) -> dict[str, str]:
    """Of which trace each event is, by its id; of those whose caller is traced."""
    return {
        event.event_id: submission.traceparent
        for submission, draft in accepted
        if submission.traceparent
        for event in draft.events
    }


def fail_unanswered(submissions: Iterable[Submission]) -> None:
    """The ledger is stopping: a caller without an answer sends the command again, with the same key."""
    for submission in submissions:
        submission.fail(LedgerUnavailable("the ledger is stopping"))
