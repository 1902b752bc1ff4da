"""A ledger as projections know it: a log over HTTP and on JetStream, from a list of events."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import nats
import orjson
import uvicorn
from fastapi import FastAPI, Response
from nats.js.api import StreamConfig

from contracts.envelope import RecordedEvent
from tests.projections.vocabulary import Log


def feed(log: Log) -> FastAPI:
    """GET /v1/log, as the interface has it."""
    app = FastAPI()

    @app.get("/v1/log")
    async def read(after: int, limit: int) -> Response:
        lines = [line.model_dump_json().encode() for line in log.lines[after : after + limit]]
        headers = {"Hourbook-Position": str(log.position)}
        return Response(b"\n".join(lines), media_type="application/x-ndjson", headers=headers)

    @app.get("/v1/test-clock")
    async def clock() -> dict[str, str]:
        return {"now": log.clock.isoformat()}

    return app


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

    def __init__(self, log: Log) -> None:
        self.log = log
        self.port = 0
        self._server: _Server | None = None
        self._serving: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Answer from now on, on the same port as ever."""
        listening = socket.create_server(("127.0.0.1", self.port))
        self.port = listening.getsockname()[1]
        self._server = _Server(uvicorn.Config(feed(self.log), lifespan="off", log_config=None))
        self._serving = asyncio.create_task(self._server._serve([listening]))
        await self._server.answers.wait()

    async def stop(self) -> None:
        """Answer nobody until started again."""
        if self._server and self._serving:
            self._server.should_exit = self._server.force_exit = True
            await self._serving
            self._serving = None


@asynccontextmanager
async def serving(log: Log) -> AsyncIterator[LogServer]:
    """The log's feed, on a free port."""
    server = LogServer(log)
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

    async def create(self) -> None:
        """An empty one."""
        await self._jetstream.add_stream(StreamConfig(name=self.name, subjects=[f"hourbook.log.{self._log}.>"]))

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
