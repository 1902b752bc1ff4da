"""An OIDC issuer for tests: discovery, key set, tokens and the code flow.

It rotates its keys, fails and answers late on demand.
"""

import asyncio
import base64
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from secrets import token_urlsafe
from typing import Any
from urllib.parse import quote_plus, urlencode

from authlib.oauth2.rfc7636 import create_s256_code_challenge
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import RedirectResponse
from joserfc import jwt
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from services.access.tokens import ALGORITHMS
from tests.ledger.serving import serving

AUDIENCE = "hourbook"


def made(algorithm: str, kid: str) -> Key:
    """A new private key for an algorithm."""
    named = {"kid": kid, "use": "sig", "alg": algorithm}
    match algorithm:
        case "ES256":
            return ECKey.generate_key("P-256", named, private=True)
        case "EdDSA":
            return OKPKey.generate_key("Ed25519", named, private=True)
        case _:
            return RSAKey.generate_key(2048, named, private=True)


@dataclass
class TestIssuer:
    """Its keys, what it does to those who ask, and how often they asked."""

    __test__ = False

    url: str = ""
    keys_url: str = ""
    """Where it says that its keys are, where that is not true."""
    keys: dict[str, Key] = field(default_factory=dict)
    fetches: int = 0
    fails: bool = False
    answers: asyncio.Event = field(default_factory=asyncio.Event)
    published: list[dict[str, Any]] = field(default_factory=list)
    client: str = "pages"
    secret: str | None = None
    """Of the client; a public one has none."""
    callbacks: set[str] = field(default_factory=set)
    """Where browsers are led back to, and nowhere else."""
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    """What was asked for each code that is not used yet."""
    claims: dict[str, Any] = field(default_factory=dict)
    """What its tokens say of who logs in."""
    nonce: str | None = None
    """What its ID tokens say where that is not true."""
    opaque: bool = False
    """Whether its access tokens are no JWTs, and its ID tokens are for the routes too."""
    refuses: str | None = None
    """The error that it leads back with."""

    def add(self, algorithm: str = "RS256", kid: str | None = None) -> str:
        """Make and publish a key; returns its id."""
        kid = kid or f"{algorithm}-{len(self.keys) + 1}"
        self.keys[kid] = made(algorithm, kid)
        self.published.append(self.keys[kid].as_dict(private=False))
        return kid

    def withdraw(self, kid: str) -> None:
        """Publish it no longer."""
        self.published = [each for each in self.published if each["kid"] != kid]

    def token(self, kid: str, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """A token of that key for a reader; claims that are None are left out."""
        now = int(time.time())
        usual = {
            "iss": self.url, "aud": AUDIENCE, "sub": "anna", "iat": now, "exp": now + 600, "roles": ["reader"],
        }  # fmt: skip
        said = {name: value for name, value in (usual | claims).items() if value is not None}
        key = self.keys[kid]
        return jwt.encode({"alg": key.get("alg"), "kid": kid} | (header or {}), said, key, algorithms=list(ALGORITHMS))


def application(issuer: TestIssuer) -> FastAPI:
    """The two documents that verifiers ask for, and the two addresses of the code flow."""
    app = FastAPI()

    async def asked() -> None:
        issuer.fetches += 1
        await issuer.answers.wait()
        if issuer.fails:
            raise HTTPException(503)

    @app.get("/.well-known/openid-configuration")
    async def discovery() -> dict[str, str]:
        await asked()
        return {
            "issuer": issuer.url,
            "jwks_uri": issuer.keys_url or f"{issuer.url}/keys",
            "authorization_endpoint": f"{issuer.url}/authorize",
            "token_endpoint": f"{issuer.url}/token",
        }

    @app.get("/keys")
    async def keys() -> dict[str, Any]:
        return {"keys": issuer.published}

    @app.get("/authorize")
    async def authorize(request: Request) -> RedirectResponse:
        return RedirectResponse(_led_back(issuer, dict(request.query_params)), 302)

    @app.post("/token")
    async def token(request: Request) -> dict[str, Any]:
        if issuer.fails:
            raise HTTPException(503)
        given = {name: str(value) for name, value in (await request.form()).items()}
        return _granted(issuer, given, request.headers.get("Authorization"))

    return app


def _led_back(issuer: TestIssuer, asked: dict[str, str]) -> str:
    """Where the browser of somebody goes who has logged in here before: nobody is asked anything."""
    if asked["client_id"] != issuer.client or asked["redirect_uri"] not in issuer.callbacks:
        raise HTTPException(400, "unknown client or callback")
    proof = (asked["response_type"], asked["code_challenge_method"], len(asked["code_challenge"]))
    if proof != ("code", "S256", 43) or "openid" not in asked["scope"].split():
        raise HTTPException(400, "no code flow with PKCE")
    if issuer.refuses:
        return f"{asked['redirect_uri']}?{urlencode({'error': issuer.refuses, 'state': asked['state']})}"
    code = token_urlsafe()
    issuer.codes[code] = asked
    return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state'], 'iss': issuer.url})}"


def _granted(issuer: TestIssuer, given: dict[str, str], authorization: str | None) -> dict[str, Any]:
    """The tokens for a code: once, to its client, for what it was asked with."""
    if issuer.secret is None:
        known = given.get("client_id") == issuer.client and authorization is None
    else:
        shown = base64.b64encode(f"{quote_plus(issuer.client)}:{quote_plus(issuer.secret)}".encode()).decode()
        known = authorization == f"Basic {shown}"
    if not known:
        raise HTTPException(401, "invalid_client")
    asked = issuer.codes.pop(given["code"], None)
    if (
        asked is None
        or given["redirect_uri"] != asked["redirect_uri"]
        or create_s256_code_challenge(given["code_verifier"]) != asked["code_challenge"]
    ):
        raise HTTPException(400, "invalid_grant")
    kid = next(iter(issuer.keys))
    audience = [issuer.client, AUDIENCE] if issuer.opaque else issuer.client
    id_token = issuer.token(kid, **{"aud": audience, "nonce": issuer.nonce or asked["nonce"]} | issuer.claims)
    access_token = token_urlsafe() if issuer.opaque else issuer.token(kid, **issuer.claims)
    return {"access_token": access_token, "id_token": id_token, "token_type": "Bearer"}


@asynccontextmanager
async def issuing() -> AsyncIterator[TestIssuer]:
    """An issuer that answers."""
    issuer = TestIssuer()
    issuer.answers.set()
    async with serving(lambda: application(issuer)) as issuer.url:
        yield issuer
