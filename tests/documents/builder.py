"""Reports and acts to show, consistent in themselves: only what a test speaks of needs to be said."""

from datetime import UTC, date, datetime
from typing import Any

from contracts.quantities import decimal_hours, hours_column
from contracts.reports import (
    Act,
    ActLine,
    MonthlyReport,
    Party,
    ReportCarry,
    ReportDraw,
    ReportForfeit,
    ReportLine,
    ReportPurchase,
    ReportSettlement,
    ReportTotals,
    Vat,
)

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


def report(*lines: ReportLine, opening: int = 0, **given: Any) -> MonthlyReport:
    """A closed month's report whose hours add up (rule 1.3) and whose balance follows from what happened."""
    rounded = _rounded(lines)
    totals = _totals(rounded, given)
    closing = (
        opening + totals.purchased_minutes + totals.paid_minutes - totals.charged_minutes - totals.forfeited_minutes
    )
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
    }
    return MonthlyReport.model_validate(values | given)


def _rounded(lines: tuple[ReportLine, ...]) -> tuple[ReportLine, ...]:
    worked = hours_column([one.worked_minutes for one in lines])
    charged = hours_column([one.charged_minutes for one in lines])
    return tuple(
        one.model_copy(update={"worked_hours": of_work, "charged_hours": of_charge})
        for one, of_work, of_charge in zip(lines, worked, charged, strict=True)
    )


def _totals(lines: tuple[ReportLine, ...], given: dict[str, Any]) -> ReportTotals:
    def minutes(name: str, *, compensation: bool = False) -> int:
        return sum(of.minutes for of in given.get(name, ()) if (getattr(of, "plan", "") is None) == compensation)

    worked, charged = sum(one.worked_minutes for one in lines), sum(one.charged_minutes for one in lines)
    corrections = [one for one in lines if one.kind == "correction"]
    return ReportTotals(
        worked_minutes=worked,
        worked_hours=decimal_hours(worked),
        charged_minutes=charged,
        charged_hours=decimal_hours(charged),
        amount_kopecks=sum(one.amount_kopecks for one in lines),
        corrected_minutes=sum(one.charged_minutes for one in corrections),
        corrected_kopecks=sum(one.amount_kopecks for one in corrections),
        purchased_minutes=minutes("purchases"),
        compensated_minutes=minutes("purchases", compensation=True),
        carried_over_minutes=minutes("carried_over"),
        forfeited_minutes=minutes("forfeited"),
        settled_minutes=minutes("settled"),
        paid_minutes=minutes("paid"),
    )


def act_line(minutes: int, amount: int, price: int = 259_000, package: str | None = "spring", **given: Any) -> ActLine:
    plan = given.get("plan", "hours-100" if package else None)
    return ActLine(
        package_id=package, plan=plan, hour_price_kopecks=price, minutes=minutes, hours="", amount_kopecks=amount
    )


def act(*lines: ActLine, vat: Vat | None = None, **given: Any) -> Act:
    """A final act without VAT, unless said otherwise."""
    hours = hours_column([one.minutes for one in lines])
    total = sum(one.minutes for one in lines)
    values = {
        "number": "2026-03/c1",
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
        "vat": vat or Vat(mode="none", amount_kopecks=0),
    }
    return Act.model_validate(values | given)
