"""The ledger at work in a process: what its routes ask, and the tasks that run with it, as the relay and the expiry."""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx

from contracts.commands import Command
from contracts.placement import every_log, log_of
from services.access.caller import asking
from services.access.door import Door
from services.access.principals import LOCAL
from services.ledger.access.door import opened_door
from services.ledger.access.log import AccessLog
from services.ledger.audit.checkpointer import keep_checkpointing
from services.ledger.audit.statements import Surroundings
from services.ledger.audit.watch import AuditWatch
from services.ledger.audit.witnesses import cosigners, keep_cosigned, keep_delivering, witnesses
from services.ledger.clock import Clock, SandboxClock, SystemClock
from services.ledger.domain.local_time import missing_transfers
from services.ledger.drift import records as drift
from services.ledger.event_store.database import UNAVAILABLE, Database, LedgerUnavailable
from services.ledger.event_store.known_account import KnownAccount
from services.ledger.event_store.migrations import fix_logs, migrate
from services.ledger.event_store.roles import LEDGER, RELAY, SIGNER
from services.ledger.event_store.store import EventStore
from services.ledger.event_store.stored_event import as_lines
from services.ledger.price_lists.publication import begin_terms
from services.ledger.publishing.relay import keep_relaying, keep_ringing
from services.ledger.readiness import Parts, Readiness
from services.ledger.sealing import opened_sealer
from services.ledger.settings import Settings, terms
from services.ledger.writing.answers import Answer
from services.ledger.writing.expiry import keep_expiring
from services.ledger.writing.pipeline import Pipeline
from services.ledger.writing.submissions import NothingIsDue, Submission
from services.process.operator_error import CANNOT_START, OperatorError
from services.process.outside import outside_client
from services.process.postgres_login import log_in
from services.process.stopping import end, raise_where_ended
from services.process.tail import Page, Tail
from services.process.wake import Wake

logger = logging.getLogger(__name__)

RETRY_SECONDS = 0.2
SIGNERS_MAX = 4


@dataclass(frozen=True)
class Ledger:
    """The ledger of one process: a pipeline and a bell for each log, and the tasks that run with them."""

    settings: Settings
    store: EventStore
    clock: Clock
    projections: httpx.AsyncClient
    wakes: tuple[Wake, ...]
    tails: tuple[Tail, ...]
    pipelines: tuple[Pipeline, ...]
    audit: AuditWatch
    access: AccessLog
    door: Door
    readiness: Readiness
    work: list[asyncio.Task[None]]

    def log_of(self, account_id: str) -> int:
        """The log an account belongs to, for ever."""
        return log_of(account_id, self.settings.logs)

    def submit(self, command: Command, key: str, actor: str = LOCAL.id) -> "asyncio.Future[Answer]":
        """Take a command in. Its answer, or its refusal, comes later; one account's commands keep their order."""
        return self.pipelines[self.log_of(command.account_id)].submit(Submission.of(command, key, actor))

    async def dry_run(
        self, command: Command, key: str, actor: str = LOCAL.id, tried: dict[str, KnownAccount] | None = None
    ) -> Answer:
        """What the command would be answered now; records nothing. `tried`: what commands before it would leave."""
        submission = Submission.of(command, key, actor)
        return await self.pipelines[self.log_of(command.account_id)].dry_run(submission, {} if tried is None else tried)

    async def expire(self, account_id: str) -> None:
        """Record what is due on an account, if nobody has yet."""
        try:
            await self.pipelines[self.log_of(account_id)].submit(Submission.of_scheduler(account_id))
        except NothingIsDue:
            return

    async def notices(self) -> list[str]:
        """What an operator has to do though this process is ready, a sentence each."""
        found = [f"Nothing is recorded on one account: {each}." for log in self.pipelines for each in log.unreadable]
        try:
            notice = missing_transfers(await self.clock.now())
        except LedgerUnavailable:
            return found
        return [*found, *([notice] if notice else []), *await drift.notices(self.store.readers)]

    async def heads(self) -> list[int]:
        """The position of the last event of each log."""
        return [await self.store.head(log_id) for log_id in range(self.settings.logs)]

    async def parts(self) -> Parts:
        """What is against each part that callers need, a sentence each."""
        return await self.readiness.parts(task.get_name() for task in self.work if task.done())

    async def parts_beside(self) -> Parts:
        """The same of what works beside the ledger: the connectors, where there are any."""
        return await drift.parts(self.store.readers)

    async def faults(self) -> list[str]:
        """The same of all parts; empty when they are ready."""
        return [sentence for sentences in (await self.parts()).values() for sentence in sentences]


