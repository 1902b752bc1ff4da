"""Logging in at the OIDC issuer: the code flow with PKCE, asked by the rules for servers elsewhere.

Whether the token that comes of it lets somebody in is decided by the routes alone. The ID token came straight from the
issuer, so it is only held to this login: its nonce, its issuer and the client that it is for.
"""

import asyncio
import hmac
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote_plus, urlsplit

import httpx
import orjson
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc.errors import JoseError
from joserfc.jws import extract_compact
from pydantic import BaseModel

from services.pages.session import Begun
from services.pages.settings import PagesSettings
from services.process.operator_error import OperatorError
from services.process.outside import OutsideUrl, outside_client
from services.process.site import is_loopback

logger = logging.getLogger(__name__)

SCOPE = "openid profile"
DISCOVERED_SECONDS = 300
EXCHANGE_SECONDS_MAX = 15
BYTES_MAX = 1 << 20

_NO_ANSWER = (httpx.HTTPError, httpx.InvalidURL, TimeoutError, ValueError, OperatorError)
"""What asking fails with: the issuer does not answer, its answer is of no use, or the client's secret is not there."""


class IssuerUnavailable(Exception):
    """The issuer cannot be asked now, or answers nothing of use."""


class LoginRefused(Exception):
    """The issuer does not accept the code, or what it answers is of another login."""


class Endpoints(BaseModel):
    """Where the issuer says that it is asked."""

    issuer: str
    authorization_endpoint: OutsideUrl
    token_endpoint: OutsideUrl


class Granted(BaseModel):
    """The tokens that a code is exchanged for."""

    access_token: str
    id_token: str


class Issuer:
    """The issuer that people log in at, for one process."""

    def __init__(self, settings: PagesSettings, clock: Callable[[], float] = time.monotonic) -> None:
        assert settings.issuer
        assert settings.client_id
        assert settings.audience
        self.url = settings.issuer.rstrip("/")
        self._client_id, self._audience, self._secret = settings.client_id, settings.audience, settings.client_secret
        self._clock = clock
        self._found: tuple[float, Endpoints] | None = None

    @property
    def name(self) -> str:
        """What people know it by."""
        return urlsplit(self.url).hostname or self.url

    async def address(self, begun: Begun, callback: str) -> str:
        """Where the browser goes to log in."""
        async with _asking() as client:
            endpoints = await self._endpoints(client)
        return prepare_grant_uri(
            endpoints.authorization_endpoint,
            client_id=self._client_id,
            response_type="code",
            redirect_uri=callback,
            scope=SCOPE,
            state=begun.state,
            nonce=begun.nonce,
            code_challenge=create_s256_code_challenge(begun.verifier),
            code_challenge_method="S256",
        )

    async def token(self, begun: Begun, code: str, callback: str) -> str:
        """The token for a code: the access token if it is a JWT for the audience of the routes, else the ID token."""
        async with _asking() as client:
            granted = await self._exchanged(client, begun, code, callback)
        if not self._is_of(begun, claims_of(granted.id_token)):
            raise LoginRefused("its ID token is of another login")
        return granted.access_token if _is_for(granted.access_token, self._audience) else granted.id_token

    async def _exchanged(self, client: httpx.AsyncClient, begun: Begun, code: str, callback: str) -> Granted:
        endpoints, secret = await self._endpoints(client), self._secret()
        fields = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": callback, "code_verifier": begun.verifier,
        }  # fmt: skip
        if secret is None:
            answer = await client.post(endpoints.token_endpoint, data=fields | {"client_id": self._client_id})
        else:
            shown = httpx.BasicAuth(quote_plus(self._client_id), quote_plus(secret))
            answer = await client.post(endpoints.token_endpoint, data=fields, auth=shown)
        if answer.status_code in {400, 401}:
            raise LoginRefused(f"it answers {answer.status_code}")
        return Granted.model_validate_json(_content(answer))

    async def _endpoints(self, client: httpx.AsyncClient) -> Endpoints:
        if self._found and self._clock() - self._found[0] < DISCOVERED_SECONDS:
            return self._found[1]
        answer = await client.get(f"{self.url}/.well-known/openid-configuration")
        found = endpoints_in(_content(answer), self.url)
        self._found = (self._clock(), found)
        return found

    def _is_of(self, begun: Begun, claims: dict[str, Any]) -> bool:
        return (
            hmac.compare_digest(str(claims.get("nonce")).encode(), begun.nonce.encode())
            and str(claims.get("iss")).rstrip("/") == self.url
            and self._client_id in audiences(claims)
        )


@asynccontextmanager
async def _asking() -> AsyncIterator[httpx.AsyncClient]:
    """A client for one exchange; IssuerUnavailable, with the reason in the log, where that comes to nothing."""
    try:
        async with asyncio.timeout(EXCHANGE_SECONDS_MAX), outside_client() as client:
            yield client
    except LoginRefused as refused:
        logger.warning("the OIDC issuer refuses a login: %s", refused)
        raise
    except _NO_ANSWER as failure:
        logger.warning("nobody can log in at the OIDC issuer: %r", failure)
        raise IssuerUnavailable from failure


def endpoints_in(document: bytes, url: str) -> Endpoints:
    """The endpoints in the discovery document of the issuer at that address; ValueError where they are not its own."""
    found = Endpoints.model_validate_json(document)
    if found.issuer.rstrip("/") != url:
        raise ValueError("its discovery document names another issuer")
    hosts = [urlsplit(each).hostname or "" for each in (url, found.authorization_endpoint, found.token_endpoint)]
    if any(map(is_loopback, hosts)) and not is_loopback(hosts[0]):
        raise ValueError("its discovery document names an address of this machine")
    return found


def _content(answer: httpx.Response) -> bytes:
    if not answer.is_success:
        raise ValueError(f"it answers {answer.status_code}")
    if len(answer.content) > BYTES_MAX:
        raise ValueError(f"an answer is longer than {BYTES_MAX} bytes")
    return answer.content


def claims_of(token: str) -> dict[str, Any]:
    """What a JWT says, whoever signed it; nothing for what is none."""
    try:
        claims = orjson.loads(extract_compact(token.encode()).payload)
    except (JoseError, ValueError, TypeError):
        return {}
    return claims if isinstance(claims, dict) else {}


def audiences(claims: dict[str, Any]) -> list[Any]:
    """Whom the claims are for."""
    named = claims.get("aud")
    return named if isinstance(named, list) else [named]


def _is_for(token: str, audience: str) -> bool:
    return audience in audiences(claims_of(token))
