"""Many writers in several processes, killed and cut off at random, with readers at the tail of the log.

    python -m tests.reliability.concurrency.campaign SECONDS

Nothing may be skipped, reordered, doubled or lost. Prints one JSON object with what was done and found.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import NamedTuple

import asyncpg

from contracts.events import TaskClosed
from infra.embedded import EmbeddedPostgres
from services.ledger.event_store.migrations import migrate
from services.ledger.event_store.store import EventStore
from services.ledger.event_store.stored_event import StoredEvent
from tests.ledger.lossy_link import LossyLink
from tests.ledger.several_logs import LOGS
from tests.reliability.concurrency import writer
from tests.reliability.concurrency.writer import journal_of

ROOT = Path(__file__).parents[3]
WRITERS = 4
READERS = 2
PAGE_EVENTS = 500
LONG_TRANSACTION_SECONDS = (0.5, 5.0)
TROUBLE_SECONDS = (0.2, 1.5)
HEALING_SECONDS_MAX = 600


class Broken(AssertionError):
    """The log is not what it has to be."""


@dataclass
class Tally:
    """What the campaign did, and what came of it."""

    seconds: float = 0
    events: int = 0
    accepted: int = 0
    refused: int = 0
    reads: int = 0
    kills: int = 0
    lost_answers: int = 0
    cut_connections: int = 0
    long_transactions: int = 0


class Place(NamedTuple):
    """Where an event is."""

    position: int
    event_id: str


@dataclass
class Tail:
    """A reader at the end of the log: each event follows the one before, in the log and in its account."""

    position: int = 0
    versions: Counter[str] = field(default_factory=Counter)

    def take(self, events: Iterable[StoredEvent]) -> None:
        """What comes next; Broken if anything is missing, repeated or out of order."""
        for event in events:
            if event.position != self.position + 1:
                raise Broken(f"after position {self.position} came {event.position}")
            if event.version != self.versions[event.account_id] + 1:
                raise Broken(
                    f"{event.account_id}: after version {self.versions[event.account_id]} came {event.version}"
                )
            self.position = event.position
            self.versions[event.account_id] = event.version


class Campaign:
    """One PostgreSQL, its writers behind a link that loses answers, and everything that can go wrong around them."""

    def __init__(self, folder: Path, database_url: str, other_database_url: str, chance: Random) -> None:
        self._folder, self._url, self._other_url, self._chance = folder, database_url, other_database_url, chance
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        self.tally = Tally()

    async def run(self, enough: Callable[[Tally], bool]) -> Tally:
        """Let it rage until that is enough, then let every writer come to rest, and check the log against journals."""
        await migrate(self._url)
        async with LossyLink.to(self._url) as link, EventStore.connected(self._url) as store:
            began = time.monotonic()
            raging = [
                asyncio.ensure_future(each)
                for each in (
                    self._kill_writers(link),
                    self._lose_answers(link),
                    self._hold_transactions(self._url),
                    self._hold_transactions(self._other_url),
                    *(self._follow(store, log_id, Tail()) for log_id in range(LOGS) for _ in range(READERS)),
                )
            ]
            while not enough(self.tally) and not any(task.done() for task in raging):
                await asyncio.sleep(0.1)
                self.tally.seconds, self.tally.lost_answers = time.monotonic() - began, link.lost
            for task in raging:
                task.cancel()
            for outcome in await asyncio.gather(*raging, return_exceptions=True):
                if isinstance(outcome, Exception):
                    raise outcome
            link.losing = None
            await self._come_to_rest(link)
            await self._check(store)
        return self.tally

    def _start(self, number: int, link: LossyLink) -> None:
        line = [sys.executable, writer.__file__, str(number), str(self._journal(number))]
        environment = {**os.environ, "DATABASE_URL": link.url, "PYTHONPATH": str(ROOT)}
        self._processes[number] = subprocess.Popen(line, env=environment, stderr=subprocess.DEVNULL)

    def _journal(self, number: int) -> Path:
        return self._folder / f"writer-{number}.ndjson"

    async def _pause(self, between: tuple[float, float] = TROUBLE_SECONDS) -> None:
        await asyncio.sleep(self._chance.uniform(*between))

    async def _kill_writers(self, link: LossyLink) -> None:
        """Any of them, at any moment: in the middle of a commit too."""
        for number in range(WRITERS):
            self._start(number, link)
        await self._until_answered()
        while True:
            await self._pause()
            number = self._chance.randrange(WRITERS)
            self._kill(number)
            self.tally.kills += 1
            self._start(number, link)

    async def _until_answered(self) -> None:
        """Every writer has begun to be answered."""
        while not all(journal_of(self._journal(number))[1] for number in range(WRITERS)):
            await asyncio.sleep(0.05)

    def _kill(self, number: int) -> None:
        self._processes[number].send_signal(signal.SIGKILL)
        self._processes[number].wait()

    async def _lose_answers(self, link: LossyLink) -> None:
        """The commit happens and its answer is swallowed; now and then every connection is reset."""
        while True:
            await self._pause()
            if self._chance.random() < 0.8:
                link.losing = f"w{self._chance.randrange(WRITERS)}-".encode()
            else:
                link.cut()
                self.tally.cut_connections += 1

    async def _hold_transactions(self, url: str) -> None:
        """Somebody else's transaction, open for long, with a transaction id and an old snapshot."""
        while True:
            connection = await asyncpg.connect(url)
            try:
                async with connection.transaction(isolation="repeatable_read"):
                    await connection.execute("CREATE TABLE IF NOT EXISTS somebody_elses (n integer)")
                    await connection.execute("INSERT INTO somebody_elses VALUES (1)")
                    self.tally.long_transactions += 1
                    await self._pause(LONG_TRANSACTION_SECONDS)
            finally:
                await connection.close()

    async def _follow(self, store: EventStore, log_id: int, tail: Tail) -> None:
        while True:
            self.tally.reads += 1
            page = await store.page(log_id, tail.position, PAGE_EVENTS)
            tail.take(page)
            if not page:
                await asyncio.sleep(0.005)

    async def _come_to_rest(self, link: LossyLink) -> None:
        """Each writer once more, until it has sent again what nobody had answered; then it is ended."""
        unanswered = {number: self._unanswered(number) for number in range(WRITERS)}
        for number in range(WRITERS):
            if number in self._processes:
                self._kill(number)
            unanswered[number] = self._unanswered(number)
            self._start(number, link)
        async with asyncio.timeout(HEALING_SECONDS_MAX):
            while any(keys & self._unanswered(number) for number, keys in unanswered.items()):
                await asyncio.sleep(0.5)  # a long campaign's journals take a while to read
        for number in range(WRITERS):
            self._kill(number)

    def _unanswered(self, number: int) -> set[str]:
        sent, answered = journal_of(self._journal(number))
        return set(sent) - set(answered)

    async def _check(self, store: EventStore) -> None:
        """What was answered is there once, where it was said to be; what is there was sent, and closed once."""
        places, closed = dict[str, Place](), Counter[tuple[str, str]]()
        for log_id in range(LOGS):
            tail = Tail()
            while page := await store.page(log_id, tail.position, PAGE_EVENTS):
                for event in page:
                    if isinstance(fact := event.event(), TaskClosed):
                        if event.command_id in places:
                            raise Broken(f"{event.command_id} is recorded twice")
                        places[event.command_id] = Place(event.position, event.event_id)
                        closed[event.account_id, fact.task_id] += 1
                tail.take(page)
            self.tally.events += tail.position
        if doubled := [task for task, times in closed.items() if times > 1]:
            raise Broken(f"closed twice: {doubled[:5]}")
        for number in range(WRITERS):
            self._check_journal(number, places)

    def _check_journal(self, number: int, places: Mapping[str, Place]) -> None:
        sent, answered = journal_of(self._journal(number))
        for key, answer in answered.items():
            there = places.get(key)
            if answer.get("refused"):
                self.tally.refused += 1
                if there:
                    raise Broken(f"{key} was refused, and stands at {there}")
                continue
            self.tally.accepted += 1
            if there != (answer["position"], answer["event_id"]):
                raise Broken(f"{key} was answered with {answer}, and stands at {there}")
        if stray := [key for key in places if key.startswith(f"w{number}-") and key not in sent]:
            raise Broken(f"recorded, and never sent: {stray[:5]}")


