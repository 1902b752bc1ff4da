"""An application behind HTTP on one socket, until it is stopped."""

import asyncio
import errno
import gc
import resource
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvicorn
import uvloop
from fastapi import FastAPI
from starlette.types import ASGIApp
from uvicorn.importer import import_from_string

from services.process.http_connection import HttpConnection
from services.process.not_ready import not_ready
from services.process.operator_error import CANNOT_START, OperatorError
from services.process.schema_watch import SchemaWatch
from services.process.settings import read
from services.process.stopping import raise_where_ended
from services.process.tls import TlsSettings, shown_certificate

LOOPBACK = "127.0.0.1"
BACKLOG = 2048
UNREAD_BYTES_MAX = 256 << 10
"""What the kernel keeps of an answer for a client: it would let one that reads nothing make it keep megabytes."""

HTTP: dict[str, Any] = {
    "http": HttpConnection,
    "ws": "none",
    "access_log": False,
    "timeout_keep_alive": 30,
    "timeout_graceful_shutdown": 2,
}
"""How uvicorn serves every application. A connection is kept for longer than clients keep theirs: one that both give up
at the same moment loses a request."""


def listening(port: int, host: str = LOOPBACK) -> socket.socket:
    """A socket that no other process can have at the same time; OperatorError where it is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    taken = socket.socket(
        family, socket.SOCK_STREAM, socket.IPPROTO_TCP
    )  # asyncio asks for TCP by name to send at once
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, UNREAD_BYTES_MAX)  # of every connection to it
    try:
        taken.bind((host, port))
        taken.listen(BACKLOG)
    except OSError as refused:
        taken.close()
        if refused.errno == errno.EADDRINUSE:
            wrong = f"Port {port} of {host} is in use by another program: stop that one, or choose another --port."
        else:
            wrong = f"Port {port} of {host} cannot be used ({refused.strerror}): choose another port or HOURBOOK_HOST."
        raise OperatorError(wrong, exit_code=CANNOT_START) from refused
    return taken


def collect_garbage_seldom() -> None:
    """Walking warm accounts, or a page of the log, every few hundred commands or events costs a tenth, or a half."""
    gc.set_threshold(100_000, 20, 100)


def allow_connections() -> None:
    """As many as the system lets this process have; it gives fewer unless it is asked."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _certificate() -> dict[str, Any]:
    """Options of uvicorn where the operator has named a certificate."""
    shown = shown_certificate(read(TlsSettings))
    return {"ssl_context_factory": lambda *_: shown} if shown else {}


def serve(application: str, taken: socket.socket, schemas: SchemaWatch) -> None:
    """Answer on that socket until SIGINT or SIGTERM; what the application raises when it starts is raised here.

    While one of its `schemas` is older, everything is answered 503. Tasks in its `state.parts` belong to it: once one
    of them has ended, answers end too, and its error is raised here.
    """
    collect_garbage_seldom()
    allow_connections()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_served(import_from_string(application)(), taken, schemas))


async def _served(app: FastAPI, taken: socket.socket, schemas: SchemaWatch) -> None:
    server = _server_of(app)
    answering = asyncio.create_task(_within_lifespan(app, server, taken, schemas))

    def stop(number: int) -> None:
        if server.started:
            server.handle_exit(number, None)
        else:
            answering.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop, number)
    await asyncio.wait([answering])
    if not answering.cancelled():
        answering.result()


def _server_of(app: ASGIApp) -> uvicorn.Server:
    return _Server(
        uvicorn.Config(
            app,
            lifespan="off",  # it is entered here, so that its errors are not taken for lines of a log
            log_config=None,
            **HTTP,
            **_certificate(),
        )
    )


async def _within_lifespan(app: FastAPI, server: uvicorn.Server, taken: socket.socket, schemas: SchemaWatch) -> None:
    if hindrance := await schemas.hindrance():
        async with _answered(not_ready(hindrance), taken):
            await schemas.stood()
    async with app.router.lifespan_context(app):
        watch = asyncio.create_task(schemas.until_refused())
        parts: list[asyncio.Task[None]] = [*getattr(app.state, "parts", []), watch]
        serving = asyncio.create_task(server.serve(sockets=[taken]))
        try:
            await asyncio.wait({serving, *parts}, return_when=asyncio.FIRST_COMPLETED)
            server.should_exit = True
            await serving
        finally:
            serving.cancel()
            watch.cancel()
        raise_where_ended(parts)


@asynccontextmanager
async def _answered(app: ASGIApp, taken: socket.socket) -> AsyncIterator[None]:
    """Requests on that socket are answered by this application; those that come after the context wait for the next."""
    server = _server_of(app)
    serving = asyncio.create_task(server.serve(sockets=[taken.dup()]))
    try:
        yield
    finally:
        server.should_exit = True
        await serving


class _Server(uvicorn.Server):
    """One whose signals are handled outside of it: uvicorn ends the process by them before its lifespan has ended."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
