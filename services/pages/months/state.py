"""A month as finance sees it: each customer's row, and how far the work has come."""

from collections.abc import Sequence
from typing import Any, TypeVar

from contracts.access import Right
from contracts.months import AccountMonth, MonthPage
from contracts.read_models import AccountPage, AccountSummary
from contracts.sending import AccountSending, MonthSending
from services.pages.visit import Visit

ROWS = 1000
MOVING = frozenset({"prepared", "waiting", "handed-over"})
STOPPED = frozenset({"refused", "failed"})

Listing = TypeVar("Listing", MonthPage, AccountPage, MonthSending)


class Row:
    """One customer's month: what it comes to, what to look at, and where its documents are."""

    def __init__(self, month: AccountMonth, account: AccountSummary | None, sending: AccountSending | None) -> None:
        self.month = month
        self.owed_minutes = account.owed_minutes if account else 0
        self.planned_minutes = account.planned_minutes if account else 0
        self.sending = sending
        of_now = [each for each in sending.messages if each.revision == month.revision] if sending else []
        self.states = {each.state for each in of_now}

    @property
    def requested(self) -> str | None:
        """What became of the last request, where that is the news."""
        state = self.sending.state if self.sending else None
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
            each for each in self.sending.documents if each.kind == "act" and each.revision == self.month.revision
        ] if self.sending and self.states else []  # fmt: skip
        return any(each.mark == "signed" for each in acts) if acts else None


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
        self.planned = sum(row.planned_minutes > 0 for row in rows)


async def rows_of(visit: Visit, month: str, account: str | None = None) -> list[Row]:
    """The month of every customer that the person sees, or of one, as of the position that the address names."""
    months = await _all(visit, MonthPage, f"/v1/months/{month}", account=account)
    accounts = {each.account_id: each for each in await _all(visit, AccountPage, "/v1/accounts")}
    sending = {}
    if visit.may(Right.DOCUMENTS, listing=True):
        found = await _all(visit, MonthSending, f"/v1/months/{month}/sending", account=account)
        sending = {each.account_id: each for each in found}
    return [Row(each, accounts.get(each.account_id), sending.get(each.account_id)) for each in months]


async def _all(visit: Visit, model: type[Listing], path: str, **asked: Any) -> list[Any]:
    """Every page of a list; `position`: of a command whose effect is to be seen."""
    minimum = {"Hourbook-Min-Position": visit.asked("position") or "0"} if model is not MonthSending else {}
    found: list[Any] = []
    given: dict[str, Any] = {name: value for name, value in asked.items() if value} | {"limit": ROWS}
    while True:
        answer = await visit.api.ask("GET", path, params=given, headers=minimum)
        page = model.model_validate_json(answer.content)
        found += page.accounts
        if page.next_cursor is None:
            return found
        given["cursor"] = page.next_cursor
