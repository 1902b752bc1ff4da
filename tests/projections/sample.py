"""The sample histories as logs, decided by the ledger's own domain."""

from datetime import datetime
from pathlib import Path

from contracts.commands import COMMAND
from services.ledger.domain.account import Account, decide, fold
from services.operating.demo import SAMPLE, sample_lines
from tests.projections.histories import TERMS
from tests.projections.vocabulary import Log

NOT_OF_THE_COMMAND = {"at", "expect", "balance_minutes", "planned_minutes", "idempotency_key"}
TRADE = Path(__file__).parents[1] / "sample_trade"
"""Nine months with agreed prices, refunds, corrections, specifications and plans."""


def sample_log(folder: Path = SAMPLE) -> Log:
    """What the ledger records of the commands that it accepts."""
    log, accounts = Log(), {}
    for line in sample_lines(folder):
        if line["expect"] == "accepted":
            now = datetime.fromisoformat(line["at"])
            said = {name: value for name, value in line.items() if name not in NOT_OF_THE_COMMAND}
            account = accounts.get(line["account_id"]) or Account(line["account_id"])
            events = decide(COMMAND.validate_python(said), account, TERMS, now)
            accounts[line["account_id"]] = fold(account, events)
            log.record_at(now, line["account_id"], *events)
    return log
