"""The routes of the log, for auditors and for projections that catch up, and the sandbox's clock."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from contracts.access import Right
from contracts.placement import ACCESS_LOG
from contracts.quantities import POSITION_MAX, AccountId, AskedInstant, GivenInstant, Instant, KnownAt, parse_known_at
from contracts.read_models import BalanceView
from services.access.door import principal_of
from services.access.needs import KNOWN, needs
from services.ledger.access.disclosures import note_export
from services.ledger.audit.replay import replay_stored
from services.ledger.clock import SandboxClock
from services.ledger.http.bulk import NDJSON
from services.ledger.http.log_feed import (
    account_events,
    account_lines,
    begun,
    followed_lines,
    log_headers,
    log_lines,
    require_log,
)
from services.ledger.http.requests import LedgerOf
from services.ledger.http.sandbox import move_clock
from services.ledger.settings import LOGS_MAX
from services.process.openapi import headers, lines_of, problems
from services.process.problem_responses import ProblemError

router = APIRouter(prefix="/v1", tags=["log"])
sandbox = APIRouter(prefix="/v1", tags=["sandbox"])

OF_LOG = headers("Hourbook-Ledger", "Hourbook-Epoch", "Hourbook-Logs", "Hourbook-Position")
EVENT_LINES = lines_of("A RecordedEvent a line.")
OF_ACCOUNT = problems("account-not-found", "account-unreadable", "ledger-unavailable")

HASHES_MAX = 10_000

Position = Annotated[int, Field(ge=0, le=POSITION_MAX)]
LogNumber = Annotated[int, Field(ge=0, lt=LOGS_MAX)]
AnyLog = Annotated[int, Field(ge=ACCESS_LOG, lt=LOGS_MAX)]
"""That of access too, by -1."""


class Parameters(BaseModel):
    """What a question is asked with."""

    model_config = ConfigDict(frozen=True)


class LogParameters(Parameters):
    """Which part of the log; `follow` waits for more at its end."""

    after: Position = 0
    limit: Annotated[int, Field(ge=1, le=POSITION_MAX)] | None = None
    follow: bool = False
    log: LogNumber = 0


class HashParameters(Parameters):
    """Which part of the log."""

    after: Position = 0
    limit: Annotated[int, Field(ge=1, le=HASHES_MAX)] = HASHES_MAX
    log: LogNumber = 0


class LogHashes(BaseModel):
    """Leaf hashes in hexadecimal (see FORMAT.md), the first that of the event at `after` + 1."""

    after: int
    hashes: tuple[str, ...]


class ReplayParameters(Parameters):
    """As of when, by what was known when (rule 12)."""

    as_of: AskedInstant | None = None
    known_at: Annotated[
        KnownAt,
        BeforeValidator(parse_known_at),
        WithJsonSchema({"type": "string", "description": "a position or an RFC 3339 instant"}),
    ] = None


class Now(BaseModel):
    """What the test clock shows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    now: Instant


class SetNow(Now):
    """What the test clock is to show: so far from the bounds of what can be recorded that whatever is due fits."""

    now: GivenInstant


class Lines(StreamingResponse):
    """Events, one a line."""

    media_type = NDJSON


@router.get(
    "/log",
    response_class=Lines,
    responses={200: OF_LOG | {"content": {NDJSON: EVENT_LINES}}},
    openapi_extra=problems("not-found", "too-many-requests", "ledger-unavailable"),
)
@needs(Right.LOG, streams=True)
async def read_log(ledger: LedgerOf, asked: Annotated[LogParameters, Query()], request: Request) -> Response:
    """The events after a position, in order, one a line; with `follow`, for as long as you listen.

    That an auditor reads more than one of them at once is recorded.
    """
    headers = await log_headers(ledger, asked.log)
    if asked.limit != 1:
        await note_export(ledger.access, principal_of(request.scope), None)
    part = (ledger, asked.log, asked.after, asked.limit)
    return Lines(followed_lines(*part) if asked.follow else await begun(log_lines(*part)), headers=headers)


@router.get("/log/hashes", responses={200: OF_LOG}, openapi_extra=problems("not-found", "ledger-unavailable"))
@needs(Right.LOG)
async def list_log_hashes(ledger: LedgerOf, asked: Annotated[HashParameters, Query()], response: Response) -> LogHashes:
    """The leaf hashes of the events after a position, in order: by them a copy of events is checked against the log."""
    require_log(ledger, asked.log)
    hashes = await ledger.store.hashes(asked.log, asked.after, asked.limit)
    head = asked.after + len(hashes) if 0 < len(hashes) < asked.limit else None
    response.headers.update(await log_headers(ledger, asked.log, head))
    return LogHashes(after=asked.after, hashes=tuple(hashes))


@router.get(
    "/accounts/{account_id}/events",
    response_class=Lines,
    responses={200: {"content": {NDJSON: EVENT_LINES}}},
    openapi_extra=OF_ACCOUNT,
)
@needs(Right.LOG)
async def list_account_events(account_id: AccountId, ledger: LedgerOf, request: Request) -> Response:
    """All events of one account, in order, one a line. That an auditor reads them is recorded."""
    lines = await begun(account_lines(ledger, account_id))
    await note_export(ledger.access, principal_of(request.scope), account_id)
    return Lines(lines)


@router.get("/accounts/{account_id}/replay", openapi_extra=OF_ACCOUNT)
@needs(Right.LOG)
async def replay_balance(
    account_id: AccountId, ledger: LedgerOf, asked: Annotated[ReplayParameters, Query()]
) -> BalanceView:
    """The balance folded from the events alone, without any projection."""
    events = await account_events(ledger, account_id)
    as_of = asked.as_of or await ledger.clock.now()
    return await asyncio.to_thread(replay_stored, account_id, events, as_of, asked.known_at)


async def sandbox_clock(ledger: LedgerOf) -> SandboxClock:
    """The test clock; outside the sandbox there is nothing at its address."""
    if isinstance(ledger.clock, SandboxClock):
        return ledger.clock
    raise ProblemError("not-found", "The test clock exists in the sandbox only: start it with HOURBOOK_SANDBOX=1.")


TestClock = Annotated[SandboxClock, Depends(sandbox_clock)]


@sandbox.get("/test-clock", openapi_extra=problems("not-found", "ledger-unavailable"))
@needs(KNOWN)
async def get_test_clock(clock: TestClock) -> Now:
    """What time it is in the sandbox."""
    return Now(now=await clock.now())


@sandbox.put(
    "/test-clock",
    openapi_extra=problems("not-found", "clock-moves-forward-only", "projection-behind", "ledger-unavailable"),
)
@needs(Right.OPERATE)
async def set_test_clock(body: SetNow, clock: TestClock, ledger: LedgerOf) -> Now:
    """Move the clock forward; answers when everything due by then has been recorded and projected."""
    await move_clock(ledger, clock, body.now)
    return body
