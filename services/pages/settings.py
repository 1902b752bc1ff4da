"""What an operator sets about the web pages, by environment variables."""

from pathlib import Path

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.process.outside import OutsideUrl
from services.process.settings import File, parsed

SECRET_VARIABLE = "HOURBOOK_OIDC_CLIENT_SECRET_FILE"  # noqa: S105 - the name of a setting


class PagesSettings(BaseSettings):
    """The folder with the secret of sessions and with the links that log in once, and the issuer that people log in at.

    Issuer and audience are those whose tokens the routes accept.
    """

    model_config = SettingsConfigDict(frozen=True, populate_by_name=True)

    folder: File | None = Field(default=None, validation_alias="HOURBOOK_PAGES_FOLDER")
    issuer: OutsideUrl | None = Field(default=None, validation_alias="HOURBOOK_OIDC_ISSUER")
    audience: str | None = Field(default=None, validation_alias="HOURBOOK_OIDC_AUDIENCE")
    client_id: str | None = Field(default=None, min_length=1, validation_alias="HOURBOOK_OIDC_CLIENT_ID")
    client_secret_file: File | None = Field(default=None, validation_alias=SECRET_VARIABLE)

    @model_validator(mode="after")
    def _whole(self) -> "PagesSettings":
        if self.client_id and not (self.issuer and self.audience):
            raise ValueError(
                "HOURBOOK_OIDC_CLIENT_ID logs people in at an issuer: set HOURBOOK_OIDC_ISSUER and "
                "HOURBOOK_OIDC_AUDIENCE, or unset it"
            )
        if self.client_secret_file and not self.client_id:
            raise ValueError(f"HOURBOOK_OIDC_CLIENT_ID is missing: name the client whose secret {SECRET_VARIABLE} has")
        return self

    def client_secret(self) -> str | None:
        """What the client proves itself with, as the file has it now; None for a public client."""
        return parsed(SECRET_VARIABLE, self.client_secret_file, _secret)


def _secret(file: Path | None) -> str | None:
    return file.read_text(encoding="utf-8").strip() if file else None
