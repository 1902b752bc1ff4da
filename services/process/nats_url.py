"""What the URL of NATS says: the servers, and as whom they are entered. Reading settings needs no client of NATS."""

from urllib.parse import urlsplit


def servers_of(nats_url: str) -> list[str]:
    """The URL of each server that the URL names; one that has no scheme, user or password has those of the first."""
    first, *others = nats_url.split(",")
    scheme, _, place = first.partition("://")
    login = "".join(place.rpartition("@")[:2])
    return [first, *(_completed(each.strip(), f"{scheme}://", login) for each in others)]


def _completed(server: str, scheme: str, login: str) -> str:
    place = server.partition("://")[2] or server
    return f"{server.removesuffix(place) or scheme}{'' if '@' in place else login}{place}"


def user_of(nats_url: str) -> str:
    """As whom the URL enters; an empty text for nobody."""
    return urlsplit(servers_of(nats_url)[0]).username or ""
