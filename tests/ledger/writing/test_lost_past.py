"""A log that goes back under running processes, as by a restore or a failover: none records or answers by what is lost.

Two ledgers run on one database. The log goes back to an earlier event, and the other ledger writes as many versions as
were lost, or more, or fewer: a version number says nothing then.
"""

import asyncio

import asyncpg
import pytest

from contracts.commands import ReopenTask
from contracts.envelope import Recorded
from services.ledger.audit.replay import replay
from services.ledger.domain.refusals import TaskAlreadyClosed, TaskNotClosed
from services.ledger.event_store.appending import AlreadyTaken
from services.ledger.event_store.snapshots import Snapshots
from services.ledger.event_store.store import EventStore
from services.ledger.event_store.stored_event import StoredEvent
from services.ledger.running import Ledger, running_ledger
from services.ledger.settings import Settings
from services.ledger.writing.answers import Answer
from tests.ledger.audit.tampering import as_superuser
from tests.ledger.commands import NOW, closing, opening, purchase
from tests.ledger.event_store.events import event
from tests.ledger.several_logs import log_with

LOG = log_with("a")
WRITTEN_SINCE = (0, 1, 3, 5)


def reopening(task_id: str) -> ReopenTask:
    return ReopenTask(account_id="a", task_id=task_id, reason="по ошибке")


def read(answer: Answer) -> Recorded:
    return Recorded.model_validate_json(answer.body)


async def go_back(database_url: str, version: int) -> None:
    """The log and all beside it as they were after that event of account a, the only one there is, in a new epoch."""
    await as_superuser(
        database_url,
        f"DELETE FROM ledger.event WHERE log_id = {LOG} AND version > {version}",
        "INSERT INTO ledger.epoch VALUES (2)",
    )


async def balance_in_log(ledger: Ledger) -> int:
    """By the events alone."""
    events = await ledger.store.account_page(LOG, "a", 0, 1000)
    assert [event.version for event in events] == list(range(1, len(events) + 1))
    return replay("a", map(StoredEvent.recorded, events), NOW, None).balance_minutes


@pytest.fixture
async def lost(ledger: Ledger, other_ledger: Ledger, database_url: str) -> Ledger:
    """A ledger that has closed three tasks which are not in the log any more; the other one knows two events of it."""
    await ledger.submit(opening("a"), "k1")
    await ledger.submit(purchase("a"), "k2")
    assert read(await other_ledger.dry_run(closing("a"), "dry")).version == 3
    for number in range(3):
        await ledger.submit(closing("a", f"lost-{number}", worked=100), f"lost-{number}")
    await go_back(database_url, 2)
    return ledger


async def write_since(ledger: Ledger, events: int) -> None:
    for number in range(events):
        await ledger.submit(closing("a", f"T-{number}"), f"since-{number}")


@pytest.mark.parametrize("since", WRITTEN_SINCE)
async def test_what_is_recorded_next_rests_on_the_log(lost: Ledger, other_ledger: Ledger, since: int):
    await write_since(other_ledger, since)
    answer = read(await lost.submit(closing("a", "next"), "next"))
    assert answer.version == 2 + since + 1
    assert answer.balance.balance_minutes == 1200 - 10 * (since + 1) == await balance_in_log(lost)


@pytest.mark.parametrize("since", WRITTEN_SINCE)
async def test_a_task_that_is_not_in_the_log_is_not_reopened(lost: Ledger, other_ledger: Ledger, since: int):
    await write_since(other_ledger, since)
    with pytest.raises(TaskNotClosed):
        await lost.submit(reopening("lost-1"), "reopen")
    with pytest.raises(TaskNotClosed):
        await lost.dry_run(reopening("lost-1"), "reopen")
    assert await balance_in_log(lost) == 1200 - 10 * since


@pytest.mark.parametrize("since", WRITTEN_SINCE)
async def test_a_refusal_is_of_what_is_in_the_log(lost: Ledger, other_ledger: Ledger, since: int):
    """A lost closing is taken anew; one that the other process recorded is refused."""
    await write_since(other_ledger, since)
    assert read(await lost.submit(closing("a", "lost-1", worked=100), "anew")).version == since + 3
    if since:
        with pytest.raises(TaskAlreadyClosed):
            await lost.submit(closing("a", "T-0"), "refused")


