"""Receipt, load, decide, append; again on conflict. One pipeline for each log, without any timer: while one batch of
commands is committed the next one gathers, and hundreds of commands share a commit.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping

from services.ledger.clock import Clock
from services.ledger.domain.terms import Terms
from services.ledger.event_store.store import AlreadyTaken, EventStore, RecordedCommand
from services.ledger.metrics import APPEND, BATCH, EVENTS
from services.ledger.writing.answers import Answer, recorded
from services.ledger.writing.history import ColdAccounts, History, States
from services.ledger.writing.replays import Replays
from services.ledger.writing.reservations import Reservations
from services.ledger.writing.submissions import (
    Draft,
    Receipt,
    decide_in_order,
    generations,
    next_due_changes,
    turn_away,
)
from services.ledger.writing.warm_accounts import WarmAccounts
from services.process.wake import Wake

BATCH_COMMANDS_MAX = 250


class Pipeline:
    """Decides the commands of one log one after another (rule 11.3) and records them together.

    What it knows of an account may be out of date, for another process may have written. An append that rests on old
    knowledge, or repeats a key, hits a unique key and is sorted out; a refusal that rests on it is checked first.
    """

    def __init__(
        self, store: EventStore, log_id: int, terms: Terms, clock: Clock, wake: Wake, warm_events_max: int
    ) -> None:
        self._store = store
        self._log_id = log_id
        self._terms = terms
        self._clock = clock
        self._wake = wake
        self._history = History(store, log_id, WarmAccounts(warm_events_max))
        self._cold = ColdAccounts(self._history, self._enqueue)
        self._reservations = Reservations(store, log_id, self._cold.take) if store.keys.logs > 1 else None
        self._replays = Replays(store, log_id)
        self._queue: deque[Receipt] = deque()
        self._arrived = asyncio.Event()
        self._stopped = False

    async def run(self) -> None:
        """Work until cancelled; whoever still waits then is turned away."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._settle_batches())
                tasks.create_task(self._replays.run())
                tasks.create_task(self._history.keep_snapshots())
                if self._reservations:
                    tasks.create_task(self._reservations.run())
        finally:
            self._stopped = True
            self._cold.close()
            turn_away(self._queue)

    async def _settle_batches(self) -> None:
        while True:
            await self._arrived.wait()
            batch = [self._queue.popleft() for _ in range(min(len(self._queue), BATCH_COMMANDS_MAX))]
            if not self._queue:
                self._arrived.clear()
            try:
                await self._settle(batch)
            except Exception as failure:  # noqa: BLE001 - whatever it is, it is the answer of those who have none yet
                for receipt in batch:
                    receipt.fail(failure)
            except asyncio.CancelledError:
                turn_away(batch)
                raise

    def submit(self, receipt: Receipt) -> "asyncio.Future[Answer]":
        """Take a command in; its answer comes later. Commands of one account keep their order."""
        if self._stopped:
            turn_away([receipt])
        elif self._reservations and receipt.by_a_caller:
            self._reservations.take(receipt)
        else:
            self._cold.take(receipt)
        return receipt.answer

    def _enqueue(self, receipt: Receipt) -> None:
        self._queue.append(receipt)
        self._arrived.set()

    async def dry_run(self, receipt: Receipt) -> Answer:
        """What would be answered now; records nothing."""
        if self._reservations:
            await self._reservations.require_unused_elsewhere(receipt.key)
        known = await self._store.commands(self._log_id, [receipt.key])
        if found := known.get(receipt.key):
            self._replays.submit(receipt, found)
            return await receipt.answer
        states = await self._history.current([receipt.account_id])
        draft = receipt.decide(states[receipt.account_id], self._terms, await self._clock.now())
        return recorded(draft.after.account, draft.events, None)

    async def _settle(self, batch: list[Receipt]) -> None:
        """Round by round, until every command of the batch has its answer or is known to have been answered."""
        states = await self._states(batch)
        while batch:
            accepted, unsure = decide_in_order(batch, states, self._terms, await self._clock.now())
            try:
                await self._append(accepted)
            except AlreadyTaken as taken:
                batch = await self._sort_out(batch, states, taken)
            else:
                batch = await self._check(unsure, states, {receipt.account_id for receipt, _ in accepted})

    async def _states(self, batch: list[Receipt]) -> States:
        account_ids = {receipt.account_id for receipt in batch}
        kept = {each: warm for each in account_ids if (warm := self._history.warm.get(each))}
        cold = account_ids - set(kept)
        return kept | (await self._history.current(cold) if cold else {})

    async def _append(self, accepted: list[tuple[Receipt, Draft]]) -> None:
        """Record them and answer them."""
        if not accepted:
            return
        drafts = [draft for _, draft in accepted]
        events = [event for draft in drafts for event in draft.events]
        reserved = generations(receipt for receipt, _ in accepted)
        with APPEND.labels(self._log_id).time():
            position = await self._store.append(self._log_id, events, next_due_changes(drafts), reserved)
        EVENTS.labels(self._log_id).inc(len(events))
        BATCH.labels(self._log_id).observe(len(accepted))
        for receipt, draft in accepted:
            receipt.resolve(recorded(draft.after.account, draft.events, position))
            position += len(draft.events)
            self._history.keep(draft.after)
        self._wake.ring()

    async def _sort_out(self, batch: list[Receipt], states: States, taken: AlreadyTaken) -> list[Receipt]:
        """Nothing was appended: a key was recorded or revoked, or an account has moved on. The rest decide again."""
        known = await self._store.commands(self._log_id, [receipt.key for receipt in batch])
        batch, asked = self._without_known(batch, known), batch
        batch = await self._without_revoked(batch)
        if not await self._refresh(states, states) and len(batch) == len(asked):
            # We are ahead of the log, as after it was restored from an older copy.
            for account_id in states:
                self._history.warm.forget(account_id)
            if not await self._refresh(states, states):
                raise taken
        return batch

    async def _check(self, unsure: list[Receipt], states: States, appended: set[str]) -> list[Receipt]:
        """Refuse what is refused for good; returns what has to be decided again.

        The append has proved that what was known of its own accounts is up to date.
        """
        if not unsure:
            return []
        known = await self._store.commands(self._log_id, [receipt.key for receipt in unsure])
        changed = await self._refresh(states, {receipt.account_id for receipt in unsure})
        again: list[Receipt] = []
        for receipt in self._without_known(unsure, known):
            if receipt.refusal and (receipt.account_id in appended or receipt.account_id not in changed):
                receipt.fail(receipt.refusal)
            else:
                again.append(receipt)
        return again

    async def _refresh(self, states: States, account_ids: Iterable[str]) -> set[str]:
        """Bring these states up to date with the log; returns the accounts that were not."""
        fresh = await self._history.current(account_ids)
        changed = {each for each, warm in fresh.items() if warm.account.version != states[each].account.version}
        states |= fresh
        return changed

    def _without_known(self, batch: list[Receipt], known: Mapping[str, RecordedCommand]) -> list[Receipt]:
        """The commands that were never recorded; the others will be answered as they were then."""
        for receipt in batch:
            if receipt.key in known:
                self._replays.submit(receipt, known[receipt.key])
        return [receipt for receipt in batch if receipt.key not in known]

    async def _without_revoked(self, batch: list[Receipt]) -> list[Receipt]:
        """The commands whose keys are this log's still; the others have to be reserved again."""
        if not (self._reservations and (reserved := generations(batch))):
            return batch
        revoked = await self._store.keys.revoked(self._log_id, reserved)
        for receipt in batch:
            if receipt.key in revoked:
                self._reservations.take(receipt)
        return [receipt for receipt in batch if receipt.key not in revoked]
