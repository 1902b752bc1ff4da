"""The peer: the same account on a stock `eventsourcing` application, on PostgreSQL with psycopg.

    python stock.py append THREADS SECONDS | fill ACCOUNTS EVENTS | replay | project

Needs DATABASE_URL; prints one JSON object. Each closing is one event; its key is recorded and looked up as ours is.
`create_app` serves closing tasks over HTTP for uvicorn.
"""

import json
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from typing import Annotated, Any, ClassVar
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, UUID, uuid5

from eventsourcing.application import AggregateNotFoundError, Application
from eventsourcing.dispatch import singledispatchmethod
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import IntegrityError, Tracking
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from fastapi import FastAPI, Header
from psycopg.sql import SQL, Identifier

from contracts.commands import CloseTaskBody
from contracts.envelope import Recorded
from contracts.events import Draw, TaskClosed
from contracts.quantities import AccountId, IdempotencyKey, TaskId

CONNECTIONS = 64
NOON = datetime(2026, 3, 5, 9, tzinfo=UTC)
CLOSED = TaskClosed(
    effective_at=NOON,
    booking_month="2026-03",
    task_id="another-for-each",
    closure=1,
    title="Настройка прав доступа",
    category="regular",
    warranty=False,
    worked_minutes=10,
    coefficient=Decimal(1),
    terms_version="2024-01",
    charged_minutes=10,
    draws=(Draw(lot_id="spring", minutes=10, amount_kopecks=43167),),
    owed_minutes=0,
    started_at=NOON,
    closed_at=NOON,
    confirmed_at=NOON,
    confirmed_by="Анна Смирнова",
)
FACTS = {name: value for name, value in CLOSED if value is not None and name not in {"task_id", "draws"}}
"""What an event of ours states, in a domain's own types: the library writes and reads them its own way."""

DRAWS = [draw.model_dump() for draw in CLOSED.draws]


def environment() -> dict[str, str]:
    """What the library is configured with."""
    url = urlsplit(os.environ["DATABASE_URL"])
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": url.path.lstrip("/"),
        "POSTGRES_HOST": url.hostname or "127.0.0.1",
        "POSTGRES_PORT": str(url.port),
        "POSTGRES_USER": url.username or "",
        "POSTGRES_PASSWORD": url.password or "",
        "POSTGRES_POOL_SIZE": "16",
        "POSTGRES_MAX_OVERFLOW": "64",
    }


class Account(Aggregate):
    """Held minutes, and the keys of the commands it has recorded."""

    @event("Opened")
    def __init__(self, account_id: str, minutes: int) -> None:
        self.account_id = account_id
        self.held_minutes = minutes
        self.keys: set[str] = set()

    @staticmethod
    def create_id(account_id: str) -> UUID:
        """The library's ids are UUIDs."""
        return uuid5(NAMESPACE_URL, account_id)

    @event("TaskClosed")
    def close_task(self, task_id: str, key: str, facts: dict[str, Any], draws: list[dict[str, Any]]) -> None:
        """Draw the worked minutes."""
        self.held_minutes -= sum(draw["minutes"] for draw in draws)
        self.keys.add(key)


class Accounts(Application[UUID]):
    """Opens accounts and closes their tasks; accounts stay in memory, as in ours."""

    env: ClassVar[dict[str, str]] = {"AGGREGATE_CACHE_MAXSIZE": "2000", "AGGREGATE_CACHE_FASTFORWARD": "n"}

    def open(self, number: int) -> None:
        """An account with plenty of hours."""
        self.save(Account(f"acc-{number}", 10**9))

    def close_task(self, number: int, task_id: str) -> Account:
        """Close a task once, under a key of its own."""
        account: Account = self.repository.get(Account.create_id(f"acc-{number}"))
        if task_id not in account.keys:
            account.close_task(task_id, task_id, FACTS, DRAWS)
            self.save(account)
        return account


