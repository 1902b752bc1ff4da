"""Load, decide, append; again on conflict: what callers can rely on, with one process and with two."""

import asyncio
from datetime import timedelta

import orjson
import pytest

from contracts.envelope import Recorded
from services.ledger.domain.refusals import (
    AccountAlreadyOpen,
    AccountNotFound,
    BalanceNotNegative,
    IdempotencyKeyReused,
    TaskAlreadyClosed,
)
from services.ledger.event_store import appending
from services.ledger.event_store.database import LedgerUnavailable
from services.ledger.event_store.stored_event import StoredEvent
from services.ledger.running import Ledger, running_ledger
from services.ledger.settings import Settings
from services.ledger.writing.answers import Answer
from services.ledger.writing.history import EACH_EVENTS_MAX
from tests.ledger.commands import A_YEAR_AGO, NOW, closing, opening, purchase, suspension
from tests.ledger.several_logs import all_events


def versions_without_gap(events: list[StoredEvent], account_id: str) -> int:
    """How many events the account has."""
    versions = [event.version for event in events if event.account_id == account_id]
    assert versions == list(range(1, len(versions) + 1))
    return len(versions)


def read(answer: Answer) -> Recorded:
    return Recorded.model_validate_json(answer.body)


async def test_the_answer_is_the_events_as_recorded_and_the_balance_after_them(ledger: Ledger):
    await ledger.submit(opening("a"), "k1")
    answer = read(await ledger.submit(purchase("a"), "k2"))
    assert (answer.account_id, answer.version, answer.position) == ("a", 2, 2)
    assert answer.balance.balance_minutes == 1200
    assert [event.type for event in answer.events] == ["PackagePurchased"]
    stored = await ledger.store.page(ledger.log_of("a"), 1, 10)
    assert tuple(event.recorded() for event in stored) == answer.events


