"""An account as its events in the log have made it, up to one of them."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple, Self

from services.ledger.domain.account import Account, evolve
from services.ledger.event_store.stored_event import StoredEvent

LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)


class AccountUnreadable(Exception):
    """The events of an account in the log do not fit together: from one of them on its state is unknown.

    `before` is the account as far as it could be read, where that was kept.
    """

    def __init__(self, account_id: str, version: int, before: "KnownAccount | None" = None) -> None:
        super().__init__(f"event {version} of account {account_id} cannot be applied to those before it")
        self.account_id = account_id
        self.version = version
        self.before = before


def require_next(version: int, event: StoredEvent) -> None:
    """ValueError unless the event is the one after that version of its account."""
    if event.version != version + 1:
        raise ValueError(f"version {version + 1} is missing")


class KnownAccount(NamedTuple):
    """An account after the last event that is known of it, when that was recorded, and the event's id."""

    account: Account
    recorded_at: datetime = LONG_AGO
    event_id: str | None = None

    @classmethod
    def unopened(cls, account_id: str) -> Self:
        """Before the first event."""
        return cls(Account(account_id))

    @classmethod
    def of(cls, account_id: str, events: Iterable[StoredEvent]) -> Self:
        """After its whole stream, in order; AccountUnreadable where an event does not fit those before it."""
        known = cls.unopened(account_id)
        for event in events:
            known = known.after(event)
        return known

    @property
    def place(self) -> tuple[int, str | None]:
        """Which event of the account was the last."""
        return self.account.version, self.event_id

    def after(self, event: StoredEvent) -> Self:
        """With the next event applied; AccountUnreadable if that is impossible."""
        account = self.account
        try:
            require_next(account.version, event)
            return self._replace(
                account=evolve(account, event.event()), recorded_at=event.recorded_at, event_id=event.event_id
            )
        except Exception as failure:
            raise AccountUnreadable(account.account_id, event.version, self) from failure

    def continued(self, page: Sequence[StoredEvent]) -> Self | None:
        """With a page of the log applied that begins with the last known event, or with the first there is.

        None if it begins with another one: then the log has another past, as after a restore from an older copy.
        """
        known = self
        if known.account.version:
            if not page or page[0].event_id != known.event_id:
                return None
            page = page[1:]
        for event in page:
            known = known.after(event)
        return known
