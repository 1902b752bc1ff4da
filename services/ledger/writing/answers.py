"""What a command is answered, put together from the very bytes that are stored."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.ledger.domain.account import Account
from services.ledger.event_store.stored_event import StoredEvent


@dataclass(frozen=True, slots=True)
class Answer:
    """A `Recorded` as JSON, the position of its last event, and whether it was answered before."""

    body: bytes
    position: int | None
    replayed: bool = False


def recorded(
    account: Account, events: Sequence[StoredEvent], first_position: int | None, *, replayed: bool = False
) -> Answer:
    """The answer to a command that led to these events and left the account so; a dry run has no positions."""
    positions = range(first_position, first_position + len(events)) if first_position else [None] * len(events)
    lines = ",".join(event.line(position) for event, position in zip(events, positions, strict=True))
    body = (
        f'{{"account_id":"{account.account_id}","version":{account.version},"position":{positions[-1] or "null"},'
        f'"events":[{lines}],"balance":{_balance(account)}}}'
    )
    return Answer(body.encode(), positions[-1], replayed)


def _balance(account: Account) -> str:
    """A `BalanceAfter`."""
    return (
        f'{{"balance_minutes":{account.balance_minutes},"held_minutes":{account.held_minutes},'
        f'"owed_minutes":{account.owed_minutes},"planned_minutes":{account.planned_minutes},'
        f'"available_minutes":{account.available_minutes},"suspended":{"true" if account.suspended else "false"}}}'
    )
