"""Openings and closings of alerts, sent to the operator's endpoints by the Standard Webhooks scheme.

Each is entered once for each endpoint and sent until the endpoint answers 2xx; a repeat has the same `webhook-id`, by
which a receiver drops it. Every endpoint is served on its own, so that one that is down or slow delays no other.
"""

import asyncio
import base64
import binascii
import hmac
import tomllib
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Annotated, get_args

import httpx
from asyncpg import Connection, Pool, Record
from pydantic import AfterValidator, AnyHttpUrl, BaseModel, ConfigDict, Field, SecretStr

from contracts.alerts import AlertKind
from services.process.outside import require_safe
from services.process.pauses import pause_after
from services.projections import metrics

SECRET_PREFIX = "whsec_"  # noqa: S105 - how secrets of the scheme begin
ANSWER_SECONDS_MAX = 10
SENT_AT_ONCE = 4
POLL_SECONDS = 0.2
GIVE_UP_AFTER = timedelta(days=3)

REGISTER = """
    INSERT INTO projections.alert_endpoint (url, number)
    SELECT $1, coalesce(max(number), 0) FROM projections.alert_change ON CONFLICT DO NOTHING
"""

NOT_ENTERED = """
    SELECT number FROM projections.alert_endpoint
    WHERE url = $1 AND number < (SELECT max(number) FROM projections.alert_change)
"""

ENTER = """
    INSERT INTO projections.alert_delivery (endpoint, number)
    SELECT $1, number FROM projections.alert_change
    WHERE number > $2 AND number <= $3 AND type <> 'alert.updated' AND kind = ANY($4::text[])
"""

ENTERED = "UPDATE projections.alert_endpoint SET number = $2 WHERE url = $1"

DUE = """
    SELECT count(*) FROM (
        SELECT FROM projections.alert_delivery WHERE endpoint = $1 AND next_attempt_at <= clock_timestamp() LIMIT $2
    ) AS due
"""

NEXT = """
    SELECT number, id, payload, attempts, enqueued_at
    FROM projections.alert_delivery AS delivery JOIN projections.alert_change USING (number)
    WHERE endpoint = $1 AND next_attempt_at <= clock_timestamp()
    ORDER BY next_attempt_at, number LIMIT 1 FOR UPDATE OF delivery SKIP LOCKED
"""

DELIVERED = """
    UPDATE projections.alert_delivery SET attempts = attempts + 1, last_status = $3, last_error = NULL,
        next_attempt_at = NULL, delivered_at = clock_timestamp()
    WHERE endpoint = $1 AND number = $2
"""

FAILED = """
    UPDATE projections.alert_delivery SET attempts = attempts + 1, last_status = $3, last_error = $4,
        next_attempt_at = clock_timestamp() + $5::interval
    WHERE endpoint = $1 AND number = $2
"""

GIVEN_UP = """
    UPDATE projections.alert_delivery SET attempts = attempts + 1, last_status = $3, last_error = $4,
        next_attempt_at = NULL, given_up_at = clock_timestamp()
    WHERE endpoint = $1 AND number = $2
"""


