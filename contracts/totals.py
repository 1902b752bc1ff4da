"""Totals over all accounts: what a month booked, or what took effect on a day. Minutes and kopecks are integers."""

from typing import Literal

from contracts.quantities import Kopecks, SignedMinutes
from contracts.read_models import ReadModel


class Totals(ReadModel):
    """What moved in the period, and what stood at its end, over all accounts.

    By `booking`: what stands in the month's reports (rule 10.1), so late facts count where they were booked. By
    `effect`: what counted on that day of the seller's (rules 2.2, 12), whenever it was recorded.

    balance = held - owed; balance before + sold + paid - used - forfeited = balance. Hours used are those charged
    less those taken back, whether they returned, were cancelled or were compensated. Settled debt was paid by hours
    of a lot and is used already. `settled` is not less what was taken back later. Debt has no price until it is paid.
    `held_kopecks`: what customers have paid for the hours held.
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
