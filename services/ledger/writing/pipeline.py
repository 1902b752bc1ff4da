"""The way of a command: load, decide, append; again on conflict. One pipeline for each log, without any timer: while
one batch is committed the next one gathers, and hundreds of commands share a commit.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import datetime

from services.ledger.clock import Clock
from services.ledger.domain.terms import Terms
from services.ledger.event_store.appending import AlreadyTaken
from services.ledger.event_store.database import LedgerUnavailable
from services.ledger.event_store.known_account import AccountUnreadable, KnownAccount
from services.ledger.event_store.store import EventStore, RecordedCommand
from services.ledger.metrics import APPEND, BATCH, EVENTS, QUEUE
from services.ledger.writing.answers import Answer, recorded
from services.ledger.writing.history import ColdAccounts, History, States
from services.ledger.writing.replays import Replays
from services.ledger.writing.submissions import (
    Draft,
    Submission,
    decide_in_order,
    fail_unanswered,
    next_due_changes,
    traceparents,
)
from services.ledger.writing.warm_accounts import WarmAccounts
from services.process import tracing
from services.process.wake import Wake

BATCH_COMMANDS_MAX = 250

TermsAt = Callable[[datetime], Awaitable[Terms]]
"""All terms that can be in force by an instant; LedgerUnavailable where that cannot be known."""


class Pipeline:
    """Decides the commands of one log one after another (rule 11.3) and records them together.

    What it knows of an account may be out of date, for another process may have written, or be another past than the
    log's, for that may have been restored. An append rests on the last known event of each account: one that is not the
    log's last, or repeats a key, is refused by the log and sorted out. A refusal is checked against the log first.
    """

    def __init__(
        self, store: EventStore, log_id: int, terms: TermsAt, clock: Clock, wake: Wake, warm_events_max: int
    ) -> None:
        self._store = store
        self._log_id = log_id
        self._terms = terms
        self._clock = clock
        self._wake = wake
        self._history = History(store, log_id, WarmAccounts(warm_events_max))
        self._cold = ColdAccounts(self._history, self._enqueue)
        self._replays = Replays(store, log_id)
        self._queue: deque[Submission] = deque()
        QUEUE.labels(log_id).set_function(lambda: len(self._queue))
        self._arrived = asyncio.Event()
        self._stopped = False

    async def run(self) -> None:
        """Work until cancelled; commands without an answer fail then."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._decide_batches())
                tasks.create_task(self._replays.run())
                tasks.create_task(self._history.keep_snapshots())
        finally:
            self._stopped = True
            self._cold.close()
            self._replays.close()
            fail_unanswered(self._queue)

    async def _decide_batches(self) -> None:
        while True:
            await self._arrived.wait()
            batch = [self._queue.popleft() for _ in range(min(len(self._queue), BATCH_COMMANDS_MAX))]
            if not self._queue:
                self._arrived.clear()
            try:
                await self._decide_or_fail(batch)
            except asyncio.CancelledError:
                fail_unanswered(batch)
                raise

    async def _decide_or_fail(self, batch: list[Submission]) -> None:
        """Answer every command of a batch; one that cannot be recorded at all spoils no other."""
        try:
            await self._decide(batch)
        except LedgerUnavailable as outage:
            for submission in batch:
                submission.fail(outage)
        except Exception as failure:  # noqa: BLE001 - any failure is the answer of the command that causes it
            unanswered = [submission for submission in batch if not submission.answer.done()]
            for submission in unanswered:
                if len(batch) > 1:
                    await self._decide_or_fail([submission])
                else:
                    submission.fail(failure)

    def submit(self, submission: Submission) -> "asyncio.Future[Answer]":
        """Take a command in; its answer comes later. Commands of one account keep their order."""
        if self._stopped:
            fail_unanswered([submission])
        else:
            self._cold.take(submission)
        return submission.answer

    def _enqueue(self, submission: Submission) -> None:
        self._queue.append(submission)
        self._arrived.set()

    @property
    def unreadable(self) -> Collection[AccountUnreadable]:
        """The accounts whose events were found not to fit together."""
        return self._history.unreadable.values()

    async def dry_run(self, submission: Submission, tried: dict[str, KnownAccount]) -> Answer:
        """What would be answered now; records nothing.

        `tried`: accounts as commands that were tried before would leave them; as this one would, from then on.
        """
        known = await self._store.commands(self._log_id, [submission.command_key])
        if found := known.get(submission.command_key):
            self._replays.submit(submission, found)
            return await submission.answer
        states = tried if submission.account_id in tried else await self._history.current([submission.account_id])
        if submission.account_id not in states:
            raise self._history.failure(submission.account_id)
        now = await self._clock.now()
        draft = submission.decide(states[submission.account_id], await self._terms(now), now)
        tried[submission.account_id] = draft.after
        return recorded(draft.after.account, draft.events, None)

    async def _decide(self, batch: list[Submission]) -> None:
        """Round by round, until every command of the batch has its answer or is known to have been answered."""
        states = await self._states(batch)
        while batch := self._readable(batch, states):
            now = await self._clock.now()
            accepted, unsure = decide_in_order(batch, states, await self._terms(now), now)
            try:
                await self._append(accepted)
            except AlreadyTaken as taken:
                batch = await self._sort_out(batch, states, taken)
            else:
                batch = await self._check(unsure, states, {submission.account_id for submission, _ in accepted})

    async def _states(self, batch: list[Submission]) -> States:
        account_ids = {submission.account_id for submission in batch}
        kept = {each: warm for each in account_ids if (warm := self._history.warm.get(each))}
        cold = account_ids - set(kept)
        return kept | (await self._history.current(cold) if cold else {})

    async def _append(self, accepted: list[tuple[Submission, Draft]]) -> None:
        """Record them and answer them."""
        if not accepted:
            return
        drafts = [draft for _, draft in accepted]
        events = [event for draft in drafts for event in draft.events]
        begun_at = time.time_ns()
        if tracing.is_on():
            await self._store.keep_traces(self._log_id, traceparents(accepted))
        with APPEND.labels(self._log_id).time():
            position = await self._store.append(self._log_id, events, next_due_changes(drafts))
        of_batch = {"hourbook.log": self._log_id, "hourbook.batch": len(accepted)}
        tracing.done("append", begun_at, ((each.traceparent, of_batch) for each, _ in accepted if each.traceparent))
        EVENTS.labels(self._log_id).inc(len(events))
        BATCH.labels(self._log_id).observe(len(accepted))
        for submission, draft in accepted:
            submission.resolve(recorded(draft.after.account, draft.events, position))
            position += len(draft.events)
            self._history.keep(draft.after)
        self._wake.ring()

    async def _sort_out(self, batch: list[Submission], states: States, taken: AlreadyTaken) -> list[Submission]:
        """Nothing was appended: a key was recorded, or the log has an account otherwise. The rest decide again."""
        known = await self._store.commands(self._log_id, [submission.command_key for submission in batch])
        batch, asked = self._without_known(batch, known), batch
        if not await self._refresh(states, set(states)) and len(batch) == len(asked):
            raise taken
        return batch

    async def _check(self, unsure: list[Submission], states: States, appended: set[str]) -> list[Submission]:
        """Refuse what is refused for good; returns what has to be decided again.

        The append has proved that what was known of its own accounts is up to date.
        """
        if not unsure:
            return []
        known = await self._store.commands(self._log_id, [submission.command_key for submission in unsure])
        changed = await self._refresh(states, {submission.account_id for submission in unsure})
        again: list[Submission] = []
        for submission in self._without_known(unsure, known):
            if submission.refusal and (submission.account_id in appended or submission.account_id not in changed):
                submission.fail(submission.refusal)
            else:
                again.append(submission)
        return again

    async def _refresh(self, states: States, account_ids: Collection[str]) -> set[str]:
        """Bring these states up to date with the log; returns the accounts that were not."""
        fresh = await self._history.current(account_ids)
        known = {each: states.pop(each) for each in account_ids}
        states |= fresh
        return {each for each in account_ids if each not in fresh or fresh[each].place != known[each].place}

    def _readable(self, batch: list[Submission], states: States) -> list[Submission]:
        """The commands on accounts whose events fit together; the others fail."""
        for submission in batch:
            if submission.account_id not in states:
                submission.fail(self._history.failure(submission.account_id))
        return [submission for submission in batch if submission.account_id in states]

    def _without_known(self, batch: list[Submission], known: Mapping[str, RecordedCommand]) -> list[Submission]:
        """The commands that were never recorded; the others will be answered as they were then."""
        for submission in batch:
            if submission.command_key in known:
                self._replays.submit(submission, known[submission.command_key])
        return [submission for submission in batch if submission.command_key not in known]
