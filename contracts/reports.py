"""The monthly report and the act: what a customer is sent (rules 10.3, 10.4). Minutes and kopecks are integers.

Hours are strings for people; a column of them is rounded so that its lines add up to its total (rule 1.3). Each table
that is shown is a column of its own: the lines of one kind, the rows of the balance, the packages left.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from contracts.events import Agreed, Category, WorkKind
from contracts.quantities import AccountId, Instant, Kopecks, LotId, Minutes, Month, Name, SignedMinutes
from contracts.read_models import ReadModel
from contracts.requisites import Requisites

LineKind = Literal["closing", "correction", "settlement"]
"""A correction took effect in an earlier, closed month; a settlement only pays what an earlier closing owed."""

VatMode = Literal["none", "5", "7", "20", "22"]
"""The seller's VAT rate in per cent, or none."""


AcceptedKind = Literal["charged", "owed", "settled", "cancelled", "accepted"]
"""A row of how an act's time follows from the report's."""


LeftOut = Field(exclude_if=lambda value: value is None)
"""A field that documents of months closed by the first edition of the rules do not have: they stay as they were."""

RulesEdition = Annotated[int, Field(exclude_if=lambda edition: edition == 1)]
"""The edition of the rules by which a document is made: of a closed month, that of the event that closed it."""


class ReportDraw(ReadModel):
    """What one lot gave for a line in this month, less what went back to it."""

    lot_id: LotId
    plan: str | None
    minutes: SignedMinutes
    amount_kopecks: Kopecks


class ReportLine(ReadModel):
    """What was booked for a closing in the month.

    A correction is one that took effect in an earlier, closed month; a settlement only pays what an earlier one owed.
    `work_kind`: what was done, a specification (rule 5.8) or, where it is absent, other work. `estimated_minutes`: what
    the task was expected to take, where it was planned (rule 15.3).

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
    kind: LineKind
    work_kind: Annotated[WorkKind, Field(exclude_if=lambda kind: kind == "work")] = "work"
    estimated_minutes: Annotated[Minutes | None, LeftOut] = None
    corrects_closure: Annotated[int | None, LeftOut] = None
    corrected_by_closure: Annotated[int | None, LeftOut] = None
    owed_minutes: Annotated[SignedMinutes | None, LeftOut] = None
    draws: tuple[ReportDraw, ...]


class ReportPurchase(ReadModel):
    """A package bought, or a compensation given, in the month; a compensation has no plan."""

    package_id: LotId
    plan: str | None
    agreed: Annotated[Agreed | None, LeftOut] = None
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


class ReportRefund(ReadModel):
    """Money given back for what was left in a lot, and what the seller kept of it (rule 14)."""

    lot_id: LotId
    effective_at: Instant
    minutes: Minutes
    hours: str
    amount_kopecks: Kopecks
    retained_kopecks: Kopecks
    refund_reference: str


class ReportTable(ReadModel):
    """What the lines of one kind add up to; each kind is a table of its own, whose hours add up to these."""

    kind: LineKind
    worked_minutes: SignedMinutes
    worked_hours: str
    charged_minutes: SignedMinutes
    charged_hours: str
    amount_kopecks: Kopecks


class BalanceRow(ReadModel):
    """A row of the table from opening to closing balance, signed by what it does to the balance.

    The hours of `opening` and of what moved add up to those of `closing`, which is the last.
    """

    kind: Literal["opening", "purchased", "paid", "charged", "forfeited", "refunded", "closing"]
    minutes: SignedMinutes
    hours: str


class PackageLeft(ReadModel):
    """What a package holds at the end of the month, with the hours carried to it; `last_day` is their last.

    `package_id` is absent for what is owed, whose minutes are negative: so all rows add up to the closing balance.
    """

    package_id: LotId | None
    plan: str | None
    agreed_minutes: Annotated[Minutes | None, LeftOut] = None
    minutes: SignedMinutes
    hours: str
    last_day: date | None


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
    tables: tuple[ReportTable, ...]
    balance_rows: tuple[BalanceRow, ...]
    packages_left: tuple[PackageLeft, ...]
    refunds: Annotated[tuple[ReportRefund, ...] | None, LeftOut] = None
    refunded_minutes: Annotated[Minutes | None, LeftOut] = None
    refunded_kopecks: Annotated[Kopecks | None, LeftOut] = None
    retained_kopecks: Annotated[Kopecks | None, LeftOut] = None
    rules_edition: RulesEdition = 1


class ActLine(ReadModel):
    """Hours of one package accepted in the month, at its price; `package_id` is absent for debt paid in money.

    `agreed_minutes`: the package's size where it is not that of its plan (rule 3.3).

    The price is the one agreed, never amount by time: a compensation has that of the hours it makes up for. If those
    had several, they stand in `hour_prices_kopecks`, and `hour_price_kopecks` is absent; so it is where a price was
    agreed for the package as a whole (rule 3.3), and there are none then.

    A correction names the month and the act that it corrects, and has the VAT rate with which that act stated it.
    """

    package_id: LotId | None
    plan: str | None
    agreed_minutes: Annotated[Minutes | None, LeftOut] = None
    hour_price_kopecks: Kopecks | None
    hour_prices_kopecks: tuple[Kopecks, ...]
    minutes: SignedMinutes
    hours: str
    amount_kopecks: Kopecks
    vat_mode: VatMode
    corrects_month: Month | None = None
    corrects_act: str | None = None


class Vat(ReadModel):
    """The tax contained in the act's amount: `mode` is its rate, or `mixed` where lines have different ones."""

    mode: VatMode | Literal["mixed"]
    amount_kopecks: Kopecks


class VatRate(ReadModel):
    """What the lines of one rate add up to, and the tax contained in it, rounded once (`none`: no tax)."""

    mode: VatMode
    total_kopecks: Kopecks
    vat_kopecks: Kopecks


class AcceptedRow(ReadModel):
    """A row of how the act's time follows from the report's; the rows before `accepted` add up to it.

    `charged`: what the report of `month` states. `owed`: what of it was not paid in the month, as a negative; it stands
    in `act`, that of `month`, or where both are absent will stand in that of the month which pays it. `settled`: what
    the report of `month` charged and left owed, and this month paid in hours or money. `cancelled`: what was owed and
    is taken back with its closing: of this report by a correction of `month` (negative), or of the report of `month`.

    Acts of months closed by the first edition of the rules have `charged`, `owed`, `settled` and `accepted`, once each.
    """

    kind: AcceptedKind
    minutes: SignedMinutes
    hours: str
    month: Annotated[Month | None, LeftOut] = None
    act: Annotated[str | None, LeftOut] = None


class ReplacedAct(ReadModel):
    """The act of the same month before it was reopened: asked with `known_at` = `position`, it is made again."""

    number: str
    closed_at: Instant
    position: int


class Act(ReadModel):
    """The act of a closed month (402-ФЗ art. 9); a draft while the month is open.

    `revision` counts how often the month was closed; from the second time on, the number shows it, and `replaces` names
    the act before. `to_sign` is false where nothing was accepted: then there is no act, and documents only say so.
    """

    number: str
    revision: int
    replaces: ReplacedAct | None
    to_sign: bool
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
    vat_rates: tuple[VatRate, ...]
    hours_from_report: tuple[AcceptedRow, ...]
    rules_edition: RulesEdition = 1