def _key(secret: SecretStr) -> SecretStr:
    try:
        key = base64.b64decode(secret.get_secret_value().removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error as misfit:
        raise ValueError(f"give {SECRET_PREFIX} and the key in base64") from misfit
    if len(key) < 16:
        raise ValueError("give a key of at least 16 bytes")
    return secret


def _safe(url: AnyHttpUrl) -> AnyHttpUrl:
    require_safe(str(url))
    return url


class Endpoint(BaseModel):
    """Where alerts of some kinds are sent, by default of all, and the secret that signs them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Annotated[AnyHttpUrl, AfterValidator(_safe)]
    secret: Annotated[SecretStr, AfterValidator(_key)]
    kinds: frozenset[AlertKind] = frozenset(get_args(AlertKind))

    def signature(self, webhook_id: str, timestamp: int, body: bytes) -> str:
        """The header `webhook-signature`: HMAC-SHA256 over id, Unix time and body."""
        key = base64.b64decode(self.secret.get_secret_value().removeprefix(SECRET_PREFIX))
        signed = f"{webhook_id}.{timestamp}.".encode() + body
        return f"v1,{base64.b64encode(hmac.digest(key, signed, sha256)).decode()}"


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    endpoint: tuple[Endpoint, ...] = Field(default=())


def endpoints(file: Path | None) -> tuple[Endpoint, ...]:
    """The endpoints of a TOML file, none without one; pydantic's ValidationError names what does not fit."""
    if file is None:
        return ()
    return _File.model_validate(tomllib.loads(file.read_text(encoding="utf-8"))).endpoint


async def register(database: Pool, served: tuple[Endpoint, ...]) -> None:
    """A new endpoint is sent what happens from now on."""
    for endpoint in served:
        await database.execute(REGISTER, str(endpoint.url))


class Webhook:
    """One endpoint, served. Several processes may serve it: a delivery is in one's hands at a time."""

    def __init__(self, database: Pool, client: httpx.AsyncClient, endpoint: Endpoint) -> None:
        self._database = database
        self._client = client
        self._endpoint = endpoint
        self._url = str(endpoint.url)

    async def run(self) -> None:
        """Send until PostgreSQL is unavailable, which is raised."""
        while True:
            await self._enter_deliveries()
            due = await self._database.fetchval(DUE, self._url, SENT_AT_ONCE)
            if not any(await asyncio.gather(*(self._send_next() for _ in range(due)))):
                await asyncio.sleep(POLL_SECONDS)

    async def _enter_deliveries(self) -> None:
        """Enter the deliveries of changes that are new."""
        if await self._database.fetchval(NOT_ENTERED, self._url) is None:
            return
        async with self._database.acquire() as connection, connection.transaction():
            entered = await connection.fetchval(f"{NOT_ENTERED} FOR UPDATE", self._url)
            if entered is None:
                return
            last = await connection.fetchval("SELECT max(number) FROM projections.alert_change")
            await connection.execute(ENTER, self._url, entered, last, list(self._endpoint.kinds))
            await connection.execute(ENTERED, self._url, last)

    async def _send_next(self) -> bool:
        """Send the next one whose time has come, its row locked meanwhile; false if others have all in hand."""
        async with self._database.acquire() as connection, connection.transaction():
            delivery = await connection.fetchrow(NEXT, self._url)
            if delivery is None:
                return False
            status, error = await self._send(str(delivery["id"]), delivery["payload"].encode())
            await self._record(connection, delivery, status, error)
        return True

    async def _send(self, webhook_id: str, body: bytes) -> tuple[int | None, str | None]:
        """The status answered, and what was wrong, if anything was; the body of the answer is not read."""
        timestamp = int(datetime.now(UTC).timestamp())
        headers = {
            "content-type": "application/json",
            "webhook-id": webhook_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": self._endpoint.signature(webhook_id, timestamp, body),
        }
        try:
            async with (
                asyncio.timeout(ANSWER_SECONDS_MAX),
                self._client.stream("POST", self._url, content=body, headers=headers) as answer,
            ):
                return answer.status_code, None if answer.is_success else answer.reason_phrase
        except (httpx.HTTPError, TimeoutError) as failure:
            return None, repr(failure)

    async def _record(self, connection: Connection, delivery: Record, status: int | None, error: str | None) -> None:
        key = (self._url, delivery["number"], status)
        if error is None:
            outcome = "delivered"
            await connection.execute(DELIVERED, *key)
        elif datetime.now(UTC) - delivery["enqueued_at"] > GIVE_UP_AFTER:
            outcome = "given up"
            await connection.execute(GIVEN_UP, *key, error)
        else:
            outcome = "failed"
            await connection.execute(FAILED, *key, error, pause_after(delivery["attempts"]))
        metrics.DELIVERIES.labels(outcome).inc()
