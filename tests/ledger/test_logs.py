"""Several logs: accounts placed by hash, one space of keys over all of them (rule 11.2), nothing over two at once."""

import asyncio
import random
from collections import Counter
from itertools import count

import pytest

from contracts.placement import log_of
from services.ledger.domain.refusals import AccountNotFound, IdempotencyKeyReused, Refusal
from services.ledger.event_store.keys import Reservation
from services.ledger.event_store.store import AlreadyTaken
from services.ledger.running import Ledger, running_ledger
from services.ledger.settings import Settings
from services.ledger.writing.answers import Answer
from services.process.operator_error import OperatorError
from tests.ledger.commands import closing, opening, purchase
from tests.ledger.event_store.events import event

LOGS = 3


def account_in(log_id: int, name: str = "acc") -> str:
    """An account that belongs to that log."""
    return next(each for n in count() if log_of(each := f"{name}-{n}", LOGS) == log_id)


A, B, C = map(account_in, range(LOGS))


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"logs": LOGS})


async def recorded_keys(ledger: Ledger) -> Counter[str]:
    """How often the command with each key is recorded, in all logs together."""
    pages = [await ledger.store.page(log_id, 0, 100_000) for log_id in range(ledger.settings.logs)]
    return Counter(event.command_id for page in pages for event in page if event.fingerprint)


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


async def test_one_log_reserves_nothing(settings: Settings):
    async with running_ledger(settings.model_copy(update={"logs": 1})) as one:
        await one.submit(opening(A), "k1")
        await one.submit(closing(A), "k2")
        assert await one.store.readers.value("SELECT count(*) FROM ledger.reservation") == 0


async def test_a_key_used_in_one_log_is_used_in_all(ledger: Ledger, other_ledger: Ledger):
    first = await ledger.submit(opening(A), "k")
    for each in (ledger, other_ledger):
        with pytest.raises(IdempotencyKeyReused):
            await each.submit(opening(B), "k")
        with pytest.raises(IdempotencyKeyReused):
            await each.dry_run(opening(B), "k")
        assert (await each.submit(opening(A), "k")).body == first.body
        assert (await each.dry_run(opening(A), "k")).body == first.body
    assert await recorded_keys(ledger) == {"k": 1}


async def test_a_key_is_answered_as_before_after_a_restart(settings: Settings, ledger: Ledger):
    first = await ledger.submit(opening(A), "k")
    async with running_ledger(settings) as restarted:
        again = await restarted.submit(opening(A), "k")
        assert (again.body, again.replayed) == (first.body, True)
        with pytest.raises(IdempotencyKeyReused):
            await restarted.submit(opening(B), "k")


async def test_a_refusal_in_one_log_burns_no_key_in_another(ledger: Ledger, other_ledger: Ledger):
    """Also when it goes back and forth between the logs before anything is recorded."""
    for each in (ledger, other_ledger, ledger):
        for account_id in (A, B, C, A):
            with pytest.raises(AccountNotFound):
                await each.submit(purchase(account_id), "k")
    assert not (await ledger.submit(opening(B), "k")).replayed
    with pytest.raises(IdempotencyKeyReused):
        await other_ledger.submit(opening(A), "k")
    assert await recorded_keys(ledger) == {"k": 1}


async def test_a_dry_run_reserves_nothing(ledger: Ledger):
    await ledger.dry_run(opening(A), "k")
    assert await ledger.store.keys.holder("k") is None


async def test_one_key_on_accounts_of_all_logs_at_once_is_recorded_once(ledger: Ledger, other_ledger: Ledger):
    for number in range(12):
        sent = [
            each.submit(opening(account_in(log_id, f"round-{number}")), f"k{number}")
            for each in (ledger, other_ledger)
            for log_id in range(LOGS)
        ]
        outcomes = await asyncio.gather(*sent, return_exceptions=True)
        answers = [outcome for outcome in outcomes if isinstance(outcome, Answer)]
        assert sorted(answer.replayed for answer in answers) == [False, True]
        assert len({answer.body for answer in answers}) == 1
        assert sum(isinstance(outcome, IdempotencyKeyReused) for outcome in outcomes) == len(outcomes) - 2
    assert set((await recorded_keys(ledger)).values()) == {1}


