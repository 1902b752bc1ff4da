"""Brings accounts up to date with the log, in memory."""

import asyncio
import logging
from collections.abc import Callable, Iterable

from services.ledger.event_store.database import LedgerUnavailable
from services.ledger.event_store.known_account import AccountUnreadable, KnownAccount
from services.ledger.event_store.snapshots import Snapshots
from services.ledger.event_store.store import EventStore
from services.ledger.writing.submissions import Submission, fail_unanswered
from services.ledger.writing.warm_accounts import WarmAccounts

logger = logging.getLogger(__name__)

EACH_EVENTS_MAX = 200
SNAPSHOT_EVENTS = 1000
ACCOUNTS_AT_ONCE = 32
LOADS_AT_ONCE = 3

States = dict[str, KnownAccount]


class History:
    """The accounts of one log as its events have made them; those used last are kept, long ones as snapshots too."""

    def __init__(self, store: EventStore, log_id: int, warm: WarmAccounts) -> None:
        self.warm = warm
        self.unreadable: dict[str, AccountUnreadable] = {}
        self._store = store
        self._log_id = log_id
        self._snapshots = Snapshots(store.readers, log_id, store.sealer)
        self._snapshot_versions: dict[str, int] = {}
        self._outgrown: States = {}
        self._grown = asyncio.Event()

    async def current(self, account_ids: Iterable[str]) -> States:
        """The accounts after their last events: what memory or a snapshot has, and what is newer in the log.

        What the log does not have any more, as after a restore, is forgotten. An account whose events do not fit
        together is not among them but in `unreadable`. A long history is read and folded piece by piece, so that
        commands of other accounts go on meanwhile.
        """
        states = await self._kept(account_ids)
        unread = set(states)
        while unread:
            unread = await self._read_on(states, unread)
        for state in states.values():
            self.unreadable.pop(state.account.account_id, None)
            self.keep(state)
        return states

    def failure(self, account_id: str) -> Exception:
        """Why an account was not among the current ones; by now another reader may have found it in order."""
        return self.unreadable.get(account_id) or LedgerUnavailable(f"account {account_id} could not be read just now")

    async def _read_on(self, states: States, account_ids: set[str]) -> set[str]:
        """Apply a page of each account's events; returns the accounts of which there may be more."""
        versions = {each: states[each].account.version for each in account_ids}
        pages = await self._store.events_from(self._log_id, versions, EACH_EVENTS_MAX)
        more = {each for each, page in pages.items() if len(page) == EACH_EVENTS_MAX}
        for account_id, page in pages.items():
            try:
                continued = states[account_id].continued(page)
            except AccountUnreadable as unreadable:
                self._set_aside(unreadable)
                del states[account_id]
                more.discard(account_id)
                continue
            if continued is None:
                self._forget(account_id)
                more.add(account_id)
            states[account_id] = continued or KnownAccount.unopened(account_id)
            await asyncio.sleep(0)
        return more

    async def _kept(self, account_ids: Iterable[str]) -> States:
        """What memory or a snapshot has of the accounts; those unknown to both as they begin."""
        states = {each: self.warm.get(each) or self._readable_part(each) for each in account_ids}
        cold = [each for each, state in states.items() if not state.account.version]
        snapshots = await self._snapshots.read(cold) if cold else {}
        for account_id, snapshot in snapshots.items():
            self._snapshot_versions[account_id] = snapshot.account.version
        return states | snapshots

    def _readable_part(self, account_id: str) -> KnownAccount:
        """What is known of an account that is not in memory: nothing, unless a later event made it unreadable."""
        unreadable = self.unreadable.get(account_id)
        return (unreadable and unreadable.before) or KnownAccount.unopened(account_id)

    def _set_aside(self, unreadable: AccountUnreadable) -> None:
        if unreadable.account_id not in self.unreadable:
            logger.error("%s: nothing is recorded on it", unreadable, exc_info=unreadable.__cause__)
        self.unreadable[unreadable.account_id] = unreadable
        self._forget(unreadable.account_id)

    def _forget(self, account_id: str) -> None:
        self.warm.forget(account_id)
        self._snapshot_versions.pop(account_id, None)
        self._outgrown.pop(account_id, None)

    def keep(self, state: KnownAccount) -> None:
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
        """Write snapshots while commands go on, until cancelled."""
        while True:
            await self._grown.wait()
            self._grown.clear()
            while self._outgrown:
                _, state = self._outgrown.popitem()
                await self._snapshots.keep(state)


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
        """Hand on the commands of accounts that can be read; the others fail."""
        failed: Exception | None = None
        try:
            states = await self._history.current(account_ids)
        except Exception as failure:  # noqa: BLE001 - any failure is the answer of the commands that wait
            states, failed = {}, failure
        for account_id in account_ids:
            for submission in self._waiting.pop(account_id):
                if account_id in states:
                    self._hand_on(submission)
                else:
                    submission.fail(failed or self._history.failure(account_id))

    def close(self) -> None:
        """Fail the commands that still wait: the ledger is stopping."""
        for load in self._loads:
            load.cancel()
        for submissions in self._waiting.values():
            fail_unanswered(submissions)
