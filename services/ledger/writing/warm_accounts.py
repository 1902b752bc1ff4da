"""Accounts kept in memory as their events have made them, so that a long history costs a command nothing."""

from collections import OrderedDict

from services.ledger.event_store.known_account import KnownAccount

ACCOUNT_WEIGHT = 10


def _weight(known: KnownAccount) -> int:
    """Memory grows with the number of events."""
    return known.account.version + ACCOUNT_WEIGHT


class WarmAccounts:
    """The accounts used last, as many as have so many events together; never fewer than one."""

    def __init__(self, events_max: int) -> None:
        self._events_max = events_max
        self._events = 0
        self._accounts: OrderedDict[str, KnownAccount] = OrderedDict()

    def __contains__(self, account_id: str) -> bool:
        return account_id in self._accounts

    def get(self, account_id: str) -> KnownAccount | None:
        """The account, which counts as used now; None for one that is not kept."""
        if found := self._accounts.get(account_id):
            self._accounts.move_to_end(account_id)
        return found

    def keep(self, known: KnownAccount) -> None:
        """Keep this state of an account, unless a later one is kept already."""
        account_id = known.account.account_id
        kept = self._accounts.get(account_id)
        if kept and kept.account.version > known.account.version:
            return
        self._accounts[account_id] = known
        self._accounts.move_to_end(account_id)
        self._events += _weight(known) - (_weight(kept) if kept else 0)
        while self._events > self._events_max and len(self._accounts) > 1:
            _, forgotten = self._accounts.popitem(last=False)
            self._events -= _weight(forgotten)

    def forget(self, account_id: str) -> None:
        """Drop a state that is in doubt."""
        if dropped := self._accounts.pop(account_id, None):
            self._events -= _weight(dropped)
