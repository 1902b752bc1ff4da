"""The door before every route: who is it, and may they? Only then is the body read and anything looked up."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from copy import copy
from datetime import UTC, datetime
from typing import Any, Protocol

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from contracts.commands import Command, OpenAccount
from services.access.issuer import IssuerUnavailable
from services.access.keys import Credential
from services.access.needs import Need, need_of
from services.access.principals import LOCAL, Principal
from services.access.rights import RIGHT_OF_COMMAND
from services.access.state import AccessState
from services.access.tokens import TokenRefused, Tokens
from services.process.metrics import DOOR_REFUSALS
from services.process.openapi import BEARER
from services.process.operator_error import OperatorError
from services.process.problem_responses import ProblemError
from services.process.stopping import end as stop
from services.process.wake import Wake

NEED_OF_COMMAND = {name: Need(right) for name, right in RIGHT_OF_COMMAND.items()}
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="hourbook"'}


class AccessBook(Protocol):
    """What this process knows of access: the state, and a bell that is rung when it has changed."""

    state: AccessState
    wake: Wake


class Admission:
    """One caller, let in: a principal, and whether it is one still."""

    def __init__(self, principal: Principal, credential: Credential | None) -> None:
        self.principal = principal
        self._credential = credential

    def ended(self, state: AccessState, now: datetime) -> bool:
        """Whether the credential has ended since: revoked, rotated away, or out of its time."""
        if self._credential:
            return state.refusal(self._credential, now) is not None
        return self.principal.ends_at is not None and now >= self.principal.ends_at


class Door:
    """Lets callers in by key or token. Without a door (`is_open`) everybody is `local`."""

    def __init__(
        self,
        book: AccessBook,
        tokens: Tokens | None = None,
        *,
        is_open: bool = False,
        admit: Callable[[Principal], Awaitable[None]] | None = None,
    ) -> None:
        self.book = book
        self._tokens = tokens
        self._is_open = is_open
        self._admit = admit

    async def enter(self, authorization: bytes | None) -> Admission:
        """Who calls; ProblemError 401 says what is wrong with the credential, and never repeats it."""
        if self._is_open:
            return Admission(LOCAL, None)
        scheme, _, given = (authorization or b"").decode("latin-1").partition(" ")
        if not authorization or scheme.lower() != "bearer" or not given:
            raise not_authenticated("send the header Authorization: Bearer, with a key or a token")
        if credential := Credential.parse(given):
            return self._key(credential)
        if given.startswith("hb1_"):
            raise not_authenticated("the key has another form than hb1_<id>_<secret>")
        return Admission(await self._person(given), None)

    def _key(self, credential: Credential) -> Admission:
        state = self.book.state
        if reason := state.refusal(credential, datetime.now(UTC)):
            raise not_authenticated(reason)
        return Admission(state.keys[credential.key_id].principal, credential)

    async def _person(self, token: str) -> Principal:
        if self._tokens is None:
            raise not_authenticated("this is no key, and no issuer of tokens is set (HOURBOOK_OIDC_ISSUER)")
        try:
            person = await self._tokens.principal(token)
        except TokenRefused as refused:
            raise not_authenticated(f"the token is not accepted: {refused}") from refused
        except IssuerUnavailable as unavailable:
            detail = "No key of the issuer is known yet, and it does not answer: ask again."
            raise ProblemError("identity-provider-unavailable", detail, {"Retry-After": "5"}) from unavailable
        if self._admit and not self.book.state.admits(person):
            await self._admit(person)
        return person


def not_authenticated(reason: str) -> ProblemError:
    """401, with what is wrong."""
    return _refused("not-authenticated", f"{reason[0].upper()}{reason[1:]}.", CHALLENGE)


def not_allowed(reason: str) -> ProblemError:
    """403, with the right that is missing."""
    return _refused("not-allowed", reason)


def foreign_account(account_id: str) -> ProblemError:
    """What a scoped caller is answered for another's account and for an unknown one alike."""
    return _refused("account-not-found", f"There is no account {account_id} for you. Check its id.")


