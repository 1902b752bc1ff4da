"""An issuer of tokens for the benchmark: one key, and a token of it for everybody who asks."""

import time

from fastapi import FastAPI, Request
from joserfc import jwt
from joserfc.jwk import RSAKey

AUDIENCE = "hourbook"
ALGORITHM = "RS256"


def create_app() -> FastAPI:
    """The application, for uvicorn."""
    app = FastAPI()
    key = RSAKey.generate_key(2048, {"kid": "bench", "use": "sig", "alg": ALGORITHM}, private=True)

    def own(request: Request) -> str:
        return str(request.base_url).rstrip("/")

    @app.get("/.well-known/openid-configuration")
    async def discovery(request: Request) -> dict[str, str]:
        return {"issuer": own(request), "jwks_uri": f"{own(request)}/keys"}

    @app.get("/keys")
    async def keys() -> dict[str, list[object]]:
        return {"keys": [key.as_dict(private=False)]}

    @app.get("/token")
    async def token(request: Request) -> str:
        now = int(time.time())
        claims = {"iss": own(request), "aud": AUDIENCE, "sub": "bench", "iat": now, "exp": now + 3600}
        roles = ["recorder", "finance"]
        return jwt.encode({"alg": ALGORITHM, "kid": "bench"}, claims | {"roles": roles}, key, algorithms=[ALGORITHM])

    return app
