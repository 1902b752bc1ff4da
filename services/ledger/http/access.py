"""The routes of access: who one is, why one may or may not, and keys."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from contracts.access import (
    AccessDecision,
    KeyId,
    KeyList,
    KeyRequest,
    KeyView,
    MadeKey,
    Me,
    Right,
    RotationRequest,
)
from contracts.commands import ReasonBody
from contracts.placement import ACCESS_LOG
from contracts.problems import InvalidField
from contracts.quantities import AccountId
from services.access.door import principal_of, sentence
from services.access.keys import key_id_of
from services.access.needs import KNOWN, needs
from services.access.principals import LOCAL, SYSTEM, Principal, refusal
from services.access.state import AccessState
from services.ledger.access.keys import CredentialTaken, KeyEnded, Keys, MoreThanOnesOwn, NoSuchKey
from services.ledger.http.log import Lines, Position
from services.ledger.http.log_feed import PAGE_EVENTS, as_lines
from services.ledger.http.requests import LedgerOf
from services.process.lost_past import EPOCH_HEADER
from services.process.openapi import headers, problems
from services.process.problem_responses import InvalidRequest, ProblemError

router = APIRouter(prefix="/v1", tags=["access"])

UNAVAILABLE = problems("ledger-unavailable")
OF_KEY = problems("key-not-found", "ledger-unavailable")

PrincipalId = Annotated[str, Query(pattern=r"^[A-Za-z0-9_-]{1,64}$", examples=["key-abcdefghijklmnop"])]
PositionQuery = Annotated[Position, Query(examples=[0])]
KeyPath = Annotated[KeyId, Path()]


async def _keys(request: Request, ledger: LedgerOf) -> Keys:
    return Keys(ledger.access, principal_of(request.scope))


KeysOf = Annotated[Keys, Depends(_keys)]


@router.get("/me", openapi_extra=UNAVAILABLE)
@needs(KNOWN)
async def get_me(request: Request, ledger: LedgerOf) -> Me:
    """Who one is here, and what one may do."""
    principal = principal_of(request.scope)
    name = principal.name or (await ledger.access.names([principal.id])).get(principal.id)
    return Me(
        principal=principal.id,
        kind=principal.kind,
        name=name,
        roles=tuple(sorted(principal.roles)),
        rights=tuple(sorted(principal.rights)),
        accounts=None if principal.accounts is None else tuple(sorted(principal.accounts)),
        ends_at=principal.ends_at,
    )


@router.get("/access/decisions", openapi_extra=UNAVAILABLE)
@needs(Right.ACCESS)
async def explain_decision(
    ledger: LedgerOf, principal: PrincipalId, right: Right, account: AccountId | None = None
) -> AccessDecision:
    """Why a principal may do something, or may not."""
    found = known_principal(ledger.access.state, principal)
    reason = refusal(found, right, account) if found else f"Nothing is known of {principal}."
    if found and not reason and (ended := ended_sentence(ledger.access.state, principal)):
        reason = ended
    granted = f"{principal} has the right {right}" + (f" for {account}." if account else ".")
    return AccessDecision(
        principal=principal, right=right, account=account, allowed=reason is None, reason=reason or granted
    )


@router.get("/access/keys", openapi_extra=UNAVAILABLE)
@needs(Right.ACCESS)
async def list_keys(keys: KeysOf) -> KeyList:
    """The keys within one's own rights, the newest first; never their secrets."""
    return KeyList(keys=await keys.listed())


@router.post("/access/keys", status_code=201, openapi_extra=UNAVAILABLE)
@needs(Right.ACCESS)
async def make_key(body: KeyRequest, keys: KeysOf) -> MadeKey:
    """Make a key, with no more rights, accounts and time than one's own; its credential is shown this once.

    A caller that has made the credential itself may send the request again: there is one key, and the same answer.
    """
    try:
        return await keys.make(body)
    except CredentialTaken as taken:
        raise _credential_taken() from taken
    except MoreThanOnesOwn as more:
        field, _, remedy = str(more).partition(": ")
        raise InvalidRequest(InvalidField(field=field, remedy=remedy)) from more


@router.post(
    "/access/keys/{key_id}/rotation", status_code=201,
    openapi_extra=problems("key-not-found", "key-ended", "ledger-unavailable"),
)  # fmt: skip
@needs(Right.ACCESS)
async def rotate_key(key_id: KeyPath, body: RotationRequest, keys: KeysOf) -> MadeKey:
    """Give a key another secret; the earlier ones go on working for the overlap."""
    try:
        return await keys.rotate(key_id, timedelta(minutes=body.overlap_minutes), datetime.now(UTC), body.credential)
    except CredentialTaken as taken:
        raise _credential_taken() from taken
    except NoSuchKey as missing:
        raise _no_such_key(key_id) from missing
    except KeyEnded as ended:
        raise ProblemError("key-ended", f"{sentence(str(ended))} Make another one.") from ended


@router.post("/access/keys/{key_id}/revocation", status_code=201, openapi_extra=OF_KEY)
@needs(Right.ACCESS)
async def revoke_key(key_id: KeyPath, body: ReasonBody, keys: KeysOf) -> KeyView:
    """End a key: within a second no process accepts it, and its open streams end."""
    try:
        return await keys.revoke(key_id, body.reason)
    except NoSuchKey as missing:
        raise _no_such_key(key_id) from missing


@router.get("/access/records", response_class=Lines, responses={200: headers(EPOCH_HEADER)}, openapi_extra=UNAVAILABLE)
@needs(Right.LOG, whole=True)
async def read_access_records(ledger: LedgerOf, after: PositionQuery = 0) -> Response:
    """What is remembered of access, in order, one fact a line, a page."""
    page = await ledger.store.page(ACCESS_LOG, after, PAGE_EVENTS)
    epoch = {EPOCH_HEADER: str(await ledger.store.epoch())}
    return Response(as_lines(page), headers=epoch, media_type=Lines.media_type)


def _credential_taken() -> ProblemError:
    return InvalidRequest(InvalidField(field="credential", remedy="make another one: this is another key's"))


def _no_such_key(key_id: str) -> ProblemError:
    return ProblemError("key-not-found", f"There is no key {key_id} within your own rights. Check its id.")


def known_principal(state: AccessState, principal: str) -> Principal | None:
    """The principal of that id, as far as the log of access knows it."""
    if found := next((each for each in (LOCAL, *SYSTEM.values()) if each.id == principal), None):
        return found
    if key := state.keys.get(key_id_of(principal)):
        return key.principal
    if admitted := state.people.get(principal):
        accounts = None if admitted.accounts is None else frozenset(admitted.accounts)
        roles = frozenset(admitted.roles)
        return Principal.with_roles(principal, "person", roles, accounts)
    return None


def ended_sentence(state: AccessState, principal: str) -> str | None:
    """Why a key does nothing any more, whatever its rights."""
    key = state.keys.get(key_id_of(principal))
    ended = key and key.ended(datetime.now(UTC))
    return ended and sentence(ended)
