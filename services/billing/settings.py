"""What an operator sets, by environment variables."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.process.settings import File, HttpUrl, PostgresUrl


class Settings(BaseSettings):
    """Where PostgreSQL and Hourbook's own routes are, and who the seller is."""

    model_config = SettingsConfigDict(frozen=True, populate_by_name=True)

    database_url: PostgresUrl = Field(validation_alias="DATABASE_URL")
    hourbook_url: HttpUrl = Field(default="http://127.0.0.1:8000", validation_alias="HOURBOOK_URL")
    key_file: File | None = Field(default=None, validation_alias="HOURBOOK_BILLING_KEY_FILE")
    seller_file: File | None = Field(default=None, validation_alias="HOURBOOK_SELLER_FILE")
    erasures_file: File | None = Field(default=None, validation_alias="HOURBOOK_ERASURES_FILE")
    sandbox: bool = Field(default=False, validation_alias="HOURBOOK_SANDBOX")
    invoice_days: int = Field(default=5, ge=0, le=366, validation_alias="HOURBOOK_INVOICE_DAYS")
