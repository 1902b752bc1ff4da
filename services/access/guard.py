"""Every route of an application behind its door."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping
from copy import copy
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from services.access.door import AccessBook, Admission, Door, counting, require
from services.access.needs import Need, need_of
from services.process.openapi import BEARER
from services.process.operator_error import OperatorError
from services.process.stopping import end as stop


class Guarded:
    """A route behind the door: only once its caller is let in is the body read and anything looked up."""

    def __init__(self, route: ASGIApp, need: Need, door: Callable[[Scope], Door]) -> None:
        self._route = route
        self._need = need
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        door, need = self._door(scope), self._need
        scope["right"] = need.right
        with counting(need.right):
            admission = await door.enter(_header(scope, b"authorization"), (scope.get("client") or ("",))[0])
            scope["principal"] = admission.principal
            require(admission.principal, need, scope.get("path_params", {}).get("account_id"))
            stream = door.limits.stream(admission.principal) if need.streams else None
        if stream is None:
            await self._route(scope, receive, send)
            return
        with stream:
            await _until_ended(admission, door.book, self._route(scope, receive, send))


def _header(scope: Scope, name: bytes) -> bytes | None:
    return next((value for key, value in scope["headers"] if key == name), None)


async def _until_ended(admission: Admission, book: AccessBook, answering: Coroutine[Any, Any, None]) -> None:
    """Let the answer go on while its credential holds."""
    answer, end = asyncio.create_task(answering), asyncio.create_task(_end(admission, book))
    try:
        await asyncio.wait({answer, end}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await stop(answer, end)
    if not answer.cancelled():
        answer.result()


async def _end(admission: Admission, book: AccessBook) -> None:
    """Comes when the credential ends. Times are looked at every second, revocations at once."""
    while True:
        ring = book.wake.next
        if admission.ended(book.state, datetime.now(UTC)):
            return
        await ring.wait(1)


def guard(app: FastAPI, door: Callable[[Scope], Door]) -> None:
    """Put every route of the application behind the door; OperatorError names the routes that say no need."""
    if silent := list(routes_without_need(app)):
        raise OperatorError(f"These routes name no right, and so nobody may use them: {', '.join(silent)}.")
    app.router.routes[:] = [_guarded(route, door) if isinstance(route, APIRoute) else route for route in app.routes]


def _guarded(route: APIRoute, door: Callable[[Scope], Door]) -> APIRoute:
    """The route behind the door: a copy, for another application may have the same route with another door, or none."""
    need = need_of(route.path, route.endpoint)
    if need is None or need.public:
        return route
    behind = copy(route)
    behind.app = Guarded(route.app, need, door)
    behind.openapi_extra = (route.openapi_extra or {}) | BEARER
    return behind


def routes_of(app: FastAPI) -> Iterator[APIRoute]:
    """The routes that answer something of ours."""
    return (route for route in app.routes if isinstance(route, APIRoute))


def routes_without_need(app: FastAPI) -> Iterator[str]:
    """Method and path of each route that says neither a right nor that it needs none."""
    for route in routes_of(app):
        if need_of(route.path, route.endpoint) is None:
            yield f"{'/'.join(sorted(route.methods))} {route.path}"


def table(app: FastAPI) -> Mapping[tuple[str, str], Need]:
    """What each method and path needs."""
    return {
        (method, route.path): need
        for route in routes_of(app)
        if (need := need_of(route.path, route.endpoint))
        for method in route.methods
    }