@asynccontextmanager
async def databases(server_url: str) -> AsyncIterator[tuple[str, str]]:
    """A database for the log, and another in the same cluster."""
    connection = await asyncpg.connect(server_url)
    names = [f"campaign_{time.time_ns()}_{number}" for number in range(2)]
    try:
        for name in names:
            await connection.execute(f"CREATE DATABASE {name}")
        yield tuple(f"{server_url.rpartition('/')[0]}/{name}" for name in names)  # type: ignore[misc]
    finally:
        for name in names:
            with suppress(asyncpg.PostgresError):
                await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await connection.close()


async def rage(enough: Callable[[Tally], bool], folder: Path, server_url: str, seed: int) -> Tally:
    """One campaign on that server."""
    async with databases(server_url) as (log, other):
        return await Campaign(folder, log, other, Random(seed)).run(enough)


def main(seconds: float) -> None:
    seed = time.time_ns()
    with tempfile.TemporaryDirectory(prefix="hourbook-campaign-") as name:
        Path(name).chmod(0o711)
        with EmbeddedPostgres(Path(name) / "postgres") as postgres:
            tally = asyncio.run(rage(lambda so_far: so_far.seconds > seconds, Path(name), postgres.url, seed))
    print(json.dumps({"seed": seed, **asdict(tally)}))


if __name__ == "__main__":
    main(float(sys.argv[1]))
