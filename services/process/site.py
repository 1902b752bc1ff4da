"""Which names this service answers under, and whose pages may use it: against DNS rebinding and cross-site writes."""

from ipaddress import ip_address
from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

KNOWN_MAX = 1000
LOOPBACK_NAME = "localhost"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
OTHER_SITES = frozenset({b"cross-site", b"same-site"})


def names(value: Any) -> Any:
    """The names in a setting that are separated by commas."""
    return tuple(name.strip().lower() for name in value.split(",") if name.strip()) if isinstance(value, str) else value


class SiteSettings(BaseSettings):
    """The address that the service listens on, and the names that it is known by, separated by commas."""

    model_config = SettingsConfigDict(frozen=True, populate_by_name=True)

    host: str = Field(default="127.0.0.1", validation_alias="HOURBOOK_HOST")
    allowed_hosts: Annotated[tuple[str, ...], NoDecode, BeforeValidator(names)] = Field(
        default=(), validation_alias="HOURBOOK_ALLOWED_HOSTS"
    )

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine reaches the service."""
        return is_loopback(self.host)

    @property
    def own_name(self) -> str:
        """The host under which this machine reaches the service, as a URL has it."""
        name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 - not bound here
        return f"[{name}]" if ":" in name else name


class Site:
    """The names of this service: loopback, the address that it listens on, and those that the operator allows."""

    def __init__(self, settings: SiteSettings) -> None:
        self._allowed = frozenset(settings.allowed_hosts)
        self._names = self._allowed | {LOOPBACK_NAME, settings.host.lower()}
        self.known: set[bytes] = set()
        """Headers Host that were found to name this service."""

    def answers(self, host: bytes, listening_on: str | None) -> bool:
        """Whether the header Host names this service; `listening_on` is the address that the request came to."""
        if host in self.known:
            return True
        name = _name(host)
        if name not in self._names and name != listening_on and not is_loopback(name):
            return False
        if len(self.known) >= KNOWN_MAX:
            self.known.clear()
        self.known.add(host)
        return True

    def trusts(self, origin: bytes, host: bytes) -> bool:
        """Whether the page that sends a request, by its header Origin, is of this site or of one that is allowed."""
        authority = origin.partition(b"://")[2]
        return bool(authority) and (authority.lower() == host.lower() or _name(authority) in self._allowed)


def _name(authority: bytes) -> str:
    """The host without its port, an IPv6 address without its brackets."""
    text = authority.decode("latin-1").lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0]


def is_loopback(name: str) -> bool:
    """Whether a host's name or address is of this machine alone."""
    try:
        return name == LOOPBACK_NAME or ip_address(name).is_loopback
    except ValueError:
        return False
