"""Each event of an account with what it did to the balance: the balance of one instant, as it came to be known."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime

from contracts.envelope import RecordedEvent
from contracts.quantities import KnownAt
from services.documents.story.prices import Agreed
from services.documents.story.step import Step
from services.ledger.audit.replay import OWED, known, movements
from services.ledger.domain.account import Account, due, evolve


def steps(
    account_id: str, recorded: Iterable[RecordedEvent], as_of: datetime | None, known_at: KnownAt
) -> Iterator[Step]:
    """The events known by `known_at` that make the balance of `as_of`, in the order in which they became known.

    An event recorded by then shows the balance of its own moment; one recorded later corrects the balance of `as_of`,
    unless it takes effect later still and so does not belong to it. Without `as_of`: all, each at its moment.
    """
    account, balance, prices = Account(account_id), 0, Agreed()
    minutes: defaultdict[str | None, int] = defaultdict(int)
    for line in recorded:
        if not known(line, known_at):
            break
        event = line.event()
        account = evolve(account, event)
        prices.take(event)
        for lot_id, moved, at in movements(event):
            minutes[lot_id] += moved if as_of is None or at <= as_of else 0
        earlier, balance = balance, _balance(account, minutes, as_of)
        if as_of is None or event.effective_at <= as_of or balance != earlier:
            yield Step(line.position, line.recorded_at, event, prices, balance - earlier, balance, line.actor)
    for event in due(account, as_of) if as_of else ():
        account = evolve(account, event)
        earlier, balance = balance, _balance(account, minutes, as_of)
        yield Step(None, None, event, prices, balance - earlier, balance)


def _balance(account: Account, minutes: dict[str | None, int], as_of: datetime | None) -> int:
    """What lots that had not ended by then have given by then, less what was owed."""
    if as_of is None:
        return account.balance_minutes
    alive = (lot for lot in account.lots.values() if not lot.expired or as_of < lot.ends_at)
    return sum(minutes[lot.lot_id] for lot in alive) - minutes[OWED]
