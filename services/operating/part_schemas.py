"""The schemas on which the service works, each by a login of its own; every other part works on one."""

from functools import partial

from services.billing import database as billing
from services.billing.settings import Settings as BillingSettings
from services.ledger.event_store import migrations
from services.ledger.settings import Settings as LedgerSettings
from services.process.logins import as_part
from services.process.schema_watch import SchemaWatch
from services.process.settings import read
from services.projections import catalogue
from services.projections.settings import Settings as ProjectionsSettings


def of_service() -> SchemaWatch:
    """The log's, that of the read models, and that of billing."""
    ledger = read(LedgerSettings, **as_part("ledger"))
    projections = read(ProjectionsSettings, **as_part("projections"))
    return SchemaWatch(
        (ledger.database_url, migrations.standing),
        (projections.database_url, partial(catalogue.standing, logs=projections.log_names)),
        (read(BillingSettings, **as_part("billing")).database_url, billing.standing),
    )
