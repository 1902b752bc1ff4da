"""The door before every route: who is it, and may they?"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Protocol

from starlette.types import Scope

from contracts.access import KEY_PREFIX, Right
from contracts.commands import Command, OpenAccount
from services.access.issuer import IssuerUnavailable
from services.access.keys import Credential
from services.access.limits import Limits
from services.access.needs import Need
from services.access.principals import LOCAL, Principal
from services.access.rights import RIGHT_OF_COMMAND
from services.access.state import AccessState
from services.access.tokens import TokenRefused, Tokens
from services.process.metrics import DOOR_REFUSALS
from services.process.problem_responses import ProblemError
from services.process.wake import Wake

NEED_OF_COMMAND = {name: Need(right) for name, right in RIGHT_OF_COMMAND.items()}
NOT_AUTHENTICATED = "not-authenticated"
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
        limits: Limits,
        tokens: Tokens | None = None,
        *,
        is_open: bool = False,
        admit: Callable[[Principal], Awaitable[None]] | None = None,
    ) -> None:
        self.book = book
        self.limits = limits
        self._tokens = tokens
        self._is_open = is_open
        self._admit = admit

    async def enter(self, authorization: bytes | None, address: str) -> Admission:
        """Who calls from that address; ProblemError 401 says what is wrong with the credential, never repeating it.

        Where too many came from there that do not hold, it is a 429. One that holds is let in all the same.
        """
        if self._is_open:
            return Admission(LOCAL, None)
        try:
            admission = await self._admission(authorization)
        except ProblemError as refused:
            if refused.problem.slug == NOT_AUTHENTICATED:
                self.limits.require_stranger(address)
            raise
        self.limits.require_request(admission.principal)
        return admission

    async def _admission(self, authorization: bytes | None) -> Admission:
        scheme, _, given = (authorization or b"").decode("latin-1").partition(" ")
        if not authorization or scheme.lower() != "bearer" or not given:
            raise not_authenticated("send the header Authorization: Bearer, with a key or a token")
        if credential := Credential.parse(given):
            return self._key(credential)
        if given.startswith(KEY_PREFIX):
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
    return ProblemError(NOT_AUTHENTICATED, sentence(reason), CHALLENGE)


def sentence(reason: str) -> str:
    """The reason as a sentence of its own."""
    return f"{reason[0].upper()}{reason[1:]}."


def not_allowed(reason: str) -> ProblemError:
    """403, with the right that is missing."""
    return ProblemError("not-allowed", reason)


def foreign_account(account_id: str) -> ProblemError:
    """What a scoped caller is answered for another's account and for an unknown one alike."""
    return ProblemError("account-not-found", f"There is no account {account_id} for you. Check its id.")


@contextmanager
def counting(right: Right | None) -> Iterator[None]:
    """Where the door decides about somebody who needs that right: what it refuses is counted."""
    try:
        yield
    except ProblemError as refused:
        DOOR_REFUSALS.labels(refused.problem.slug, right or "none").inc()
        raise


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
    with counting(need.right):
        _require_command(principal, need, command)


def _require_command(principal: Principal, need: Need, command: Command) -> None:
    if isinstance(command, OpenAccount):  # may be of an account that nobody has; so a foreign one is no secret here
        if reason := need.refusal(principal, command.account_id):
            raise not_allowed(reason)
        return
    require(principal, need, command.account_id)


def principal_of(scope: Scope) -> Principal:
    """The principal of a request, in any route."""
    return scope["principal"]
