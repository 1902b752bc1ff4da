"""The routes of recipients, of sending a month's documents, and of the documents that were sent."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from contracts.access import Right
from contracts.quantities import SELLER_ZONE, AccountId, Month
from contracts.sending import (
    AddressErased,
    AddressErasureBody,
    MarkBody,
    MonthSending,
    PlannedSending,
    Recipients,
    RecipientsBody,
    SendingBody,
    SendingRequested,
    SentDocument,
    Sha256,
)
from services.access.door import foreign_account, principal_of
from services.access.needs import needs
from services.access.principals import Principal
from services.billing.hourbook import Hourbook
from services.billing.running import OUTAGES, Billing, BillingOf, CallersHourbook
from services.billing.sending import recipients
from services.billing.sending.documents import kept_document, mark_document
from services.billing.sending.plan import accounts_of, plan
from services.billing.sending.settings import SendingSettings
from services.billing.sending.state import month_sending
from services.process.openapi import headers, problems
from services.process.problem_responses import ProblemError
from services.process.settings import read

PAGE_ROWS_MAX = 1000
ASKED_AT_ONCE = 4
READINGS = ("projection-behind", "projection-halted", "projections-unavailable")
OF_ACCOUNT = problems("account-not-found", "account-halted", *OUTAGES, *READINGS)
OF_SENDING = problems("sending-off", "account-not-found", *OUTAGES, *READINGS)
BINARY = {"schema": {"type": "string", "format": "binary"}}
KEPT = {"application/pdf": BINARY, "application/xml": BINARY}

router = APIRouter(prefix="/v1", tags=["sending"])

AccountPath = Annotated[AccountId, Path()]
MonthPath = Annotated[Month, Path()]
Sha256Path = Annotated[Sha256, Path()]

ADD_REQUESTS = """
    INSERT INTO sending_request (account_id, month, actor, again)
    SELECT account_id, $2, $3, true FROM unnest($1::text[]) AS account_id
    WHERE NOT EXISTS (
        SELECT FROM sending_request AS waiting
        WHERE waiting.account_id = account_id.account_id AND month = $2 AND state = 'requested'
    )
"""


class AskedPage(BaseModel):
    """One account alone, or where the page of all begins, by account, and how long it is."""

    model_config = ConfigDict(frozen=True)

    account: AccountId | None = None
    cursor: AccountId | None = None
    limit: Annotated[int, Field(ge=1, le=PAGE_ROWS_MAX)] = 100


@router.put("/accounts/{account_id}/recipients", openapi_extra=OF_ACCOUNT)
@needs(Right.MONEY)
async def set_recipients(
    request: Request, billing: BillingOf, hourbook: CallersHourbook, account_id: AccountPath, body: RecipientsBody
) -> Recipients:
    """Say who gets an account's documents from a day on. Earlier lists stay; the same list again changes nothing."""
    await hourbook.get(f"/v1/accounts/{account_id}")
    async with billing.transaction() as connection:
        await recipients.put(connection, account_id, body, principal_of(request.scope).id)
    return await _recipients(billing, hourbook, account_id)


@router.get("/accounts/{account_id}/recipients", openapi_extra=OF_ACCOUNT)
@needs(Right.MONEY)
async def get_recipients(billing: BillingOf, hourbook: CallersHourbook, account_id: AccountPath) -> Recipients:
    """Who gets an account's documents today, and every list there was."""
    await hourbook.get(f"/v1/accounts/{account_id}")
    return await _recipients(billing, hourbook, account_id)


async def _recipients(billing: Billing, hourbook: Hourbook, account_id: str) -> Recipients:
    today = (await billing.now(hourbook)).astimezone(SELLER_ZONE).date()
    async with billing.connection() as connection:
        found = await recipients.recipients(connection, account_id, today)
    settings = read(SendingSettings)
    return found.model_copy(update={"can_be_sent": settings.is_on, "sent_after_days": settings.after_days})


@router.post("/accounts/{account_id}/recipients/erasures", openapi_extra=problems(*OUTAGES))
@needs(Right.ERASURE)
async def erase_recipient(
    request: Request, billing: BillingOf, account_id: AccountPath, body: AddressErasureBody
) -> AddressErased:
    """Erase an address from an account's lists and messages. What was sent to it stays, without it."""
    async with billing.transaction() as connection:
        erased = await recipients.erase(connection, account_id, body, principal_of(request.scope).id)
        known = await recipients.erasures(connection, account_id)
        await billing.keep_erasures(known)
    return AddressErased(account_id=account_id, erased=erased)


