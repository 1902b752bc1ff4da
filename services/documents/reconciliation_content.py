"""What a reconciliation says, whatever the form it is written in: rows with debit and credit, and who owes what."""

from datetime import date
from typing import NamedTuple

from contracts.reconciliations import DebtRow, ReconciledRow, Reconciliation
from services.documents.formats import Formats, first_and_last

GIVEN_BY_SELLER = ("accepted", "forfeited", "refunded", "retained")
"""What stands under debit: services, hours that ended, and money that went back or is kept."""


class AccountRow(NamedTuple):
    """A row of the account between both sides; money stands on one side of it, as the seller keeps it."""

    day: date
    what: str
    hours: str
    minutes: int
    debit_kopecks: int | None
    credit_kopecks: int | None


class Turnover(NamedTuple):
    """What both sides gave in the period."""

    debit_kopecks: int
    credit_kopecks: int


def title_of(made: Reconciliation, formats: Formats) -> str:
    """`Акт сверки взаимных расчётов`."""
    return formats.words["reconciliation"]


def subject_of(made: Reconciliation, formats: Formats) -> str:
    """`за период с 1 марта 2026 г. по 31 марта 2026 г.`"""
    since, until = formats.long_day(made.since), formats.long_day(made.until)
    return formats.words["for_period"].format(since=since, until=until)


def account_rows(made: Reconciliation, formats: Formats) -> list[AccountRow]:
    """From opening to closing."""
    return [
        AccountRow(row.day, _what(made, row, formats), row.hours, row.minutes, *_sides(row)) for row in made.prepaid
    ]


def _sides(row: ReconciledRow) -> tuple[int | None, int | None]:
    """What is prepaid is the customer's credit; what takes of it is debit, also where it takes something back."""
    is_balance = row.kind in ("opening", "closing")
    if row.kind in GIVEN_BY_SELLER or (is_balance and row.amount_kopecks < 0):
        return -row.amount_kopecks, None
    return None, row.amount_kopecks


def _what(made: Reconciliation, row: ReconciledRow, formats: Formats) -> str:
    words = formats.words
    match row.kind:
        case "accepted" if row.act:
            return words["reconciled_act"].format(number=row.act, month=formats.month(row.month or ""))
        case "accepted":
            begin, end = first_and_last(row.month or "")
            word = "reconciled_open" if made.since <= begin and end <= made.until else "reconciled_part"
            return words[word].format(month=formats.month(row.month or ""))
        case "forfeited" if row.minutes > 0:
            return words["reconciled_unforfeited"].format(package=row.package_id)
        case "purchased":
            size = formats.size(row.plan, row.agreed_minutes)
            return words["reconciled_purchased"].format(package=f"{row.package_id} ({size})")
        case "opening" | "closing":
            return words[f"{row.kind}_account"]
        case kind:
            return words[f"reconciled_{kind}"].format(package=row.package_id, reference=row.reference)


def turnover(made: Reconciliation) -> Turnover:
    """The sums of both sides between opening and closing."""
    sides = [_sides(row) for row in made.prepaid[1:-1]]
    return Turnover(sum(debit or 0 for debit, _ in sides), sum(credit or 0 for _, credit in sides))


def debt_rows(made: Reconciliation, formats: Formats) -> list[tuple[str, DebtRow]]:
    """What the customer owes, from opening to closing; nothing where nothing was owed."""
    if all(row.minutes == 0 for row in made.debt):
        return []
    return [(formats.words[f"debt_{row.kind}"], row) for row in made.debt]


def conclusions(made: Reconciliation, formats: Formats) -> list[str]:
    """What each side owes at the end, a sentence each."""
    words, day = formats.words, formats.long_day(made.until)
    prepaid = owed = None
    if made.held_minutes or made.held_kopecks:
        prepaid = words["seller_owes"].format(
            day=day,
            hours=formats.hours(made.held_hours),
            clock=formats.clock(made.held_minutes),
            money=formats.money(made.held_kopecks),
            words=formats.money_in_words(made.held_kopecks),
        )
    if made.owed_minutes:
        owed = words["customer_owes"].format(
            day=day, hours=formats.hours(made.owed_hours), clock=formats.clock(made.owed_minutes)
        )
    return [
        prepaid or words["seller_owes_nothing"].format(day=day),
        owed or words["customer_owes_nothing"].format(day=day),
    ]
