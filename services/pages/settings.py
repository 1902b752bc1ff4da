"""What an operator sets about the web pages, by environment variables."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.process.settings import File


class PagesSettings(BaseSettings):
    """The folder with the secret of sessions and with the links that log in once."""

    model_config = SettingsConfigDict(frozen=True, populate_by_name=True)

    folder: File | None = Field(default=None, validation_alias="HOURBOOK_PAGES_FOLDER")
