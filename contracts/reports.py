"""The monthly report and the act: what a customer is sent (rules 10.3, 10.4). Minutes and kopecks are integers.

Hours are strings for people; a column of them is rounded so that its lines add up to its total (rule 1.3).
"""

from datetime import date
from typing import Literal

from contracts.events import Category
from contracts.quantities import AccountId, Instant, Kopecks, LotId, Minutes, Month, Name, SignedMinutes
from contracts.read_models import ReadModel
from contracts.requisites import Requisites


class ReportDraw(ReadModel):
    """What one lot gave for a line in this month, less what went back to it."""

    lot_id: LotId
    plan: str | None
    minutes: SignedMinutes
    amount_kopecks: Kopecks


class ReportLine(ReadModel):
    """What was booked for a closing in the month.

    A correction is one that took effect in an earlier, closed month; a settlement only pays what an earlier one owed.

    Minutes and money can be negative: a correction takes back what an earlier month reported.
    """

    task_id: str
    closure: int
    title: str
    category: Category
    coefficient: str
    effective_at: Instant
    worked_minutes: SignedMinutes
    worked_hours: str
    charged_minutes: SignedMinutes
    charged_hours: str
    amount_kopecks: Kopecks
    kind: Literal["closing", "correction", "settlement"]
    draws: tuple[ReportDraw, ...]


class ReportPurchase(ReadModel):
    """A package bought, or a compensation given, in the month; a compensation has no plan."""

    package_id: LotId
    plan: str | None
    effective_at: Instant
    ends_at: Instant
    minutes: Minutes
    hours: str
    amount_kopecks: Kopecks


class ReportCarry(ReadModel):
    """Hours that moved to a successor; `reclaimed` had been forfeited before."""

    from_package_id: LotId
    to_package_id: LotId
    effective_at: Instant
    minutes: Minutes
    hours: str
    reclaimed: bool


class ReportForfeit(ReadModel):
    """Hours lost with a package's end; negative where a late fact gave some back."""

    package_id: LotId
    effective_at: Instant
    minutes: SignedMinutes
    hours: str
    amount_kopecks: Kopecks


class ReportSettlement(ReadModel):
    """Debt of a closing paid by hours of a lot (rule 6.4), or with money (6.5): then without a lot."""

    task_id: str
    closure: int
    lot_id: LotId | None
    effective_at: Instant
    minutes: SignedMinutes
    hours: str
    amount_kopecks: Kopecks
    payment_reference: str | None = None


class ReportTotals(ReadModel):
    """Sums of the lines; opening + the signed movements = closing balance, in minutes."""

    worked_minutes: SignedMinutes
    worked_hours: str
    charged_minutes: SignedMinutes
    charged_hours: str
    amount_kopecks: Kopecks
    corrected_minutes: SignedMinutes
    corrected_kopecks: Kopecks
    purchased_minutes: Minutes
    compensated_minutes: Minutes
    carried_over_minutes: Minutes
    forfeited_minutes: SignedMinutes
    settled_minutes: SignedMinutes
    paid_minutes: SignedMinutes


class Party(Requisites):
    """Seller or customer, as documents name them."""

    name: Name


class MonthlyReport(ReadModel):
    """Everything booked for an account in a month, as known at `known_at`; a closed one never changes.

    `report_hash`: of a closed month, what the event that closed it says contracts.report_hash makes of these figures.
    """

    account_id: AccountId
    month: Month
    closed: bool
    report_hash: str | None
    known_at: Instant | int | None
    position: int
    seller: Party
    customer: Party
    contract_number: str
    contract_date: date
    opening_balance_minutes: SignedMinutes
    opening_balance_hours: str
    closing_balance_minutes: SignedMinutes
    closing_balance_hours: str
    lines: tuple[ReportLine, ...]
    purchases: tuple[ReportPurchase, ...]
    carried_over: tuple[ReportCarry, ...]
    forfeited: tuple[ReportForfeit, ...]
    settled: tuple[ReportSettlement, ...]
    paid: tuple[ReportSettlement, ...]
    totals: ReportTotals


class ActLine(ReadModel):
    """Hours of one package accepted in the month, at its price; `package_id` is absent for hours paid as debt."""

    package_id: LotId | None
    plan: str | None
    hour_price_kopecks: Kopecks
    minutes: SignedMinutes
    hours: str
    amount_kopecks: Kopecks


class Vat(ReadModel):
    """The seller's VAT mode on the act's date; the tax is contained in the amount (`none`: no tax)."""

    mode: Literal["none", "5", "7", "20", "22"]
    amount_kopecks: Kopecks


class Act(ReadModel):
    """The act of a closed month (402-ФЗ art. 9); a draft while the month is open."""

    number: str
    act_date: date
    draft: bool
    account_id: AccountId
    month: Month
    position: int
    seller: Party
    customer: Party
    contract_number: str
    contract_date: date
    lines: tuple[ActLine, ...]
    total_minutes: SignedMinutes
    total_hours: str
    total_kopecks: Kopecks
    vat: Vat
