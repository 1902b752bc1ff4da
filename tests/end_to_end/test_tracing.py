"""One trace leads from a command over the relay to the projections, and a process that does not trace loads nothing."""

import gzip
import itertools
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk.trace import TracerProvider
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from contracts.problems import problem
from infra.data_folder import free_port
from services.billing.hourbook import Hourbook
from services.bitrix24.deeds import Deed
from services.bitrix24.ledger_tasks import Ledger
from services.operating.up import running
from services.pages.api import Api
from services.process import tracing
from services.process.problem_responses import ProblemError, problem_response
from tests.end_to_end.questions import client_of

REQUEST = "POST /v1/accounts"
OPEN = {"customer_name": "ООО «Ока»", "contract_number": "7", "contract_date": "2026-01-01"}
TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
OFF = """
import sys
from services.process import tracing
assert tracing.begin_tracing("service") is None
assert not tracing.is_on() and tracing.current() is None
import services.app
services.app.create_app()
assert not [name for name in sys.modules if name.startswith(("opentelemetry.sdk", "opentelemetry.exporter"))]
"""

pytestmark = pytest.mark.usefixtures("one_log")


class Span(NamedTuple):
    """One that arrived: of which service, its id, and which it goes on from."""

    name: str
    service: str
    id: str
    parent: str


class Collector:
    """Takes spans by OTLP over HTTP, as protobuf, and keeps those of the caller's trace."""

    def __init__(self) -> None:
        self._spans: list[Span] = []
        self._arrived = threading.Condition()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                with collector._arrived:
                    collector.keep(ExportTraceServiceRequest.FromString(body))
                    collector._arrived.notify()
                self.send_response(200)
                self.send_header("Content-Type", "application/x-protobuf")
                self.end_headers()
                self.wfile.write(ExportTraceServiceResponse().SerializeToString())

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def traced(self, names: set[str], seconds: float) -> dict[str, Span] | None:
        """The spans of those names that go on from one request, and that request's; waits so long for them all."""
        with self._arrived:
            return self._arrived.wait_for(lambda: self._traced(names), seconds)

    def _traced(self, names: set[str]) -> dict[str, Span] | None:
        for request in self._spans:
            after = {span.name: span for span in self._spans if span.parent == request.id}
            if names <= set(after):
                return after | {request.name: request}
        return None

    def keep(self, request: ExportTraceServiceRequest) -> None:
        """Those of the caller's trace."""
        for of_process in request.resource_spans:
            (service,) = (
                each.value.string_value for each in of_process.resource.attributes if each.key == "service.name"
            )
            self._spans += [
                Span(span.name, service, span.span_id.hex(), span.parent_span_id.hex())
                for of_scope in of_process.scope_spans
                for span in of_scope.spans
                if span.trace_id.hex() == TRACE
            ]


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """A receiver at which the parts that are started then send their spans."""
    taken = Collector()
    answering = threading.Thread(target=taken.server.serve_forever)
    answering.start()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", taken.url)
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield taken
    taken.server.shutdown()
    answering.join()
    taken.server.server_close()


def test_one_trace_leads_from_a_command_to_every_projection_that_it_moves(collector: Collector, tmp_path: Path):
    """What a projection reads from the feed, as just after its start, has no span; then another command comes."""
    wanted = {"append", "publish", "project balances", "project tasks"}
    found: dict[str, Span] | None = None
    with running(tmp_path, free_port()) as hourbook, client_of(hourbook.url) as client:
        for account in map("oka-{}".format, itertools.count()):
            headers = {"Idempotency-Key": account, "traceparent": f"00-{TRACE}-{CALLER}-01"}
            client.post("/v1/accounts", json=OPEN | {"account_id": account}, headers=headers).raise_for_status()
            assert TRACE not in client.get(f"/v1/accounts/{account}/events").raise_for_status().text
            if found := collector.traced(wanted, seconds=5):
                break
    assert found
    assert found[REQUEST].parent == CALLER
    assert found[REQUEST].service == found["append"].service == "hourbook-service"
    assert found["publish"].service == "hourbook-relay"
    assert found["project balances"].service == found["project tasks"].service == "hourbook-worker"


async def _by_pages(routes: httpx.ASGITransport) -> None:
    await Api(routes, None).ask("POST", "/v1/accounts", accepted={409})


async def _by_billing(routes: httpx.ASGITransport) -> None:
    async with httpx.AsyncClient(transport=routes, base_url="http://localhost") as client:
        with pytest.raises(ProblemError):
            await Hourbook(client).command("/v1/accounts", {}, "key")


async def _by_the_connector(routes: httpx.ASGITransport) -> None:
    async with httpx.AsyncClient(transport=routes, base_url="http://localhost") as client:
        await Ledger(client).give(Deed("CloseTask", "oka", "B24-1", "key", {}))


@pytest.mark.parametrize("asked", [_by_pages, _by_billing, _by_the_connector])
async def test_whoever_passes_a_command_on_passes_its_trace_on(
    asked: Callable[[httpx.ASGITransport], Awaitable[None]], monkeypatch: pytest.MonkeyPatch
):
    told: list[str] = []

    async def refuse(request: Request) -> Response:
        told.append(request.headers[tracing.HEADER])
        return problem_response(problem("task-already-closed", "It is."))

    app = Starlette(routes=[Route("/{path:path}", refuse, methods=["POST"])])
    monkeypatch.setattr(tracing, "_tracer", TracerProvider().get_tracer("test"))
    with tracing.span("what is under way"):
        trace = str(tracing.current()).split("-")[1]
        await asked(httpx.ASGITransport(app))
    assert [each.split("-")[1] for each in told] == [trace]


def test_without_an_address_nothing_of_it_is_loaded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    done = subprocess.run([sys.executable, "-c", OFF], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
