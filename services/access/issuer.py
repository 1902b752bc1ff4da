"""The OIDC issuer's public keys: fetched when they are needed, kept while the issuer is unavailable."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key

from services.process.site import is_loopback

logger = logging.getLogger(__name__)

ASK_SECONDS_MIN = 30
"""At most one fetch in so many seconds, however many tokens name unknown keys."""
REFRESH_SECONDS = 300
KEEP_SECONDS_MAX = 24 * 3600
FETCH_SECONDS_MAX = 5
BYTES_MAX = 1 << 20
KEYS_MAX = 100

_USABLE = {"RSA": {"RS256", "PS256"}, "EC": {"ES256"}, "OKP": {"EdDSA"}}
_RSA_BITS_MIN = 2048

KeySet = Mapping[str, Key]

_NO_KEYS = (httpx.HTTPError, httpx.InvalidURL, TimeoutError, ValueError, KeyError, TypeError, AttributeError)
"""What a fetch fails with: the issuer does not answer, or what it answers is no key set."""


class IssuerUnavailable(Exception):
    """No key set of the issuer was ever had, or the last one is too old."""


class Issuer:
    """The keys of one issuer, for one process."""

    def __init__(self, url: str, client: httpx.AsyncClient, clock: Callable[[], float] = time.monotonic) -> None:
        self.url = url.rstrip("/")
        self._client = client
        self._clock = clock
        self._keys: KeySet = {}
        self._fetched_at: float | None = None
        self._asked_at: float | None = None
        self._flight: asyncio.Task[None] | None = None

    async def key(self, kid: str) -> Key | None:
        """The key of that id; None where the issuer has none. IssuerUnavailable where no usable key set is at hand.

        An unknown id asks the issuer again, in one flight, unless it was asked just now. A known one never waits.
        """
        if self._age() > REFRESH_SECONDS or kid not in self._keys:
            flight = self._ask()
            if flight and (kid not in self._keys or self._age() > KEEP_SECONDS_MAX):
                await asyncio.shield(flight)
        if self._age() > KEEP_SECONDS_MAX:
            raise IssuerUnavailable(self.url)
        return self._keys.get(kid)

    def _age(self) -> float:
        return float("inf") if self._fetched_at is None else self._clock() - self._fetched_at

    def _ask(self) -> asyncio.Task[None] | None:
        """The fetch that is under way; a new one where the last was long enough ago."""
        if self._flight and not self._flight.done():
            return self._flight
        now = self._clock()
        if self._asked_at is None or now - self._asked_at >= ASK_SECONDS_MIN:
            self._asked_at = now
            self._flight = asyncio.create_task(self._fetch())
            return self._flight
        return None

    async def _fetch(self) -> None:
        """Take the issuer's key set; where that fails, the last good one stays."""
        try:
            async with asyncio.timeout(FETCH_SECONDS_MAX):
                about = await self._json(f"{self.url}/.well-known/openid-configuration")
                found = usable(await self._json(self._keys_address(about)))
        except _NO_KEYS as failure:
            logger.warning("the keys of the OIDC issuer cannot be fetched: %r", failure)
            return
        self._keys, self._fetched_at = found, self._clock()

    def _keys_address(self, about: Mapping[str, Any]) -> str:
        if str(about["issuer"]).rstrip("/") != self.url:
            raise ValueError("its discovery document names another issuer")
        keys = about["jwks_uri"]
        if is_loopback(httpx.URL(keys).host) and not is_loopback(httpx.URL(self.url).host):
            raise ValueError("its discovery document names an address of this machine")
        return keys

    async def _json(self, url: str) -> dict[str, Any]:
        answer = (await self._client.get(url)).raise_for_status()
        if len(answer.content) > BYTES_MAX:
            raise ValueError(f"an answer is longer than {BYTES_MAX} bytes")
        return answer.json()


def usable(key_set: Mapping[str, Any]) -> KeySet:
    """The public keys of a JWKS that tokens may be signed with, by id; whatever else is in it is passed over."""
    found = {}
    for given in key_set["keys"][:KEYS_MAX]:
        if given.get("kty") in _USABLE and given.get("use", "sig") == "sig" and isinstance(given.get("kid"), str):
            try:
                key = JWKRegistry.import_key({name: value for name, value in given.items() if name not in _PRIVATE})
            except (JoseError, ValueError, TypeError):
                continue
            if strong(key):
                found[given["kid"]] = key
    return found


def algorithms_of(key: Key) -> set[str]:
    """What a key of this type may have signed with: never a symmetric algorithm, never one that the token chooses."""
    named = key.get("alg")
    usual = _USABLE[key.key_type]
    return usual & {named} if named else usual


def strong(key: Key) -> bool:
    """Whether the key is of a size and curve that are accepted."""
    match key.key_type:
        case "RSA":
            return key.public_key.key_size >= _RSA_BITS_MIN
        case "EC":
            return key.curve_name == "P-256"
        case _:
            return key.curve_name == "Ed25519"


_PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