@router.post(
    "/months/{month}/sending",
    status_code=202,
    responses={200: {"model": SendingRequested, "description": "A dry run: what would be sent."}},
    openapi_extra=OF_SENDING,
)
@needs(Right.MONTHS, listing=True)
async def send_month(
    request: Request,
    response: Response,
    billing: BillingOf,
    hourbook: CallersHourbook,
    month: MonthPath,
    body: SendingBody,
    dry_run: bool = False,
) -> SendingRequested:
    """Request that a closed month's documents are sent: whatever was not yet, and what was refused or given up.

    Nobody is sent a document twice, however often this is asked for; a month that was reopened and closed again has new
    documents. A dry run requests nothing, and says who would be sent what.
    """
    principal = principal_of(request.scope)
    accounts = await _accounts(hourbook, principal, month, body)
    if dry_run:
        response.status_code = 200
        return SendingRequested(
            month=month, accounts=accounts, planned=await _plans(billing, hourbook, month, accounts)
        )
    if not read(SendingSettings).is_on:
        raise ProblemError("sending-off", "HOURBOOK_SMTP_URL names no mail server, so that nothing can be sent.")
    async with billing.transaction() as connection:
        await connection.execute(ADD_REQUESTS, list(accounts), month, principal.id)
    return SendingRequested(month=month, accounts=accounts)


async def _accounts(hourbook: Hourbook, principal: Principal, month: str, body: SendingBody) -> tuple[str, ...]:
    """Those that are named, or all whose month is closed, as far as the caller sees them."""
    month_of = {each.account_id: each for each in await accounts_of(hourbook, month)}
    if body.accounts is None:
        return tuple(account_id for account_id, each in month_of.items() if each.closed)
    if unknown := sorted(each for each in body.accounts if each not in month_of or not principal.sees(each)):
        raise foreign_account(unknown[0])
    return tuple(sorted(body.accounts))


async def _plans(
    billing: Billing, hourbook: Hourbook, month: str, accounts: tuple[str, ...]
) -> tuple[PlannedSending, ...]:
    turn = asyncio.Semaphore(ASKED_AT_ONCE)

    async def planned(account_id: str) -> PlannedSending:
        async with turn:
            return (await plan(billing, hourbook, account_id, month, again=True)).shown(account_id)

    return tuple(await asyncio.gather(*map(planned, accounts)))


@router.get("/months/{month}/sending", openapi_extra=problems(*OUTAGES))
@needs(Right.DOCUMENTS, listing=True)
async def get_month_sending(
    request: Request, billing: BillingOf, month: MonthPath, asked: Annotated[AskedPage, Query()]
) -> MonthSending:
    """Where the documents of a month are: what was requested, and every message and document; a page, by account."""
    principal = principal_of(request.scope)
    async with billing.connection() as connection:
        page, more = await month_sending(
            connection, month, principal.scope_within(asked.account), asked.cursor or "", asked.limit,
            with_addresses=Right.MONEY in principal.rights,
        )  # fmt: skip
    return page.model_copy(update={"next_cursor": page.accounts[-1].account_id}) if more else page


@router.get(
    "/documents/{sha256}",
    response_class=Response,
    responses={200: headers("Content-Disposition") | {"content": KEPT}},
    openapi_extra=problems("document-not-found", *OUTAGES),
)
@needs(Right.DOCUMENTS, listing=True)
async def get_document(request: Request, billing: BillingOf, sha256: Sha256Path) -> Response:
    """The very bytes of a document that was sent, by their SHA-256."""
    async with billing.connection() as connection:
        found = await kept_document(connection, sha256, principal_of(request.scope).accounts)
    shown = "inline" if found["media_type"] == "application/pdf" else "attachment"
    disposition = {"Content-Disposition": f'{shown}; filename="{found["name"]}"'}
    return Response(found["content"], media_type=found["media_type"], headers=disposition)


@router.put("/documents/{sha256}/mark", openapi_extra=problems("document-not-found", *OUTAGES))
@needs(Right.MONTHS, listing=True)
async def mark_sent_document(request: Request, billing: BillingOf, sha256: Sha256Path, body: MarkBody) -> SentDocument:
    """Say what became of a document: signed, returned, or that an earlier mark was wrong. The last mark counts.

    The same mark again changes nothing.
    """
    async with billing.transaction() as connection:
        return await mark_document(connection, sha256, body, principal_of(request.scope))
