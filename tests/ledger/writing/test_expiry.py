"""Packages that end on accounts nobody touches are found by index and expire once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from services.ledger.clock import ClockMovesForwardOnly, SandboxClock
from services.ledger.running import Ledger, running_ledger
from services.ledger.settings import Settings
from services.ledger.writing.expiry import PAGE_ACCOUNTS, expire_due
from tests.ledger.commands import opening, purchase
from tests.ledger.several_logs import all_events

BOUGHT = datetime(2026, 1, 10, tzinfo=UTC)
ENDED = datetime(2026, 4, 11, tzinfo=UTC)


@pytest.fixture
async def sandbox(settings: Settings) -> AsyncIterator[Ledger]:
    """A ledger whose time the test sets."""
    async with running_ledger(settings.model_copy(update={"sandbox": True})) as running:
        await move(running, BOUGHT)
        yield running


async def move(ledger: Ledger, instant: datetime) -> None:
    assert isinstance(ledger.clock, SandboxClock)
    await ledger.clock.move(instant)


async def customers(ledger: Ledger, number: int) -> list[str]:
    """Accounts with a package each."""
    accounts = [f"acc-{each}" for each in range(number)]
    sent = [
        ledger.submit(command(each), f"{command.__name__}-{each}") for each in accounts for command in (opening, bought)
    ]
    await asyncio.gather(*sent)
    return accounts


def bought(account_id: str):
    return purchase(account_id, at=BOUGHT)


async def expired(ledger: Ledger) -> list[str]:
    """The accounts on which something has expired."""
    return [event.account_id for event in await all_events(ledger.store) if event.type == "PackageExpired"]


async def expire(ledger: Ledger, now: datetime) -> None:
    """Whatever is due by then, in every log."""
    for log_id in range(ledger.settings.logs):
        await expire_due(ledger.store, log_id, now, ledger.expire)


async def test_more_accounts_than_a_page_expire_each_once(sandbox: Ledger):
    accounts = await customers(sandbox, PAGE_ACCOUNTS + 5)
    await expire(sandbox, BOUGHT)
    assert await expired(sandbox) == []
    await move(sandbox, ENDED)
    for _ in range(2):
        await expire(sandbox, ENDED)
        assert sorted(await expired(sandbox)) == sorted(accounts)


async def test_several_processes_expiring_at_once_record_each_end_once(sandbox: Ledger, settings: Settings):
    accounts = await customers(sandbox, 20)
    await move(sandbox, ENDED)
    async with running_ledger(sandbox.settings) as other:
        both = [expire(each, ENDED) for each in (sandbox, other, sandbox)]
        await asyncio.gather(*both)
    assert sorted(await expired(sandbox)) == sorted(accounts)


async def test_an_account_that_memory_knows_from_before_its_purchase_expires_too(sandbox: Ledger):
    """Another process sold the package; this one's knowledge of the account is old when it is asked."""
    await sandbox.submit(opening("a"), "k1")
    async with running_ledger(sandbox.settings) as other:
        await other.submit(purchase("a", at=BOUGHT), "k2")
    await move(sandbox, ENDED)
    await expire(sandbox, ENDED)
    assert await expired(sandbox) == ["a"]


async def test_the_scheduler_finds_what_is_due_by_itself(sandbox: Ledger):
    await customers(sandbox, 2)
    await move(sandbox, ENDED)
    async with asyncio.timeout(60), running_ledger(sandbox.settings, expiry=True) as scheduler:
        while len(await expired(sandbox)) < 2:  # each look is a round trip
            pass
        assert await scheduler.faults() == []


async def test_nothing_is_due_on_an_account_is_no_failure(sandbox: Ledger):
    await sandbox.submit(opening("a"), "k1")
    await sandbox.expire("a")
    await sandbox.expire("nobody")
    assert sum(await sandbox.heads()) == 1


async def test_the_clock_starts_at_any_instant_that_no_event_is_after(settings: Settings):
    async with running_ledger(settings.model_copy(update={"sandbox": True})) as running:
        recorded = await running.submit(opening("a"), "k1")
        assert recorded.position == 1
        with pytest.raises(ClockMovesForwardOnly):
            await move(running, BOUGHT)
        await move(running, datetime.now(UTC) + timedelta(hours=1))
