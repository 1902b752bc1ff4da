"""An account whose events do not fit together is a fault that the audit names, with its hashes as they should be."""

from pathlib import Path

import pytest

from services.auditing.auditor import Audit
from services.ledger.running import running_ledger
from services.ledger.settings import Settings
from services.projections import catalogue
from tests.ledger.commands import closing, opening, purchase
from tests.ledger.event_store.events import append_as_before, event
from tests.ledger.several_logs import LOGS, log_with

STRANGE = {
    "hours returned to a lot that there is not": {
        "type": "TaskReopened",
        "data": '{"effective_at":"2026-03-01T00:00:00Z","booking_month":"2026-03","task_id":"none","reason":"?",'
        '"returned":[{"lot_id":"none","minutes":10,"amount_kopecks":0,"effective_at":"2026-03-01T00:00:00Z"}]}',
    },
    "data that do not fit": {"type": "TaskClosed", "data": "{}"},
    "a type that nobody knows": {"type": "HoursStolen", "data": "{}"},
}


@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize("strange", STRANGE)
async def test_it_is_named(database_url: str, tmp_path: Path, strange: str, full: bool):
    settings = Settings(database_url=database_url, logs=LOGS, nats_url=None, projections_url=None)
    audit = Audit(database_url, LOGS, tmp_path / "verified.json")
    async with running_ledger(settings) as ledger:
        for account_id in ("bad", "good"):
            await ledger.submit(opening(account_id), "open")
            await ledger.submit(purchase(account_id), "buy")
        await catalogue.migrate(database_url, [str(log_id) for log_id in range(LOGS)])
        appended = event("bad", 3, "strange")._replace(**STRANGE[strange])
        await append_as_before(database_url, log_with("bad"), appended)
        await ledger.submit(closing("good"), "close")
    found = await audit.run(full=full)
    named = [fault for findings in found.values() for fault in findings.faults if "of account" in fault]
    assert named == ["event 3 of account bad cannot be applied to those before it"]
