"""A month over all accounts: whose is closed, what it comes to, and which act states it."""

from contracts.quantities import AccountId, Instant, Kopecks, Month, SignedMinutes
from contracts.read_models import ReadModel


class AccountMonth(ReadModel):
    """One account's month as of now. `revision`: of the act that there is, or that there will be (rule 10.4).

    An account that was opened after the month's end has it too, closed with the first of its months that is.

    Of its tasks `late_tasks` were recorded when the month was over, and `earlier_tasks` took effect before it began, in
    months that were closed already.
    """

    account_id: AccountId
    customer_name: str
    contract_number: str
    closed: bool
    revision: int
    closed_at: Instant | None
    charged_minutes: SignedMinutes
    charged_hours: str
    amount_kopecks: Kopecks
    late_tasks: int = 0
    earlier_tasks: int = 0


class MonthPage(ReadModel):
    """A page of accounts by their ids; `next_cursor` fetches the next one and is absent on the last."""

    month: Month
    accounts: tuple[AccountMonth, ...]
    next_cursor: str | None