class Balances(PostgresTrackingRecorder):
    """A read model: the balance of each account, written with its tracking."""

    _tracking_table_name = "balances_tracking"

    def __init__(self, datastore: Any, **kwargs: Any) -> None:
        kwargs["tracking_table_name"] = self._tracking_table_name
        super().__init__(datastore, **kwargs)
        self.sql_create_statements.append(
            SQL("CREATE TABLE IF NOT EXISTS {}.balance (account_id uuid PRIMARY KEY, minutes bigint)").format(
                Identifier(self.datastore.schema)
            )
        )

    def move(self, account_id: UUID, minutes: int, tracking: Tracking) -> None:
        """Add minutes to a balance, and move on."""
        with self.datastore.transaction(commit=True) as curs:
            self._insert_tracking(curs, tracking)
            curs.execute(
                "INSERT INTO balance VALUES (%s, %s) ON CONFLICT (account_id)"
                " DO UPDATE SET minutes = balance.minutes + excluded.minutes",
                (account_id, minutes),
            )


class BalancesProjection(Projection[Balances]):
    """From events to balances."""

    name = "balances"

    @singledispatchmethod
    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        """One event."""
        raise NotImplementedError(type(domain_event))

    @process_event.register
    def _(self, opened: Account.Opened, tracking: Tracking) -> None:  # type: ignore[name-defined]
        self.view.move(opened.originator_id, opened.minutes, tracking)

    @process_event.register
    def _(self, closed: Account.TaskClosed, tracking: Tracking) -> None:  # type: ignore[name-defined]
        self.view.move(closed.originator_id, -sum(draw["minutes"] for draw in closed.draws), tracking)


def append(threads: int, seconds: float) -> dict[str, float]:
    """Threads that close tasks as fast as they can, each on an account of its own."""
    app = Accounts(environment())
    for number in range(threads):
        try:
            app.repository.get(Account.create_id(f"acc-{number}"))
        except AggregateNotFoundError:
            app.open(number)
    run, closed, stop = f"{time.time_ns()}", [0] * threads, threading.Event()

    def work(number: int) -> None:
        for task in count():
            if stop.is_set():
                return
            app.close_task(number, f"{run}-{number}-{task}")
            closed[number] += 1

    began = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        work_done = [pool.submit(work, number) for number in range(threads)]
        time.sleep(seconds)
        stop.set()
    for each in work_done:
        each.result()
    return {"events": sum(closed), "rate": sum(closed) / (time.perf_counter() - began)}


def fill(accounts: int, events: int) -> dict[str, float]:
    """So many events on so many accounts, a few hundred to a transaction, for reading back."""
    app = Accounts(environment())
    for number in range(accounts):
        account = Account(f"acc-{number}", 10**9)
        for task in range(events // accounts - 1):
            account.close_task(f"T{task}", f"T{task}", FACTS, DRAWS)
            if task % 500 == 499:
                app.save(account)
        app.save(account)
    return {"events": events // accounts * accounts}


def replay() -> dict[str, float]:
    """Fold every account from its events."""
    app = Accounts(environment() | {"AGGREGATE_CACHE_MAXSIZE": ""})
    app.repository.cache = None
    events, began = 0, time.perf_counter()
    for number in count():
        try:
            events += app.repository.get(Account.create_id(f"acc-{number}")).version
        except AggregateNotFoundError:
            break
    took = time.perf_counter() - began
    return {"events": events, "rate": events / took}


def project(events: int) -> dict[str, float]:
    """Follow the log into the read model until so many events are applied."""
    began = time.perf_counter()
    with ProjectionRunner(
        application_class=Accounts, projection_class=BalancesProjection, view_class=Balances, env=environment()
    ) as runner:
        runner.wait(events, timeout=600)
    return {"events": events, "rate": events / (time.perf_counter() - began)}


def create_app() -> FastAPI:
    """The same route as ours on the stock application, in FastAPI's thread pool."""
    app, accounts = FastAPI(), Accounts(environment())
    for number in range(CONNECTIONS):
        try:
            accounts.open(number)
        except IntegrityError:  # a second run finds it open
            continue

    @app.post("/v1/accounts/{account_id}/tasks/{task_id}/close", status_code=201)
    def close_task(
        account_id: AccountId,
        task_id: TaskId,
        body: CloseTaskBody,
        key: Annotated[IdempotencyKey, Header(alias="Idempotency-Key")],
    ) -> Recorded:
        from tests.benchmarks.empty_route import NOTHING

        accounts.close_task(int(account_id.removeprefix("acc-")), task_id)
        return NOTHING

    return app


if __name__ == "__main__":
    _, what, *numbers = sys.argv
    print(json.dumps({"append": append, "fill": fill, "replay": replay, "project": project}[what](*map(int, numbers))))
