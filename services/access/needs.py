"""What a route needs, said where the route is written: `@needs(Right.TASKS)` above its function."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from contracts.access import Right
from services.access.principals import Principal, refusal
from services.process.health import DETAILS

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Need:
    """A right, or none where it is enough to be known (`known`) or where nobody need be (`public`).

    `listing`: the route shows what is in the scope; over all accounts it needs the right `all-accounts` too.
    `whole`: the route shows all accounts at once, and so is for nobody with a list of accounts.
    `streams`: its answer goes on, and ends within a second when the caller's credential does.
    """

    right: Right | None = None
    public: bool = False
    listing: bool = False
    whole: bool = False
    streams: bool = False

    def refusal(self, principal: Principal, account_id: str | None) -> str | None:
        """Why this principal may not, in a sentence; None where it may."""
        if self.right is None:
            return None
        if self.whole and principal.accounts is not None:
            return f"This shows every account, and {principal.id} has a list of accounts."
        if self.listing and principal.accounts is None:
            return refusal(principal, self.right, None) or refusal(principal, Right.ALL_ACCOUNTS, None)
        return refusal(principal, self.right, account_id)


PUBLIC = Need(public=True)
KNOWN = Need()


PUBLIC_PATHS = frozenset(
    {"/", "/health/live", "/health/ready", "/metrics", "/problems", "/problems/{slug}"}
    | {"/openapi.json", "/asyncapi.json", "/docs", "/docs/{file}"}
)
"""What every application has for everybody: whether it is well, and how to speak to it."""


def needs(
    right: Right | Need, *, listing: bool = False, whole: bool = False, streams: bool = False
) -> Callable[[Endpoint], Endpoint]:
    """Say of a route's function what it needs."""
    need = right if isinstance(right, Need) else Need(right, listing=listing, whole=whole, streams=streams)

    def said(endpoint: Endpoint) -> Endpoint:
        endpoint.__dict__[_SAID] = need
        return endpoint

    return said


OF_OPERATORS = {DETAILS: Need(Right.OPERATE)}
"""What every application has for who operates it."""


def need_of(path: str, endpoint: Callable[..., Any]) -> Need | None:
    """What a route needs; None where nobody has said so."""
    return PUBLIC if path in PUBLIC_PATHS else OF_OPERATORS.get(path) or getattr(endpoint, _SAID, None)


_SAID = "hourbook_need"
