"""An application of this process, asked over HTTP without a socket; long answers are handed on while they are made."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import httpx
from starlette.types import ASGIApp, Message, Receive, Scope, Send

STREAMED = {"streamed": True}
"""The extensions of a request whose answer is read as it comes: httpx's own transport keeps each answer whole."""


class InProcess(httpx.AsyncBaseTransport):
    """Asks the application as if the client at that address and port had asked."""

    def __init__(self, app: ASGIApp, client: tuple[str, int]) -> None:
        self._app = app
        self._client = client
        self._whole = httpx.ASGITransport(app, raise_app_exceptions=False, client=client)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The answer; of a streamed one, as soon as it has begun."""
        if "streamed" not in request.extensions:
            return await self._whole.handle_async_request(request)
        loop = asyncio.get_running_loop()
        begun: asyncio.Future[Message] = loop.create_future()
        pieces: asyncio.Queue[bytes | None] = asyncio.Queue(1)  # so that the application waits for who reads
        transport = httpx.ASGITransport(_into(self._app, begun, pieces), client=self._client)
        work = loop.create_task(transport.handle_async_request(request))
        try:
            await asyncio.wait({begun, work}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            work.cancel()
            raise
        if not begun.done():
            return await work
        head = begun.result()
        return httpx.Response(head["status"], headers=head["headers"], stream=_Pieces(pieces, work))


def _into(app: ASGIApp, begun: "asyncio.Future[Message]", pieces: "asyncio.Queue[bytes | None]") -> ASGIApp:
    """The application, with what it sends put where it is read from; None follows what is last, whole or not."""

    async def answered(scope: Scope, receive: Receive, send: Send) -> None:
        async def handed_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                await send(message)
                begun.set_result(message)
                return
            if message.get("body"):
                await pieces.put(message["body"])
            await send({**message, "body": b""})

        try:
            await app(scope, receive, handed_on)
        except asyncio.CancelledError:
            raise  # nobody reads any more
        except BaseException:
            if begun.done():
                await pieces.put(None)
            raise
        await pieces.put(None)

    return answered


class _Pieces(httpx.AsyncByteStream):
    """An answer piece by piece; what the application fails with in the middle is raised: no part passes for all."""

    def __init__(self, pieces: "asyncio.Queue[bytes | None]", work: "asyncio.Task[httpx.Response]") -> None:
        self._pieces = pieces
        self._work = work

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (piece := await self._pieces.get()) is not None:
            yield piece
        await self._work

    async def aclose(self) -> None:
        """Whoever closes it early ends the application's work on it."""
        self._work.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await self._work
