"""Brings accounts up to date with the log, in memory."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress

from services.ledger.domain.account import Account, evolve
from services.ledger.event_store.database import LedgerUnavailable
from services.ledger.event_store.snapshots import Snapshot, Snapshots
from services.ledger.event_store.store import EventStore
from services.ledger.writing.submissions import Submission, fail_unanswered
from services.ledger.writing.warm_accounts import Warm, WarmAccounts

EACH_EVENTS_MAX = 200
SNAPSHOT_EVENTS = 1000
BREATH_EVENTS = 50
ACCOUNTS_AT_ONCE = 32
LOADS_AT_ONCE = 3

States = dict[str, Warm]


class History:
    """The accounts of one log as its events have made them; those used last are kept, long ones as snapshots too."""

    def __init__(self, store: EventStore, log_id: int, warm: WarmAccounts) -> None:
        self.warm = warm
        self._store = store
        self._log_id = log_id
        self._snapshots = Snapshots(store.readers, log_id)
        self._snapshot_versions: dict[str, int] = {}
        self._outgrown: States = {}
        self._grown = asyncio.Event()

    async def current(self, account_ids: Iterable[str]) -> States:
        """The accounts after their last events: what memory or a snapshot has, and what is newer in the log.

        A long history is read and folded piece by piece, so that commands of other accounts go on meanwhile.
        """
        states = await self._kept(account_ids)
        unread = set(states)
        while unread:
            versions = {each: states[each].account.version for each in unread}
            read: Counter[str] = Counter()
            for event in await self._store.newer(self._log_id, versions, EACH_EVENTS_MAX):
                before = states[event.account_id].account
                assert event.version == before.version + 1, f"{event.account_id} has no event {before.version + 1}"
                states[event.account_id] = Warm(evolve(before, event.event()), event.recorded_at)
                read[event.account_id] += 1
                if read.total() % BREATH_EVENTS == 0:
                    await asyncio.sleep(0)
            unread = {each for each, events in read.items() if events == EACH_EVENTS_MAX}
        for state in states.values():
            self.keep(state)
        return states

    async def _kept(self, account_ids: Iterable[str]) -> States:
        """What memory or a snapshot has of the accounts; those unknown to both as they begin."""
        states = {each: self.warm.get(each) or Warm(Account(each)) for each in account_ids}
        cold = [each for each, state in states.items() if not state.account.version]
        snapshots = await self._snapshots.read(cold) if cold else {}
        for account_id, snapshot in snapshots.items():
            self._snapshot_versions[account_id] = snapshot.account.version
        return states | {each: Warm(*snapshot) for each, snapshot in snapshots.items()}

    def keep(self, state: Warm) -> None:
        """Keep this state of an account, and make a snapshot if it has grown so much since the last that it pays."""
        self.warm.keep(state)
        account = state.account
        if account.version >= SNAPSHOT_EVENTS:
            before = self._snapshot_versions.get(account.account_id, 0)
            if account.version - before >= max(SNAPSHOT_EVENTS, before // 4):
                self._snapshot_versions[account.account_id] = account.version
                self._outgrown[account.account_id] = state
                self._grown.set()

    async def keep_snapshots(self) -> None:
        """Write snapshots while commands go on, until cancelled; one that cannot be written now is left for later."""
        while True:
            await self._grown.wait()
            self._grown.clear()
            while self._outgrown:
                _, state = self._outgrown.popitem()
                with suppress(LedgerUnavailable):
                    await self._snapshots.keep(Snapshot(*state))


class ColdAccounts:
    """Commands wait here, in order, until their account is in memory; then they are handed on.

    Accounts are loaded in groups: the next group forms while others load.
    """

    def __init__(self, history: History, hand_on: Callable[[Submission], None]) -> None:
        self._history = history
        self._hand_on = hand_on
        self._waiting: dict[str, list[Submission]] = {}
        self._wanted: list[str] = []
        self._loads: set[asyncio.Task[None]] = set()

    def take(self, submission: Submission) -> None:
        """Hand the command on at once if its account is warm, else once it is."""
        if waiting := self._waiting.get(submission.account_id):
            waiting.append(submission)
        elif submission.account_id in self._history.warm:
            self._hand_on(submission)
        else:
            self._waiting[submission.account_id] = [submission]
            self._wanted.append(submission.account_id)
            self._start_load()

    def _start_load(self) -> None:
        if self._wanted and len(self._loads) < LOADS_AT_ONCE:
            group, self._wanted = self._wanted[:ACCOUNTS_AT_ONCE], self._wanted[ACCOUNTS_AT_ONCE:]
            load = asyncio.create_task(self._load(group))
            self._loads.add(load)
            load.add_done_callback(self._loaded)

    def _loaded(self, load: asyncio.Task[None]) -> None:
        self._loads.discard(load)
        self._start_load()

    async def _load(self, account_ids: list[str]) -> None:
        try:
            await self._history.current(account_ids)
        except Exception as failure:  # noqa: BLE001 - any failure is the answer of the commands that wait
            for account_id in account_ids:
                for submission in self._waiting.pop(account_id):
                    submission.fail(failure)
        else:
            for account_id in account_ids:
                for submission in self._waiting.pop(account_id):
                    self._hand_on(submission)

    def close(self) -> None:
        """Fail the commands that still wait: the ledger is stopping."""
        for load in self._loads:
            load.cancel()
        for submissions in self._waiting.values():
            fail_unanswered(submissions)
