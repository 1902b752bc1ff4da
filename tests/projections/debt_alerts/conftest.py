"""The alerts of a log that a test writes, asked over HTTP."""

import httpx
import pytest

from tests.projections.debt_alerts.questions import Alerts
from tests.projections.vocabulary import Log, closed, moment, opened, purchased, suspended


@pytest.fixture
def alerts(client: httpx.AsyncClient, log: Log) -> Alerts:
    return Alerts(client, log)


@pytest.fixture
def customers(log: Log) -> Log:
    """Three accounts on 20 March: one in debt and suspended, one that is low, one whose hours end on 2 June."""
    log.record("debtor", opened(name="ООО «Должник»"), closed("T-1", on="2026-03-05", owed=60))
    log.record("debtor", suspended(on="2026-03-06"))
    for name in ("low", "calm"):
        log.record(name, opened(name=f"ООО «{name}»"), purchased("spring", 1200, on="2026-03-01", until="2026-06-02"))
    log.record("low", closed("T-1", on="2026-03-07", draws={"spring": 1100}, amount=5_848_333))
    log.clock = moment("2026-03-20")
    return log
