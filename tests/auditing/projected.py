"""The sample histories in a ledger's database, with every read model as workers leave it."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random

import asyncpg

from contracts.commands import COMMAND, Command
from contracts.placement import log_of
from services.ledger.domain.account import Account, decide, fold
from services.ledger.event_store.store import EventStore
from services.ledger.event_store.stored_event import StoredEvent, as_lines
from services.ledger.running import prepared
from services.ledger.sealing import opened_sealer
from services.ledger.settings import Settings
from services.ledger.writing.personal_data import set_apart
from services.operating.demo import SAMPLE, sample_lines
from services.projections import catalogue
from services.projections.database import pool
from services.projections.debt_alerts.episodes import begin
from services.projections.debt_alerts.projection import pass_time
from services.projections.following.batches import apply
from services.projections.following.logged import Logged
from services.projections.following.tracking import Tracking
from tests.ledger.event_store.events import event as stored
from tests.projections.histories import TERMS
from tests.projections.sample import NOT_OF_THE_COMMAND
from tests.projections.vocabulary import moment

SAMPLE_END = moment("2026-08-31 12:00")
"""When everything of it is recorded; up to then time passes for alerts."""

PLAN = {"command": "PlanTask", "title": "Впереди", "category": "urgent", "estimated_minutes": 60}
CHANGE = {"command": "ChangeCustomer", "effective_on": "2026-08-30", "contract_date": "2026-02-01"}
FURTHER = (
    *(PLAN | {"task_id": f"planned-{number}"} for number in range(3)),
    CHANGE | {"customer_name": "ООО «Другая»", "customer_requisites": {"signatory_name": "Роман Ромашкин"}},
    CHANGE | {"contract_number": "8", "effective_on": "2026-08-29"},
    {"command": "DropPlan", "task_id": "planned-1", "reason": "передумали"},
)


async def projected_sample(
    database_url: str, logs: int, key_file: Path | None = None, samples: Sequence[Path] = (SAMPLE,)
) -> None:
    """Record samples, and apply them to every projection, in batches of any size; with seals if there is a key."""
    await prepared(database_url, logs)
    keys = {"audit_key_file": key_file, "seal_key_file": key_file and key_file.with_name("seal.pem")}
    sealer = await opened_sealer(Settings(database_url=database_url, logs=logs, **keys))
    async with EventStore.connected(database_url, logs, sealer) as store:
        events = list(_events(samples))
        for log_id in range(logs):
            if of_log := [event for event in events if log_of(event.account_id, logs) == log_id]:
                await store.append(log_id, of_log, {})
        await project(database_url, store, logs, SAMPLE_END)


def _commands(samples: Sequence[Path]) -> Iterator[tuple[Command, datetime]]:
    """Those of the samples that are accepted, and then on each account what they do not say."""
    lines = (line for sample in samples for line in sample_lines(sample) if line["expect"] == "accepted")
    accounts: set[str] = set()
    for line in sorted(lines, key=lambda line: datetime.fromisoformat(line["at"])):
        said = {name: value for name, value in line.items() if name not in NOT_OF_THE_COMMAND}
        accounts.add(line["account_id"])
        yield COMMAND.validate_python(said), datetime.fromisoformat(line["at"])
    for account_id in sorted(accounts):
        for said in FURTHER:
            yield COMMAND.validate_python(said | {"account_id": account_id}), SAMPLE_END - timedelta(hours=1)


def _events(samples: Sequence[Path]) -> Iterator[StoredEvent]:
    """What each command comes to, in the order of recording, its names set apart."""
    accounts: dict[str, Account] = {}
    for number, (command, now) in enumerate(_commands(samples)):
        account_id = command.account_id
        before = accounts.get(account_id, Account(account_id))
        decided = decide(command, before, TERMS, now)
        accounts[account_id] = fold(before, decided)
        for ordinal, (event, personal) in enumerate(map(set_apart, decided)):
            version = before.version + 1 + ordinal
            made = stored(account_id, version, f"command-{number}", first=not ordinal, data=event.model_dump_json())
            yield made._replace(type=type(event).__name__, recorded_at=now, personal=personal)


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
