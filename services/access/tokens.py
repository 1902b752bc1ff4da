"""People's tokens: JWTs of the OIDC issuer, verified, and read as principals."""

import time
from base64 import b32encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from joserfc import jwt
from joserfc.errors import ClaimError, JoseError
from joserfc.jws import extract_compact

from contracts.access import Role
from services.access.issuer import Issuer, algorithms_of
from services.access.principals import Principal

TOKEN_BYTES_MAX = 8192
LEEWAY_SECONDS = 30
LIFE_SECONDS_MAX = 3600
ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
KNOWN_TOKENS_MAX = 10_000
TRUSTED_SECONDS = 60
"""For so long a token that was verified is not verified again: its key may be withdrawn meanwhile."""

_KEYS_OF_ITS_OWN = {"jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256"}
_TYPES = {"JWT", "jwt", "at+jwt", "application/at+jwt", None}


class TokenRefused(Exception):
    """This token is not accepted."""


@dataclass(frozen=True)
class Claims:
    """Where the issuer's tokens say what they are for: names of claims, a dot between each level."""

    issuer: str
    audience: str
    roles: str = "roles"
    accounts: str | None = None


class Tokens:
    """Verifies tokens of one issuer."""

    def __init__(self, issuer: Issuer, claims: Claims, clock: Callable[[], float] = time.time) -> None:
        self._issuer = issuer
        self._claims = claims
        self._clock = clock
        self._known: dict[bytes, tuple[float, Principal]] = {}

    async def principal(self, token: str) -> Principal:
        """The person with this token. TokenRefused says what is wrong; IssuerUnavailable, that nobody can say."""
        digest = sha256(token.encode()).digest()
        until, known = self._known.get(digest, (0.0, None))
        if known and self._clock() < until:
            return known
        claims = await self._verified(token)
        person = principal_of(claims, self._claims)
        if len(self._known) >= KNOWN_TOKENS_MAX:
            self._known.clear()
        self._known[digest] = (min(self._clock() + TRUSTED_SECONDS, claims["exp"] + LEEWAY_SECONDS), person)
        return person

    async def _verified(self, token: str) -> dict[str, Any]:
        if len(token) > TOKEN_BYTES_MAX:
            raise TokenRefused(f"the token is longer than {TOKEN_BYTES_MAX} bytes")
        header = header_of(token)
        key = await self._issuer.key(header["kid"])
        if key is None:
            raise TokenRefused("the issuer has no key of the id that the token names")
        allowed = algorithms_of(key)
        if header["alg"] not in allowed:
            raise TokenRefused("the token's algorithm is not one of its key's")
        try:
            claims = jwt.decode(token, key, algorithms=sorted(allowed)).claims
        except (JoseError, ValueError, TypeError) as failure:
            raise TokenRefused("its signature does not hold") from failure
        self._judge(claims)
        return claims

    def _judge(self, claims: dict[str, Any]) -> None:
        now = int(self._clock())
        rules = jwt.JWTClaimsRegistry(
            now=now,
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": self._claims.issuer},
            aud={"essential": True, "value": self._claims.audience},
            sub={"essential": True},
            exp={"essential": True},
        )
        try:
            rules.validate(claims)
        except ClaimError as failure:
            raise TokenRefused(f"its claim {failure.claim} does not hold") from failure
        begins = claims.get("iat", now)
        if claims["exp"] - min(begins, now) > LIFE_SECONDS_MAX + LEEWAY_SECONDS:
            raise TokenRefused(f"it lives longer than {LIFE_SECONDS_MAX} seconds")
        if not claims["sub"]:
            raise TokenRefused("its claim sub is empty")


def header_of(token: str) -> Mapping[str, Any]:
    """The token's header; TokenRefused for one that asks for anything but a key of the issuer."""
    try:
        header = extract_compact(token.encode()).protected
    except (JoseError, ValueError, TypeError) as failure:
        raise TokenRefused("it is no signed token") from failure
    if header.get("alg") not in ALGORITHMS:
        raise TokenRefused(f"its algorithm is none of {', '.join(ALGORITHMS)}")
    if found := sorted(_KEYS_OF_ITS_OWN & set(header)):
        raise TokenRefused(f"it brings a key of its own ({found[0]})")
    if "crit" in header or "b64" in header:
        raise TokenRefused("it asks for an extension (crit)")
    if header.get("typ") not in _TYPES:
        raise TokenRefused("it is of another type")
    kid = header.get("kid")
    if not isinstance(kid, str) or not 0 < len(kid) <= 200:
        raise TokenRefused("it names no key (kid)")
    return header


def principal_of(claims: Mapping[str, Any], names: Claims) -> Principal:
    """The person that the claims are about. Unknown roles give nothing."""
    roles = frozenset(Role(each) for each in texts(found(claims, names.roles)) if each in set(Role))
    subject = sha256(f"{claims['iss']}\0{claims['sub']}".encode()).digest()
    name = next((claims[each] for each in ("name", "preferred_username") if isinstance(claims.get(each), str)), None)
    return Principal.with_roles(
        id=f"person-{b32encode(subject[:15]).decode().lower()}",
        kind="person",
        roles=roles,
        accounts=accounts_of(claims, names, roles),
        name=name,
        ends_at=datetime.fromtimestamp(claims["exp"], UTC),
    )


def accounts_of(claims: Mapping[str, Any], names: Claims, roles: frozenset[Role]) -> frozenset[str] | None:
    """The accounts in scope: those of the claim, `*` for every one. Without the claim a person sees none.

    Where the operator has named no such claim, people see every account, but for customers, who see none.
    """
    if names.accounts is None:
        return frozenset() if Role.CUSTOMER in roles else None
    given = texts(found(claims, names.accounts))
    return None if given == ("*",) and Role.CUSTOMER not in roles else frozenset(given) - {"*"}


def found(claims: Any, path: str) -> Any:
    """What the claims have under a dotted path; a claim whose very name has dots comes first."""
    if path in claims:
        return claims[path]
    for name in path.split("."):
        claims = claims.get(name) if isinstance(claims, dict) else None
    return claims


def texts(given: Any) -> tuple[str, ...]:
    """One text, or those of a list; anything else is none."""
    if isinstance(given, str):
        return tuple(given.split())
    return tuple(each for each in given if isinstance(each, str)) if isinstance(given, list) else ()