async def test_commands_with_too_many_events_for_one_append_are_recorded_one_by_one(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(appending, "APPEND_EVENTS_MAX", 2)
    accounts = [f"a{number}" for number in range(5)]
    answers = await asyncio.gather(*(ledger.submit(opening(each), "k") for each in accounts))
    assert {read(answer).account_id for answer in answers} == {*accounts}
    assert len(await all_events(ledger.store)) == len(accounts)


async def test_all_events_of_a_command_are_recorded_at_one_instant(ledger: Ledger):
    await ledger.submit(opening("a"), "k1")
    answer = read(await ledger.submit(purchase("a", at=A_YEAR_AGO), "k2"))
    assert [event.type for event in answer.events] == ["PackagePurchased", "PackageExpired"]
    assert len({event.recorded_at for event in answer.events}) == 1
    assert answer.position == answer.events[-1].position == 3


async def test_a_refusal_records_nothing_and_burns_no_key(ledger: Ledger):
    with pytest.raises(AccountNotFound):
        await ledger.submit(purchase("a"), "k")
    await ledger.submit(opening("a"), "k1")
    assert not (await ledger.submit(purchase("a"), "k")).replayed
    assert len(await all_events(ledger.store)) == 2


async def test_a_key_sent_again_answers_the_same_body_and_records_nothing(ledger: Ledger):
    first = [
        await ledger.submit(opening("a"), "k1"),
        await ledger.submit(purchase("a", at=A_YEAR_AGO), "k2"),
        await ledger.submit(purchase("a", "summer"), "k3"),
        await ledger.submit(closing("a"), "k4"),
    ]
    again = [
        await ledger.submit(purchase("a", "summer"), "k3"),
        await ledger.submit(opening("a"), "k1"),
        await ledger.submit(closing("a"), "k4"),
        await ledger.submit(purchase("a", at=A_YEAR_AGO), "k2"),
    ]
    assert [answer.body for answer in again] == [first[n].body for n in (2, 0, 3, 1)]
    assert [answer.position for answer in again] == [first[n].position for n in (2, 0, 3, 1)]
    assert all(answer.replayed for answer in again)
    assert sum(await ledger.heads()) == 5


async def test_a_key_sent_again_many_times_at_once_answers_the_same_each_time(ledger: Ledger):
    await ledger.submit(opening("a"), "k1")
    first = await ledger.submit(purchase("a", at=A_YEAR_AGO), "k2")
    again = await asyncio.gather(*(ledger.submit(purchase("a", at=A_YEAR_AGO), "k2") for _ in range(10)))
    assert {answer.body for answer in again} == {first.body}


async def test_a_key_sent_again_is_known_to_another_process_too(ledger: Ledger, other_ledger: Ledger):
    await ledger.submit(opening("a"), "k1")
    first = await ledger.submit(purchase("a"), "k2")
    again = await other_ledger.submit(purchase("a"), "k2")
    assert again.replayed
    assert again.body == first.body


async def test_a_key_with_another_command_is_refused_on_its_account_alone(ledger: Ledger):
    await ledger.submit(opening("a"), "k1")
    await ledger.submit(opening("b"), "k2")
    for reused in (opening("a", customer="ООО «Кама»"), purchase("a"), suspension("a")):
        with pytest.raises(IdempotencyKeyReused):
            await ledger.submit(reused, "k1")
        with pytest.raises(IdempotencyKeyReused):
            await ledger.dry_run(reused, "k1")
    assert not read(await ledger.dry_run(opening("c"), "k1")).position
    for other in (purchase("b"), opening("c")):
        assert not (await ledger.submit(other, "k1")).replayed
    assert sum(await ledger.heads()) == 4


async def test_the_same_instant_with_another_offset_is_the_same_command(ledger: Ledger):
    await ledger.submit(opening("a"), "k1")
    first = await ledger.submit(purchase("a", at=NOW), "k2")
    again = await ledger.submit(purchase("a", at=NOW.astimezone()), "k2")
    assert again.body == first.body


async def test_commands_with_one_key_in_one_batch_are_recorded_once(ledger: Ledger):
    await ledger.submit(opening("a"), "k1")
    commands = [closing("a"), closing("a"), opening("b"), purchase("a")]
    sent = [ledger.submit(command, "k2") for command in commands]
    first, again, other, reused = await asyncio.gather(*sent, return_exceptions=True)
    assert isinstance(first, Answer)
    assert isinstance(again, Answer)
    assert (first.replayed, again.replayed) == (False, True)
    assert first.body == again.body
    assert isinstance(other, Answer)
    assert isinstance(reused, IdempotencyKeyReused)


async def test_the_second_with_a_key_is_decided_when_the_first_is_refused(ledger: Ledger):
    sent = [ledger.submit(suspension("a"), "k"), ledger.submit(opening("a"), "k")]
    refused, accepted = await asyncio.gather(*sent, return_exceptions=True)
    assert isinstance(refused, AccountNotFound)
    assert isinstance(accepted, Answer)


async def test_a_refusal_spoils_no_other_command_of_its_batch(ledger: Ledger):
    await ledger.submit(opening("a"), "k1")
    sent = [
        ledger.submit(closing("a", "T-1"), "k2"),
        ledger.submit(suspension("nobody"), "k3"),
        ledger.submit(closing("a", "T-1"), "k4"),
        ledger.submit(closing("a", "T-2"), "k5"),
    ]
    outcomes = [type(outcome) for outcome in await asyncio.gather(*sent, return_exceptions=True)]
    assert outcomes == [Answer, AccountNotFound, TaskAlreadyClosed, Answer]


async def test_a_hot_account_keeps_the_order_in_which_commands_came(ledger: Ledger):
    sent = [ledger.submit(opening("a"), "k")]
    sent += [ledger.submit(closing("a", f"T-{number}"), f"k{number}") for number in range(300)]
    answers = [read(answer) for answer in await asyncio.gather(*sent)]
    assert [answer.version for answer in answers] == list(range(1, 302))
    assert [answer.balance.owed_minutes for answer in answers] == list(range(0, 3010, 10))


async def test_what_another_process_recorded_is_seen_before_anything_is_refused(ledger: Ledger, other_ledger: Ledger):
    """Both keep the account in memory; the second's knowledge is old when it is asked."""
    await ledger.submit(opening("a"), "k1")
    with pytest.raises(AccountAlreadyOpen):
        await other_ledger.submit(opening("a"), "k2")
    with pytest.raises(BalanceNotNegative):
        await other_ledger.submit(suspension("a"), "k3")
    await ledger.submit(closing("a"), "k4")
    assert read(await other_ledger.submit(suspension("a"), "k3")).balance.suspended


async def test_what_another_process_recorded_is_refused_to_be_recorded_again(ledger: Ledger, other_ledger: Ledger):
    await ledger.submit(opening("a"), "k1")
    await other_ledger.submit(closing("a", "T-1"), "k2")
    with pytest.raises(TaskAlreadyClosed):
        await ledger.submit(closing("a", "T-1"), "k3")
    assert read(await ledger.submit(closing("a", "T-2"), "k4")).balance.owed_minutes == 20


async def test_two_processes_serve_the_same_accounts_at_once(ledger: Ledger, other_ledger: Ledger):
    accounts = ["a", "b", "c"]
    for account_id in accounts:
        await ledger.submit(opening(account_id), f"open-{account_id}")

    async def client(process: Ledger, name: str, account_id: str) -> list[Recorded]:
        return [
            read(await process.submit(closing(account_id, f"{name}-{n}"), f"{name}-{n}-{account_id}"))
            for n in range(25)
        ]

    clients = [
        client(each, f"{name}{n}", account)
        for each, name in ((ledger, "x"), (other_ledger, "y"))
        for n in range(2)
        for account in accounts
    ]
    answers = [answer for answered in await asyncio.gather(*clients) for answer in answered]
    log = await all_events(ledger.store)
    for account_id in accounts:
        assert versions_without_gap(log, account_id) == 101
        after = sorted((a.version, a.balance.owed_minutes) for a in answers if a.account_id == account_id)
        assert after == [(version, (version - 1) * 10) for version in range(2, 102)]


async def test_one_key_sent_to_two_processes_at_once_is_recorded_once(ledger: Ledger, other_ledger: Ledger):
    await ledger.submit(opening("a"), "k")
    for number in range(20):
        command, key = closing("a", f"T-{number}"), f"k{number}"
        one, two = await asyncio.gather(ledger.submit(command, key), other_ledger.submit(command, key))
        assert one.body == two.body
        assert {one.replayed, two.replayed} == {False, True}
    assert versions_without_gap(await all_events(ledger.store), "a") == 21


@pytest.mark.parametrize("events", [EACH_EVENTS_MAX - 1, EACH_EVENTS_MAX, EACH_EVENTS_MAX * 2 + 1])
async def test_a_history_is_folded_whole_though_it_is_read_in_pages(settings: Settings, ledger: Ledger, events: int):
    sent = [ledger.submit(opening("long"), "k")]
    sent += [ledger.submit(closing("long", f"T-{number}"), f"k{number}") for number in range(events - 1)]
    await asyncio.gather(*sent)
    async with running_ledger(settings) as fresh:
        both = [fresh.submit(closing("long", "T-last"), "last"), fresh.submit(opening("short"), "short")]
        assert [read(await answer).version for answer in both] == [events + 1, 1]


async def test_accounts_beyond_the_bound_of_memory_are_loaded_again(settings: Settings):
    async with running_ledger(settings.model_copy(update={"warm_events_max": 30})) as small:
        for account_id in "abcdef":
            await small.submit(opening(account_id), account_id)
        sent = [small.submit(closing(account, f"T-{n}"), f"{account}{n}") for n in range(5) for account in "abcdef"]
        answers = [read(answer) for answer in await asyncio.gather(*sent)]
    assert sorted(answer.version for answer in answers) == sorted(list(range(2, 7)) * 6)


async def test_a_log_restored_from_an_older_copy_is_not_continued_from_what_memory_holds(ledger: Ledger):
    """The account in memory is ahead of the log: what it would record has no predecessor there."""
    await ledger.submit(opening("a"), "k1")
    memory = ledger.pipelines[ledger.log_of("a")]._history.warm
    kept = memory.get("a")
    assert kept
    memory.keep(kept._replace(account=kept.account._replace(version=7)))
    assert read(await ledger.submit(closing("a"), "k2")).version == 2


async def test_time_does_not_run_backwards_inside_an_account(settings: Settings):
    async with running_ledger(settings.model_copy(update={"sandbox": True})) as sandbox:
        first = read(await sandbox.submit(opening("a"), "k1"))
        behind = first.events[0].recorded_at - timedelta(minutes=3)
        await sandbox.store.readers.value("INSERT INTO ledger.test_clock (now) VALUES ($1)", behind)
        second = read(await sandbox.submit(opening("b"), "k2"))
        third = read(await sandbox.submit(purchase("a", at=A_YEAR_AGO), "k3"))
    assert second.events[0].recorded_at == behind
    assert third.events[0].recorded_at == first.events[0].recorded_at


async def test_a_dry_run_answers_what_would_be_recorded_and_records_nothing(ledger: Ledger, other_ledger: Ledger):
    await ledger.submit(opening("a"), "k1")
    with pytest.raises(AccountNotFound):
        await other_ledger.dry_run(purchase("b"), "k2")
    await ledger.submit(opening("b"), "k3")
    dry = read(await other_ledger.dry_run(purchase("b"), "k2"))
    assert (dry.version, dry.position, dry.balance.held_minutes) == (2, None, 1200)
    assert [(event.position, event.event_id, event.version) for event in dry.events] == [(None, None, 2)]
    real = await ledger.submit(purchase("b"), "k2")
    assert not real.replayed
    assert (await ledger.dry_run(purchase("b"), "k2")).body == real.body
    with pytest.raises(IdempotencyKeyReused):
        await ledger.dry_run(closing("b"), "k2")


async def test_commands_that_wait_fail_when_the_ledger_stops(settings: Settings):
    async with running_ledger(settings) as stopping:
        await stopping.submit(opening("a"), "k")
        sent = [stopping.submit(closing("a", f"T-{number}"), f"k{number}") for number in range(2000)]
        await sent[0]
    outcomes = await asyncio.gather(*sent, return_exceptions=True)
    answered = [orjson.loads(outcome.body)["position"] for outcome in outcomes if isinstance(outcome, Answer)]
    assert {type(outcome).__name__ for outcome in outcomes} == {"Answer", "LedgerUnavailable"}
    assert answered == list(range(2, 2 + len(answered)))
    with pytest.raises(LedgerUnavailable):
        await stopping.submit(closing("a", "too-late"), "k")


async def test_a_clock_that_runs_far_behind_records_nothing_and_says_so(settings: Settings):
    async with running_ledger(settings.model_copy(update={"sandbox": True})) as sandbox:
        await sandbox.submit(opening("a"), "k1")
        await sandbox.store.readers.value("INSERT INTO ledger.test_clock (now) VALUES ($1)", A_YEAR_AGO)
        beside = next(each for each in "bcdefghijklmnop" if sandbox.log_of(each) == sandbox.log_of("a"))
        with pytest.raises(LedgerUnavailable, match="clock of this process runs behind"):
            await sandbox.submit(opening(beside), "k2")
        assert sum(await sandbox.heads()) == 1