@pytest.mark.parametrize("since", WRITTEN_SINCE)
async def test_a_dry_run_answers_from_the_log(lost: Ledger, other_ledger: Ledger, since: int):
    await write_since(other_ledger, since)
    dry = read(await lost.dry_run(closing("a", "next"), "next"))
    assert (dry.version, dry.balance.balance_minutes) == (since + 3, 1200 - 10 * (since + 1))


@pytest.mark.parametrize("since", WRITTEN_SINCE)
async def test_a_lost_key_is_recorded_anew_and_a_recorded_one_is_replayed(
    lost: Ledger, other_ledger: Ledger, since: int
):
    await write_since(other_ledger, since)
    again = await lost.submit(closing("a", "lost-1", worked=100), "lost-1")
    assert (again.replayed, read(again).version) == (False, since + 3)
    for number in range(since):
        replayed = await lost.submit(closing("a", f"T-{number}"), f"since-{number}")
        assert replayed.replayed
        assert read(replayed).balance.balance_minutes == 1200 - 10 * (number + 1)


async def test_a_replay_does_not_go_on_from_a_lost_one(ledger: Ledger, other_ledger: Ledger, database_url: str):
    """Accounts as they were after an earlier command are kept, too."""
    await ledger.submit(opening("a"), "k1")
    await ledger.submit(purchase("a"), "k2")
    await ledger.submit(closing("a", "lost", worked=100), "lost")
    assert (await ledger.submit(closing("a", "lost", worked=100), "lost")).replayed
    await go_back(database_url, 2)
    first = [await other_ledger.submit(closing("a", f"T-{number}"), f"since-{number}") for number in range(3)]
    again = [await ledger.submit(closing("a", f"T-{number}"), f"since-{number}") for number in (2, 0, 1)]
    assert [answer.body for answer in again] == [first[number].body for number in (2, 0, 1)]


async def test_commands_of_one_batch_all_rest_on_the_log(lost: Ledger, other_ledger: Ledger):
    await write_since(other_ledger, 3)
    sent = [lost.submit(closing("a", f"next-{number}"), f"next-{number}") for number in range(20)]
    sent += [lost.submit(opening(f"b{number}"), "k") for number in range(20)]
    sent += [lost.submit(reopening("lost-1"), "reopen")]
    *answers, refused = await asyncio.gather(*sent, return_exceptions=True)
    assert [type(answer) for answer in answers] == [Answer] * 40
    assert isinstance(refused, TaskNotClosed)
    assert await balance_in_log(lost) == 1200 - 10 * 23


async def test_a_snapshot_that_is_not_in_the_log_is_not_gone_on_from(
    settings: Settings, lost: Ledger, other_ledger: Ledger
):
    """It was written before the log went back, and is read by a process that starts afterwards."""
    warm = lost.pipelines[LOG]._history.warm.get("a")
    assert warm
    await Snapshots(lost.store.readers, LOG).keep(warm)
    await write_since(other_ledger, 5)
    async with running_ledger(settings) as started:
        answer = read(await started.submit(closing("a", "next"), "next"))
    assert (answer.version, answer.balance.balance_minutes) == (8, 1200 - 60)


async def test_an_account_that_is_lost_whole_is_opened_anew(ledger: Ledger, other_ledger: Ledger, database_url: str):
    await ledger.submit(opening("a"), "k1")
    await go_back(database_url, 0)
    assert (await ledger.submit(opening("a"), "k1")).replayed is False
    assert read(await other_ledger.submit(closing("a"), "k2")).version == 2


async def test_an_append_after_an_event_that_is_not_the_log_s_is_refused(store: EventStore, database_url: str):
    first = event("a", 1, "k1")
    await store.append(0, [first, event("a", 2, "k2")], {})
    for follows in (None, first.event_id):
        with pytest.raises(AlreadyTaken, match="not in the log"):
            await store.append(0, [event("a", 3, "k3")._replace(follows=follows)], {})
    assert await store.append(0, [event("a", 3, "k3"), event("a", 4, "k3", first=False)], {}) == 3
    connection = await asyncpg.connect(database_url)
    assert await connection.fetchval("SELECT count(*) FROM ledger.event") == 4
    await connection.close()
