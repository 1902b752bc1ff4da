"""Our side of what has no address: the ledger's pipeline and the folding of its log, in one process.

    python ours.py append WRITERS SECONDS [plain] | close WRITERS SECONDS [plain] | replay | rebuild LEDGER_PORT

`append` records events that are decided already, as the event store alone would; `close` decides each of them; `plain`
works out no hashes, for a database that stores none (`sides.without_evidence`), and `unsigned` signs no seals.

Needs DATABASE_URL; prints one JSON object.
"""

import asyncio
import gc
import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from itertools import count
from typing import NamedTuple
from uuid import uuid4

import httpx
import psutil
import uvloop

from contracts.commands import CloseTask, OpenAccount, PurchasePackage
from contracts.events import TaskClosed
from services.ledger.domain.account import Account, evolve
from services.ledger.domain.terms import Terms
from services.ledger.event_store import appending
from services.ledger.event_store.known_account import KnownAccount
from services.ledger.event_store.seals import BEGINNING, Seal, Sealer
from services.ledger.event_store.store import EventStore
from services.ledger.event_store.stored_event import StoredEvent
from services.ledger.running import Ledger, running_ledger
from services.ledger.settings import Settings
from services.ledger.writing.answers import Answer
from services.ledger.writing.submissions import Draft, Submission
from services.process.leaf import PLACE_BYTES
from services.projections.balances import BALANCES
from services.projections.catalogue import migrate
from services.projections.database import pool
from services.projections.following.feed import LogFeed
from services.projections.following.identity import FollowedLedger
from services.projections.following.live_log import Delivery
from services.projections.following.rebuild import Rebuild
from services.projections.following.tracking import Tracking
from services.projections.following.worker import Worker
from tests.benchmarks.http_load import TASK

PAGE_EVENTS = 2000
BREATH_EVENTS = 50
MEMORY_EVENTS = 10_000

TASK_ID = "another-for-each"
CLOSED = TaskClosed(
    effective_at=TASK["confirmed_at"],
    booking_month="2026-03",
    task_id=TASK_ID,
    closure=1,
    title=TASK["title"] * 5,
    category="warranty",
    warranty=True,
    worked_minutes=10,
    coefficient="0",
    terms_version="2024-01",
    charged_minutes=0,
    draws=(),
    owed_minutes=0,
    **{name: TASK[name] for name in ("started_at", "closed_at", "confirmed_at", "confirmed_by")},
).model_dump_json()
"""A closing that costs nothing, so that any account may have any number of them; as wide as one that does."""

Submit = Callable[[Ledger, CloseTask, str], "asyncio.Future[Answer]"]


class Decided(Submission):
    """A command whose one event is known: the next of its account, under the command's key."""

    def decide(self, before: KnownAccount, terms: Terms, now: datetime) -> Draft:
        account = before.account._replace(version=before.account.version + 1)
        event = StoredEvent(
            position=None,
            account_id=self.account_id,
            version=account.version,
            event_id=str(uuid4()),
            command_id=self.key,
            fingerprint=self.fingerprint,
            type="TaskClosed",
            schema_version=1,
            recorded_at=now,
            data=CLOSED.replace(TASK_ID, self.key),
            follows=before.event_id,
        )
        return Draft(before, (event,), KnownAccount(account, now, event.event_id))


async def append(writers: int, seconds: int) -> dict[str, float]:
    """Writers that append, each waiting for its answer, on an account of its own: one event a command."""

    def submit(ledger: Ledger, command: CloseTask, key: str) -> "asyncio.Future[Answer]":
        fingerprint = sha256(key.encode()).digest()
        decided = Decided(command, key, fingerprint, "local", asyncio.get_running_loop().create_future())
        return ledger.pipelines[0].submit(decided)

    return await _measured(writers, seconds, submit)


async def close(writers: int, seconds: int) -> dict[str, float]:
    """Writers that close tasks: each command is decided by the domain."""

    def submit(ledger: Ledger, command: CloseTask, key: str) -> "asyncio.Future[Answer]":
        return ledger.submit(command.model_copy(update={"task_id": key}), key)

    return await _measured(writers, seconds, submit)


