"""Known crossings raise the expected alerts, once each, though workers are killed and the receiver often fails."""

import os
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from uuid import uuid4

import asyncpg
import nats
import pytest

from services.operating.up import Part
from services.projections.catalogue import migrate
from tests.projections.debt_alerts.receiver import SECRET, Receiver, receiving
from tests.projections.following.log_server import LOGS, serving
from tests.projections.questions import until
from tests.projections.vocabulary import Log, closed, moment, opened, paid, purchased

ACCOUNTS = 6
KILLS = 3
OPENED_AND_CLOSED = [
    "low_balance 1 opened 2026-03-05",
    "debt 1 opened 2026-03-07",
    "low_balance 1 closed 2026-03-07",
    "debt 1 closed 2026-03-08",
    "low_balance 2 opened 2026-03-08",
    "low_balance 2 closed 2026-03-20",
    "expiring 1 opened 2026-06-07",
    "expiring 1 closed 2026-06-21",
    "low_balance 3 opened 2026-06-21",
]
UPDATED = ["low_balance 1 updated 2026-03-06"]

CHANGES = """
    SELECT account_id, kind || ' ' || episode || ' ' || split_part(type, '.', 2) || ' '
        || to_char(at AT TIME ZONE 'Europe/Moscow', 'YYYY-MM-DD')
    FROM projections.alert_change ORDER BY number
"""
PROGRESS = """
    SELECT (SELECT coalesce(sum(position), 0) FROM projections.tracking)
        + (SELECT count(*) FROM projections.alert_change) + (SELECT number FROM projections.alert_publication)
        + (SELECT coalesce(sum(attempts), 0) FROM projections.alert_delivery)
"""
PENDING = "SELECT count(*) FROM projections.alert_delivery WHERE delivered_at IS NULL"


def record_history(log: Log, account_id: str) -> None:
    """Hours run low, are overdrawn, paid for, bought anew, and lost."""
    log.record(account_id, opened(), purchased("spring", 1200, on="2026-03-01", until="2026-06-02"))
    log.record(account_id, closed("T-1", on="2026-03-05", draws={"spring": 1100}))
    log.record(account_id, closed("T-2", on="2026-03-06", draws={"spring": 50}))
    log.record(account_id, closed("T-3", on="2026-03-07", draws={"spring": 50}, owed=60))
    log.record(account_id, paid({"T-3": 60}, on="2026-03-08"))
    log.record(account_id, purchased("summer", 1200, on="2026-03-20", until="2026-06-21", succeeds=["spring"]))


class Workers:
    """Two worker processes on one database, of which any may be killed."""

    def __init__(self, parts: list[Part]) -> None:
        self._parts = parts

    def start(self) -> None:
        for part in self._parts:
            part.start()

    def kill(self, number: int) -> None:
        """And start it again."""
        process = self._parts[number].process
        assert process is not None
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        self._parts[number].start()

    def stop(self) -> None:
        for part in self._parts:
            part.stop()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """One that refuses some changes once: every refusal costs a pause of seconds, and a second one doubles it."""
    chance, refused = Random(7), Counter[int]()

    def refuses(number: int) -> bool:
        refused[number] += 1
        return refused[number] == 1 and chance.random() < 0.4

    async with receiving(refuses) as receiver:
        yield receiver


async def test_expected_alerts_are_raised_and_delivered_once_each(
    database_url: str, nats_url: str, server_folder: Path, receiver: Receiver
):
    log, chance, accounts = Log(), Random(11), [f"a-{uuid4().hex}" for _ in range(ACCOUNTS)]
    (server_folder / "webhooks.toml").write_text(f'[[endpoint]]\nurl = "{receiver.url}/hook"\nsecret = "{SECRET}"\n')
    await migrate(database_url, [str(log) for log in range(LOGS)])
    async with AsyncExitStack() as stopping:
        server = await stopping.enter_async_context(serving(log))
        database = await asyncpg.connect(database_url)
        stopping.push_async_callback(database.close)
        environment = {
            **os.environ, "DATABASE_URL": database_url, "NATS_URL": nats_url, "HOURBOOK_LEDGER_URL": server.url,
            "HOURBOOK_SANDBOX": "1", "HOURBOOK_WEBHOOKS_FILE": str(server_folder / "webhooks.toml"),
        }  # fmt: skip
        line = ["projections", "--only", "worker"]
        workers = Workers([Part(f"worker-{n}", line, environment, server_folder) for n in range(2)])
        workers.start()
        stopping.callback(workers.stop)

        async def holds(statement: str, least: int) -> bool:
            return await database.fetchval(statement) >= least

        await until(lambda: holds("SELECT count(*) FROM projections.alert_frontier", LOGS))
        for number, account_id in enumerate(accounts):
            record_history(log, account_id)
            if number == ACCOUNTS - 1:
                log.clock = moment("2026-07-01")
            if number < KILLS:
                further = await database.fetchval(PROGRESS) + chance.randrange(1, 12)
                await until(lambda further=further: holds(PROGRESS, further))
                workers.kill(chance.randrange(2))
        changes = ACCOUNTS * (len(OPENED_AND_CLOSED) + len(UPDATED))
        deliveries = ACCOUNTS * len(OPENED_AND_CLOSED)
        await until(lambda: holds("SELECT count(*) FROM projections.alert_change", changes))
        await until(lambda: holds("SELECT number FROM projections.alert_publication", changes))
        await until(
            lambda: holds("SELECT count(*) FROM projections.alert_delivery WHERE delivered_at IS NOT NULL", deliveries)
        )
        assert await database.fetchval(PENDING) == 0
        told: dict[str, list[str]] = {}
        for account_id, change in await database.fetch(CHANGES):
            told.setdefault(account_id, []).append(change)
        assert set(told) == set(accounts)
        for changes_of_account in told.values():
            assert sorted(changes_of_account) == sorted([*OPENED_AND_CLOSED, *UPDATED])
    assert len(receiver.accepted) == deliveries
    assert {len(ids) for ids in receiver.ids.values()} == {1}
    assert len(set.union(*receiver.ids.values())) == deliveries
    await published_once(nats_url, accounts)


async def published_once(nats_url: str, accounts: list[str]) -> None:
    client = await nats.connect(nats_url)
    for account_id in accounts:
        info = await client.jetstream().stream_info(
            "HOURBOOK-ALERTS", subjects_filter=f"hourbook.alerts.{account_id}.>"
        )
        assert sum((info.state.subjects or {}).values()) == len(OPENED_AND_CLOSED) + len(UPDATED)
    await client.close()
