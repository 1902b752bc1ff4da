"""The tables of a month's report, from what the month booked: each column of hours adds up to its total (rule 1.3)."""

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any

from contracts.events import Agreed
from contracts.quantities import decimal_hours, hours_column, month_of
from contracts.reports import (
    BalanceRow,
    LineKind,
    ReportCarry,
    ReportDraw,
    ReportForfeit,
    ReportLine,
    ReportPurchase,
    ReportRefund,
    ReportSettlement,
    ReportTable,
    ReportTotals,
)
from services.projections.monthly_reports.accepted import GIVEN, TAKEN_BACK, Booked

TAKEN_AWAY = (*TAKEN_BACK, "handed_over")
"""Entries of what a closing has no more: it went back, or on to the closing that corrects it."""

HAS = (*GIVEN, "taken_over")
"""Entries of what a closing has: it was given, or taken over from the closing that it corrects."""

KINDS: tuple[LineKind, ...] = ("closing", "correction", "settlement")
"""The kinds of lines, in the order of their tables."""


def tables(month: str, opening: int, entries: Sequence[Booked], rules_edition: int) -> dict[str, Any]:
    """The parts of a MonthlyReport that are tables or sums of them; by the first edition there were no refunds."""
    lines = _lines(month, [entry for entry in entries if entry["task_id"]], rules_edition)
    totals = _totals(lines, entries)
    refunded = _refunded(entries)
    return {
        "lines": lines,
        "purchases": _column(entries, ("purchased", "compensated"), _purchase),
        "carried_over": _column(entries, ("carried", "reclaimed"), _carry),
        "forfeited": _column(entries, ("forfeited",), _forfeit),
        "settled": _column(entries, ("settled",), _settlement),
        "paid": _column(entries, ("paid",), _settlement),
        "totals": totals,
        "tables": line_tables(lines),
        "balance_rows": balance_rows(opening, totals, refunded["refunded_minutes"]),
        **({**refunded, "refunds": _refunds(entries)} if rules_edition > 1 else {}),
    }


def _column(entries: Iterable[Booked], kinds: Sequence[str], row: Callable[[Booked, str], Any]) -> tuple[Any, ...]:
    """A table of entries of those kinds."""
    shown = [entry for entry in entries if entry["kind"] in kinds]
    hours = hours_column([entry["minutes"] for entry in shown])
    return tuple(row(entry, decimal) for entry, decimal in zip(shown, hours, strict=True))


def _lines(month: str, entries: Sequence[Booked], rules_edition: int) -> tuple[ReportLine, ...]:
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


def _purchase(entry: Booked, hours: str) -> ReportPurchase:
    return ReportPurchase(
        package_id=entry["lot_id"],
        plan=entry["plan"],
        agreed=None if entry["agreed"] is None else Agreed.model_validate_json(entry["agreed"]),
        effective_at=entry["effective_at"] if entry["plan"] else entry["recorded_at"],
        ends_at=entry["ends_at"],
        minutes=entry["minutes"],
        hours=hours,
        amount_kopecks=abs(entry["amount_kopecks"]),
    )


def _carry(entry: Booked, hours: str) -> ReportCarry:
    return ReportCarry(
        from_package_id=entry["lot_id"],
        to_package_id=entry["to_package_id"],
        effective_at=entry["effective_at"],
        minutes=entry["minutes"],
        hours=hours,
        reclaimed=entry["kind"] == "reclaimed",
    )


def _forfeit(entry: Booked, hours: str) -> ReportForfeit:
    return ReportForfeit(
        package_id=entry["lot_id"],
        effective_at=entry["effective_at"],
        minutes=entry["minutes"],
        hours=hours,
        amount_kopecks=entry["amount_kopecks"],
    )


def _settlement(entry: Booked, hours: str) -> ReportSettlement:
    return ReportSettlement(
        task_id=entry["task_id"],
        closure=entry["closure"],
        lot_id=entry["lot_id"],
        effective_at=entry["effective_at"],
        minutes=entry["minutes"],
        hours=hours,
        amount_kopecks=entry["amount_kopecks"],
        payment_reference=entry["payment_reference"],
    )


def _refunds(entries: Sequence[Booked]) -> tuple[ReportRefund, ...]:
    """What was refunded of each lot, and what the seller kept of its money."""
    retained = {entry["position"]: entry["amount_kopecks"] for entry in entries if entry["kind"] == "retained"}

    def refund(entry: Booked, hours: str) -> ReportRefund:
        return ReportRefund(
            lot_id=entry["lot_id"],
            effective_at=entry["effective_at"],
            minutes=entry["minutes"],
            hours=hours,
            amount_kopecks=entry["amount_kopecks"],
            retained_kopecks=retained[entry["position"]],
            refund_reference=entry["payment_reference"],
        )

    return _column(entries, ("refunded",), refund)


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


def _refunded(entries: Iterable[Booked]) -> dict[str, int]:
    """What refunds took out of lots, and where its money went (rule 14.4)."""
    refunds = [entry for entry in entries if entry["kind"] in ("refunded", "retained")]
    return {
        "refunded_minutes": sum(entry["minutes"] for entry in refunds),
        **{f"{kind}_kopecks": sum(entry["amount_kopecks"] for entry in refunds if entry["kind"] == kind)
           for kind in ("refunded", "retained")},
    }  # fmt: skip


def _totals(lines: Sequence[ReportLine], entries: Sequence[Booked]) -> ReportTotals:
    """closing = opening + purchased + paid - charged - forfeited - refunded: what else moved, moved within it."""
    corrections = [line for line in lines if line.kind == "correction"]

    def minutes(*kinds: str) -> int:
        return sum(entry["minutes"] for entry in entries if entry["kind"] in kinds)

    return ReportTotals(
        **sums(lines),
        corrected_minutes=sum(line.charged_minutes for line in corrections),
        corrected_kopecks=sum(line.amount_kopecks for line in corrections),
        purchased_minutes=minutes("purchased"),
        compensated_minutes=minutes("compensated"),
        carried_over_minutes=minutes("carried", "reclaimed"),
        forfeited_minutes=minutes("forfeited"),
        settled_minutes=minutes("settled"),
        paid_minutes=minutes("paid"),
    )


def balance_rows(opening: int, totals: ReportTotals, refunded_minutes: int = 0) -> tuple[BalanceRow, ...]:
    """From opening to closing balance: one column, whose last row is the sum of those before."""
    moved = {
        "opening": opening,
        "purchased": totals.purchased_minutes,
        "paid": totals.paid_minutes,
        "charged": -totals.charged_minutes,
        "forfeited": -totals.forfeited_minutes,
    }
    if refunded_minutes:
        moved["refunded"] = -refunded_minutes
    rows = zip(moved.items(), hours_column(list(moved.values())), strict=True)
    closing = sum(moved.values())
    return (
        *(BalanceRow(kind=kind, minutes=minutes, hours=hours) for (kind, minutes), hours in rows),
        BalanceRow(kind="closing", minutes=closing, hours=decimal_hours(closing)),
    )
