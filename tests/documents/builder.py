"""Reports and acts to show, consistent in themselves: only what a test speaks of needs to be said."""

from datetime import UTC, date, datetime
from typing import Any

from contracts.quantities import decimal_hours, hours_column
from contracts.reconciliations import DebtRow, ReconciledRow, Reconciliation
from contracts.reports import (
    AcceptedKind,
    AcceptedRow,
    Act,
    ActLine,
    MonthlyReport,
    PackageLeft,
    Party,
    ReportCarry,
    ReportDraw,
    ReportForfeit,
    ReportLine,
    ReportPurchase,
    ReportSettlement,
    ReportTotals,
)
from services.projections.monthly_reports.acts import vat_rates
from services.projections.monthly_reports.lines import line_tables, sums, with_hours
from services.projections.monthly_reports.tables import balance_rows

SELLER = Party(
    name="ООО «Синтез»",
    inn="7701234560",
    kpp="770101001",
    address="115114, г. Москва, Дербеневская наб., д. 7, стр. 2",
    bank_details="р/с 40702810900000001234 в АО «Банк», к/с 30101810400000000225, БИК 044525225",
    signatory_position="Генеральный директор",
    signatory_name="Иванова А. П.",
    signatory_authority="Устава",
)
CUSTOMER = Party(name="АО «Северный ветер»")
MONTH = "2026-03"


def at(day: int, month: int = 3) -> datetime:
    return datetime(2026, month, day, 9, tzinfo=UTC)


def line(task: str = "T-1", title: str = "Настройка прав доступа", *, minutes: int = 60, **given: Any) -> ReportLine:
    """A line of `minutes` worked and, unless said otherwise, charged, drawn on one lot at 2,590 ₽ an hour."""
    charged = given.pop("charged", minutes)
    amount = given.pop("amount", round(charged * 259_000 / 60))
    return ReportLine.model_validate(
        {
            "task_id": task,
            "closure": 1,
            "title": title,
            "category": "regular",
            "coefficient": "1",
            "effective_at": at(5),
            "worked_minutes": minutes,
            "worked_hours": "",
            "charged_minutes": charged,
            "charged_hours": "",
            "amount_kopecks": amount,
            "kind": "closing",
            "draws": [ReportDraw(lot_id="spring", plan="hours-100", minutes=charged, amount_kopecks=amount)],
            **given,
        }
    )


def purchase(package: str = "spring", hours: int = 100, price: int = 259_000_00, **given: Any) -> ReportPurchase:
    values = {
        "package_id": package,
        "plan": f"hours-{hours}",
        "effective_at": at(1),
        "ends_at": datetime(2027, 3, 1, 21, tzinfo=UTC),
        "minutes": hours * 60,
        "hours": f"{hours}.00",
        "amount_kopecks": price,
    }
    return ReportPurchase.model_validate(values | given)


def carry(minutes: int, *, reclaimed: bool = False) -> ReportCarry:
    return ReportCarry(
        from_package_id="winter",
        to_package_id="spring",
        effective_at=at(10),
        minutes=minutes,
        hours=decimal_hours(minutes),
        reclaimed=reclaimed,
    )


def forfeit(minutes: int, amount: int) -> ReportForfeit:
    return ReportForfeit(
        package_id="autumn",
        effective_at=at(15),
        minutes=minutes,
        hours=decimal_hours(minutes),
        amount_kopecks=amount,
    )


def settlement(
    task: str, minutes: int, *, lot: str | None = "spring", reference: str | None = None
) -> ReportSettlement:
    return ReportSettlement(
        task_id=task,
        closure=1,
        lot_id=lot,
        effective_at=at(2),
        minutes=minutes,
        hours=decimal_hours(minutes),
        amount_kopecks=round(minutes * 319_000 / 60),
        payment_reference=reference,
    )


def left(package: str | None = "spring", minutes: int = 600, **given: Any) -> PackageLeft:
    """What a package holds; without one, what is owed."""
    values = {
        "package_id": package,
        "plan": "hours-100" if package else None,
        "minutes": minutes,
        "hours": decimal_hours(minutes),
        "last_day": date(2027, 3, 1) if package else None,
    }
    return PackageLeft.model_validate(values | given)


def report(*lines: ReportLine, opening: int = 0, **given: Any) -> MonthlyReport:
    """A closed month's report whose hours add up (rule 1.3) and whose balance follows from what happened."""
    rounded = with_hours(lines)
    totals = _totals(rounded, given)
    moved = balance_rows(opening, totals)
    closing = moved[-1].minutes
    values = {
        "account_id": "c1",
        "month": MONTH,
        "closed": True,
        "report_hash": None,
        "known_at": None,
        "position": 1234,
        "seller": SELLER,
        "customer": CUSTOMER,
        "contract_number": "42/2026",
        "contract_date": date(2026, 1, 15),
        "opening_balance_minutes": opening,
        "opening_balance_hours": decimal_hours(opening),
        "closing_balance_minutes": closing,
        "closing_balance_hours": decimal_hours(closing),
        "lines": rounded,
        "purchases": (),
        "carried_over": (),
        "forfeited": (),
        "settled": (),
        "paid": (),
        "totals": totals,
        "tables": line_tables(rounded),
        "balance_rows": moved,
        "packages_left": (left(minutes=closing),) if closing > 0 else (left(None, closing),) if closing else (),
    }
    return MonthlyReport.model_validate(values | given)


