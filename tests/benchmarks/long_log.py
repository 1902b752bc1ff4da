"""A long log, made by the ledger's own domain and put into its table: what a rebuild is measured and tried with."""

import random
import tomllib
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg

import services.ledger
from contracts.commands import CloseTask, Command, OpenAccount, PurchasePackage, ReopenTask
from services.ledger.domain.account import Account, decide, fold
from services.ledger.domain.terms import Terms
from services.ledger.event_store.migrations import migrate

TERMS = Terms.parse(tomllib.loads((Path(services.ledger.__file__).parent / "terms.toml").read_text(encoding="utf-8")))
BEGINNING = datetime(2024, 1, 10, 12, tzinfo=ZoneInfo("Europe/Moscow"))
CLOSED_PER_PACKAGE = 40
COLUMNS = (
    "log_id", "position", "account_id", "version", "event_id", "command_id", "fingerprint", "type", "schema_version",
    "recorded_at", "data",
)  # fmt: skip


async def fill(database_url: str, events: int, accounts: int = 1000) -> None:
    """Make the ledger's schema and a log of about so many events, mostly closings, over so many accounts."""
    await migrate(database_url)
    connection = await asyncpg.connect(database_url)
    try:
        await connection.copy_records_to_table(
            "event", schema_name="ledger", columns=COLUMNS, records=_rows(events, accounts)
        )
        await connection.execute("ANALYZE ledger.event")
    finally:
        await connection.close()


def _rows(events: int, accounts: int) -> Iterator[tuple[Any, ...]]:
    chance = random.Random(7)  # the same log every time
    states = [Account(f"a-{number}") for number in range(accounts)]
    versions, position, now = [0] * accounts, 0, BEGINNING
    for turn in range(events):
        number = turn % accounts
        now += timedelta(seconds=45_000_000 // events)
        command = _command(f"a-{number}", turn // accounts, now, chance)
        for event in decide(command, states[number], TERMS, now):
            states[number] = fold(states[number], [event])
            versions[number] += 1
            position += 1
            yield (
                0, position, f"a-{number}", versions[number], UUID(int=position), str(position), None,
                type(event).__name__, 1, now, event.model_dump_json(exclude_defaults=False),
            )  # fmt: skip
        if position >= events:
            return


def _command(account_id: str, turn: int, now: datetime, chance: random.Random) -> Command:
    if turn == 0:
        return OpenAccount(
            account_id=account_id, customer_name="ООО «Ока»", contract_number="7/24", contract_date="2024-01-10"
        )
    if turn % CLOSED_PER_PACKAGE == 1:
        return PurchasePackage(account_id=account_id, package_id=f"P-{turn}", plan="hours-50", purchased_at=now)
    if turn % 50 == 10:
        return ReopenTask(account_id=account_id, task_id=f"T-{turn - 1}", reason="не доделано")
    return CloseTask(
        account_id=account_id,
        task_id=f"T-{turn}",
        title="Перенос портала на новый сервер и настройка резервного копирования",
        category="regular",
        worked_minutes=chance.randrange(10, 130, 10),
        closed_at=now - timedelta(hours=chance.randrange(1, 100)),
        confirmed_at=now - timedelta(minutes=chance.randrange(50)),
        confirmed_by="Иванова",
    )
