"""What an operator sets, by environment variables."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.process.settings import File, HttpUrl, NatsUrl, PostgresUrl, Replicas


class Settings(BaseSettings):
    """Where PostgreSQL, NATS and the ledger are."""

    model_config = SettingsConfigDict(frozen=True, populate_by_name=True)

    database_url: PostgresUrl = Field(validation_alias="DATABASE_URL")
    nats_url: NatsUrl | None = Field(default=None, validation_alias="NATS_URL")
    nats_replicas: Replicas | None = Field(default=None, validation_alias="HOURBOOK_NATS_REPLICAS")
    ledger_url: HttpUrl = Field(default="http://127.0.0.1:8000", validation_alias="HOURBOOK_LEDGER_URL")
    ledger_key_file: File | None = Field(default=None, validation_alias="HOURBOOK_LEDGER_KEY_FILE")
    sandbox: bool = Field(default=False, validation_alias="HOURBOOK_SANDBOX")
    logs: int = Field(default=1, ge=1, le=1024, validation_alias="HOURBOOK_LOGS")
    seller_file: File | None = Field(default=None, validation_alias="HOURBOOK_SELLER_FILE")
    webhooks_file: File | None = Field(default=None, validation_alias="HOURBOOK_WEBHOOKS_FILE")

    @property
    def log_names(self) -> tuple[str, ...]:
        """What the logs are called."""
        return tuple(map(str, range(self.logs)))
