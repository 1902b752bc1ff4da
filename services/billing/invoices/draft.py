"""What an invoice says: from the account, and from a dry run of the purchase or payment that it is for."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from hashlib import sha256
from typing import Any, TypeVar
from uuid import uuid4

from contracts.commands import PayDebtBody, PurchasePackageBody
from contracts.envelope import Recorded
from contracts.events import DebtPaid, PackagePurchased
from contracts.invoices import InvoiceBody, InvoiceContent, InvoicedPackage, InvoiceLine, PackageToInvoice
from contracts.problems import InvalidField
from contracts.quantities import SELLER_ZONE, Instant, decimal_hours, hours_column
from contracts.read_models import AccountView, BalanceView
from contracts.reports import Party, Vat
from contracts.requisites import Bank, Requisites
from contracts.tasks import TaskPage
from services.billing.hourbook import Hourbook
from services.documents.seller import NAMELESS, Seller, vat_within
from services.process.problem_responses import InvalidRequest, ProblemError

Fact = TypeVar("Fact", PackagePurchased, DebtPaid)

TASKS_PER_PAGE = 1000
KNOWN_TO_PAYERS = {"inn", "kpp", "address"}
"""Of the customer's requisites; who signs for it signs no invoice."""

NOTHING_OWED = InvalidField(field="debt", remedy="nothing is owed now: invoice a package, or nothing")


async def drafted(
    hourbook: Hourbook, seller: Seller, account_id: str, body: InvoiceBody, now: Instant, key: str, days: int
) -> InvoiceContent:
    """The invoice as it would be issued now; ProblemError where what it is for would be refused.

    `days`: for how many days after today it is valid where the body does not say. What is bought or paid is decided by
    the ledger, in a dry run by the caller's own rights.
    """
    today = now.astimezone(SELLER_ZONE).date()
    party, bank = _payee(seller, today)
    account = AccountView.model_validate(await hourbook.get(f"/v1/accounts/{account_id}"))
    subject = (
        await _package(hourbook, account_id, body.package, now, key)
        if body.package
        else await _debt(hourbook, account_id, body, now)
    )
    total = sum(line.amount_kopecks for line in subject["lines"])
    mode = seller.vat_mode(today)
    return InvoiceContent(
        account_id=account_id,
        issued_on=today,
        valid_through=today + timedelta(days=days if body.valid_days is None else body.valid_days),
        seller=party,
        seller_bank=bank,
        customer=_payer(account),
        contract_number=account.contract_number,
        contract_date=account.contract_date,
        total_kopecks=total,
        vat=Vat(mode=mode, amount_kopecks=vat_within(total, mode)),
        **subject,
    )


def _payee(seller: Seller, today: date) -> tuple[Party, Bank]:
    """The seller and its bank; `seller-incomplete` names what nobody could pay without."""
    party, bank = seller.party_on(today), seller.bank_on(today)
    lacking = {
        "party.name": party.name == NAMELESS,
        "party.inn": party.inn is None,
        "party.bank": bank is None,
    }
    fields = tuple(
        InvalidField(field=field, remedy="give it in the file of HOURBOOK_SELLER_FILE, and start again")
        for field, is_lacking in lacking.items()
        if is_lacking
    )
    if bank is None or fields:
        named = ", ".join(field.field for field in fields)
        raise ProblemError("seller-incomplete", f"The seller's file does not say {named}.", fields=fields)
    return party, bank


def _payer(account: AccountView) -> Party:
    known = (account.customer_requisites or Requisites()).model_dump(include=KNOWN_TO_PAYERS)
    return Party(name=account.customer_name, **known)


async def _package(
    hourbook: Hourbook, account_id: str, package: PackageToInvoice, now: Instant, key: str
) -> Mapping[str, Any]:
    """The package as it would be bought now."""
    package_id = package.package_id or f"invoice-{sha256(f'{account_id} {key}'.encode()).hexdigest()[:16]}"
    asked = PurchasePackageBody(
        package_id=package_id,
        plan=package.plan,
        purchased_at=now,
        carry_over=package.carry_over,
        agreed=package.agreed,
    )
    bought = await _dry_run(hourbook, f"/v1/accounts/{account_id}/packages", asked, PackagePurchased)
    is_of_plan = package.agreed is None or package.agreed.price_kopecks is None
    line = InvoiceLine(
        minutes=bought.minutes,
        hours=decimal_hours(bought.minutes),
        hour_price_kopecks=bought.hour_price_kopecks if is_of_plan else None,
        amount_kopecks=bought.price_kopecks,
    )
    invoiced = InvoicedPackage(
        package_id=package_id, plan=package.plan, carry_over=package.carry_over, agreed=package.agreed
    )
    return {"package": invoiced, "debt_minutes": None, "lines": (line,)}


async def _debt(hourbook: Hourbook, account_id: str, body: InvoiceBody, now: Instant) -> Mapping[str, Any]:
    """The debt as it would be paid now, closing by closing."""
    minutes = body.debt and body.debt.minutes
    if minutes is None:
        balance = BalanceView.model_validate(await hourbook.get(f"/v1/accounts/{account_id}/balance"))
        minutes = balance.owed_minutes
    if not minutes:
        raise InvalidRequest(NOTHING_OWED)
    asked = PayDebtBody(minutes=minutes, paid_at=now, payment_reference="invoice")
    paid = await _dry_run(hourbook, f"/v1/accounts/{account_id}/debt-payments", asked, DebtPaid)
    titles = await _titles(hourbook, account_id, {payment.task_id for payment in paid.payments})
    lines = tuple(_lines(paid, titles))
    return {"package": None, "debt_minutes": paid.minutes, "lines": lines}


def _lines(paid: DebtPaid, titles: Mapping[str, str]) -> Iterator[InvoiceLine]:
    hours = hours_column([payment.minutes for payment in paid.payments])
    for payment, shown in zip(paid.payments, hours, strict=True):
        yield InvoiceLine(
            task_id=payment.task_id,
            title=titles.get(payment.task_id),
            minutes=payment.minutes,
            hours=shown,
            hour_price_kopecks=paid.hour_price_kopecks,
            amount_kopecks=payment.amount_kopecks,
        )


async def _titles(hourbook: Hourbook, account_id: str, wanted: set[str]) -> Mapping[str, str]:
    """What these tasks are called, as far as the read model knows them."""
    found: dict[str, str] = {}
    asked: dict[str, Any] = {"limit": TASKS_PER_PAGE}
    while not wanted <= found.keys():
        page = TaskPage.model_validate(await hourbook.get(f"/v1/accounts/{account_id}/tasks", **asked))
        found |= {task.task_id: task.title for task in page.tasks if task.title is not None}
        if page.next_cursor is None:
            break
        asked["cursor"] = page.next_cursor
    return {task_id: title for task_id, title in found.items() if task_id in wanted}


async def _dry_run(hourbook: Hourbook, path: str, body: PurchasePackageBody | PayDebtBody, kind: type[Fact]) -> Fact:
    """The event that the command would lead to; ProblemError where it would be refused."""
    sent = body.model_dump(mode="json", exclude_none=True)
    answer = Recorded.model_validate(await hourbook.command(path, sent, f"invoice-{uuid4().hex}", dry_run=True))
    return next(event for event in (each.event() for each in answer.events) if isinstance(event, kind))