def _totals(lines: tuple[ReportLine, ...], given: dict[str, Any]) -> ReportTotals:
    def minutes(name: str, *, compensation: bool = False) -> int:
        return sum(of.minutes for of in given.get(name, ()) if (getattr(of, "plan", "") is None) == compensation)

    corrections = [one for one in lines if one.kind == "correction"]
    return ReportTotals(
        **sums(lines),
        corrected_minutes=sum(one.charged_minutes for one in corrections),
        corrected_kopecks=sum(one.amount_kopecks for one in corrections),
        purchased_minutes=minutes("purchases"),
        compensated_minutes=minutes("purchases", compensation=True),
        carried_over_minutes=minutes("carried_over"),
        forfeited_minutes=minutes("forfeited"),
        settled_minutes=minutes("settled"),
        paid_minutes=minutes("paid"),
    )


def act_line(
    minutes: int, amount: int, price: int | None = 259_000, package: str | None = "spring", **given: Any
) -> ActLine:
    values = {
        "package_id": package,
        "plan": "hours-100" if package else None,
        "hour_price_kopecks": price,
        "hour_prices_kopecks": () if price is None else (price,),
        "minutes": minutes,
        "hours": "",
        "amount_kopecks": amount,
        "vat_mode": "none",
    }
    return ActLine.model_validate(values | given)


def act(*lines: ActLine, **given: Any) -> Act:
    """A final act, the first of its month; without VAT, unless its lines have any."""
    hours = hours_column([one.minutes for one in lines])
    total = sum(one.minutes for one in lines)
    rates = vat_rates(lines)
    modes = {rate.mode for rate in rates} or {"none"}
    values = {
        "number": "2026-03/c1",
        "revision": 1,
        "replaces": None,
        "to_sign": bool(lines),
        "act_date": date(2026, 3, 31),
        "draft": False,
        "account_id": "c1",
        "month": MONTH,
        "position": 1234,
        "seller": SELLER,
        "customer": CUSTOMER,
        "contract_number": "42/2026",
        "contract_date": date(2026, 1, 15),
        "lines": [one.model_copy(update={"hours": shown}) for one, shown in zip(lines, hours, strict=True)],
        "total_minutes": total,
        "total_hours": decimal_hours(total),
        "total_kopecks": sum(one.amount_kopecks for one in lines),
        "vat": {
            "mode": modes.pop() if len(modes) == 1 else "mixed",
            "amount_kopecks": sum(r.vat_kopecks for r in rates),
        },
        "vat_rates": rates,
        "hours_from_report": accepted_rows(total),
    }
    return Act.model_validate(values | given)


def accepted_by(*moved: tuple[AcceptedKind, int, str | None, str | None]) -> dict[str, Any]:
    """How an act of this month follows from its report, by the second edition: kind, minutes, month, act."""
    accepted = sum(minutes for _, minutes, _, _ in moved)
    hours = [*hours_column([minutes for _, minutes, _, _ in moved]), decimal_hours(accepted)]
    rows = zip((*moved, ("accepted", accepted, MONTH, "2026-03/c1")), hours, strict=True)
    return {
        "rules_edition": 2,
        "hours_from_report": [
            AcceptedRow(kind=kind, minutes=minutes, hours=shown, month=month, act=number)
            for (kind, minutes, month, number), shown in rows
        ],
    }


def accepted_rows(charged: int, owed: int = 0, settled: int = 0) -> tuple[AcceptedRow, ...]:
    """The same by the first edition."""
    moved = {"charged": charged, "owed": -owed, "settled": settled}
    accepted = sum(moved.values())
    hours = [*hours_column(list(moved.values())), decimal_hours(accepted)]
    rows = zip((moved | {"accepted": accepted}).items(), hours, strict=True)
    return tuple(AcceptedRow(kind=kind, minutes=minutes, hours=shown) for (kind, minutes), shown in rows)


def reconciled(kind: str, minutes: int, amount: int, *, day: date = date(2026, 3, 15), **given: Any) -> ReconciledRow:
    """A row between opening and closing; what it is about as its kind needs."""
    values: dict[str, Any] = {"kind": kind, "day": day, "minutes": minutes, "hours": "", "amount_kopecks": amount}
    return ReconciledRow.model_validate(values | given)


def debt_row(kind: str, minutes: int) -> DebtRow:
    return DebtRow.model_validate({"kind": kind, "minutes": minutes, "hours": decimal_hours(minutes)})


def reconciliation(
    *rows: ReconciledRow, opening: tuple[int, int] = (0, 0), debt: tuple[DebtRow, ...] = (), **given: Any
) -> Reconciliation:
    """Of a closed first quarter; its rows lead from what was prepaid to what is."""
    since, until = given.pop("since", date(2026, 1, 1)), given.pop("until", date(2026, 3, 31))
    shown = [reconciled("opening", *opening, day=since), *rows]
    minutes, amount = (sum(getattr(row, name) for row in shown) for name in ("minutes", "amount_kopecks"))
    hours = hours_column([row.minutes for row in shown])
    closing = reconciled("closing", minutes, amount, day=until, hours=decimal_hours(minutes))
    owed = sum(row.minutes for row in debt)
    values: dict[str, Any] = {
        "account_id": "c1",
        "since": since,
        "until": until,
        "closed": True,
        "known_at": None,
        "position": 1234,
        "seller": SELLER,
        "customer": CUSTOMER,
        "contract_number": "42/2026",
        "contract_date": date(2026, 1, 15),
        "prepaid": [
            *(row.model_copy(update={"hours": one}) for row, one in zip(shown, hours, strict=True)), closing,
        ],
        "debt": [*(debt or (debt_row("opening", 0),)), debt_row("closing", owed)],
        "held_minutes": minutes,
        "held_hours": decimal_hours(minutes),
        "held_kopecks": amount,
        "owed_minutes": owed,
        "owed_hours": decimal_hours(owed),
        "balance_minutes": minutes - owed,
        "balance_hours": decimal_hours(minutes - owed),
    }  # fmt: skip
    return Reconciliation.model_validate(values | given)
