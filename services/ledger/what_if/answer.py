"""A history decided again, with other purchases or other terms."""

from collections.abc import Sequence
from datetime import datetime

from contracts.commands import OpenAccount, PurchasePackage
from contracts.envelope import RecordedEvent
from contracts.events import Event
from contracts.what_if import Difference, LeftOut, WhatIf, WhatIfView
from services.ledger.domain.account import Account, course_of, due, fold
from services.ledger.domain.refusals import Refusal
from services.ledger.domain.terms import Terms
from services.ledger.event_store.known_account import KnownAccount
from services.ledger.event_store.stored_event import StoredEvent
from services.ledger.what_if.commands import Given, commands_of
from services.ledger.what_if.curve import course_view


def what_if_stored(
    account_id: str, stored: Sequence[StoredEvent], asked: WhatIf, terms: Terms, now: datetime
) -> WhatIfView:
    """Of the account's whole stream; a Refusal where a purchase that was asked about is refused.

    AccountUnreadable where an event does not fit those before it.
    """
    KnownAccount.of(account_id, stored)
    return what_if(account_id, [event.recorded() for event in stored], asked, terms, now)


def what_if(
    account_id: str, recorded: Sequence[RecordedEvent], asked: WhatIf, terms: Terms, now: datetime
) -> WhatIfView:
    """How the account went, how it would have gone, and the difference."""
    events = [line.event() for line in recorded]
    was = course_view(*_up_to(Account(account_id), events, now))
    account, decided, left_out = _decided(account_id, recorded, asked, terms, now)
    would_be = course_view(*_up_to(account, decided, now))
    return WhatIfView(
        account_id=account_id,
        as_of=now,
        position=recorded[-1].position or 0,
        was=was,
        would_be=would_be,
        difference=Difference(
            **{name: getattr(would_be, name) - getattr(was, name) for name in Difference.model_fields}
        ),
        left_out=tuple(left_out),
    )


def _up_to(account: Account, events: list[Event], now: datetime) -> tuple[Account, list[Event], datetime]:
    """The account after the events that it has not seen yet and everything due by now, with all of them."""
    account = fold(account, events[account.version :])
    ended = due(account, now)
    return fold(account, ended), [*events, *ended], now


def _decided(
    account_id: str, recorded: Sequence[RecordedEvent], asked: WhatIf, terms: Terms, now: datetime
) -> tuple[Account, list[Event], list[LeftOut]]:
    """The commands of the past, and the purchases that are asked about as if they had been recorded at once."""
    in_force = Terms(asked.terms) if asked.terms else terms
    past = list(commands_of(account_id, recorded))
    opening, *others = past
    imagined = _imagined(account_id, asked, opening.at, now)
    if asked.purchases is not None:
        others = [given for given in others if not isinstance(given.command, PurchasePackage)]
    others = sorted([*imagined, *others], key=lambda given: given.at)
    account, events, left_out = Account(account_id), list[Event](), list[LeftOut]()
    for at, command in (opening._replace(at=min(opening.at, others[0].at) if others else opening.at), *others):
        try:
            course = course_of(command, account, in_force, at)
        except Refusal as refused:
            if any(command is given.command for given in imagined) or isinstance(command, OpenAccount):
                raise
            left_out.append(LeftOut(at=at, command=command.command, slug=refused.kind.slug))
        else:
            account = course.account
            events += course.events
    return account, events, left_out


def _imagined(account_id: str, asked: WhatIf, opened_at: datetime, now: datetime) -> list[Given]:
    return [
        Given(
            min(max(body.purchased_at, opened_at), now),
            PurchasePackage.model_construct(account_id=account_id, **body.__dict__),
        )
        for body in asked.purchases or ()
    ]