def _refused(slug: str, detail: str, headers: Mapping[str, str] | None = None) -> ProblemError:
    DOOR_REFUSALS.labels(slug).inc()
    return ProblemError(slug, detail, headers)


def require(principal: Principal, need: Need, account_id: str | None) -> None:
    """A problem where the principal may not. What is not in its scope is not there for it."""
    if account_id is not None and not principal.sees(account_id):
        if need.right is None or need.right in principal.rights:
            raise foreign_account(account_id)
        raise not_allowed(need.refusal(principal, None) or "")
    if reason := need.refusal(principal, account_id):
        raise not_allowed(reason)


def require_command(principal: Principal, command: Command) -> None:
    """A problem where the principal may not give the command: on a line of NDJSON as on a route of its own."""
    need = NEED_OF_COMMAND[type(command).__name__]
    if isinstance(command, OpenAccount):  # may be of an account that nobody has; so a foreign one is no secret here
        if reason := need.refusal(principal, command.account_id):
            raise not_allowed(reason)
        return
    require(principal, need, command.account_id)


def principal_of(scope: Scope) -> Principal:
    """The principal of a request, in any route."""
    return scope["principal"]


class Guarded:
    """A route behind the door."""

    def __init__(self, route: ASGIApp, need: Need, door: Callable[[Scope], Door]) -> None:
        self._route = route
        self._need = need
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        door = self._door(scope)
        admission = await door.enter(_header(scope, b"authorization"))
        scope["principal"] = admission.principal
        require(admission.principal, self._need, scope.get("path_params", {}).get("account_id"))
        if self._need.streams:
            await _until_ended(admission, door.book, self._route(scope, receive, send))
        else:
            await self._route(scope, receive, send)


def _header(scope: Scope, name: bytes) -> bytes | None:
    return next((value for key, value in scope["headers"] if key == name), None)


async def _until_ended(admission: Admission, book: AccessBook, answering: Coroutine[Any, Any, None]) -> None:
    """Let the answer go on while its credential holds."""
    answer, end = asyncio.create_task(answering), asyncio.create_task(_end(admission, book))
    try:
        await asyncio.wait({answer, end}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await stop(answer, end)
    if not answer.cancelled():
        answer.result()


async def _end(admission: Admission, book: AccessBook) -> None:
    """Comes when the credential ends. Times are looked at every second, revocations at once."""
    while True:
        ring = book.wake.next
        if admission.ended(book.state, datetime.now(UTC)):
            return
        await ring.wait(1)


def guard(app: FastAPI, door: Callable[[Scope], Door]) -> None:
    """Put every route of the application behind the door; OperatorError names the routes that say no need."""
    if silent := list(routes_without_need(app)):
        raise OperatorError(f"These routes name no right, and so nobody may use them: {', '.join(silent)}.")
    app.router.routes[:] = [_guarded(route, door) if isinstance(route, APIRoute) else route for route in app.routes]


def _guarded(route: APIRoute, door: Callable[[Scope], Door]) -> APIRoute:
    """The route behind the door: a copy, for another application may have the same route with another door, or none."""
    need = need_of(route.path, route.endpoint)
    if need is None or need.public:
        return route
    behind = copy(route)
    behind.app = Guarded(route.app, need, door)
    behind.openapi_extra = (route.openapi_extra or {}) | BEARER
    return behind


def routes_of(app: FastAPI) -> Iterator[APIRoute]:
    """The routes that answer something of ours."""
    return (route for route in app.routes if isinstance(route, APIRoute))


def routes_without_need(app: FastAPI) -> Iterator[str]:
    """Method and path of each route that says neither a right nor that it needs none."""
    for route in routes_of(app):
        if need_of(route.path, route.endpoint) is None:
            yield f"{'/'.join(sorted(route.methods))} {route.path}"


def table(app: FastAPI) -> Mapping[tuple[str, str], Need]:
    """What each method and path needs."""
    return {
        (method, route.path): need
        for route in routes_of(app)
        if (need := need_of(route.path, route.endpoint))
        for method in route.methods
    }
