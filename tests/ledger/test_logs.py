"""Several logs: accounts are placed by hash, and nothing is ever over two logs at once."""

import asyncio
import random
from collections import Counter, defaultdict
from itertools import count

import pytest

from contracts.placement import log_of
from services.ledger.domain.refusals import IdempotencyKeyReused, Refusal
from services.ledger.event_store.store import CommandKey
from services.ledger.running import Ledger, running_ledger
from services.ledger.settings import Settings
from services.process.operator_error import OperatorError
from tests.ledger.commands import closing, opening, purchase

LOGS = 3


def account_in(log_id: int, name: str = "acc") -> str:
    """An account that belongs to that log."""
    return next(each for n in count() if log_of(each := f"{name}-{n}", LOGS) == log_id)


A, B, C = map(account_in, range(LOGS))


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"logs": LOGS})


async def test_accounts_are_placed_by_hash_and_logs_are_counted_apart(ledger: Ledger):
    accounts = [f"acc-{number}" for number in range(12)]
    await asyncio.gather(*(ledger.submit(opening(each), each) for each in accounts))
    heads = await ledger.heads()
    assert sum(heads) == 12
    assert min(heads) > 0
    for log_id, head in enumerate(heads):
        page = await ledger.store.page(log_id, 0, 100)
        assert {log_of(event.account_id, LOGS) for event in page} == {log_id}
        assert [event.position for event in page] == list(range(1, head + 1))


async def test_the_number_of_logs_is_fixed_by_the_first_start(settings: Settings, ledger: Ledger):
    await ledger.submit(opening(A), "k")
    for other in (1, LOGS + 1):
        with pytest.raises(OperatorError, match=f"set HOURBOOK_LOGS={LOGS}"):
            async with running_ledger(settings.model_copy(update={"logs": other})):
                pass
    async with running_ledger(settings) as again:
        assert (await again.submit(opening(A), "k")).replayed


async def test_a_key_is_answered_as_before_after_a_restart(settings: Settings, ledger: Ledger):
    first = await ledger.submit(opening(A), "k")
    async with running_ledger(settings) as restarted:
        again = await restarted.submit(opening(A), "k")
        assert (again.body, again.replayed) == (first.body, True)
        assert not (await restarted.submit(opening(B), "k")).replayed


async def test_a_hot_account_keeps_the_order_in_which_commands_came(ledger: Ledger):
    sent = [ledger.submit(opening(A), "k")]
    sent += [ledger.submit(closing(A, f"T-{number}"), f"k{number}") for number in range(300)]
    await asyncio.gather(*sent)
    page = await ledger.store.page(0, 1, 1000)
    assert [event.command_id for event in page] == [f"k{number}" for number in range(300)]


async def test_one_key_on_accounts_of_all_logs_at_once_is_recorded_once_on_each(ledger: Ledger, other_ledger: Ledger):
    for number in range(4):
        accounts = [account_in(log_id, f"round-{number}") for log_id in range(LOGS)]
        sent = [each.submit(opening(account), f"k{number}") for each in (ledger, other_ledger) for account in accounts]
        answers = await asyncio.gather(*sent)
        assert sorted(answer.replayed for answer in answers) == [False] * LOGS + [True] * LOGS
        assert len({answer.body for answer in answers}) == LOGS


@pytest.mark.parametrize("seed", range(2))
async def test_each_key_is_recorded_once_on_each_account_however_many_use_few_keys(
    ledger: Ledger, other_ledger: Ledger, seed: int
):
    """Openings and purchases, accepted and refused, in all logs; the answers say what became of each key."""
    chance = random.Random(seed)
    accounts, keys = [f"acc-{n}" for n in range(6)], [f"k{n}" for n in range(4)]
    answered: defaultdict[CommandKey, set[bytes]] = defaultdict(set)
    reused: set[CommandKey] = set()

    async def client(process: Ledger) -> None:
        for _ in range(12):
            command, key = chance.choice((opening, purchase))(chance.choice(accounts)), chance.choice(keys)
            try:
                answer = await process.submit(command, key)
                answered[command.account_id, key].add(answer.body)
            except IdempotencyKeyReused:
                reused.add((command.account_id, key))
            except Refusal:
                continue

    await asyncio.gather(*(client(each) for each in (ledger, other_ledger) for _ in range(8)))
    pages = [await ledger.store.page(log_id, 0, 100_000) for log_id in range(LOGS)]
    recorded = Counter((event.account_id, event.command_id) for page in pages for event in page if event.fingerprint)
    assert set(recorded.values()) == {1}
    assert {key: len(bodies) for key, bodies in answered.items()} == recorded
    assert reused <= set(recorded)
