"""PostgreSQL goes away at the worst moment: nothing is decided twice, and everything recovers without a restart."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from contracts.envelope import Recorded
from infra.embedded import EmbeddedPostgres
from services.ledger.event_store.database import LedgerUnavailable
from services.ledger.running import Ledger, running_ledger
from services.ledger.settings import Settings
from tests.ledger.commands import closing, opening, purchase
from tests.ledger.lossy_link import LossyLink
from tests.ledger.several_logs import log_with

WAITING_FOR_THE_LOG = """
    SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND pid <> $1
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@pytest.fixture
async def link(database_url: str) -> AsyncIterator[LossyLink]:
    async with LossyLink.to(database_url) as opened:
        yield opened


@pytest.fixture
async def distant(link: LossyLink) -> AsyncIterator[Ledger]:
    """A ledger at the other end of that link."""
    settings = Settings(database_url=link.url, nats_url=None, sandbox=False, projections_url=None)
    async with running_ledger(settings) as running:
        yield running


async def versions(ledger: Ledger, account_id: str) -> list[int]:
    return [event.version for event in await ledger.store.account_page(ledger.log_of(account_id), account_id, 0, 1000)]


async def test_a_commit_whose_answer_is_lost_is_found_and_not_repeated(distant: Ledger, link: LossyLink):
    await distant.submit(opening("a"), "k1")
    link.losing = b"the lost one"
    sent = [distant.submit(closing("a", f"T-{n}"), key) for n, key in enumerate(("before", "the lost one", "after"))]
    answers = [Recorded.model_validate_json((await answer).body) for answer in sent]
    assert link.lost == 1
    assert [answer.version for answer in answers] == [2, 3, 4]
    assert [answer.position for answer in answers] == [2, 3, 4]
    stored = await distant.store.page(distant.log_of("a"), 1, 10)
    assert [event.event_id for event in stored] == [answer.events[0].event_id for answer in answers]
    assert Recorded.model_validate_json((await distant.submit(closing("a", "T-9"), "k9")).body).version == 5


async def test_a_commit_that_did_not_happen_is_sent_again_unchanged(ledger: Ledger, database_url: str):
    """The backend is terminated while it waits for its turn to append."""
    await ledger.submit(opening("a"), "k1")
    async with holding_the_log(database_url) as holder:
        sent = ledger.submit(closing("a"), "k2")
        first = await until_waiting(holder)
        await holder.execute("SELECT pg_terminate_backend($1)", first)
        await until_waiting(holder, besides=first)
        assert not sent.done()
    answer = Recorded.model_validate_json((await sent).body)
    assert (answer.version, answer.position) == (2, 2)
    assert await versions(ledger, "a") == [1, 2]


