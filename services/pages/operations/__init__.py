"""Operations: which part works and which does not, how far everything has come, and how a projection is rebuilt."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import orjson
from prometheus_client.parser import text_string_to_metric_families
from starlette.responses import Response

from contracts.access import Right
from contracts.placement import ACCESS_LOG
from contracts.read_models import ProjectionView
from services.pages.api import ApiProblem
from services.pages.operations.words import WORDS
from services.pages.page import Page
from services.pages.visit import Visit

__all__ = ("PAGES", "WORDS")

NOT_READY = 503
OF_LOGS = {
    "relayed": "hourbook_relay_lag_events",
    "signed": "hourbook_audit_checkpoint_size",
    "unsigned": "hourbook_audit_checkpoint_age_seconds",
    "verified": "hourbook_audit_verified_size",
    "faults": "hourbook_audit_faults",
    "overdue": "hourbook_expiry_overdue_seconds",
}
LAG, LAG_SECONDS = "hourbook_projection_lag_events", "hourbook_projection_lag_seconds"

Figures = Mapping[tuple[str, str, str], float]
"""By metric, log, and projection where it is of one."""


async def show_operations(visit: Visit) -> Response:
    """The page answers as long as it can, whatever does not work."""
    health = orjson.loads((await visit.api.ask("GET", "/health/details", accepted=(NOT_READY,))).content)
    for part in health["parts"]:
        part["title"] = getattr(visit.say, f"part_{part['name']}", part["name"])
        part["since"] = datetime.fromisoformat(part["since"])
    figures = dict(_figures((await visit.api.ask("GET", "/metrics")).text))
    projections = await _projections(visit)
    logs = sorted({log for metric, log, _ in figures if metric in OF_LOGS.values()}, key=int)
    return visit.html(
        "operations/operations.html", health=health, projections=projections,
        several=any(len(each.logs) > 1 for each in projections),
        lag=lambda name, log: (figures.get((LAG, str(log), name)), figures.get((LAG_SECONDS, str(log), name))),
        logs=[(log, {name: figures.get((metric, log, "")) for name, metric in OF_LOGS.items()}) for log in logs],
        access_log=str(ACCESS_LOG), columns=tuple(OF_LOGS),
    )  # fmt: skip


async def _projections(visit: Visit) -> tuple[ProjectionView, ...]:
    """None while their database does not answer, which health has said."""
    try:
        return await visit.api.get(tuple[ProjectionView, ...], "/v1/projections")
    except ApiProblem as unavailable:
        if unavailable.problem.status != NOT_READY:
            raise
        return ()


def _figures(metrics: str) -> Iterator[tuple[tuple[str, str, str], float]]:
    """What the process says of itself to Prometheus, as far as it is about logs."""
    wanted = {*OF_LOGS.values(), LAG, LAG_SECONDS}
    for family in text_string_to_metric_families(metrics):
        if family.name in wanted:
            for sample in family.samples:
                labels: Mapping[str, Any] = sample.labels
                yield (sample.name, labels["log"], labels.get("projection", "")), sample.value


PAGES = (Page("/operations", show=show_operations, right=Right.OPERATE, whole=True, menu="menu_operations"),)
