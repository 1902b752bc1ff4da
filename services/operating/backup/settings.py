"""What an operator sets, by environment variables."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.process.settings import File


class BackupSettings(BaseSettings):
    """The folder of backups; without it, `up` archives nothing."""

    model_config = SettingsConfigDict(frozen=True, populate_by_name=True)

    folder: File | None = Field(default=None, validation_alias="HOURBOOK_BACKUPS")
