"""The tables of a month's report, from what the month booked: each column of hours adds up to its total (rule 1.3)."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from contracts.events import Agreed
from contracts.quantities import decimal_hours, hours_column
from contracts.reports import (
    BalanceRow,
    ReportCarry,
    ReportForfeit,
    ReportLine,
    ReportPurchase,
    ReportRefund,
    ReportSettlement,
    ReportTotals,
)
from services.projections.monthly_reports.accepted import Booked
from services.projections.monthly_reports.lines import line_tables, lines_of, sums


def tables(month: str, opening: int, entries: Sequence[Booked], rules_edition: int) -> dict[str, Any]:
    """The parts of a MonthlyReport that are tables or sums of them; by the first edition there were no refunds."""
    lines = lines_of(month, [entry for entry in entries if entry["task_id"]], rules_edition)
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
