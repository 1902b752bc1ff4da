"""One trace through command, relay and projection, sent by OTLP to where the operator says; without that, nothing.

A trace is told on by its `traceparent` (W3C Trace Context): beside the event and in the message's headers.
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.process.operator_error import CANNOT_START, OperatorError
from services.process.settings import HttpUrl, read
from services.process.version import VERSION

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span, Tracer

HEADER = "traceparent"
UNTRACED = ("/health/", "/metrics")
_tracer: "Tracer | None" = None


class TracingSettings(BaseSettings):
    """Where spans are sent; the other variables of OpenTelemetry's SDK hold as well."""

    model_config = SettingsConfigDict(frozen=True, populate_by_name=True)

    endpoint: HttpUrl | None = Field(default=None, validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT")


def begin_tracing(part: str) -> "TracerProvider | None":
    """Have this process trace, where the operator has said where to send it; OpenTelemetry is not loaded otherwise."""
    if read(TracingSettings).endpoint is None:
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as missing:
        raise OperatorError(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, and OpenTelemetry is not installed: install hourbook[tracing], or "
            "unset it.",
            exit_code=CANNOT_START,
        ) from missing
    global _tracer  # noqa: PLW0603 - as a process has one log, it has one tracer
    resource = Resource.create({"service.name": f"hourbook-{part}", "service.version": VERSION})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    _tracer = provider.get_tracer("hourbook", VERSION)
    return provider


def is_on() -> bool:
    """Whether this process traces."""
    return _tracer is not None


def current() -> str | None:
    """The traceparent of what is under way in this task; None where that is not traced."""
    if _tracer is None:
        return None
    from opentelemetry.trace import get_current_span

    context = get_current_span().get_span_context()
    if not (context.is_valid and context.trace_flags.sampled):
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def told_on() -> dict[str, str]:
    """The header by which a request that is made now goes on with this task's trace; none where that is not traced."""
    traceparent = current()
    return {HEADER: traceparent} if traceparent else {}


@contextmanager
def span(name: str) -> Iterator[None]:
    """Record what is done within; nothing where this process does not trace."""
    if _tracer is None:
        yield
        return
    with _tracer.start_as_current_span(name):
        yield


def done(name: str, begun_at: int, of: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
    """Record work that has been done for several at once, from `begun_at` (time.time_ns) until now.

    `of`: the traceparent of each, and what there is to say of it.
    """
    if _tracer is None:
        return
    ended_at = time.time_ns()
    for traceparent, attributes in of:
        span = _tracer.start_span(name, _context_of(traceparent), attributes=attributes, start_time=begun_at)
        span.end(ended_at)


def _context_of(traceparent: str) -> Any:
    """The context in which a span goes on with that trace; a new trace where it is malformed."""
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator().extract({HEADER: traceparent})


class TracedRequests:
    """A span for each request; it goes on with the caller's trace, if the caller names one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(UNTRACED):
            await self._app(scope, receive, send)
            return
        with _request(scope) as span:

            async def sending(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                await send(message)

            await self._app(scope, receive, sending)


@contextmanager
def _request(scope: Scope) -> "Iterator[Span]":
    from opentelemetry.trace import SpanKind

    assert _tracer is not None
    given = dict(scope["headers"]).get(HEADER.encode(), b"").decode("latin-1")
    method = scope["method"]
    with _tracer.start_as_current_span(method, _context_of(given), SpanKind.SERVER) as span:
        span.set_attribute("http.request.method", method)
        try:
            yield span
        finally:
            route = getattr(scope.get("route"), "path", "none")
            span.update_name(f"{method} {route}")
            span.set_attribute("http.route", route)
