"""The lines of a month's report: what it booked for each closing, each kind a table of its own (rules 1.3, 10.3)."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from contracts.quantities import decimal_hours, hours_column, month_of
from contracts.reports import LineKind, ReportDraw, ReportLine, ReportTable
from services.projections.monthly_reports.accepted import GIVEN, TAKEN_BACK, Booked

TAKEN_AWAY = (*TAKEN_BACK, "handed_over")
"""Entries of what a closing has no more: it went back, or on to the closing that corrects it."""

HAS = (*GIVEN, "taken_over")
"""Entries of what a closing has: it was given, or taken over from the closing that it corrects."""

KINDS: tuple[LineKind, ...] = ("closing", "correction", "settlement")
"""The kinds of lines, in the order of their tables."""


def lines_of(month: str, entries: Sequence[Booked], rules_edition: int) -> tuple[ReportLine, ...]:
    """One line a closing, in the order in which they were first booked in the month."""
    first: dict[tuple[str, int], int] = {}
    for number, entry in enumerate(entries):
        first.setdefault((entry["task_id"], entry["closure"]), number)

    def place(entry: Booked) -> int:
        return first[entry["task_id"], entry["closure"]]

    groups = groupby(sorted(entries, key=place), key=place)
    return with_hours([_line(month, list(group), rules_edition) for _, group in groups])


def with_hours(lines: Sequence[ReportLine]) -> tuple[ReportLine, ...]:
    """The lines with their hours: those of one kind are a table of their own, and so its columns."""
    shown = list(lines)
    for kind in KINDS:
        places = [number for number, line in enumerate(lines) if line.kind == kind]
        worked = hours_column([lines[number].worked_minutes for number in places])
        charged = hours_column([lines[number].charged_minutes for number in places])
        for number, of_work, of_charge in zip(places, worked, charged, strict=True):
            shown[number] = lines[number].model_copy(update={"worked_hours": of_work, "charged_hours": of_charge})
    return tuple(shown)


def _line(month: str, group: Sequence[Booked], rules_edition: int) -> ReportLine:
    of = group[0]
    charged = sum(entry["charged_minutes"] for entry in group)
    others = {entry["other_closure"] for entry in group if entry["other_closure"]}
    return ReportLine(
        task_id=of["task_id"],
        closure=of["closure"],
        title=of["title"],
        category=of["category"],
        coefficient=of["coefficient"],
        effective_at=of["closed_at"],
        worked_minutes=sum(entry["worked_minutes"] for entry in group),
        worked_hours="",
        charged_minutes=charged,
        charged_hours="",
        amount_kopecks=sum(entry["amount_kopecks"] for entry in group),
        work_kind=of["work"],
        estimated_minutes=of["estimated_minutes"],
        kind=_kind(month, group),
        corrects_closure=next((closure for closure in others if closure < of["closure"]), None),
        corrected_by_closure=next((closure for closure in others if closure > of["closure"]), None),
        owed_minutes=None if rules_edition == 1 else charged - _given(group),
        draws=_draws(group),
    )


def _kind(month: str, group: Sequence[Booked]) -> LineKind:
    """A correction took effect in a month that was closed already; a settlement pays for an earlier one."""
    if any(month_of(entry["effective_at"]) < month for entry in group):
        return "correction"
    return "closing" if month_of(group[0]["closed_at"]) == month else "settlement"


def _given(group: Iterable[Booked]) -> int:
    """What hours and money have paid of it in the month, less what was taken away: the rest of its charge is owed."""
    return sum(
        entry["minutes"] * (1 if entry["kind"] in HAS else -1)
        for entry in group
        if entry["kind"] in (*HAS, *TAKEN_AWAY)
    )


def _draws(group: Iterable[Booked]) -> tuple[ReportDraw, ...]:
    """What each lot gave in the month, less what went back."""
    given: dict[str, list[Any]] = {}
    for entry in group:
        if entry["lot_id"]:
            sign = -1 if entry["kind"] in TAKEN_AWAY else 1
            draw = given.setdefault(entry["lot_id"], [entry["plan"], 0, 0])
            draw[1] += sign * entry["minutes"]
            draw[2] += entry["amount_kopecks"]
    return tuple(
        ReportDraw(lot_id=lot_id, plan=plan, minutes=minutes, amount_kopecks=amount)
        for lot_id, (plan, minutes, amount) in given.items()
    )


def sums(lines: Iterable[ReportLine]) -> dict[str, Any]:
    """What lines add up to: exact minutes, their rounded hours, and money."""
    lines = list(lines)
    worked, charged = sum(line.worked_minutes for line in lines), sum(line.charged_minutes for line in lines)
    return {
        "worked_minutes": worked,
        "worked_hours": decimal_hours(worked),
        "charged_minutes": charged,
        "charged_hours": decimal_hours(charged),
        "amount_kopecks": sum(line.amount_kopecks for line in lines),
    }


def line_tables(lines: Iterable[ReportLine]) -> tuple[ReportTable, ...]:
    """What the lines of each kind add up to."""
    lines = list(lines)
    return tuple(ReportTable(kind=kind, **sums(line for line in lines if line.kind == kind)) for kind in KINDS)