async def _measured(writers: int, seconds: int, submit: Submit) -> dict[str, float]:
    async with running_ledger(Settings(database_url=os.environ["DATABASE_URL"])) as ledger:
        run = f"{time.time_ns()}"
        await asyncio.gather(*(_open(ledger, f"{run}-{number}") for number in range(writers)))
        began, cpu = time.perf_counter(), time.process_time()
        works = (_work(ledger, f"{run}-{number}", began + seconds, submit) for number in range(writers))
        events = sum(await asyncio.gather(*works))
        took, cpu = time.perf_counter() - began, time.process_time() - cpu
        return {"events": events, "rate": events / took, "cpu_us": cpu / events * 1e6}


async def _open(ledger: Ledger, account_id: str) -> None:
    opening = OpenAccount(
        account_id=account_id, customer_name="ООО «Ока»", contract_number="7", contract_date="2026-01-01"
    )
    await ledger.submit(opening, f"{account_id}-opens")
    for package in range(5):
        purchase = PurchasePackage(
            account_id=account_id, package_id=f"p{package}", plan="hours-100", purchased_at="2026-03-01T12:00:00+03:00"
        )
        await ledger.submit(purchase, f"{account_id}-buys-{package}")


async def _work(ledger: Ledger, account_id: str, until: float, submit: Submit) -> int:
    command = CloseTask.model_validate({"account_id": account_id, "task_id": "T", **TASK})
    for done in count():
        if time.perf_counter() > until:
            return done
        await submit(ledger, command, f"{account_id}-{done}")
    raise AssertionError


async def replay(log_id: int = 0) -> dict[str, float]:
    """Fold the whole log, every account, with the domain."""
    async with EventStore.connected(os.environ["DATABASE_URL"]) as store:
        accounts: dict[str, Account] = defaultdict(lambda: Account(""))
        position, began = 0, time.perf_counter()
        reading = asyncio.create_task(store.page(log_id, 0, PAGE_EVENTS))
        while page := await reading:
            position += len(page)
            reading = asyncio.create_task(store.page(log_id, position, PAGE_EVENTS))
            for number, event in enumerate(page):
                accounts[event.account_id] = evolve(accounts[event.account_id], event.event())
                if number % BREATH_EVENTS == 0:
                    await asyncio.sleep(0)  # or the next page is asked for only when this one is folded
        return {"events": position, "rate": position / (time.perf_counter() - began)}


async def rebuild(ledger_port: int) -> dict[str, float]:
    """Fill the balances from the feed, up to the end of the log."""
    database_url = os.environ["DATABASE_URL"]
    await migrate(database_url, ["0"])
    tracking, process = Tracking(BALANCES, "0"), psutil.Process()
    async with (
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{ledger_port}", timeout=60, trust_env=False) as client,
        pool(database_url, 3) as connections,
    ):
        head = int((await client.get("/v1/log", params={"limit": 1})).headers["Hourbook-Position"])
        feed = LogFeed(client, "0", FollowedLedger(connections))
        worker = Worker(connections, tracking, feed, Delivery(None, feed), Rebuild(database_url, [tracking], [feed]))
        began, memory_first = time.perf_counter(), 0
        working = asyncio.create_task(worker.run())
        while (place := await tracking.place(connections)).position < head:
            if not memory_first and place.position > MEMORY_EVENTS:
                memory_first = process.memory_info().rss
            assert not place.halted, place.halted
            await asyncio.sleep(0.05)
        took = time.perf_counter() - began
        working.cancel()
        memory = process.memory_info().rss
        return {"events": head, "rate": head / took, "memory": memory, "memory_first": memory_first or memory}


class Nothing(NamedTuple):
    """A leaf of no bytes."""

    def hash(self, position: int) -> bytes:
        return b""


def leave_out(what: str) -> None:
    """Part of what makes the log prove itself."""
    if what == "plain":
        appending.leaf_of = lambda log_id, event: Nothing()  # pyright: ignore[reportPrivateImportUsage]
    elif what == "unsigned":
        Sealer.seal = lambda sealer, *append: UNSIGNED


UNSIGNED = Seal(BEGINNING, BEGINNING, bytes(64), bytes(PLACE_BYTES))

if __name__ == "__main__":
    _, what, *numbers = sys.argv
    if numbers[2:]:
        leave_out(numbers.pop())
    gc.set_threshold(100_000, 20, 100)  # as the service does
    print(
        json.dumps(
            uvloop.run(
                {"append": append, "close": close, "replay": replay, "rebuild": rebuild}[what](*map(int, numbers))
            )
        )
    )
