"""HTTP as every service speaks it: heads are bounded, what is no HTTP is a problem, and who does not read is left.

uvicorn's protocol keeps whatever of a head has come, however long it grows, and waits for ever for a reader that has
stopped reading.
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from contracts.problem_types import CATALOGUE
from contracts.problems import PROBLEM_MEDIA_TYPE, problem

URL_BYTES_MAX = 16 << 10
HEAD_BYTES_MAX = 64 << 10
HEADERS_MAX = 100
UNREAD_SECONDS_MAX = 30.0
READ_BYTES_MIN = 16 << 10
"""What a reader takes in that time if it reads at all."""


class Refused(Exception):
    """This head is not read any further."""


class HttpConnection(HttpToolsProtocol):
    """One client's connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Whatever cannot be sent at once is watched."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=1)  # with 0, TLS pauses an empty buffer, and never resumes
        self._unfinished = 0
        self._wrong = "malformed-request"
        self._unread: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        """Feed the parser, unless it has been fed more than a head may have and found neither its end nor a body."""
        self._unfinished += len(data)
        if self._unfinished - len(data) > HEAD_BYTES_MAX:
            self._wrong = "headers-too-large"
            self.send_400_response("")
        else:
            super().data_received(data)

    def on_url(self, url: bytes) -> None:
        """A part of the address."""
        if len(self.url) + len(url) > URL_BYTES_MAX:
            self._wrong = "uri-too-long"
            raise Refused
        super().on_url(url)

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._unfinished = 0
        if len(self.headers) > HEADERS_MAX:
            self._wrong = "headers-too-large"
            raise Refused
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self._unfinished = 0
        super().on_body(body)

    def send_400_response(self, msg: str) -> None:
        """Answer the problem and close; an answer that has begun is cut off, for nothing can follow it."""
        if self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete:
            self.transport.abort()
            return
        kind = CATALOGUE[self._wrong]
        body = problem(kind.slug, f"{kind.title} {kind.remedy}").model_dump_json(exclude_none=True).encode()
        head = f"content-type: {PROBLEM_MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        self.transport.write(STATUS_LINE[kind.status] + head.encode() + body)
        self.transport.close()

    def pause_writing(self) -> None:
        """The reader is slower than the answer."""
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        """The reader has read everything."""
        self._unwatch()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """The reader has left, or was left."""
        self._unwatch()
        super().connection_lost(exc)

    def _watch(self) -> None:
        unsent = self.transport.get_write_buffer_size()
        self._unread = self.loop.call_later(UNREAD_SECONDS_MAX, self._leave_unless_read, unsent)

    def _unwatch(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _leave_unless_read(self, unsent: int) -> None:
        if unsent - self.transport.get_write_buffer_size() < READ_BYTES_MIN:
            self.transport.abort()
        else:
            self._watch()
