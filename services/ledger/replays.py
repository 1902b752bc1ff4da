"""Answers a command that was recorded before with what it was answered then (rule 11.2)."""

import asyncio

from services.ledger.answers import Answer, recorded
from services.ledger.domain.account import Account, fold
from services.ledger.domain.refusals import IdempotencyKeyReused
from services.ledger.event_store.store import EventStore, RecordedCommand
from services.ledger.receipts import Receipt, turn_away
from services.ledger.warm_accounts import Warm, WarmAccounts

PAST_EVENTS_MAX = 50_000
PAGE_EVENTS = 100


class Replays:
    """Accounts as they were after an earlier command.

    They are kept as far as they were folded, so that a file of commands that is sent again, in its order, reads each
    account's history once.
    """

    def __init__(self, store: EventStore, log_id: int) -> None:
        self._store = store
        self._log_id = log_id
        self._past = WarmAccounts(PAST_EVENTS_MAX)
        self._asked: asyncio.Queue[tuple[Receipt, RecordedCommand]] = asyncio.Queue()

    def submit(self, receipt: Receipt, known: RecordedCommand) -> None:
        """Answer it in its turn; new commands go on meanwhile."""
        self._asked.put_nowait((receipt, known))

    async def run(self) -> None:
        """Answer one after another until cancelled; whoever still waits then is turned away."""
        receipt: Receipt | None = None
        try:
            while True:
                receipt, known = await self._asked.get()
                try:
                    receipt.resolve(await self.answer(receipt, known))
                except Exception as failure:  # noqa: BLE001 - whatever it is, it is the answer
                    receipt.fail(failure)
        finally:
            turn_away([receipt] if receipt else [])
            while not self._asked.empty():
                turn_away([self._asked.get_nowait()[0]])

    async def answer(self, receipt: Receipt, known: RecordedCommand) -> Answer:
        """The same answer as the first time; IdempotencyKeyReused if that was another command."""
        if known.fingerprint != receipt.fingerprint:
            raise IdempotencyKeyReused(receipt.key)
        events = await self._store.events_of(self._log_id, known)
        before = await self._account_at(known.account_id, known.version - 1)
        after = fold(before, [event.event() for event in events])
        self._past.forget(known.account_id)
        self._past.keep(Warm(after))
        return recorded(after, events, events[0].position, replayed=True)

    async def _account_at(self, account_id: str, version: int) -> Account:
        """The account after so many of its events."""
        past = self._past.get(account_id)
        account = past.account if past and past.account.version <= version else Account(account_id)
        while account.version < version:
            limit = min(version - account.version, PAGE_EVENTS)
            page = await self._store.account_page(self._log_id, account_id, account.version, limit)
            account = fold(account, [event.event() for event in page])
        return account
