"""What an operator watches of every process: what it answers, its connections, what it is; and a port to read it at."""

import threading
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import orjson
from prometheus_client import Counter, Gauge, Histogram, Info, make_wsgi_app
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.process.operator_error import CANNOT_START, OperatorError
from services.process.settings import read
from services.process.version import VERSION

LOOKS_SECONDS = 3600
"""So seldom the port is looked at for whether it is to be shut, which it never is before its process ends."""

REQUESTS = Counter("hourbook_http_requests", "Requests answered, by route and status.", ["route", "method", "status"])
ANSWER = Histogram(
    "hourbook_http_answer_seconds",
    "From a request to the first byte of its answer.",
    ["route", "method"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
UNDER_WAY = Gauge("hourbook_http_requests_under_way", "Requests being answered now, streams among them.")
DOOR_REFUSALS = Counter(
    "hourbook_door_refusals",
    "Requests and lines of NDJSON that the door refused, by the problem's slug and the right that they need.",
    ["reason", "right"],
)
REQUEST_LINES_LOST = Counter("hourbook_request_log_lines_lost", "Lines of the request log that could not be written.")
PART_READY = Gauge("hourbook_part_ready", "1 while /health/ready says that the part is ready.", ["name"])
CONNECTIONS = Gauge("hourbook_database_connections", "Connections to PostgreSQL that are open.", ["pool"])
CONNECTIONS_BUSY = Gauge("hourbook_database_connections_busy", "Connections to PostgreSQL in use.", ["pool"])
CONNECTIONS_MAX = Gauge("hourbook_database_connections_max", "How many there can be.", ["pool"])

Info("hourbook_build", "Which program this is.").info({"version": VERSION})


def answered(route: str, method: str, status: int, seconds: float) -> None:
    """Count a request whose answer has begun."""
    count, duration = _of_answers(route, method, status)
    count.inc()
    duration.observe(seconds)


@cache
def _of_answers(route: str, method: str, status: int) -> tuple[Counter, Histogram]:
    """The counters of such answers: to look them up by their labels takes longer than to count."""
    return REQUESTS.labels(route, method, status), ANSWER.labels(route, method)


WAITING: list[str] = []
"""What a part without HTTP of its own waits for before it begins its work, a sentence."""


class MetricsSettings(BaseSettings):
    """The address at which a part without HTTP of its own shows its metrics."""

    model_config = SettingsConfigDict(frozen=True, populate_by_name=True)

    host: str = Field(default="127.0.0.1", min_length=1, validation_alias="HOURBOOK_METRICS_HOST")


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Who reads metrics is no news."""


def serve_metrics(port: int | None) -> None:
    """Answer /metrics and what stands under /health on that port while the process lives; on none without."""
    if port is None:
        return
    host = read(MetricsSettings).host
    try:
        server = make_server(host, port, _application, _Server, _Quiet)
    except OSError as refused:
        raise OperatorError(
            f"Port {port} of {host} cannot be used ({refused.strerror}): choose another --metrics-port, or another "
            "HOURBOOK_METRICS_HOST.",
            exit_code=CANNOT_START,
        ) from refused
    threading.Thread(target=server.serve_forever, args=(LOOKS_SECONDS,), name="metrics", daemon=True).start()


_metrics = make_wsgi_app()


def _application(request: dict[str, Any], begin: Callable[..., Any]) -> Iterable[bytes]:
    path = request["PATH_INFO"]
    if path == "/metrics":
        return _metrics(request, begin)
    status, said = _HEALTH.get(path, lambda: ("404 Not Found", {}))()
    begin(status, [("Content-Type", "application/json")])
    return [orjson.dumps(said)]


def _ready() -> tuple[str, dict[str, Any]]:
    if WAITING:
        return "503 Service Unavailable", {"status": "not ready", "faults": WAITING}
    return "200 OK", {"status": "ready", "faults": []}


_HEALTH: Mapping[str, Callable[[], tuple[str, dict[str, Any]]]] = {
    "/health/live": lambda: ("200 OK", {"status": "live"}),
    "/health/ready": _ready,
}
