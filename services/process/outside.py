"""What the program itself asks of servers elsewhere: webhooks, witnesses, the issuer of people's tokens.

It asks over HTTPS, follows no redirect and asks no private address, so that nobody who can name an address, or turn a
name to another one, has this machine ask the network that it stands in. A host of this machine that is named as one,
such as 127.0.0.1, is asked over HTTP too: who writes that into a setting is on this machine anyway.
"""

import asyncio
import re
import socket
from collections.abc import Collection
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Annotated
from urllib.parse import urlsplit

import httpx
from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from services.process.settings import HttpUrl, read
from services.process.site import is_loopback, names
from services.process.tls import TlsSettings, trusted

ANSWER_SECONDS_MAX = 10
NAT64 = IPv6Network("64:ff9b::/96")
Address = IPv4Address | IPv6Address


class OutsideSettings(BaseSettings):
    """The hosts at private addresses that may be asked all the same, separated by commas."""

    model_config = SettingsConfigDict(frozen=True, populate_by_name=True)

    private_hosts: Annotated[tuple[str, ...], NoDecode, BeforeValidator(names)] = Field(
        default=(), validation_alias="HOURBOOK_PRIVATE_HOSTS"
    )


def without_secrets(text: str) -> str:
    """The text with nothing of an address that may be one: neither its user and password nor its query."""
    return _SECRETS.sub(r"\1\2…", text)


_SECRETS = re.compile(r"(//)[^/@\s]*(?=@)|(\?)[^\s'\"]*")


def host_of(url: str) -> str:
    """Scheme, host and port of an address; that there is more of it, which may be a secret as a whole, is a mark."""
    parts = urlsplit(url)
    shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    return shown if url in (shown, f"{shown}/") else f"{shown}/…"


class NotAsked(httpx.TransportError):
    """This address is not asked, by the rules for servers elsewhere."""


def require_safe(url: str) -> str:
    """The address of a server elsewhere; ValueError where it is asked over HTTP, and is not of this machine."""
    parts = urlsplit(url)
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        raise ValueError("goes over http: use https for anything but this machine")
    return url


OutsideUrl = Annotated[HttpUrl, AfterValidator(require_safe)]


def outside_client() -> httpx.AsyncClient:
    """Asks servers elsewhere, with the authorities that the operator trusts; NotAsked where the rules forbid it."""
    transport = OutsideTransport(read(OutsideSettings).private_hosts)
    return httpx.AsyncClient(transport=transport, trust_env=False, timeout=ANSWER_SECONDS_MAX)


class OutsideTransport(httpx.AsyncBaseTransport):
    """Resolves a name once, and connects to what it has judged: a name that changes its address meanwhile does not.

    A connection serves one request: kept ones are told apart by their address, and not by whose certificate was shown.
    """

    def __init__(self, private_hosts: Collection[str]) -> None:
        self._private_hosts = private_hosts
        self._connections = httpx.AsyncHTTPTransport(
            verify=trusted(read(TlsSettings)), trust_env=False, limits=httpx.Limits(max_keepalive_connections=0)
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Ask one of the host's addresses, the next where one does not answer."""
        *others, last = await self._addresses(request.url)
        for address in others:
            try:
                return await self._connections.handle_async_request(_to(address, request))
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
        return await self._connections.handle_async_request(_to(last, request))

    async def _addresses(self, url: httpx.URL) -> list[str]:
        """Where the host is now, as far as it may be asked there."""
        host = url.raw_host.decode("ascii")
        if url.scheme != "https" and not is_loopback(host):
            raise NotAsked(f"{host} is asked over https alone")
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, url.port or url.scheme, type=socket.SOCK_STREAM)
        except OSError as unknown:
            raise httpx.ConnectError(f"{host} cannot be found: {unknown}") from unknown
        addresses = list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))
        if host in self._private_hosts:
            return addresses
        asked = [each for each in addresses if _may_be_asked(host, ip_address(each))]
        if not asked:
            raise NotAsked(
                f"{host} is at {', '.join(addresses)}, a private address: HOURBOOK_PRIVATE_HOSTS may allow it"
            )
        return asked

    async def aclose(self) -> None:
        """Close what is open."""
        await self._connections.aclose()


def _may_be_asked(host: str, address: Address) -> bool:
    return address.is_loopback if is_loopback(host) else is_public(address)


def is_public(address: Address) -> bool:
    """Whether the address is one of the whole internet, also where IPv6 has one of IPv4 inside."""
    if isinstance(address, IPv6Address) and (inside := _inside(address)):
        return is_public(inside)
    return address.is_global and not address.is_multicast


def _inside(address: IPv6Address) -> IPv4Address | None:
    if address in NAT64:
        return IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)


def _to(address: str, request: httpx.Request) -> httpx.Request:
    """The same request at that address; its certificate is still to be the host's."""
    return httpx.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,
        stream=request.stream,
        extensions=request.extensions | {"sni_hostname": request.url.raw_host.decode("ascii")},
    )
