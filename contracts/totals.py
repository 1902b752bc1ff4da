"""Totals over all accounts: what a month booked, or what took effect on a day. Minutes and kopecks are integers."""

from typing import Literal

from contracts.quantities import Kopecks, SignedMinutes
from contracts.read_models import ReadModel


class Totals(ReadModel):
    """What moved in the period, and what stood at its end, over all accounts.

    By `booking`: what stands in the month's reports (rule 10.1), so late facts count where they were booked. By
    `effect`: what counted on that day of the seller's (rules 2.2, 12), whenever it was recorded.

    balance = held - owed; balance before + sold + paid - used - forfeited - refunded = balance, and in money held
    before + sold + paid - used - forfeited - refunded - retained = held: what customers have paid for hours not used
    yet. Used is what was charged, less what was taken back, whether it returned, was cancelled or became a
    compensation. Settled debt is used already, by hours that came later; what was taken back of it later stands under
    used alone. Debt has no price until it is paid.
    """

    period: str
    by: Literal["booking", "effect"]
    sold_minutes: SignedMinutes
    sold_hours: str
    sold_kopecks: Kopecks
    used_minutes: SignedMinutes
    used_hours: str
    used_kopecks: Kopecks
    carried_over_minutes: SignedMinutes
    carried_over_hours: str
    carried_over_kopecks: Kopecks
    forfeited_minutes: SignedMinutes
    forfeited_hours: str
    forfeited_kopecks: Kopecks
    refunded_minutes: SignedMinutes
    refunded_hours: str
    refunded_kopecks: Kopecks
    retained_kopecks: Kopecks
    compensated_minutes: SignedMinutes
    compensated_hours: str
    compensated_kopecks: Kopecks
    settled_minutes: SignedMinutes
    settled_hours: str
    settled_kopecks: Kopecks
    paid_minutes: SignedMinutes
    paid_hours: str
    paid_kopecks: Kopecks
    owed_minutes: SignedMinutes
    owed_hours: str
    held_minutes: SignedMinutes
    held_hours: str
    held_kopecks: Kopecks
    balance_minutes: SignedMinutes
    balance_hours: str


class TotalsList(ReadModel):
    """One entry for the day or month asked for, or one for every month of a range, in order."""

    totals: tuple[Totals, ...]
