"""An OIDC issuer for tests: discovery, key set and tokens, which rotates its keys, fails and answers late on demand."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI, HTTPException
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
    """The two documents that verifiers ask for."""
    app = FastAPI()

    async def asked() -> None:
        issuer.fetches += 1
        await issuer.answers.wait()
        if issuer.fails:
            raise HTTPException(503)

    @app.get("/.well-known/openid-configuration")
    async def discovery() -> dict[str, str]:
        await asked()
        return {"issuer": issuer.url, "jwks_uri": issuer.keys_url or f"{issuer.url}/keys"}

    @app.get("/keys")
    async def keys() -> dict[str, Any]:
        return {"keys": issuer.published}

    return app


@asynccontextmanager
async def issuing() -> AsyncIterator[TestIssuer]:
    """An issuer that answers."""
    issuer = TestIssuer()
    issuer.answers.set()
    async with serving(lambda: application(issuer)) as issuer.url:
        yield issuer
