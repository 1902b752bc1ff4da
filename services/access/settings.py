"""What an operator sets about access, by environment variables."""

from collections.abc import Awaitable, Callable
from typing import Literal

import httpx
from pydantic import Field, model_validator

from services.access.door import AccessBook, Door
from services.access.issuer import Issuer
from services.access.limits import Limits, LimitSettings
from services.access.principals import Principal
from services.access.tokens import Claims, Tokens
from services.process.outside import OutsideUrl
from services.process.settings import read
from services.process.site import SiteSettings

Access = Literal["open", "closed"]
DEFAULT: Access = "closed"


class AccessSettings(SiteSettings):
    """Whether there is a door, and which issuer's tokens are accepted at it."""

    access: Access = Field(default=DEFAULT, validation_alias="HOURBOOK_ACCESS")
    oidc_issuer: OutsideUrl | None = Field(default=None, validation_alias="HOURBOOK_OIDC_ISSUER")
    oidc_audience: str | None = Field(default=None, validation_alias="HOURBOOK_OIDC_AUDIENCE")
    oidc_roles_claim: str = Field(default="roles", validation_alias="HOURBOOK_OIDC_ROLES_CLAIM")
    oidc_accounts_claim: str | None = Field(default=None, validation_alias="HOURBOOK_OIDC_ACCOUNTS_CLAIM")

    @model_validator(mode="after")
    def _open_on_loopback_alone(self) -> "AccessSettings":
        if self.access == "open" and not self.on_loopback:
            raise ValueError(
                "HOURBOOK_ACCESS=open has no door, and is for loopback alone: unset HOURBOOK_HOST, or close the door"
            )
        if self.oidc_issuer and not self.oidc_audience:
            raise ValueError("HOURBOOK_OIDC_AUDIENCE is missing: name the audience that the issuer's tokens are for")
        return self

    @property
    def claims(self) -> Claims | None:
        """What tokens of the issuer have to say; None where no issuer is set."""
        if self.oidc_issuer is None or self.oidc_audience is None:
            return None
        return Claims(self.oidc_issuer, self.oidc_audience, self.oidc_roles_claim, self.oidc_accounts_claim)


def door_of(
    settings: AccessSettings,
    book: AccessBook,
    outside: httpx.AsyncClient,
    admit: Callable[[Principal], Awaitable[None]] | None = None,
) -> Door:
    """The door as the operator has set it; `outside` asks the issuer, `admit` records what people come in with."""
    claims = settings.claims
    tokens = Tokens(Issuer(claims.issuer, outside), claims) if claims else None
    return Door(book, Limits(read(LimitSettings)), tokens, is_open=settings.access == "open", admit=admit)
