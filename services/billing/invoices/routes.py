"""The routes of invoices: issued by who may record money, read by who is shown documents."""

from collections.abc import Collection
from datetime import date
from hashlib import sha256
from typing import Annotated, Any

from asyncpg import UniqueViolationError
from fastapi import APIRouter, Header, Query, Request, Response

from contracts.access import Right
from contracts.commands import ReasonBody
from contracts.invoices import Invoice, InvoiceBody, InvoicePage, InvoiceState
from contracts.quantities import SELLER_ZONE, IdempotencyKey, Instant
from services.access.door import principal_of
from services.access.needs import needs
from services.billing.hourbook import Hourbook
from services.billing.invoices import records
from services.billing.invoices.draft import drafted
from services.billing.invoices.files import MEDIA_TYPES, invoice_file
from services.billing.invoices.parameters import (
    AccountPath,
    AskedAllInvoices,
    AskedInvoices,
    AskedLang,
    DryRun,
    FileOf,
    NumberPath,
)
from services.billing.invoices.records import Issuing, Kept, Wanted
from services.billing.running import OUTAGES, Billing, BillingOf, CallersHourbook
from services.process.openapi import headers, problems
from services.process.problem_responses import ProblemError

router = APIRouter(prefix="/v1/accounts/{account_id}/invoices", tags=["invoices"])
over_all = APIRouter(prefix="/v1/invoices", tags=["invoices"])

ASKED_OF_OTHERS = ("projection-behind", "projection-halted", "projections-unavailable", "account-halted")
"""What billing is answered by the read models that it asks."""

OF_ACCOUNT = ("account-not-found", *OUTAGES, *ASKED_OF_OTHERS)
OF_INVOICE = problems("invoice-not-found", "account-not-found", *OUTAGES)
OF_ENDING = problems("invoice-not-found", "invoice-not-open", "account-not-found", *OUTAGES)
REPLAYED = "Idempotency-Replayed"
BINARY = {"schema": {"type": "string", "format": "binary"}}
FILE = headers("Content-Disposition") | {"content": dict.fromkeys(MEDIA_TYPES.values(), BINARY)}


@router.post(
    "",
    status_code=201,
    response_model=Invoice,
    responses={201: headers(REPLAYED), 200: {"model": Invoice, "description": "A dry run: what would be issued."}},
    openapi_extra=problems(
        *OF_ACCOUNT, "seller-incomplete", "package-already-purchased", "unknown-plan", "payment-exceeds-debt",
        "effective-in-future", "account-unreadable", "idempotency-key-reused",
    ),
)  # fmt: skip
@needs(Right.MONEY)
async def issue_invoice(
    request: Request,
    response: Response,
    account_id: AccountPath,
    body: InvoiceBody,
    billing: BillingOf,
    hourbook: CallersHourbook,
    key: Annotated[IdempotencyKey, Header(alias="Idempotency-Key")],
    dry_run: DryRun = False,
) -> Invoice:
    """Issue an invoice for a package before it is bought, or for what is owed; the ledger records nothing of it.

    Plan, price and debt are what the ledger says in a dry run now. It becomes paid once the package is bought under
    the id that it names, or debt is paid with its number in the payment's reference.
    """
    now = await billing.now(hourbook)
    fingerprint = sha256(body.model_dump_json().encode()).digest()
    if earlier := await _of_key(billing, account_id, key, fingerprint, now):
        response.headers[REPLAYED] = "true"
        return earlier
    content = await drafted(hourbook, billing.seller, account_id, body, now, key, billing.settings.invoice_days)
    if dry_run:
        response.status_code = 200
        return Invoice(**dict(content), number=None, state="issued", history=())
    issuing = Issuing(content, principal_of(request.scope).id, now, key, fingerprint)
    return await _issued(billing, issuing, response)


async def _of_key(billing: Billing, account_id: str, key: str, fingerprint: bytes, now: Instant) -> Invoice | None:
    """What was issued with that key; `idempotency-key-reused` where that was asked for otherwise."""
    async with billing.connection() as connection:
        kept = await records.of_key(connection, account_id, key, _day(now))
    if kept and kept.fingerprint != fingerprint:
        detail = "This key was used for another invoice of this account: give every invoice a key of its own."
        raise ProblemError("idempotency-key-reused", detail)
    return kept and kept.invoice


async def _issued(billing: Billing, issuing: Issuing, response: Response) -> Invoice:
    """The invoice under its number; of two requests with one key the second is answered what the first was."""
    account_id = issuing.content.account_id
    try:
        async with billing.transaction() as connection:
            number = await records.add(connection, issuing)
            kept = await records.one(connection, account_id, number, _day(issuing.at))
    except UniqueViolationError:
        earlier = await _of_key(billing, account_id, issuing.key, issuing.fingerprint, issuing.at)
        assert earlier, "the key is the only thing that two can share"
        response.headers[REPLAYED] = "true"
        return earlier
    assert kept
    return kept.invoice


