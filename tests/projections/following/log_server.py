"""A ledger as projections know it: a log over HTTP and on JetStream, from a list of events."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import nats
import orjson
import uvicorn
from fastapi import FastAPI, Query, Response
from nats.js.api import StreamConfig

from contracts.envelope import RecordedEvent
from contracts.placement import log_of
from services.process.streams import OWNER
from services.projections.following.logged import hash_of as written_hash
from services.projections.following.logged import written_on
from tests.projections.vocabulary import LEDGER_ID, Log

LogName = Annotated[str, Query(alias="log")]
LOGS = int(os.environ.get("HOURBOOK_LOGS", "1"))
"""How many the suite runs with."""


def lines_of(log: Log, number: int, logs: int = LOGS) -> list[RecordedEvent]:
    """One of the logs into which that many divide what was recorded, with positions of its own."""
    if logs == 1:
        return log.lines
    lines = [line for line in log.lines if log_of(line.account_id, logs) == number]
    return [line.model_copy(update={"position": position}) for position, line in enumerate(lines, 1)]


def feed(server: "LogServer") -> FastAPI:
    """GET /v1/log and its hashes, as the interface has them."""
    app = FastAPI()

    def headers(there: list[RecordedEvent]) -> dict[str, str]:
        named = {"Hourbook-Ledger": server.log.ledger_id} if server.log.ledger_id else {}
        said = {"Hourbook-Epoch": str(server.log.epoch), "Hourbook-Logs": str(server.logs), **named}
        return {"Hourbook-Position": str(len(there)), **said}

    def there_is(log_name: str) -> list[RecordedEvent]:
        return lines_of(server.log, int(log_name), server.logs) if log_name.isdecimal() else server.log.lines

    @app.get("/v1/log")
    async def read(after: int, limit: int, log_name: LogName = "0") -> Response:
        if server.lines_hidden:
            return Response(status_code=503)
        there = there_is(log_name)
        lines = [line.model_dump_json().encode() for line in there[after : after + limit]]
        return Response(b"\n".join(lines), headers=headers(there), media_type="application/x-ndjson")

    @app.get("/v1/log/hashes")
    async def hashes(after: int, limit: int, response: Response, log_name: LogName = "0") -> dict[str, Any]:
        there = there_is(log_name)
        response.headers.update(headers(there))
        return {"after": after, "hashes": [hash_of(line, log_name) for line in there[after : after + limit]]}

    @app.get("/v1/test-clock")
    async def clock() -> dict[str, str]:
        return {"now": server.log.clock.isoformat()}

    return app


def hash_of(line: RecordedEvent, log: str) -> str | None:
    """The leaf hash of the event on that line of the feed."""
    return written_hash(written_on(line.model_dump_json().encode()), log)


class _Server(uvicorn.Server):
    """One that says when it answers."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.answers = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.answers.set()


class LogServer:
    """A feed on a port of its own, that can be stopped and started."""

    def __init__(self, log: Log, logs: int) -> None:
        self.log = log
        self.logs = logs
        self.port = 0
        self.lines_hidden = False
        """Then only the stream has the events; the feed has their hashes alone."""
        self._server: _Server | None = None
        self._serving: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Answer from now on, on the same port as ever."""
        listening = socket.create_server(("127.0.0.1", self.port))
        self.port = listening.getsockname()[1]
        self._server = _Server(uvicorn.Config(feed(self), lifespan="off", log_config=None))
        self._serving = asyncio.create_task(self._server._serve([listening]))
        await self._server.answers.wait()

    async def stop(self) -> None:
        """Answer nobody until started again."""
        if self._server and self._serving:
            self._server.should_exit = self._server.force_exit = True
            await self._serving
            self._serving = None


@asynccontextmanager
async def serving(log: Log, logs: int = LOGS) -> AsyncIterator[LogServer]:
    """The feed of what was recorded, in so many logs, on a free port."""
    server = LogServer(log, logs)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


class Stream:
    """The log's stream on a real NATS, filled as the relay fills it."""

    def __init__(self, client: nats.NATS, name: str) -> None:
        self._jetstream = client.jetstream()
        self._log = name
        self.name = f"HOURBOOK-{name}"

    async def create(self, ledger_id: str = LEDGER_ID) -> None:
        """An empty one, of that ledger."""
        subjects, metadata = [f"hourbook.log.{self._log}.>"], {OWNER: ledger_id}
        await self._jetstream.add_stream(StreamConfig(name=self.name, subjects=subjects, metadata=metadata))

    async def delete(self) -> None:
        """With everything in it."""
        await self._jetstream.delete_stream(self.name)

    async def publish(self, *lines: RecordedEvent, holes: bool = False) -> None:
        """Each at the sequence that equals its position, unless there may be holes."""
        for line in lines:
            assert line.position
            headers = {
                "ce-specversion": "1.0",
                "ce-id": str(line.event_id),
                "ce-type": line.type,
                "ce-source": self._log,
                "ce-subject": line.account_id,
                "ce-time": line.recorded_at.isoformat(),
                "Hourbook-Position": str(line.position),
                "Hourbook-Version": str(line.version),
                "Hourbook-Schema-Version": str(line.schema_version),
                "Hourbook-Command": line.command_id or "",
                "Hourbook-Hash": hash_of(line, self._log) or "",
            }
            if not holes:
                headers["Nats-Expected-Last-Sequence"] = str(line.position - 1)
            subject = f"hourbook.log.{self._log}.{line.account_id}.{line.type}"
            await self._jetstream.publish(subject, orjson.dumps(line.data), headers=headers)


@asynccontextmanager
async def stream(nats_url: str, name: str) -> AsyncIterator[Stream]:
    """A stream of the test's own, deleted after it."""
    client = await nats.connect(nats_url)
    made = Stream(client, name)
    await made.create()
    try:
        yield made
    finally:
        await made.delete()
        await client.close()
