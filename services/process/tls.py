"""TLS for HTTP: the certificate that this service shows, and those that it trusts in others."""

import ssl
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.process.settings import File, read
from services.process.site import SiteSettings, is_loopback

END_OF_CERTIFICATE = "-----END CERTIFICATE-----"


class TlsSettings(BaseSettings):
    """The files of a certificate, of its key, and of the authorities that are trusted instead of the usual ones."""

    model_config = SettingsConfigDict(frozen=True, populate_by_name=True)

    certificate: File | None = Field(default=None, validation_alias="HOURBOOK_TLS_CERTIFICATE")
    key: File | None = Field(default=None, validation_alias="HOURBOOK_TLS_KEY")
    ca_file: File | None = Field(default=None, validation_alias="HOURBOOK_CA_FILE")

    @model_validator(mode="after")
    def _usable(self) -> "TlsSettings":
        if (self.certificate is None) != (self.key is None):
            missing = "HOURBOOK_TLS_KEY" if self.key is None else "HOURBOOK_TLS_CERTIFICATE"
            raise ValueError(f"{missing} is missing: TLS needs HOURBOOK_TLS_CERTIFICATE and HOURBOOK_TLS_KEY")
        for variable, file in (("TLS_CERTIFICATE", self.certificate), ("TLS_KEY", self.key), ("CA_FILE", self.ca_file)):
            if file:
                _require_readable(f"HOURBOOK_{variable}", file)
        shown_certificate(self)
        trusted(self)
        return self

    def url(self, port: int) -> str:
        """Where this machine reaches the service at that port."""
        return f"{'https' if self.certificate else 'http'}://{read(SiteSettings).own_name}:{port}"


def _require_readable(variable: str, file: Path) -> None:
    try:
        file.read_bytes()
    except OSError as unreadable:
        raise ValueError(f"{variable}, {file}: it cannot be read: {unreadable.strerror}") from unreadable


def shown_certificate(settings: TlsSettings) -> ssl.SSLContext | None:
    """What a server shows who connects; None where it speaks without TLS. ValueError where the two files do not fit."""
    if settings.certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(settings.certificate, settings.key, password=lambda: "")
    except (ssl.SSLError, ValueError) as misfit:
        raise ValueError(
            f"HOURBOOK_TLS_CERTIFICATE, {settings.certificate}, and HOURBOOK_TLS_KEY, {settings.key}: they are no "
            "certificate with its own key, both as PEM and the key without a password"
        ) from misfit
    return context


def trusted(settings: TlsSettings) -> ssl.SSLContext | bool:
    """Whom a client trusts: the file's authorities, or the usual ones. ValueError where it holds no certificate."""
    if settings.ca_file is None:
        return True
    try:
        return ssl.create_default_context(cafile=settings.ca_file)
    except ssl.SSLError as misfit:
        raise ValueError(f"HOURBOOK_CA_FILE, {settings.ca_file}: it holds no certificates as PEM") from misfit


@cache
def _nobody() -> ssl.SSLContext:
    """For plain HTTP, which shows no certificates: to read the system's for each client takes 20 ms and a megabyte."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def trusted_at(url: str) -> ssl.SSLContext | bool:
    """Whom a client trusts at an address.

    At this service's own address that is its certificate alone, for whichever names it was issued.
    """
    parts = urlsplit(url)
    if parts.scheme != "https":
        return _nobody()
    settings = read(TlsSettings)
    if settings.certificate is None or not (is_loopback(parts.hostname or "") or parts.hostname == SiteSettings().host):
        return trusted(settings)
    first, end, _ = settings.certificate.read_text(encoding="ascii").partition(END_OF_CERTIFICATE)
    context = ssl.create_default_context(cadata=first + end)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.check_hostname = False
    return context
