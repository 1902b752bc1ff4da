"""How the hours of a month's act follow from those of its report, and in which act what was owed stands (rule 10.4)."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple

from contracts.quantities import Month, decimal_hours, hours_column
from contracts.reports import AcceptedKind, AcceptedRow
from services.projections.monthly_reports.accepted import Booked

ORDER: tuple[AcceptedKind, ...] = ("owed", "settled", "cancelled")


class DebtEnded(NamedTuple):
    """Owed minutes that the report of `stated` charged, and the month in which they were paid or cancelled."""

    kind: Literal["settled", "cancelled"]
    stated: Month
    ended: Month | None
    minutes: int


class DebtMoved(NamedTuple):
    """Hours of the report that its act does not accept, as negatives, or hours of other reports that it does.

    `month`: in whose act those stand, or whose report stated these; absent where nothing has paid them yet.
    """

    kind: AcceptedKind
    month: Month | None
    minutes: int


def debts_ended(history: Iterable[Booked]) -> Iterator[DebtEnded]:
    """What became of every owed minute, from all entries of some tasks in their order; what stands ended in no month.

    Of a task's debt the oldest is paid first, and what was owed last is cancelled first (rules 6.4, 8.6).
    """
    debts: dict[str, list[tuple[Month, int]]] = {}
    for entry in history:
        owed, month, minutes = debts.setdefault(entry["task_id"], []), entry["booking_month"], entry["minutes"]
        match entry["kind"]:
            case "owed":
                owed.append((month, minutes))
            case "settled" | "paid":
                for stated, ended in _taken(owed, minutes, 0):
                    yield DebtEnded("settled", stated, month, ended)
            case "cancelled":
                for stated, ended in _taken(owed, minutes, -1):
                    yield DebtEnded("cancelled", stated, month, ended)
            case _:
                pass
    for owed in debts.values():
        for stated, minutes in owed:
            yield DebtEnded("settled", stated, None, minutes)


def _taken(owed: list[tuple[Month, int]], minutes: int, place: Literal[0, -1]) -> Iterator[tuple[Month, int]]:
    """So many minutes from the beginning or from the end."""
    while minutes:
        stated, there = owed[place]
        taken = min(there, minutes)
        if taken == there:
            owed.pop(place)
        else:
            owed[place] = (stated, there - taken)
        minutes -= taken
        yield stated, taken


def debts_moved(month: Month, history: Iterable[Booked]) -> list[DebtMoved]:
    """What the month owes of its own report, by where it stands, and what it did to the debts of others."""
    moved: Counter[tuple[AcceptedKind, Month | None]] = Counter()
    for kind, stated, ended, minutes in debts_ended(history):
        if stated == month != ended:
            moved["cancelled" if kind == "cancelled" else "owed", ended] -= minutes
        elif ended == month != stated:
            moved[kind, stated] += minutes
    rows = [DebtMoved(kind, of, minutes) for (kind, of), minutes in moved.items() if minutes]
    return sorted(rows, key=lambda row: (ORDER.index(row.kind), row.month is None, row.month or ""))


def accepted_rows(
    month: Month, charged_minutes: int, moved: Iterable[DebtMoved], numbers: Mapping[Month, str]
) -> tuple[AcceptedRow, ...]:
    """From what the report charged to what the act accepts, each row with its act."""
    rows = [DebtMoved("charged", month, charged_minutes), *moved]
    accepted = sum(row.minutes for row in rows)
    shown = zip(
        [*rows, DebtMoved("accepted", month, accepted)],
        [*hours_column([row.minutes for row in rows]), decimal_hours(accepted)],
        strict=True,
    )
    return tuple(
        AcceptedRow(kind=kind, minutes=minutes, hours=hours, month=of, act=of and numbers[of])
        for (kind, of, minutes), hours in shown
    )


def accepted_rows_of_edition_1(charged_minutes: int, moved: Iterable[DebtMoved]) -> tuple[AcceptedRow, ...]:
    """The same in four rows, as in acts of months that the first edition of the rules closed."""
    moved = list(moved)
    settled = sum(row.minutes for row in moved if row.kind == "settled")
    sums: dict[AcceptedKind, int] = {
        "charged": charged_minutes,
        "owed": sum(row.minutes for row in moved) - settled,
        "settled": settled,
    }
    accepted = sum(sums.values())
    hours = [*hours_column(list(sums.values())), decimal_hours(accepted)]
    rows = zip([*sums.items(), ("accepted", accepted)], hours, strict=True)
    return tuple(AcceptedRow(kind=kind, minutes=minutes, hours=shown) for (kind, minutes), shown in rows)