@router.get("", openapi_extra=problems(*OF_ACCOUNT))
@needs(Right.DOCUMENTS)
async def list_invoices_of_account(
    account_id: AccountPath, asked: Annotated[AskedInvoices, Query()], billing: BillingOf, hourbook: CallersHourbook
) -> InvoicePage:
    """The invoices of an account, the newest first, a page."""
    page = await _page(billing, hourbook, asked, [account_id])
    if not page.invoices:
        await hourbook.get(f"/v1/accounts/{account_id}")
    return page


@router.get("/{file}", response_model=Invoice, responses={200: FILE}, openapi_extra=OF_INVOICE)
@needs(Right.DOCUMENTS)
async def get_invoice(
    account_id: AccountPath, file: FileOf, billing: BillingOf, hourbook: CallersHourbook, lang: AskedLang = "ru"
) -> Any:
    """An invoice as it stands, or as a file, which has the same bytes for ever."""
    kept = await _require(billing, hourbook, account_id, file.number)
    if file.form == "json":
        return kept.invoice
    content = await invoice_file(billing, kept, file.form, lang)
    named = {"Content-Disposition": f'inline; filename="Invoice-{account_id}-{file.number}.{file.form}"'}
    return Response(content, media_type=MEDIA_TYPES[file.form], headers=named)


@router.post("/{number}/withdrawal", openapi_extra=OF_ENDING)
@needs(Right.MONEY)
async def withdraw_invoice(
    request: Request, account_id: AccountPath, number: NumberPath, body: ReasonBody, billing: BillingOf,
    hourbook: CallersHourbook,
) -> Invoice:  # fmt: skip
    """Take an offer back that was not paid."""
    return await _ended(request, billing, hourbook, (account_id, number), "withdrawn", body.reason)


@router.post("/{number}/payment", openapi_extra=OF_ENDING)
@needs(Right.MONEY)
async def mark_invoice_paid(
    request: Request, account_id: AccountPath, number: NumberPath, body: ReasonBody, billing: BillingOf,
    hourbook: CallersHourbook,
) -> Invoice:  # fmt: skip
    """Say that an invoice was paid, where nothing in the ledger shows it: its package was bought under another id."""
    return await _ended(request, billing, hourbook, (account_id, number), "paid", body.reason)


async def _ended(
    request: Request, billing: Billing, hourbook: Hourbook, which: tuple[str, str], state: InvoiceState, reason: str
) -> Invoice:
    """The invoice in its new state; `invoice-not-open` where it is paid, or withdrawn already."""
    now, actor = await billing.now(hourbook), principal_of(request.scope).id
    kept = await _require(billing, hourbook, *which)
    async with billing.transaction() as connection:
        if kept.invoice.state in ("paid", state) or not await records.end(
            connection, kept.id, state, now, actor, reason=reason
        ):
            raise ProblemError("invoice-not-open", f"The invoice {which[1]} is {kept.invoice.state}.")
        changed = await records.one(connection, *which, _day(now))
    assert changed
    return changed.invoice


@over_all.get("", openapi_extra=problems(*OUTAGES))
@needs(Right.DOCUMENTS, listing=True)
async def list_invoices(
    request: Request, asked: Annotated[AskedAllInvoices, Query()], billing: BillingOf, hourbook: CallersHourbook
) -> InvoicePage:
    """Invoices of all accounts, the newest first, a page."""
    seen = principal_of(request.scope).accounts
    if asked.account_id is not None:
        seen = {asked.account_id} if seen is None else seen & {asked.account_id}
    return await _page(billing, hourbook, asked, seen)


async def _page(
    billing: Billing, hourbook: Hourbook, asked: AskedInvoices, accounts: Collection[str] | None
) -> InvoicePage:
    today = _day(await billing.now(hourbook))
    wanted = Wanted(accounts, asked.state, asked.issued_from, asked.issued_through, asked.cursor, asked.limit + 1)
    async with billing.connection() as connection:
        found = await records.listed(connection, wanted, today)
    shown = found[: asked.limit]
    following = str(shown[-1].id) if len(found) > asked.limit else None
    return InvoicePage(invoices=tuple(kept.invoice for kept in shown), next_cursor=following)


async def _require(billing: Billing, hourbook: Hourbook, account_id: str, number: str) -> Kept:
    today = _day(await billing.now(hourbook))
    async with billing.connection() as connection:
        kept = await records.one(connection, account_id, number, today)
    if kept is None:
        raise ProblemError("invoice-not-found", f"The account {account_id} has no invoice {number}. Check both.")
    return kept


def _day(now: Instant) -> date:
    return now.astimezone(SELLER_ZONE).date()


ROUTES = [*router.routes, *over_all.routes]
