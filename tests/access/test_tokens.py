"""People's tokens: what is read from a good one, and every way that a bad one is refused."""

import asyncio
import hmac
import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest
from joserfc import jwt

from contracts.access import Right, Role
from services.access.issuer import ASK_SECONDS_MIN, KEEP_SECONDS_MAX, Issuer, IssuerUnavailable
from services.access.tokens import LEEWAY_SECONDS, LIFE_SECONDS_MAX, Claims, TokenRefused, Tokens
from services.process.outside import outside_client
from tests.access.issuing import AUDIENCE, TestIssuer, issuing, made

GOOD = ("RS256", "PS256", "ES256", "EdDSA")


class Clock:
    """Goes on by hand."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
async def issuer() -> AsyncIterator[TestIssuer]:
    async with issuing() as running:
        for algorithm in GOOD:
            running.add(algorithm, algorithm)
        yield running


@pytest.fixture
async def own_issuer() -> AsyncIterator[TestIssuer]:
    """For a test that changes it."""
    async with issuing() as running:
        running.add("ES256", "first")
        yield running


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False, timeout=60) as opened:
        yield opened


def verifier(issuer: TestIssuer, client: httpx.AsyncClient, clock: Clock | None = None, **named: Any) -> Tokens:
    keys = Issuer(issuer.url, client, clock) if clock else Issuer(issuer.url, client)
    return Tokens(keys, Claims(issuer.url, AUDIENCE, **named))


@pytest.mark.parametrize("algorithm", GOOD)
async def test_a_token_of_the_issuer_is_a_person(algorithm: str, issuer: TestIssuer, client: httpx.AsyncClient):
    token = issuer.token(algorithm, name="Анна", roles=["reader", "manager", "unheard-of"])
    person = await verifier(issuer, client).principal(token)
    assert (person.kind, person.name, person.accounts) == ("person", "Анна", None)
    assert person.roles == {Role.READER, Role.MANAGER}
    assert Right.TASKS in person.rights
    assert Right.MONEY not in person.rights
    assert person.id.startswith("person-")
    assert "anna" not in person.id


async def test_a_person_keeps_its_id_whatever_key_signs(issuer: TestIssuer, client: httpx.AsyncClient):
    tokens = verifier(issuer, client)
    one, other = [await tokens.principal(issuer.token(each)) for each in ("RS256", "ES256")]
    another = await tokens.principal(issuer.token("ES256", sub="boris"))
    assert one.id == other.id != another.id


@pytest.mark.parametrize(
    ("claims", "accounts"),
    [
        ({"roles": "customer", "accounts": ["oka", "kama"]}, {"oka", "kama"}),
        ({"roles": "customer"}, set()),
        ({"roles": "customer", "accounts": ["*"]}, set()),
        ({"roles": "manager", "accounts": ["*"]}, None),
        ({"roles": "manager"}, set()),
        ({"roles": "manager", "accounts": 7}, set()),
    ],
)
async def test_accounts_come_from_the_named_claim(
    claims: dict[str, Any], accounts: set[str] | None, issuer: TestIssuer, client: httpx.AsyncClient
):
    person = await verifier(issuer, client, accounts="accounts").principal(issuer.token("ES256", **claims))
    assert person.accounts == accounts


async def test_without_a_claim_of_accounts_customers_see_none(issuer: TestIssuer, client: httpx.AsyncClient):
    person = await verifier(issuer, client).principal(issuer.token("ES256", roles="customer", accounts=["oka"]))
    assert person.accounts == set()


async def test_roles_may_stand_deeper(issuer: TestIssuer, client: httpx.AsyncClient):
    token = issuer.token("ES256", roles=None, realm_access={"roles": ["finance"]})
    person = await verifier(issuer, client, roles="realm_access.roles").principal(token)
    assert person.roles == {Role.FINANCE}


def forged(header: dict[str, Any], claims: dict[str, Any], signature: bytes = b"") -> str:
    """A token put together by hand."""
    parts = (orjson.dumps(header), orjson.dumps(claims), signature)
    return ".".join(urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def by_secret(header: dict[str, Any], claims: dict[str, Any], secret: bytes) -> str:
    """A token whose signature is a code made with a secret, here with what everybody knows."""
    unsigned = forged(header, claims).rpartition(".")[0]
    return f"{unsigned}.{urlsafe_b64encode(hmac.digest(secret, unsigned.encode(), 'sha256')).decode().rstrip('=')}"


def attacks(issuer: TestIssuer) -> dict[str, str]:
    """Tokens that nobody may come in with, by what is wrong with them."""
    now = int(time.time())
    claims = {"iss": issuer.url, "aud": AUDIENCE, "sub": "anna", "exp": now + 600, "roles": ["admin"]}
    good = issuer.token("RS256")
    head, body, signature = good.split(".")
    public = issuer.keys["RS256"].as_pem(private=False)
    stranger = made("RS256", "RS256")
    strangers = stranger.as_dict(private=False)
    signed = {"alg": "RS256", "kid": "RS256"}
    by_stranger = {name: jwt.encode(signed | extra, claims, stranger) for name, extra in {
        "signed by a stranger": {}, "its own key in jwk": {"jwk": strangers},
    }.items()}  # fmt: skip
    return by_stranger | {
        "alg none": forged({"alg": "none", "kid": "RS256"}, claims),
        "alg None": forged({"alg": "None", "kid": "RS256"}, claims),
        "no alg": forged({"kid": "RS256"}, claims, b"x"),
        "HS256 with the public key": by_secret({"alg": "HS256", "kid": "RS256"}, claims, public),
        "RS512": forged({"alg": "RS512", "kid": "RS256"}, claims, b"x" * 256),
        "PS256 of a key for RS256": jwt.encode(
            {"alg": "PS256", "kid": "RS256"}, claims, unnamed(issuer.keys["RS256"]), algorithms=["PS256"]
        ),
        "another kid of the same issuer": forged({"alg": "ES256", "kid": "ES256"}, claims, b"x" * 64),
        "no kid": forged({"alg": "RS256"}, claims, b"x"),
        "kid is a number": forged({"alg": "RS256", "kid": 7}, claims, b"x"),
        "kid is a path": forged({"alg": "RS256", "kid": "../../etc/passwd"}, claims, b"x"),
        "kid is SQL": forged({"alg": "RS256", "kid": "' OR 1=1 --"}, claims, b"x"),
        "kid is very long": forged({"alg": "RS256", "kid": "k" * 1000}, claims, b"x"),
        "jku": issuer.token("RS256", {"jku": "https://evil.example/keys"}),
        "x5u": issuer.token("RS256", {"x5u": "https://evil.example/cert"}),
        "x5c": issuer.token("RS256", {"x5c": ["MIIB"]}),
        "crit": forged({"alg": "RS256", "kid": "RS256", "crit": ["exp"]}, claims, b"x"),
        "unencoded payload": forged({"alg": "RS256", "kid": "RS256", "b64": False}, claims, b"x"),
        "another type": issuer.token("RS256", {"typ": "logout+jwt"}),
        "changed claims": f"{head}.{forged({}, claims).split('.')[1]}.{signature}",
        "changed signature": f"{head}.{body}.{'A' * len(signature)}",
        "no signature": f"{head}.{body}.",
        "two parts": f"{head}.{body}",
        "five parts": f"{good}.a.b",
        "not base64": f"{head}.***.{signature}",
        "empty": "",
        "expired": issuer.token("RS256", iat=now - 900, exp=now - LEEWAY_SECONDS - 1),
        "not yet": issuer.token("RS256", nbf=now + LEEWAY_SECONDS + 5),
        "issued in the future": issuer.token("RS256", iat=now + LEEWAY_SECONDS + 5),
        "no exp": issuer.token("RS256", exp=None),
        "exp is a text": issuer.token("RS256", exp="tomorrow"),
        "lives for a day": issuer.token("RS256", exp=now + 86_400),
        "no sub": issuer.token("RS256", sub=None),
        "empty sub": issuer.token("RS256", sub=""),
        "sub is a number": issuer.token("RS256", sub=7),
        "another issuer": issuer.token("RS256", iss="https://evil.example"),
        "no issuer": issuer.token("RS256", iss=None),
        "another audience": issuer.token("RS256", aud="crm"),
        "no audience": issuer.token("RS256", aud=None),
        "audience is an object": issuer.token("RS256", aud={"hourbook": True}),
        "too long": issuer.token("RS256", padding="x" * 9000),
    }


def unnamed(key: Any) -> Any:
    """The key without the algorithm that it is for, so that it can be misused."""
    return type(key).import_key({name: value for name, value in key.as_dict(private=True).items() if name != "alg"})


async def test_no_attack_comes_in(issuer: TestIssuer, client: httpx.AsyncClient):
    tokens = verifier(issuer, client)
    found = attacks(issuer)
    assert len(found) >= 30
    reasons = {name: await refused(tokens, token) for name, token in found.items()}
    assert not [name for name, reason in reasons.items() if not reason]
    assert not [name for name, token in found.items() if token and token in reasons[name]]


async def refused(tokens: Tokens, token: str) -> str | None:
    """Why it is refused."""
    try:
        await tokens.principal(token)
    except TokenRefused as refusal:
        return str(refusal)
    return None


async def test_clocks_may_differ_a_little(issuer: TestIssuer, client: httpx.AsyncClient):
    now = int(time.time())
    tokens = verifier(issuer, client)
    assert await tokens.principal(issuer.token("ES256", iat=now - 600, exp=now - LEEWAY_SECONDS + 10))
    assert await tokens.principal(issuer.token("ES256", iat=now + LEEWAY_SECONDS - 10))
    assert await tokens.principal(issuer.token("ES256", exp=now + LIFE_SECONDS_MAX))


async def test_a_key_that_was_rotated_in_is_fetched(own_issuer: TestIssuer, client: httpx.AsyncClient):
    clock = Clock(1000.0)
    tokens = verifier(own_issuer, client, clock)
    await tokens.principal(own_issuer.token("first"))
    own_issuer.add("ES256", "second")
    clock.now += ASK_SECONDS_MIN
    assert await tokens.principal(own_issuer.token("second"))
    assert own_issuer.fetches == 2


async def test_ten_thousand_unknown_keys_are_one_question(own_issuer: TestIssuer, client: httpx.AsyncClient):
    clock = Clock(1000.0)
    keys = Issuer(own_issuer.url, client, clock)
    assert await keys.key("first")
    clock.now += ASK_SECONDS_MIN
    own_issuer.answers.clear()
    asking = [asyncio.create_task(keys.key(f"unknown-{number}")) for number in range(10_000)]
    while own_issuer.fetches < 2:
        await asyncio.wait(asking, timeout=0.01)
    assert await keys.key("first")  # a known one waits for nobody
    own_issuer.answers.set()
    assert set(await asyncio.gather(*asking)) == {None}
    clock.now += ASK_SECONDS_MIN - 1
    assert await keys.key("unknown") is None
    assert own_issuer.fetches == 2


async def test_the_issuer_may_be_unavailable_for_a_day(own_issuer: TestIssuer, client: httpx.AsyncClient):
    clock = Clock(1000.0)
    keys = Issuer(own_issuer.url, client, clock)
    assert await keys.key("first")
    own_issuer.fails = True
    for _ in range(60):
        clock.now += 60
        assert await keys.key("first")
    clock.now = 1000.0 + KEEP_SECONDS_MAX + 1
    with pytest.raises(IssuerUnavailable):
        await keys.key("first")
    own_issuer.fails = False
    clock.now += ASK_SECONDS_MIN
    assert await keys.key("first")


async def test_without_any_key_set_nobody_can_say(own_issuer: TestIssuer, client: httpx.AsyncClient):
    own_issuer.fails = True
    with pytest.raises(IssuerUnavailable):
        await verifier(own_issuer, client).principal(own_issuer.token("first"))


@pytest.mark.parametrize(
    "keys", ["https://10.0.0.1/keys", "http://issuer.example/keys", "https://[::ffff:7f00:1]/", "x"]
)
async def test_no_discovery_document_leads_into_a_private_network(own_issuer: TestIssuer, keys: str):
    own_issuer.keys_url = keys
    async with outside_client() as client:
        with pytest.raises(IssuerUnavailable):
            await verifier(own_issuer, client).principal(own_issuer.token("first"))
    assert own_issuer.fetches == 1


async def test_an_issuer_elsewhere_leads_nobody_to_this_machine():
    keys = Issuer("https://issuer.example", httpx.AsyncClient())
    with pytest.raises(ValueError, match="address of this machine"):
        keys._keys_address({"issuer": "https://issuer.example", "jwks_uri": "http://127.0.0.1:8000/keys"})


async def test_weak_and_foreign_keys_of_the_issuer_are_passed_over(own_issuer: TestIssuer, client: httpx.AsyncClient):
    own_issuer.published += [
        {"kty": "oct", "kid": "secret", "k": "c2VjcmV0"},
        own_issuer.published[0] | {"kid": "for encryption", "use": "enc"},
        own_issuer.published[0] | {"kid": None},
        {"kty": "EC", "kid": "broken", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": "RSA", "kid": "empty"},
    ]
    keys = Issuer(own_issuer.url, client)
    assert await keys.key("first")
    assert [await keys.key(kid) for kid in ("secret", "for encryption", "broken", "empty")] == [None] * 4
