"""A month as finance sees it: each customer's row, and how far the work has come.

Of all customers at once a page reads no more than it counts: most of what the routes say of a thousand would be read in
vain.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from contracts.access import Right
from contracts.months import AccountMonth
from contracts.sending import DocumentKind, Mark, MessageState, RequestState
from services.pages.visit import Visit

ROWS = 1000
MOVING = frozenset({"prepared", "waiting", "handed-over"})
STOPPED = frozenset({"refused", "failed"})


class StandingAccount(TypedDict):
    """Of an account, what is to be looked at before its month is closed."""

    account_id: str
    owed_minutes: int
    planned_minutes: int


class CountedMessage(TypedDict):
    """Of a message, what is counted."""

    revision: int
    state: MessageState


class CountedDocument(TypedDict):
    """Of a document that was sent, what is counted."""

    kind: DocumentKind
    revision: int
    mark: Mark | None


class CountedSending(TypedDict):
    """Of an account's sending, what is counted."""

    account_id: str
    state: RequestState | None
    messages: list[CountedMessage]
    documents: list[CountedDocument]


class Row:
    """One customer's month: what it comes to, what to look at, and where its documents are."""

    def __init__(self, month: AccountMonth, account: StandingAccount | None, sending: CountedSending | None) -> None:
        self.month = month
        self.owed_minutes = account["owed_minutes"] if account else 0
        self.planned_minutes = account["planned_minutes"] if account else 0
        self.sending = sending
        messages = sending["messages"] if sending else []
        self.states = {each["state"] for each in messages if each["revision"] == month.revision}

    @property
    def requested(self) -> str | None:
        """What became of the last request, where that is the news."""
        state = self.sending["state"] if self.sending else None
        return None if state in {"prepared", "nothing-new"} else state

    @property
    def moving(self) -> bool:
        """Whether something of it is on its way."""
        return self.requested == "requested" or bool(self.states & MOVING)

    @property
    def sent(self) -> bool:
        """Whether all of it was sent."""
        return self.states == {"sent"} and not self.moving

    @property
    def signed(self) -> bool | None:
        """Whether the act that was sent is signed; None where none was."""
        acts = [
            each for each in self.sending["documents"]
            if each["kind"] == "act" and each["revision"] == self.month.revision
        ] if self.sending and self.states else []  # fmt: skip
        return any(each["mark"] == "signed" for each in acts) if acts else None


class Progress:
    """How far a month has come, in counts."""

    def __init__(self, rows: Sequence[Row]) -> None:
        closed = [row for row in rows if row.month.closed]
        signed = [row.signed for row in rows if row.month.closed and row.signed is not None]
        self.all = len(rows)
        self.closed = len(closed)
        self.sent = sum(row.sent for row in closed)
        self.moving = sum(row.moving for row in rows)
        self.stopped = sum(bool(row.states & STOPPED) for row in closed)
        self.acts = len(signed)
        self.signed = sum(signed)
        self.in_debt = sum(row.owed_minutes > 0 for row in rows)
        self.late_tasks = sum(row.month.late_tasks for row in rows)
        self.earlier_tasks = sum(row.month.earlier_tasks for row in rows)
        self.planned = sum(row.planned_minutes > 0 for row in rows)


Listed = TypeVar("Listed")


class Listing(TypedDict, Generic[Listed]):
    """A page of a list."""

    accounts: list[Listed]
    next_cursor: str | None


MONTHS, STANDING, SENDING = (
    TypeAdapter(Listing[AccountMonth]), TypeAdapter(Listing[StandingAccount]), TypeAdapter(Listing[CountedSending])
)  # fmt: skip


async def rows_of(visit: Visit, month: str, account: str | None = None) -> list[Row]:
    """The month of every customer that the person sees, or of one, as of the position that the address names."""
    of_position = {"Hourbook-Min-Position": str(visit.number("position"))}
    months, accounts, sending = await asyncio.gather(
        _all(visit, MONTHS, f"/v1/months/{month}", of_position, account=account),
        _all(visit, STANDING, "/v1/accounts", of_position) if account is None else _none(),
        _all(visit, SENDING, f"/v1/months/{month}/sending", {}, account=account)
        if visit.may(Right.DOCUMENTS, listing=True) else _none(),
    )  # fmt: skip
    standing = {each["account_id"]: each for each in accounts}
    asked_for = {each["account_id"]: each for each in sending}
    return [Row(each, standing.get(each.account_id), asked_for.get(each.account_id)) for each in months]


async def _none() -> list[Any]:
    return []


async def _all(
    visit: Visit, listing: TypeAdapter[Listing[Listed]], path: str, headers: Mapping[str, str], **asked: Any
) -> list[Listed]:
    """Every page of a list."""
    found: list[Listed] = []
    given: dict[str, Any] = {name: value for name, value in asked.items() if value} | {"limit": ROWS}
    while True:
        answer = await visit.api.ask("GET", path, params=given, headers=headers)
        page = listing.validate_json(answer.content)
        found += page["accounts"]
        if page["next_cursor"] is None:
            return found
        given["cursor"] = page["next_cursor"]
