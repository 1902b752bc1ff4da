"""Answers a command that was recorded before with what it was answered then (rule 11.2)."""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping
from itertools import chain, islice

from contracts.events import AccountOpened, CustomerChanged, TaskClosed, TaskCorrected
from services.ledger.domain.refusals import IdempotencyKeyReused
from services.ledger.event_store.database import LedgerUnavailable
from services.ledger.event_store.known_account import KnownAccount
from services.ledger.event_store.store import EventStore, RecordedCommand
from services.ledger.event_store.stored_event import StoredEvent
from services.ledger.writing.answers import recorded
from services.ledger.writing.personal_data import names_agree
from services.ledger.writing.submissions import Submission, fail_unanswered
from services.ledger.writing.warm_accounts import WarmAccounts

PAST_EVENTS_MAX = 50_000
PAGE_EVENTS = 100
AT_ONCE_MAX = 100
NAMING_PEOPLE = {event.__name__ for event in (AccountOpened, CustomerChanged, TaskClosed, TaskCorrected)}


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
        """Answer until cancelled."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._asked:
                await self._answer_some()

    def close(self) -> None:
        """Fail the commands that still wait: the ledger is stopping."""
        fail_unanswered(submission for submission, _ in self._asked)

    async def _answer_some(self) -> None:
        """Answer the first ones in the queue; they leave it once all of them have their answer."""
        asked = list(islice(self._asked, AT_ONCE_MAX))
        try:
            events = await self._store.events_of(self._log_id, (known for _, known in asked))
            salts = await self._salts(chain.from_iterable(events.values()))
        except Exception as failure:  # noqa: BLE001 - any failure is the answer of the commands that wait
            for submission, _ in asked:
                submission.fail(failure)
        else:
            for submission, known in asked:
                try:
                    await self._answer(submission, known, events[known.key], salts)
                except Exception as failure:  # noqa: BLE001 - any failure is the answer of this command alone
                    submission.fail(failure)
        for _ in asked:
            self._asked.popleft()

    async def _salts(self, events: Iterable[StoredEvent]) -> dict[str, bytes]:
        """Those of the names in events that are not erased, by their commitments."""
        positions = [event.position for event in events if event.position and event.type in NAMING_PEOPLE]
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
        if not submission.has_fingerprint(known.fingerprint):
            raise IdempotencyKeyReused(submission.key)
        if not recorded_events:
            raise LedgerUnavailable(f"account {known.account_id} has no event {known.version} of this command any more")
        after = await self._account_at(known.account_id, known.version + len(recorded_events) - 1)
        self._past.forget(known.account_id)
        self._past.keep(after)
        if not names_agree(submission.command, [event.event() for event in recorded_events], salts):
            raise IdempotencyKeyReused(submission.key)
        first_position = recorded_events[0].position
        submission.resolve(recorded(after.account, recorded_events, first_position, replayed=True))

    async def _account_at(self, account_id: str, version: int) -> KnownAccount:
        """The account after so many of its events, as they are in the log now."""
        past = self._past.get(account_id)
        known = past if past and past.account.version <= version else KnownAccount.unopened(account_id)
        while True:
            last = max(known.account.version, 1)
            limit = min(version - last + 1, PAGE_EVENTS)
            page = await self._store.account_page(self._log_id, account_id, last - 1, limit)
            continued = known.continued(page)
            if continued and continued.account.version == version:
                return continued
            if len(page) < limit:  # the log was restored from an older copy just now
                raise LedgerUnavailable(f"account {account_id} has no event {version} any more")
            known = continued or KnownAccount.unopened(account_id)