@asynccontextmanager
async def running_ledger(
    settings: Settings, *, relay: bool = False, expiry: bool = False, answers: bool = True
) -> AsyncIterator[Ledger]:
    """A ledger that takes commands, with or without a relay and an expiry of its own; waits for PostgreSQL.

    `answers`: whether anybody asks this process about health, access or proofs, for which it watches other processes.
    """
    await prepared(settings.database_url, settings.logs, LEDGER, *((SIGNER,) if expiry else ()))
    sealer = await opened_sealer(settings)
    async with (
        EventStore.connected(settings.database_url, settings.logs, sealer) as store,
        Database.connected(settings.database_url, SIGNERS_MAX, name="signers", role=SIGNER) as signers,
        httpx.AsyncClient(**asking(settings.projections_url or "", settings.projections_key_file)) as projections,
        outside_client() as outside,
    ):
        clock = SandboxClock(store.readers) if settings.sandbox else SystemClock()
        wakes = tuple(Wake() for _ in range(settings.logs))
        audit = AuditWatch(store.readers, settings.logs)
        tails = tuple(_tail(store, log_id, wake) for log_id, wake in enumerate(wakes))
        for tail in tails:
            store.ends.at_new_epoch(tail.begin_anew)
        access = AccessLog(store, clock)
        pipelines = tuple(
            Pipeline(store, log_id, access.terms_at, clock, wake, settings.warm_events_max)
            for log_id, wake in enumerate(wakes)
        )
        door = await opened_door(access, outside, sandbox=settings.sandbox)
        await begin_terms(access, terms())
        readiness = Readiness(settings, store, clock, audit)
        ledger = Ledger(
            settings, store, clock, projections, wakes, tails, pipelines, audit, access, door, readiness, []
        )
        for name, work in _work(ledger, signers, relay=relay, expiry=expiry, answers=answers):
            ledger.work.append(asyncio.create_task(work, name=name))
            ledger.work[-1].add_done_callback(_say_if_crashed)
        for notice in await ledger.notices():
            logger.warning(notice)
        try:
            yield ledger
        finally:
            await end(*ledger.work)


def _tail(store: EventStore, log_id: int, wake: Wake) -> Tail:
    """The end of a log, for those who follow it."""

    async def read(after: int, events_max: int) -> Page | None:
        events = await store.page(log_id, after, events_max)
        return Page(after + len(events), as_lines(events)) if events else None

    return Tail(partial(store.head, log_id), read, wake, (LedgerUnavailable,))


def _work(
    ledger: Ledger, signers: Database, *, relay: bool, expiry: bool, answers: bool
) -> Iterator[tuple[str, Coroutine[Any, Any, None]]]:
    settings = ledger.settings
    for log_id, (pipeline, wake) in enumerate(zip(ledger.pipelines, ledger.wakes, strict=True)):
        yield f"The pipeline of log {log_id}", pipeline.run()
        yield f"The tail of log {log_id}", ledger.tails[log_id].run()
        if settings.nats_url and relay:
            yield (
                f"The relay of log {log_id}",
                keep_relaying(ledger.store, log_id, settings.nats_url, wake, settings.nats_replicas),
            )
        elif settings.nats_url:
            yield f"The bell of log {log_id}", keep_ringing(log_id, settings.nats_url, wake)
    if expiry:
        yield "The expiry", keep_expiring(ledger.store, settings.logs, ledger.clock, ledger.expire)
        yield from _audit_work(ledger.settings, signers, ledger.access)
    if not answers:
        return
    yield "The watch on the audit", ledger.audit.run()
    yield "The log of access", ledger.access.keep_up()
    yield "The watch on the log", ledger.readiness.watch_database()
    if settings.nats_url:
        yield "The watch on the stream", ledger.readiness.watch_stream(settings.nats_url)


def _audit_work(
    settings: Settings, database: Database, access: AccessLog
) -> Iterator[tuple[str, Coroutine[Any, Any, None]]]:
    """The checkpointer, if it has a key to sign with, and the delivery of its checkpoints to witnesses."""
    if settings.audit_key_file is None:
        logger.warning("HOURBOOK_AUDIT_KEY_FILE is not set: this process signs no checkpoints")
        return
    yield (
        "The checkpointer",
        keep_checkpointing(
            database,
            Surroundings(settings.logs, access.terms_now),
            settings.audit_key_file,
            real_time=not settings.sandbox,
        ),
    )
    folder = settings.audit_key_file.parent
    for log_id in every_log(settings.logs):
        for witness in witnesses(settings):
            yield f"The delivery to {witness.name}", keep_delivering(witness, database, log_id, folder)
        for cosigner in cosigners(settings.cosigners_file):
            yield f"The cosigning by {cosigner.name}", keep_cosigned(cosigner, database, log_id)


def _say_if_crashed(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (crash := task.exception()):
        logger.critical("%s has crashed", task.get_name(), exc_info=crash)


async def prepared(database_url: str, logs: int, *roles: str) -> None:
    """Bring the schema up to date as soon as PostgreSQL answers; OperatorError where that cannot be.

    `roles`: as which this login works; all of the ledger's where none is named.
    """
    while True:
        await log_in(database_url)
        with suppress(*UNAVAILABLE):
            await migrate(database_url, *roles)
            return await fix_logs(database_url, logs)
        await asyncio.sleep(RETRY_SECONDS)


def required_nats_url(settings: Settings) -> str:
    """Where relays publish; OperatorError where that is not set."""
    if settings.nats_url is None:
        raise OperatorError("NATS_URL is not set: the relay needs to know where to publish.", exit_code=CANNOT_START)
    return settings.nats_url


async def run_relay(settings: Settings) -> None:
    """The relays of all logs in a process of their own, until cancelled."""
    nats_url = required_nats_url(settings)
    await prepared(settings.database_url, settings.logs, RELAY)
    async with EventStore.connected(settings.database_url, role=RELAY) as store, asyncio.TaskGroup() as tasks:
        for log_id in range(settings.logs):
            tasks.create_task(keep_relaying(store, log_id, nats_url, Wake(), settings.nats_replicas))


async def run_expiry(settings: Settings) -> None:
    """The expiry in a process of its own, until cancelled; ends with an error once any of its tasks has ended."""
    async with running_ledger(settings, expiry=True, answers=False) as ledger:
        await asyncio.wait(ledger.work, return_when=asyncio.FIRST_COMPLETED)
        raise_where_ended(ledger.work)
