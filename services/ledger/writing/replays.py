"""Answers a command that was recorded before with what it was answered then (rule 11.2)."""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping
from itertools import chain, islice

from contracts.events import TaskClosed
from services.ledger.domain.account import Account, fold
from services.ledger.domain.refusals import IdempotencyKeyReused
from services.ledger.event_store.store import EventStore, RecordedCommand
from services.ledger.event_store.stored_event import StoredEvent
from services.ledger.writing.answers import recorded
from services.ledger.writing.personal_data import names_agree
from services.ledger.writing.submissions import Submission, fail_unanswered
from services.ledger.writing.warm_accounts import Warm, WarmAccounts

PAST_EVENTS_MAX = 50_000
PAGE_EVENTS = 100
AT_ONCE_MAX = 100


class Replays:
    """Accounts as they were after an earlier command.

    They are kept as far as they were folded, so that a file of commands that is sent again, in its order, reads each
    account's history once.
    """

    def __init__(self, store: EventStore, log_id: int) -> None:
        self._store = store
        self._log_id = log_id
        self._past = WarmAccounts(PAST_EVENTS_MAX)
        self._asked: deque[tuple[Submission, RecordedCommand]] = deque()
        self._arrived = asyncio.Event()

    def submit(self, submission: Submission, known: RecordedCommand) -> None:
        """Answer it in its turn; new commands go on meanwhile."""
        self._asked.append((submission, known))
        self._arrived.set()

    async def run(self) -> None:
        """Answer until cancelled; a command without an answer fails then."""
        try:
            while True:
                await self._arrived.wait()
                self._arrived.clear()
                while self._asked:
                    await self._answer_some()
        finally:
            fail_unanswered(submission for submission, _ in self._asked)

    async def _answer_some(self) -> None:
        """Answer the first ones in the queue; they leave it once all of them have their answer."""
        asked = list(islice(self._asked, AT_ONCE_MAX))
        try:
            events = await self._store.events_of(self._log_id, (known for _, known in asked))
            salts = await self._salts(chain.from_iterable(events.values()))
            for submission, known in asked:
                await self._answer(submission, known, events[known.key], salts)
        except Exception as failure:  # noqa: BLE001 - any failure is the answer of the commands that have none
            for submission, _ in asked:
                submission.fail(failure)
        for _ in asked:
            self._asked.popleft()

    async def _salts(self, events: Iterable[StoredEvent]) -> dict[str, bytes]:
        """Those of the names in closings that are not erased, by their commitments."""
        positions = [event.position for event in events if event.position and event.type == TaskClosed.__name__]
        if not positions:
            return {}
        rows = await self._store.personal.at(self._log_id, positions)
        return {row["commitment"]: row["salt"] for row in rows}

    async def _answer(
        self,
        submission: Submission,
        known: RecordedCommand,
        recorded_events: list[StoredEvent],
        salts: Mapping[str, bytes],
    ) -> None:
        """The same answer as the first time, or IdempotencyKeyReused if that was another command."""
        events = [event.event() for event in recorded_events]
        if known.fingerprint != submission.fingerprint or not names_agree(submission.command, events, salts):
            submission.fail(IdempotencyKeyReused(submission.key))
            return
        before = await self._account_at(known.account_id, known.version - 1)
        after = fold(before, events)
        self._past.forget(known.account_id)
        self._past.keep(Warm(after))
        submission.resolve(recorded(after, recorded_events, recorded_events[0].position, replayed=True))

    async def _account_at(self, account_id: str, version: int) -> Account:
        """The account after so many of its events."""
        past = self._past.get(account_id)
        account = past.account if past and past.account.version <= version else Account(account_id)
        while account.version < version:
            limit = min(version - account.version, PAGE_EVENTS)
            page = await self._store.account_page(self._log_id, account_id, account.version, limit)
            account = fold(account, [event.event() for event in page])
        return account
