"""A file as its route makes it, for browsers: they have a session, and the route wants a credential."""

from typing import Any

import httpx
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from services.pages.visit import Visit

KEPT = ("Content-Type", "Content-Disposition", "Content-Length")


async def download(visit: Visit, path: str, **asked: Any) -> Response:
    """The route's answer, handed on while it is made, however long it is."""
    made = await visit.api.stream(path, **asked)
    return _Download(made, {name: made.headers[name] for name in KEPT if name in made.headers})


class _Download(StreamingResponse):
    """Ends with who reads it."""

    def __init__(self, made: httpx.Response, headers: dict[str, str]) -> None:
        super().__init__(made.aiter_raw(), headers=headers)
        self._made = made

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._made.aclose()
