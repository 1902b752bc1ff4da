"""Pages and API behind one address: whose request is it?"""

from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from services.pages.site import Site

OF_THE_API = ("/v1/", "/docs", "/health/", "/problems", "/metrics", "/openapi.json", "/asyncapi.json")


def is_page(path: str) -> bool:
    """Whether an address is for people. What nobody knows is: then the person is told so in words."""
    return not path.startswith(OF_THE_API)


class BesideApi:
    """Lets the pages answer their addresses, and the API all others.

    An address that neither knows is answered to a browser as a page, to programs as a problem.
    """

    def __init__(self, app: ASGIApp, site: Callable[[], Site]) -> None:
        self._app = app
        self._site = site()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and is_page(scope["path"]) and (self._site.knows(scope) or _of_browser(scope)):
            await self._site(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _of_browser(scope: Scope) -> bool:
    return any(name == b"accept" and b"text/html" in value for name, value in scope["headers"])
