"""What an operator sets, by environment variables; and the seller's terms, which come with the program."""

import tomllib
from functools import cache
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.ledger.domain.terms import Terms
from services.process.outside import OutsideUrl
from services.process.settings import File, HttpUrl, NatsUrl, PostgresUrl, Replicas

LOGS_MAX = 1024
TERMS_FILE = Path(__file__).with_name("terms.toml")
LOGINS_OF = {
    None: ("expiry", "relay"),
    "api": ("ledger", "ledger"),
    "relay": ("relay", "relay"),
    "expiry": ("expiry", "expiry"),
}
"""With whose logins each part of the service enters PostgreSQL and NATS; the whole service with those that may most."""


class Settings(BaseSettings):
    """Where PostgreSQL, NATS and the projections are, and what this ledger does."""

    model_config = SettingsConfigDict(frozen=True, populate_by_name=True)

    database_url: PostgresUrl = Field(validation_alias="DATABASE_URL")
    nats_url: NatsUrl | None = Field(default=None, validation_alias="NATS_URL")
    nats_replicas: Replicas | None = Field(default=None, validation_alias="HOURBOOK_NATS_REPLICAS")
    sandbox: bool = Field(default=False, validation_alias="HOURBOOK_SANDBOX")
    projections_url: HttpUrl | None = Field(default=None, validation_alias="HOURBOOK_PROJECTIONS_URL")
    projections_key_file: File | None = Field(default=None, validation_alias="HOURBOOK_PROJECTIONS_KEY_FILE")
    logs: int = Field(default=1, ge=1, le=LOGS_MAX, validation_alias="HOURBOOK_LOGS")
    audit_key_file: File | None = Field(default=None, validation_alias="HOURBOOK_AUDIT_KEY_FILE")
    seal_key_file: File | None = Field(default=None, validation_alias="HOURBOOK_SEAL_KEY_FILE")
    witness_file: File | None = Field(default=None, validation_alias="HOURBOOK_WITNESS_FILE")
    witness_put_url: OutsideUrl | None = Field(default=None, validation_alias="HOURBOOK_WITNESS_PUT_URL")
    witness_post_url: OutsideUrl | None = Field(default=None, validation_alias="HOURBOOK_WITNESS_POST_URL")
    witness_authorization: str | None = Field(default=None, validation_alias="HOURBOOK_WITNESS_AUTHORIZATION")
    erasures_file: File | None = Field(default=None, validation_alias="HOURBOOK_ERASURES_FILE")
    cosigners_file: File | None = Field(default=None, validation_alias="HOURBOOK_COSIGNERS_FILE")
    warm_events_max: int = Field(default=300_000, ge=1, validation_alias="HOURBOOK_WARM_EVENTS_MAX")


@cache
def terms() -> Terms:
    """The terms that commands are decided by, all versions."""
    return Terms.parse(tomllib.loads(TERMS_FILE.read_text(encoding="utf-8")))
