"""One trace leads from a command over the relay to the projections, and a process that does not trace loads nothing."""

import gzip
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from infra.data_folder import free_port
from services.operating.up import running
from tests.end_to_end.questions import client_of

OPEN = {"account_id": "oka", "customer_name": "ООО «Ока»", "contract_number": "7", "contract_date": "2026-01-01"}
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


class Collector:
    """Takes spans by OTLP over HTTP, as protobuf, and keeps those of the caller's trace."""

    def __init__(self) -> None:
        self.spans: dict[str, tuple[str, str]] = {}
        """The service and the span that each goes on from, by name."""
        self.ids: dict[str, str] = {}
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                collector.keep(ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.send_header("Content-Type", "application/x-protobuf")
                self.end_headers()
                self.wfile.write(ExportTraceServiceResponse().SerializeToString())

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def keep(self, request: ExportTraceServiceRequest) -> None:
        for of_process in request.resource_spans:
            (service,) = (
                each.value.string_value for each in of_process.resource.attributes if each.key == "service.name"
            )
            for of_scope in of_process.scope_spans:
                for span in of_scope.spans:
                    if span.trace_id.hex() == TRACE:
                        self.spans[span.name] = (service, span.parent_span_id.hex())
                        self.ids[span.name] = span.span_id.hex()


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
    wanted = {"POST /v1/accounts", "append", "publish", "project balances", "project tasks"}
    with running(tmp_path, free_port()) as hourbook, client_of(hourbook.url) as client:
        headers = {"Idempotency-Key": "k", "traceparent": f"00-{TRACE}-{CALLER}-01"}
        client.post("/v1/accounts", json=OPEN, headers=headers).raise_for_status()
        while not wanted <= set(collector.spans):
            assert client.get("/health/live").status_code == 200
        (event,) = client.get("/v1/accounts/oka/events").raise_for_status().text.splitlines()
        assert TRACE not in event
        client.get("/v1/accounts/oka", headers={"traceparent": f"00-{TRACE}-{CALLER}-00"})
    services = {name: service for name, (service, _) in collector.spans.items()}
    assert services["POST /v1/accounts"] == services["append"] == "hourbook-service"
    assert services["publish"] == "hourbook-relay"
    assert {service for name, service in services.items() if name.startswith("project ")} == {"hourbook-worker"}
    parents = {name: parent for name, (_, parent) in collector.spans.items()}
    assert parents.pop("POST /v1/accounts") == CALLER
    assert set(parents.values()) == {collector.ids["POST /v1/accounts"]}


def test_without_an_address_nothing_of_it_is_loaded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    done = subprocess.run([sys.executable, "-c", OFF], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
