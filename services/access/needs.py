"""What a route needs, said where the route is written: `@needs(Right.TASKS)` above its function."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from contracts.access import Right
from services.access.principals import Principal, refusal

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Need:
    """A right, or none where it is enough to be known (`known`) or where nobody need be (`public`).

    `listing`: the route shows what is in the scope; over all accounts it needs the right `all-accounts` too.
    `streams`: its answer goes on, and ends within a second when the caller's credential does.
    """

    right: Right | None = None
    public: bool = False
    listing: bool = False
    streams: bool = False

    def refusal(self, principal: Principal, account_id: str | None) -> str | None:
        """Why this principal may not, in a sentence; None where it may."""
        if self.right is None:
            return None
        if self.listing and principal.accounts is None:
            return refusal(principal, self.right, None) or refusal(principal, Right.ALL_ACCOUNTS, None)
        return refusal(principal, self.right, account_id)


PUBLIC = Need(public=True)
KNOWN = Need()


def needs(right: Right | Need, *, listing: bool = False, streams: bool = False) -> Callable[[Endpoint], Endpoint]:
    """Say of a route's function what it needs."""
    need = right if isinstance(right, Need) else Need(right, listing=listing, streams=streams)

    def said(endpoint: Endpoint) -> Endpoint:
        endpoint.__dict__[_SAID] = need
        return endpoint

    return said


def need_of(endpoint: Callable[..., Any]) -> Need | None:
    """What a route's function needs; None where nobody has said so."""
    return getattr(endpoint, _SAID, None)


_SAID = "hourbook_need"
