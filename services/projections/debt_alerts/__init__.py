"""Alerts: debt, low balance, too much planned, expiring hours, suspension; each opens once and closes (rule 13)."""

from services.projections.debt_alerts.episodes import deliver_again_after
from services.projections.debt_alerts.projection import catch_up_in_time, fold, project
from services.projections.debt_alerts.schema import BESIDE, SCHEMA, TABLES
from services.projections.following.tracking import REST_SECONDS, Projection

DEBT_ALERTS = Projection(
    name="debt_alerts",
    schema=SCHEMA,
    tables=TABLES,
    project=project,
    beside=BESIDE,
    fold=fold,
    finish=catch_up_in_time,
    forget=deliver_again_after,
    rest_seconds=REST_SECONDS,
    version=3,
)
