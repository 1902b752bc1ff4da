"""Any number of processes share the logs of all projections: one works on each, and what one leaves others take up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import asyncpg
import pytest

from services.process.stopping import end
from services.projections.following import shares as module
from services.projections.following.shares import Shares
from tests.projections.questions import until

NAMES = [f"balances/{log}" for log in range(5)]


class Work:
    """Something to work on, that knows who does."""

    def __init__(self, name: str, workers: dict[str, int]) -> None:
        self._name = name
        self._workers = workers

    async def run(self) -> None:
        self._workers[self._name] += 1
        try:
            await asyncio.Event().wait()
        finally:
            self._workers[self._name] -= 1


class Processes:
    """Processes, as it were, on one database; `workers` counts those at each work."""

    def __init__(self, database_url: str) -> None:
        self.url = database_url
        self.workers = dict.fromkeys(NAMES, 0)
        self.running: list[Shares] = []

    @asynccontextmanager
    async def another(self) -> AsyncIterator[Shares]:
        shares = Shares(self.url, {name: Work(name, self.workers) for name in NAMES})
        task = asyncio.create_task(shares.run())
        self.running.append(shares)
        try:
            yield shares
        finally:
            self.running.remove(shares)
            await end(task)
            if not task.cancelled():
                task.result()

    async def shared(self, *sizes: int) -> None:
        """Wait until each work is done by one, and the processes have shares of these sizes."""

        async def so() -> bool:
            found = sorted(len(each.working) for each in self.running)
            return found == sorted(sizes) and set(self.workers.values()) == {1}

        await until(so)


@pytest.fixture
def processes(database: asyncpg.Pool, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Processes:
    assert database
    monkeypatch.setattr(module, "EVERY_SECONDS", 0.02)
    return Processes(database_url)


async def test_one_process_works_on_everything(processes: Processes):
    async with processes.another():
        await processes.shared(5)


async def test_processes_that_come_and_go_share_fairly(processes: Processes):
    async with processes.another(), AsyncExitStack() as leaving:
        await leaving.enter_async_context(processes.another())
        await processes.shared(3, 2)
        async with processes.another():
            await processes.shared(2, 2, 1)
        await processes.shared(3, 2)
        await leaving.aclose()
        await processes.shared(5)


async def test_more_processes_than_work_leave_some_idle(processes: Processes):
    async with AsyncExitStack() as running:
        for _ in range(7):
            await running.enter_async_context(processes.another())
        await processes.shared(1, 1, 1, 1, 1, 0, 0)


async def test_what_a_lost_connection_held_is_taken_up_and_shared_again(processes: Processes, database_url: str):
    async with processes.another(), processes.another():
        await processes.shared(3, 2)
        superuser = await asyncpg.connect(database_url)
        for _ in range(3):
            await superuser.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'hourbook shares' AND datname = current_database() ORDER BY pid LIMIT 1"
            )
            await processes.shared(3, 2)
        await superuser.close()


async def test_work_that_takes_its_time_to_stop_has_stopped_when_its_process_has(
    database_url: str, database: asyncpg.Pool
):
    """However often the process is told to stop."""

    class Slow(Work):
        async def run(self) -> None:
            self._workers[self._name] += 1
            try:
                await asyncio.Event().wait()
            finally:
                stopping.set()
                while not stopped.is_set():
                    with suppress(asyncio.CancelledError):
                        await stopped.wait()
                self._workers[self._name] -= 1

    assert database
    stopping, stopped, workers = asyncio.Event(), asyncio.Event(), dict.fromkeys(NAMES, 0)
    process = asyncio.create_task(Shares(database_url, {name: Slow(name, workers) for name in NAMES}).run())

    async def all_at_work() -> bool:
        return set(workers.values()) == {1}

    await until(all_at_work)
    process.cancel()
    await stopping.wait()
    for _ in range(3):
        process.cancel()
        await asyncio.wait([process], timeout=0.01)
    assert not process.done()
    stopped.set()
    await asyncio.wait([process])
    assert set(workers.values()) == {0}


async def test_work_that_breaks_ends_its_process(database_url: str, database: asyncpg.Pool):
    class Broken(Work):
        async def run(self) -> None:
            raise ZeroDivisionError

    assert database
    with pytest.raises(ZeroDivisionError):
        await Shares(database_url, {"balances/0": Broken("balances/0", {})}).run()
