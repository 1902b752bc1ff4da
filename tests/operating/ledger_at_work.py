"""A data folder with a small ledger in it, which tests record in, sign and back up as `up` would."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from contracts.commands import Command
from contracts.placement import every_log
from infra.embedded_postgres import EmbeddedPostgres
from services.auditing.auditor import Audit
from services.billing import database as billing
from services.ledger.audit.checkpointer import Checkpointer
from services.ledger.event_store.store import EventStore
from services.ledger.running import prepared, running_ledger
from services.ledger.settings import Settings
from services.ledger.writing.submissions import new_id
from services.projections import catalogue
from tests.ledger.commands import closing, opening, purchase
from tests.ledger.roles import EVERY


@dataclass(frozen=True)
class LedgerAtWork:
    """Of one log. Its server runs as long as the test that has made it wants."""

    data: Path
    server: EmbeddedPostgres

    @property
    def key_file(self) -> Path:
        return self.data / "audit" / "key.pem"

    @property
    def settings(self) -> Settings:
        return Settings(
            database_url=self.server.url, nats_url=None, audit_key_file=self.key_file,
            seal_key_file=self.key_file.with_name("seal.pem"), erasures_file=self.key_file.with_name("erasures.ndjson"),
        )  # fmt: skip

    async def begin(self) -> None:
        """The schemas, and an account with a package."""
        await prepared(self.server.url, 1)
        await catalogue.migrate(self.server.url, ["0"])
        await billing.migrate(self.server.url)
        await self.record(opening("oka"), purchase("oka"))

    async def close_tasks(self, numbers: Iterable[int], person: str) -> None:
        """A closing for each number, confirmed by that person, one after another."""
        await self.record(
            *(closing("oka", f"T-{number}").model_copy(update={"confirmed_by": person}) for number in numbers)
        )

    async def record(self, *commands: Command) -> None:
        """Each committed on its own; then everything is signed, and verified."""
        async with running_ledger(self.settings) as ledger:
            for command in commands:
                await ledger.submit(command, new_id())
        await self._sign()
        found = await Audit(self.server.url, 1, self.data / "audit" / "verified.json").run(full=False)
        assert [fault for findings in found.values() for fault in findings.faults] == []

    async def _sign(self) -> None:
        async with EventStore.connected(self.server.url, role=EVERY) as store:
            for log_id in every_log(1):
                await Checkpointer(store.readers, log_id, self.key_file).catch_up()