@asynccontextmanager
async def holding_the_log(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """Somebody else appends, and takes long."""
    connection = await asyncpg.connect(database_url)
    try:
        async with connection.transaction():
            await connection.execute("SELECT ledger.lock_log($1)", log_with("a"))
            yield connection
    finally:
        await connection.close()


async def until_waiting(holder: asyncpg.Connection, *, besides: int = 0) -> int:
    """The backend that waits for the log, once there is one besides that."""
    async with asyncio.timeout(60):
        while (pid := await holder.fetchval(WAITING_FOR_THE_LOG, besides)) is None:
            pass
    return pid


async def test_every_connection_cut_is_made_anew(distant: Ledger, link: LossyLink):
    await distant.submit(opening("a"), "k1")
    for number in range(3):
        link.cut()
        assert await distant.faults() in ([], ["PostgreSQL cannot be reached: ConnectionDoesNotExistError."])
        await settled(distant, f"T-{number}")
    assert await versions(distant, "a") == [1, 2, 3, 4]


async def settled(ledger: Ledger, task_id: str) -> None:
    """Send a command, as callers do, until it is answered."""
    async with asyncio.timeout(60):
        while not await accepted(ledger, task_id):
            pass


async def accepted(ledger: Ledger, task_id: str) -> bool:
    try:
        await ledger.submit(closing("a", task_id), task_id)
    except LedgerUnavailable:
        return False
    return True


ANSWER_SECONDS_MAX = 10


async def test_a_server_that_falls_silent_is_given_up_within_ten_seconds(distant: Ledger, link: LossyLink):
    """No reset, no answer: what idles and what is under way are dead, and connections made later work."""
    await distant.submit(opening("a"), "k1")
    await asyncio.gather(*(distant.store.head(0) for _ in range(8)))
    link.swallowing = True
    silent = asyncio.create_task(accepted(distant, "T-1"))
    await until_given_up(distant)
    link.swallowing = False
    async with asyncio.timeout(ANSWER_SECONDS_MAX):
        await silent
        await settled(distant, "T-1")
        await asyncio.gather(*(distant.store.head(0) for _ in range(8)))
    assert await versions(distant, "a") == [1, 2]


async def until_given_up(ledger: Ledger) -> None:
    """Until a question is answered with an outage, which must come in time."""
    async with asyncio.timeout(ANSWER_SECONDS_MAX):
        while True:
            try:
                await ledger.store.head(0)
            except LedgerUnavailable:
                return


async def test_while_postgresql_is_away_commands_are_turned_away_and_nothing_is_lost(server_folder):
    server = EmbeddedPostgres(server_folder / "postgres")
    await asyncio.to_thread(server.start)
    try:
        settings = Settings(database_url=server.url, nats_url=None, sandbox=False, projections_url=None)
        async with running_ledger(settings) as ledger:
            await ledger.submit(opening("a"), "k1")
            await asyncio.to_thread(server.kill)
            for sent in (
                ledger.submit(closing("a"), "T-1"),
                ledger.submit(purchase("cold"), "k2"),
                ledger.dry_run(closing("a"), "k3"),
                ledger.store.page(0, 0, 1),
            ):
                with pytest.raises(LedgerUnavailable):
                    await sent
            assert await ledger.faults() != []
            await asyncio.to_thread(server.start)
            await settled(ledger, "T-1")
            assert await versions(ledger, "a") == [1, 2]
            assert await ledger.faults() == []
    finally:
        await asyncio.to_thread(server.stop)


async def test_postgresql_killed_again_and_again_under_load_costs_nothing_but_time(server_folder):
    server = EmbeddedPostgres(server_folder / "postgres")
    await asyncio.to_thread(server.start)
    try:
        settings = Settings(database_url=server.url, nats_url=None, sandbox=False, projections_url=None)
        async with running_ledger(settings) as ledger:
            await ledger.submit(opening("a"), "k1")
            killing = asyncio.create_task(kill_and_start(server, times=3))
            accepted = sum(await asyncio.gather(*(client(ledger, f"C{n}", killing) for n in range(16))))
            log = await ledger.store.page(ledger.log_of("a"), 0, 100_000)
        assert [event.position for event in log] == [event.version for event in log] == list(range(1, accepted + 2))
        assert len({event.command_id for event in log}) == accepted + 1
    finally:
        await asyncio.to_thread(server.stop)


async def kill_and_start(server: EmbeddedPostgres, *, times: int) -> None:
    for _ in range(times):
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)


async def client(ledger: Ledger, name: str, killing: asyncio.Task[None]) -> int:
    """Closes tasks, each until it is accepted; returns how many."""
    number = 0
    while not killing.done():
        number += 1
        await settled(ledger, f"{name}-{number}")
    return number


async def test_a_ledger_that_starts_before_postgresql_waits_for_it(server_folder):
    server = EmbeddedPostgres(server_folder / "postgres")
    await asyncio.to_thread(server.start)
    await asyncio.to_thread(server.stop)
    settings = Settings(database_url=server.url, nats_url=None, sandbox=False, projections_url=None)

    async def first_command() -> int | None:
        async with running_ledger(settings) as ledger:
            return (await ledger.submit(opening("a"), "k1")).position

    waiting = asyncio.create_task(first_command())
    await asyncio.wait([waiting], timeout=0.1)
    assert not waiting.done()
    await asyncio.to_thread(server.start)
    try:
        async with asyncio.timeout(60):
            assert await waiting == 1
    finally:
        await asyncio.to_thread(server.stop)
