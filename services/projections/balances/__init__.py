"""Balances: what every account holds and owes, now and on any past day, as known now or then (rule 12)."""

from services.projections.balances.forecasts import BESIDE, forget_forecasts
from services.projections.balances.projection import project
from services.projections.balances.schema import SCHEMA, TABLES, TOTALS
from services.projections.following.tracking import Projection

BALANCES = Projection(
    name="balances",
    schema=SCHEMA,
    tables=TABLES,
    project=project,
    totals=TOTALS,
    beside=BESIDE,
    forget=forget_forecasts,
    version=6,
)
