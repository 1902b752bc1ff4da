"""The reconciliation of an account over a period: what both sides have given, in hours and in money.

Minutes and kopecks are integers. Hours are strings for people; a table's column of them adds up to its closing row
(rule 1.3).
"""

from datetime import date
from typing import Annotated, Literal

from contracts.quantities import AccountId, Instant, Kopecks, LotId, Minutes, Month, SignedMinutes
from contracts.read_models import ReadModel
from contracts.reports import LeftOut, Party

ReconciledKind = Literal["opening", "purchased", "paid", "accepted", "forfeited", "refunded", "retained", "closing"]
DebtKind = Literal["opening", "owed", "settled", "paid", "cancelled", "closing"]


class ReconciledRow(ReadModel):
    """A row of what is prepaid, signed by what it does to it: opening + everything between = closing.

    `purchased`, `paid` (debt, in money), `forfeited`, `refunded` and `retained` stand one by one. `accepted` is what
    the acts of `month` accept, less what they take back: compensations are in it. It names the `act` of a closed month
    that lies in the period as a whole; of another month, it is the part that the period booked.
    """

    kind: ReconciledKind
    day: date
    minutes: SignedMinutes
    hours: str
    amount_kopecks: Kopecks
    package_id: Annotated[LotId | None, LeftOut] = None
    plan: Annotated[str | None, LeftOut] = None
    agreed_minutes: Annotated[Minutes | None, LeftOut] = None
    month: Annotated[Month | None, LeftOut] = None
    act: Annotated[str | None, LeftOut] = None
    reference: Annotated[str | None, LeftOut] = None


class DebtRow(ReadModel):
    """A row of what the customer owes, in hours: debt has no price until it is paid."""

    kind: DebtKind
    minutes: SignedMinutes
    hours: str


class Reconciliation(ReadModel):
    """What was booked for an account from `since` to `until`, both days included, as known at `known_at`.

    A correction of a closed month is booked on the first day of the month that it stands in: so the acts and reports of
    the months of a period add up to it. `closed`: every month of it is, and it never changes.

    At the end the seller owes the customer what is held, in hours and in money; the customer owes the seller
    `owed_minutes`. balance = held - owed.
    """

    account_id: AccountId
    since: date
    until: date
    closed: bool
    known_at: Instant | int | None
    position: int
    seller: Party
    customer: Party
    contract_number: str
    contract_date: date
    prepaid: tuple[ReconciledRow, ...]
    debt: tuple[DebtRow, ...]
    held_minutes: SignedMinutes
    held_hours: str
    held_kopecks: Kopecks
    owed_minutes: SignedMinutes
    owed_hours: str
    balance_minutes: SignedMinutes
    balance_hours: str
