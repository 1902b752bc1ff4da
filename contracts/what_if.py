"""What would have become of an account with other purchases or other terms: asked, and answered."""

from itertools import pairwise
from typing import Annotated

from pydantic import AfterValidator, Field

from contracts.commands import Body, PurchasePackageBody
from contracts.quantities import AccountId, Instant, Kopecks, Minutes, SignedMinutes
from contracts.read_models import BalanceStep, ReadModel
from contracts.terms import TermsVersion


def _in_order(versions: tuple[TermsVersion, ...]) -> tuple[TermsVersion, ...]:
    if any(later.in_force_from <= earlier.in_force_from for earlier, later in pairwise(versions)):
        raise ValueError("give versions in the order of in_force_from, each later than the one before")
    return versions


class WhatIf(Body):
    """`purchases` in place of all that were made; `terms`, all versions of them, in place of those that were in force.

    What is absent is as it was.
    """

    purchases: Annotated[tuple[PurchasePackageBody, ...], Field(max_length=1000)] | None = None
    terms: (
        Annotated[tuple[TermsVersion, ...], Field(min_length=1, max_length=100), AfterValidator(_in_order)] | None
    ) = None


class CourseView(ReadModel):
    """What an account has come to: balance, money and what was lost, and the curve of its balance.

    `spent_kopecks`: what was bought, and debt paid with money, less what was refunded.
    """

    balance_minutes: SignedMinutes
    owed_minutes: Minutes
    spent_kopecks: Kopecks
    purchased_kopecks: Kopecks
    paid_kopecks: Kopecks
    refunded_kopecks: Kopecks
    forfeited_minutes: Minutes
    forfeited_kopecks: Kopecks
    balance: tuple[BalanceStep, ...]


class LeftOut(ReadModel):
    """A command of the past that would have been refused then, and with which problem."""

    at: Instant
    command: str
    slug: str


class Difference(ReadModel):
    """What would have been, less what was."""

    balance_minutes: SignedMinutes
    spent_kopecks: Kopecks
    forfeited_minutes: SignedMinutes
    forfeited_kopecks: Kopecks


class WhatIfView(ReadModel):
    """How the account went, how it would have gone, and the difference; nothing is recorded.

    `position`: of the account's last event, on which this rests.
    """

    account_id: AccountId
    as_of: Instant
    position: int
    was: CourseView
    would_be: CourseView
    difference: Difference
    left_out: tuple[LeftOut, ...]
