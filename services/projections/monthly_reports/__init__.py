"""Monthly reports: what every month booked for every account, as known now or then (rules 10.3, 12)."""

from services.projections.following.tracking import REST_SECONDS, Projection
from services.projections.monthly_reports.projection import project
from services.projections.monthly_reports.schema import SCHEMA, TABLES, TOTALS

MONTHLY_REPORTS = Projection(
    name="monthly_reports",
    schema=SCHEMA,
    tables=TABLES,
    project=project,
    totals=TOTALS,
    rest_seconds=REST_SECONDS,
    version=7,
)
