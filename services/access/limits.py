"""How much one caller may ask of a process, so that nobody keeps it from answering the others."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from ipaddress import ip_address
from math import ceil

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.access.principals import Principal
from services.process.problem_responses import ProblemError

AT_ONCE_SECONDS = 5
"""What a caller has not used of so many seconds it may use at once."""

CALLERS_MAX = 20_000
STREAM_RETRY_SECONDS = 5
_NETWORK_BYTES = 8
"""Of an address of IPv6 this much is given to one customer; the rest is its own choice."""


class LimitSettings(BaseSettings):
    """What one principal may ask of one process, and one address without a credential that holds."""

    model_config = SettingsConfigDict(frozen=True, populate_by_name=True)

    requests: int = Field(default=5000, ge=1, validation_alias="HOURBOOK_REQUESTS_PER_SECOND")
    bulk_bytes: int = Field(default=4 << 20, ge=1, validation_alias="HOURBOOK_BULK_BYTES_PER_SECOND")
    streams: int = Field(default=200, ge=1, validation_alias="HOURBOOK_STREAMS_MAX")
    refusals: int = Field(default=2000, ge=1, validation_alias="HOURBOOK_REFUSALS_PER_SECOND")


class Allowance:
    """So much a second for each caller. Of each is known when it has everything again, of the latest ones only."""

    def __init__(self, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_second
        self._clock = clock
        self._whole_at: dict[str, float] = {}

    def wait(self, caller: str) -> float:
        """Seconds until the caller may have more; 0 where it may now."""
        left = self._whole_at.get(caller, 0) - self._clock() - AT_ONCE_SECONDS
        return max(left, 0)

    def take(self, caller: str, amount: float = 1) -> None:
        """Count what the caller is given, also where that is more than is left."""
        whole_at = max(self._whole_at.pop(caller, 0), self._clock())  # popped, so that the latest one is the last
        self._whole_at[caller] = whole_at + amount / self._per_second
        if len(self._whole_at) > CALLERS_MAX:
            del self._whole_at[next(iter(self._whole_at))]


class Limits:
    """The limits of one process. Principals without a credential, as where there is no door, have none."""

    def __init__(self, settings: LimitSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._requests = Allowance(settings.requests, clock)
        self._bulk = Allowance(settings.bulk_bytes, clock)
        self._refusals = Allowance(settings.refusals, clock)
        self._streams = Counter[str]()

    def require_request(self, principal: Principal) -> None:
        """One more request; a problem where there were too many."""
        if wait := self._requests.wait(principal.id):
            what = f"{self._settings.requests} requests a second (HOURBOOK_REQUESTS_PER_SECOND)"
            raise _too_many(principal.id, what, "ask less often, or for more at once", wait)
        self._requests.take(principal.id)

    def require_stranger(self, address: str) -> None:
        """One more request without a credential that holds; a problem where there were too many from its address."""
        network = _network(address)
        if wait := self._refusals.wait(network):
            what = f"{self._settings.refusals} requests a second without a credential that holds"
            raise _too_many("Your address", f"{what} (HOURBOOK_REFUSALS_PER_SECOND)", "send one that holds", wait)
        self._refusals.take(network)

    def require_bulk(self, principal: Principal) -> None:
        """More lines of NDJSON are to be sent; a problem where there were too many bytes of them."""
        if wait := self._bulk.wait(principal.id):
            what = f"{self._settings.bulk_bytes} bytes of NDJSON a second (HOURBOOK_BULK_BYTES_PER_SECOND)"
            raise _too_many(principal.id, what, "send less at once", wait)

    def take_bulk(self, principal: Principal, size: int) -> float:
        """So many bytes of NDJSON have come: for how many seconds no more should be read. None of them is refused."""
        if principal.kind in _WITHOUT_CREDENTIAL:
            return 0
        self._bulk.take(principal.id, size)
        return self._bulk.wait(principal.id)

    def stream(self, principal: Principal) -> AbstractContextManager[None]:
        """One more answer that goes on, for the time of the context; a problem where too many are open."""
        if principal.kind in _WITHOUT_CREDENTIAL:
            return nullcontext()
        if self._streams[principal.id] >= self._settings.streams:
            what = f"{self._settings.streams} streams at once (HOURBOOK_STREAMS_MAX)"
            raise _too_many(principal.id, what, "close those that nobody reads", STREAM_RETRY_SECONDS)
        return self._open(principal.id)

    @contextmanager
    def _open(self, caller: str) -> Iterator[None]:
        self._streams[caller] += 1
        try:
            yield
        finally:
            self._streams[caller] -= 1
            if not self._streams[caller]:
                del self._streams[caller]


_WITHOUT_CREDENTIAL = ("local", "system")


def _too_many(who: str, what: str, remedy: str, wait: float) -> ProblemError:
    detail = f"{who} has had {what} of this process, and gets no more: wait, and {remedy}; its operator sets the limit."
    return ProblemError("too-many-requests", detail, {"Retry-After": str(ceil(wait))})


def _network(address: str) -> str:
    """The address; of one of IPv6 the network, in which one customer may take any."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return address if parsed.version == 4 else parsed.packed[:_NETWORK_BYTES].hex()
