"""The sample history in a ledger's database, with every read model as workers leave it."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random

import asyncpg

from contracts.commands import COMMAND
from contracts.envelope import RecordedEvent
from contracts.placement import log_of
from services.ledger.domain.account import Account, decide, fold
from services.ledger.event_store.store import EventStore
from services.ledger.event_store.stored_event import StoredEvent, as_lines
from services.ledger.running import prepared
from services.ledger.sealing import opened_sealer
from services.ledger.settings import Settings
from services.ledger.writing.personal_data import set_apart
from services.projections import catalogue
from services.projections.database import pool
from services.projections.debt_alerts.episodes import begin
from services.projections.debt_alerts.projection import pass_time
from services.projections.following.batches import apply
from services.projections.following.logged import Logged
from services.projections.following.tracking import Tracking
from tests.projections.histories import TERMS
from tests.projections.sample import sample_log
from tests.projections.vocabulary import Log, moment

SAMPLE_END = moment("2026-09-01")
"""When everything of it is recorded; up to then time passes for alerts."""

PLAN = {"command": "PlanTask", "title": "Впереди", "category": "urgent", "estimated_minutes": 60}
CHANGE = {"command": "ChangeCustomer", "effective_on": "2026-08-30", "contract_date": "2026-02-01"}
FURTHER = (
    *(PLAN | {"task_id": f"planned-{number}"} for number in range(3)),
    CHANGE | {"customer_name": "ООО «Другая»", "customer_requisites": {"signatory_name": "Роман Ромашкин"}},
    CHANGE | {"contract_number": "8", "effective_on": "2026-08-29"},
    {"command": "DropPlan", "task_id": "planned-1", "reason": "передумали"},
)


async def projected_sample(database_url: str, logs: int, key_file: Path | None = None) -> None:
    """Record the sample, and apply it to every projection, in batches of any size; with seals if there is a key."""
    await prepared(database_url, logs)
    keys = {"audit_key_file": key_file, "seal_key_file": key_file and key_file.with_name("seal.pem")}
    sealer = await opened_sealer(Settings(database_url=database_url, logs=logs, **keys))
    async with EventStore.connected(database_url, logs, sealer) as store:
        lines = _planned_and_changed(sample_log()).lines
        for log_id in range(logs):
            if of_log := list(_stored([line for line in lines if log_of(line.account_id, logs) == log_id])):
                await store.append(log_id, of_log, {})
        await project(database_url, store, logs, SAMPLE_END)


def _planned_and_changed(log: Log) -> Log:
    """And on each account what no command of the sample says: plans, and changes of the customer."""
    now = log.lines[-1].recorded_at
    for account_id in sorted({line.account_id for line in log.lines}):
        account = fold(Account(account_id), [line.event() for line in log.lines if line.account_id == account_id])
        for said in FURTHER:
            events = decide(COMMAND.validate_python(said | {"account_id": account_id}), account, TERMS, now)
            account = fold(account, events)
            log.record_at(now, account_id, *events)
    return log


def _stored(lines: Iterable[RecordedEvent]) -> Iterator[StoredEvent]:
    last: dict[str, str] = {}
    for line in lines:
        event, personal = set_apart(line.event())
        names = (line.account_id, line.version, line.event_id, line.command_id, line.command_id.encode(), line.type)
        stored = StoredEvent(None, *names, line.schema_version, line.recorded_at, event.model_dump_json())
        yield stored._replace(personal=personal, follows=last.get(line.account_id))
        last[line.account_id] = line.event_id


async def project(database_url: str, store: EventStore, logs: int, now: datetime) -> None:
    """Bring every projection to the ends of the logs, and let time pass up to now."""
    names = [str(log_id) for log_id in range(logs)]
    await catalogue.migrate(database_url, names)
    async with pool(database_url, 1) as database:
        await begin(database, [0] * logs, now - timedelta(days=400))
        async with database.acquire() as connection:
            for projection in catalogue.PROJECTIONS:
                for log_id in range(logs):
                    await _apply(connection, Tracking(projection, str(log_id)), await logged(store, log_id))
        await pass_time(database, now)


async def _apply(connection: asyncpg.Connection, tracking: Tracking, events: list[Logged]) -> None:
    place = await tracking.place(connection)
    for batch in _batches(events[place.position :], Random(tracking.projection.name)):
        place = await apply(connection, tracking, place, batch)


def _batches(events: list[Logged], random: Random) -> Iterator[list[Logged]]:
    cuts = sorted({0, len(events), *(random.randrange(len(events) + 1) for _ in range(12))})
    for start, end in pairwise(cuts):
        yield events[start:end]


async def logged(store: EventStore, log_id: int) -> list[Logged]:
    """All events of a short log."""
    page = await store.page(log_id, 0, 100_000)
    return [Logged.of_line(line) for line in as_lines(page).splitlines()]
