"""The routes of what is personal: read, and erased on demand."""

from collections.abc import AsyncIterator
from typing import Annotated

import asyncpg
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import Field

from contracts.access import Right
from contracts.privacy import Erased, ErasureBody, PersonalText
from contracts.quantities import COMMITMENT_FORM, POSITION_MAX, AccountId
from services.access.door import principal_of
from services.access.needs import needs
from services.ledger.access.disclosures import note_names_erased, note_names_read, note_outside_database
from services.ledger.domain.refusals import AccountNotFound
from services.ledger.event_store.personal import PersonalData
from services.ledger.http.bulk import NDJSON
from services.ledger.http.log import AnyLog, Lines, Parameters, Position
from services.ledger.http.log_feed import begun, require_log
from services.ledger.http.requests import LedgerOf
from services.process.openapi import lines_of, problems

router = APIRouter(prefix="/v1", tags=["personal-data"])

OF_ACCOUNT = problems("account-not-found", "ledger-unavailable")

PAGE_TEXTS = 1000


class PartOfLog(Parameters):
    """Of the events after one position, up to another."""

    log: AnyLog = 0
    after: Position = 0
    until: Position = POSITION_MAX


class NamesAsked(Parameters):
    """Of an account: all, or what one commitment stands for."""

    commitment: Annotated[str, Field(pattern=COMMITMENT_FORM)] | None = None


async def log_of_account(account_id: AccountId, ledger: LedgerOf) -> int:
    """The log that an account is in; AccountNotFound for one that is not open."""
    log_id = ledger.log_of(account_id)
    if not await ledger.store.account_page(log_id, account_id, 0, 1):
        raise AccountNotFound(account_id)
    return log_id


LogOfAccount = Annotated[int, Depends(log_of_account)]


@router.get("/accounts/{account_id}/personal-data", openapi_extra=OF_ACCOUNT)
@needs(Right.PERSONAL)
async def list_personal_data(
    account_id: AccountId,
    asked: Annotated[NamesAsked, Query()],
    ledger: LedgerOf,
    log_id: LogOfAccount,
    request: Request,
) -> tuple[PersonalText, ...]:
    """What of the account's events is personal and not erased, in their order. That an auditor reads it is recorded."""
    await note_names_read(ledger.access, principal_of(request.scope), account_id)
    return tuple(map(_text, await ledger.store.personal.of_account(log_id, account_id, asked.commitment)))


@router.post("/accounts/{account_id}/personal-data/erasures", openapi_extra=OF_ACCOUNT)
@needs(Right.ERASURE)
async def erase_personal_data(
    account_id: AccountId, body: ErasureBody, ledger: LedgerOf, log_id: LogOfAccount, request: Request
) -> Erased:
    """Erase it, all of it or one person's; nothing of it is left in the database then. Repeating it does no harm.

    The body has the person, for an address would be kept by every proxy on the way.
    """
    erased = await ledger.store.personal.erase(log_id, account_id, body.person, body.reason)
    await note_outside_database(ledger.settings.erasures_file, await ledger.store.personal.erasures(log_id, account_id))
    await note_names_erased(ledger.access, principal_of(request.scope), account_id, erased, body.reason)
    return Erased(account_id=account_id, erased=erased)


@router.get(
    "/personal-data",
    response_class=Lines,
    responses={200: {"content": {NDJSON: lines_of("A PersonalText a line.")}}},
    openapi_extra=problems("not-found", "ledger-unavailable"),
)
@needs(Right.PERSONAL, whole=True)
async def list_personal_data_of_log(
    ledger: LedgerOf, asked: Annotated[PartOfLog, Query()], request: Request
) -> Response:
    """What is personal and not erased in a part of a log, NDJSON, in the order of the events."""
    require_log(ledger, asked.log)
    await note_names_read(ledger.access, principal_of(request.scope), None)
    return Lines(await begun(_lines(ledger.store.personal, asked)))


async def _lines(personal: PersonalData, asked: PartOfLog) -> AsyncIterator[bytes]:
    last = (min(asked.after + 1, POSITION_MAX), "")
    while page := await personal.page(asked.log, last, asked.until, PAGE_TEXTS):
        yield "".join(f"{_text(row).model_dump_json()}\n" for row in page).encode()
        last = (page[-1]["position"], page[-1]["commitment"])


def _text(row: asyncpg.Record) -> PersonalText:
    return PersonalText(**{**row, "salt": row["salt"].hex()})
