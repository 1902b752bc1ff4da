"""Two ledger processes on one database serve the same accounts at once."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from infra.data_folder import free_port
from services.up import Hourbook, another_service, running
from tests.reliability.load import Load

TASKS = 600


@pytest.fixture
def two(server_folder) -> Iterator[tuple[Hourbook, str]]:
    with ExitStack() as stopping:
        hourbook = stopping.enter_context(running(server_folder, free_port()))
        yield hourbook, stopping.enter_context(another_service(hourbook, free_port()))


async def test_two_services_share_accounts_without_losing_doubling_or_deadlocking(two: tuple[Hourbook, str]):
    hourbook, other = two
    load = Load([hourbook.url, other], TASKS)
    await load.run()
    await load.check(hourbook.url)
    assert load.turned_away == 0
