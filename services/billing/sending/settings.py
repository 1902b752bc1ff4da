"""What an operator sets of sending: the mail server, whom messages are from, their texts, and when they go."""

import ssl
from collections.abc import Mapping
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib
from pydantic import AfterValidator, Field, TypeAdapter, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from contracts.sending import EmailAddress
from services.process.operator_error import CANNOT_START, OperatorError
from services.process.settings import File, NotEmpty, read
from services.process.site import is_loopback
from services.process.tls import TlsSettings, trusted

FORM = "smtp://user@host:587 or smtps://user@host:465"
TIMEOUT_SECONDS = 60
PORTS: Mapping[str, int] = {"smtp": 587, "smtps": 465}
_ADDRESS: TypeAdapter[str] = TypeAdapter(EmailAddress)


class MailServer(NamedTuple):
    """A mail server, and how it is entered; without TLS only on this machine."""

    host: str
    port: int
    tls_from_the_start: bool
    user: str | None
    password: str | None
    timeout_seconds: float
    authorities: ssl.SSLContext | None

    def connection(self) -> aiosmtplib.SMTP:
        """A connection that is not open yet."""
        return aiosmtplib.SMTP(
            hostname=self.host,
            port=self.port,
            use_tls=self.tls_from_the_start,
            start_tls=False if self.tls_from_the_start else None if is_loopback(self.host) else True,
            username=self.user,
            password=self.password,
            timeout=self.timeout_seconds,
            tls_context=self.authorities,
            local_hostname="localhost" if is_loopback(self.host) else None,
        )


def _smtp_url(given: str) -> str:
    parts = urlsplit(given)
    try:
        port = parts.port or PORTS.get(parts.scheme, 0)
    except ValueError:
        port = 0
    if parts.scheme not in PORTS or not parts.hostname or not port or parts.path not in ("", "/"):
        raise ValueError(f"is no address of a mail server: write it as {FORM}")
    if parts.password is not None:
        raise ValueError("has a password in it: write it into a file, and name that with HOURBOOK_SMTP_PASSWORD_FILE")
    _timeout(parts.query)
    return given


def _timeout(query: str) -> float:
    """The parameter `timeout`, in seconds."""
    found = parse_qs(query, keep_blank_values=True)
    given = found.pop("timeout", [str(TIMEOUT_SECONDS)])[-1]
    if found:
        raise ValueError(f"has the parameter {min(found)}: there is only timeout, in seconds")
    if not given.isdecimal() or not 1 <= int(given) <= 600:
        raise ValueError("has a timeout that is no number of seconds from 1 to 600")
    return int(given)


def _sender(given: str) -> str:
    name, address = parseaddr(given)
    try:
        _ADDRESS.validate_python(address)
    except ValueError:
        raise ValueError("is no sender: write it as Name <office@example.com>") from None
    return f"{name} <{address}>" if name else address


class SendingSettings(BaseSettings):
    """Without a mail server nothing is sent; `after_days`: by itself, so many days after a month was closed."""

    model_config = SettingsConfigDict(frozen=True, populate_by_name=True)

    smtp_url: Annotated[str, AfterValidator(_smtp_url), NotEmpty] | None = Field(
        default=None, validation_alias="HOURBOOK_SMTP_URL"
    )
    smtp_password_file: File | None = Field(default=None, validation_alias="HOURBOOK_SMTP_PASSWORD_FILE")
    mail_from: Annotated[str, AfterValidator(_sender), NotEmpty] | None = Field(
        default=None, validation_alias="HOURBOOK_MAIL_FROM"
    )
    texts_file: File | None = Field(default=None, validation_alias="HOURBOOK_MAIL_TEXTS_FILE")
    after_days: int | None = Field(default=None, ge=0, le=365, validation_alias="HOURBOOK_SEND_AFTER_DAYS")

    @model_validator(mode="after")
    def _whole(self) -> "SendingSettings":
        """Together they say everything that a message needs."""
        if self.smtp_url is None:
            for variable, given in (
                ("HOURBOOK_SMTP_PASSWORD_FILE", self.smtp_password_file),
                ("HOURBOOK_SEND_AFTER_DAYS", self.after_days),
            ):
                if given is not None:
                    raise ValueError(f"{variable} is set, and no mail server: name one with HOURBOOK_SMTP_URL")
            return self
        if self.mail_from is None:
            raise ValueError("HOURBOOK_MAIL_FROM is not set: say whom messages are from, as Name <office@example.com>")
        if (self.smtp_password_file is None) != (urlsplit(self.smtp_url).username is None):
            raise ValueError(
                "HOURBOOK_SMTP_URL and HOURBOOK_SMTP_PASSWORD_FILE: name a user in the one and a file with the "
                "password in the other, or neither"
            )
        return self

    @property
    def is_on(self) -> bool:
        """Whether there is a mail server."""
        return self.smtp_url is not None


def mail_server(settings: SendingSettings) -> MailServer:
    """The server that the settings name, with the password of the file; OperatorError where that cannot be read."""
    assert settings.smtp_url is not None
    parts = urlsplit(settings.smtp_url)
    authorities = trusted(read(TlsSettings))
    return MailServer(
        host=parts.hostname or "",
        port=parts.port or PORTS[parts.scheme],
        tls_from_the_start=parts.scheme == "smtps",
        user=unquote(parts.username) if parts.username else None,
        password=_password(settings.smtp_password_file) if settings.smtp_password_file else None,
        timeout_seconds=_timeout(parts.query),
        authorities=authorities if isinstance(authorities, ssl.SSLContext) else None,
    )


def _password(file: Path) -> str:
    """The first line of the file; what is in it is never repeated."""
    try:
        text = file.read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
    except OSError as unreadable:
        reason = f"it cannot be read: {unreadable.strerror}"
    except UnicodeDecodeError:
        reason = "it is not a text in UTF-8"
    else:
        if text and "\n" not in text:
            return text
        reason = "it holds no password: write one there, alone, on one line"
    raise OperatorError(f"HOURBOOK_SMTP_PASSWORD_FILE, {file}: {reason}.", exit_code=CANNOT_START)