async def test_a_key_reserved_by_a_process_that_died_is_free_for_another_log_and_its_own(ledger: Ledger):
    keys = ledger.store.keys
    for number, account_id in enumerate((A, B)):
        await keys.reserve(keys.home(f"k{number}"), [f"k{number}"], 0)
        assert not (await ledger.submit(opening(account_id), f"k{number}")).replayed


@pytest.mark.parametrize("account_id", [A, B], ids=["in the log that held it", "in another log"])
async def test_a_key_whose_taking_over_was_cut_short_is_used_all_the_same(ledger: Ledger, account_id: str):
    """Revoked in the log that holds it, and nobody came to hold it instead."""
    keys = ledger.store.keys
    await keys.reserve(keys.home("k"), ["k"], 0)
    assert await keys.revoke("k", Reservation(0, 0))
    assert not (await ledger.submit(opening(account_id), "k")).replayed
    assert (await ledger.submit(opening(account_id), "k")).replayed


async def test_an_append_by_a_reservation_that_was_taken_over_is_refused(ledger: Ledger):
    keys, store = ledger.store.keys, ledger.store
    await keys.reserve(keys.home("k"), ["k"], 0)
    with pytest.raises(AccountNotFound):
        await ledger.submit(purchase(B), "k")
    with pytest.raises(AlreadyTaken, match="reserved by another log"):
        await store.append(0, [event(A, 1, "k")], {}, {"k": 0})
    with pytest.raises(AccountNotFound):
        await ledger.submit(purchase(A), "k")
    assert await store.append(0, [event(A, 1, "k")], {}, {"k": 2}) == 1


async def test_a_recorded_key_is_not_revoked_nor_taken_over(ledger: Ledger):
    await ledger.submit(opening(A), "k")
    keys = ledger.store.keys
    assert not await keys.revoke("k", Reservation(0, 0))
    assert await keys.reserve(keys.home("k"), ["k"], 1) == {"k": Reservation(0, 0)}


async def test_a_reservation_moves_only_from_who_is_known_to_hold_it(ledger: Ledger):
    keys = ledger.store.keys
    await keys.reserve(keys.home("k"), ["k"], 0)
    assert await keys.take_over("k", Reservation(0, 0), 1) == Reservation(1, 1)
    assert await keys.take_over("k", Reservation(0, 0), 2) == Reservation(1, 1)


async def test_a_hot_account_keeps_the_order_in_which_commands_came(ledger: Ledger):
    sent = [ledger.submit(opening(A), "k")]
    sent += [ledger.submit(closing(A, f"T-{number}"), f"k{number}") for number in range(300)]
    await asyncio.gather(*sent)
    page = await ledger.store.page(0, 1, 1000)
    assert [event.command_id for event in page] == [f"k{number}" for number in range(300)]


@pytest.mark.parametrize("seed", range(2))
async def test_whatever_is_sent_with_few_keys_by_many_each_key_is_recorded_once(
    ledger: Ledger, other_ledger: Ledger, seed: int
):
    """Openings and purchases, accepted and refused, in all logs; the answers say what became of each key."""
    chance = random.Random(seed)
    accounts, keys = [f"acc-{n}" for n in range(6)], [f"k{n}" for n in range(12)]
    winners: dict[str, set[bytes]] = {key: set() for key in keys}
    reused: set[str] = set()

    async def client(process: Ledger) -> None:
        for _ in range(12):
            command = chance.choice((opening, purchase))(chance.choice(accounts))
            key = chance.choice(keys)
            try:
                winners[key].add((await process.submit(command, key)).body)
            except IdempotencyKeyReused:
                reused.add(key)
            except Refusal:
                continue

    await asyncio.gather(*(client(each) for each in (ledger, other_ledger) for _ in range(8)))
    recorded = await recorded_keys(ledger)
    assert set(recorded.values()) == {1}
    assert {key: len(bodies) for key, bodies in winners.items() if bodies} == recorded
    assert reused <= set(recorded)


async def test_those_who_wait_for_their_keys_when_the_ledger_stops_are_turned_away(settings: Settings):
    async with running_ledger(settings) as stopping:
        await stopping.submit(opening(A), "k")
        sent = [stopping.submit(closing(A, f"T-{number}"), f"k{number}") for number in range(1500)]
        await sent[0]
    outcomes = await asyncio.gather(*sent, return_exceptions=True)
    assert {type(outcome).__name__ for outcome in outcomes} == {"Answer", "LedgerUnavailable"}
