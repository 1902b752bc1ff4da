"""What the recorder promises: gapless positions in commit order, versions without holes, keys taken once."""

import asyncio
import re
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from services.ledger.event_store import appending
from services.ledger.event_store.appending import AlreadyTaken, AppendTooLong
from services.ledger.event_store.migrations import FUNCTIONS
from services.ledger.event_store.store import EventStore
from tests.ledger.event_store.events import event


async def test_positions_count_from_one_and_data_stay_as_they_were_written(store: EventStore):
    data = '{"b": 1,  "a":"ё \\u0451"}'
    first = event("a", 1, "k1", data=data)
    assert await store.append(0, [first, event("b", 1, "k2")], {}) == 1
    assert await store.append(0, [event("a", 2, "k3")], {}) == 3
    page = await store.page(0, 0, 10)
    assert [found.position for found in page] == [1, 2, 3]
    assert page[0] == first._replace(position=1)
    assert await store.head(0) == 3
    assert await store.event_id(0, 1) == first.event_id


async def test_logs_are_counted_apart_and_do_not_see_each_other(store: EventStore):
    await store.append(0, [event("a", 1, "k1"), event("a", 2, "k2")], {})
    assert await store.append(1, [event("a", 1, "k1")], {}) == 1
    assert [found.position for found in await store.page(1, 0, 10)] == [1]
    assert await store.head(2) == 0


async def test_two_processes_appending_at_once_leave_no_gap_and_a_reader_never_skips(
    store: EventStore, database_url: str
):
    async with EventStore.connected(database_url) as other:
        seen: list[int] = []

        async def append(writer: EventStore, name: str) -> None:
            for number in range(40):
                await writer.append(0, [event(f"{name}-{number}", v, f"{name}-{number}-{v}") for v in (1, 2, 3)], {})

        async def read(writers: asyncio.Task[object]) -> None:
            while not (writers.done() and len(seen) == 480):
                seen.extend(found.position for found in await store.page(0, len(seen), 100) if found.position)

        names = [(store, "a"), (store, "b"), (other, "c"), (other, "d")]
        writers = asyncio.ensure_future(asyncio.gather(*(append(*each) for each in names)))
        await read(writers)
        await writers
    assert seen == list(range(1, 481))


async def test_a_version_that_is_taken_is_refused_with_all_its_batch(store: EventStore):
    await store.append(0, [event("a", 1, "k1")], {})
    with pytest.raises(AlreadyTaken, match="event_account_version"):
        await store.append(0, [event("b", 1, "k2"), event("a", 1, "k3")], {"b": datetime.now(UTC)})
    assert await store.head(0) == 1
    assert await store.due(0, datetime.now(UTC), (datetime.min.replace(tzinfo=UTC), ""), 10) == []


async def test_an_append_has_no_more_events_than_who_verifies_it_keeps(
    store: EventStore, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(appending, "APPEND_EVENTS_MAX", 2)
    with pytest.raises(AppendTooLong, match="3 events in one append: 2 at most"):
        await store.append(0, [event(each, 1, "k") for each in "abc"], {})
    assert await store.append(0, [event(each, 1, "k") for each in "ab"], {}) == 1


async def test_a_version_without_a_predecessor_is_refused(store: EventStore):
    with pytest.raises(AlreadyTaken, match="not in the log"):
        await store.append(0, [event("a", 2, "k1")], {})
    assert await store.head(0) == 0


async def test_a_key_is_taken_once_in_a_race_of_many(store: EventStore, database_url: str):
    async with EventStore.connected(database_url) as other:
        attempts = [
            writer.append(0, [event("a", version, "the key")], {})
            for version in range(1, 21)
            for writer in (store, other)
        ]
        outcomes = await asyncio.gather(*attempts, return_exceptions=True)
    assert outcomes.count(1) == 1
    assert sum(isinstance(outcome, AlreadyTaken) for outcome in outcomes) == 39
    assert await store.head(0) == 1


async def test_a_command_is_found_by_its_key_with_all_its_events(store: EventStore):
    events = [event("a", 1, "k1"), event("a", 2, "k2"), event("a", 3, "k2", first=False), event("a", 4, "k4")]
    await store.append(0, events, {})
    known = await store.commands(0, [("a", "k2"), ("a", "never sent"), ("a", "k4"), ("b", "k1")])
    assert sorted(known) == [("a", "k2"), ("a", "k4")]
    assert (known["a", "k2"].version, known["a", "k2"].fingerprint) == (2, b"k2")
    of = await store.events_of(0, list(known.values()))
    assert {each: [found.version for found in of[each]] for each in of} == {("a", "k2"): [2, 3], ("a", "k4"): [4]}


async def test_a_key_is_its_account_s_own(store: EventStore):
    await store.append(0, [event("a", 1, "k"), event("b", 1, "k"), event("b", 2, "k", first=False)], {})
    known = await store.commands(0, [("a", "k"), ("b", "k"), ("c", "k")])
    assert {key: found.version for key, found in known.items()} == {("a", "k"): 1, ("b", "k"): 1}
    of = await store.events_of(0, known.values())
    assert {key: [found.position for found in of[key]] for key in of} == {("a", "k"): [1], ("b", "k"): [2, 3]}
    with pytest.raises(AlreadyTaken, match="event_command_of_account"):
        await store.append(0, [event("a", 2, "k")], {})


async def test_events_of_several_accounts_come_in_order_and_bounded(store: EventStore):
    await store.append(0, [event(each, v, f"{each}{v}") for each in "ba" for v in range(1, 6)], {})
    found = await store.events_from(0, {"a": 2, "b": 0, "nobody": 0}, 3)
    assert {each: [event.version for event in found[each]] for each in found} == {
        "a": [2, 3, 4], "b": [1, 2, 3], "nobody": [],
    }  # fmt: skip


async def test_due_accounts_are_listed_by_their_end_and_moved_or_removed_by_later_appends(store: EventStore):
    now = datetime.now(UTC)
    before = (datetime.min.replace(tzinfo=UTC), "")
    ends = {"a": now - timedelta(days=1), "b": now - timedelta(days=2), "later": now + timedelta(days=1)}
    await store.append(0, [event(each, 1, each) for each in ends], ends)
    assert await store.due(0, now, before, 10) == [(ends["b"], "b"), (ends["a"], "a")]
    assert await store.due(0, now, (ends["b"], "b"), 10) == [(ends["a"], "a")]
    await store.append(0, [event("a", 2, "a2"), event("b", 2, "b2")], {"a": None, "b": now + timedelta(days=3)})
    assert await store.due(0, now, before, 10) == []


@pytest.mark.parametrize(
    "statement",
    ["UPDATE ledger.event SET data = '{}'", "DELETE FROM ledger.event", "TRUNCATE ledger.event"],
)
async def test_events_are_never_changed_not_even_by_a_superuser(store: EventStore, database_url: str, statement: str):
    await store.append(0, [event("a", 1, "k1")], {})
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await store.readers.value(statement)
    superuser = await asyncpg.connect(database_url)
    try:
        for preparation in ("SELECT 1", "SET session_replication_role = replica"):
            await superuser.execute(preparation)
            with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="events are never changed"):
                await superuser.execute(statement)
    finally:
        await superuser.close()
    assert [found.data for found in await store.page(0, 0, 10)] == ["{}"]


INDEXED = {
    "what an event follows": (
        r"IF EXISTS \((\s+SELECT FROM unnest\(account_ids, versions.+?)\) THEN",
        "Index Cond: ((log_id = $4) AND (account_id = new.account_id)",
    ),
    "the last events": (
        r"\((SELECT max\(recorded_at\).+? AS last)\),\n",
        'Index Cond: ((log_id = $4) AND ("position" > ($5 - 16)))',
    ),
    "the end": (r"(SELECT coalesce\(max\(position\), 0\)) INTO head( FROM .+?);", "Backward using event_pkey"),
}


@pytest.mark.parametrize("what", INDEXED)
@pytest.mark.parametrize("events", [0, 320])
async def test_an_append_finds_all_by_index_however_young_the_log_is(
    store: EventStore, database_url: str, what: str, events: int
):
    """A plan that is made without statistics is kept: by another index, each append would go over all of the log."""
    text = next(file for file in FUNCTIONS if file.name == "append_sealed.sql").read_text(encoding="utf-8")
    pattern, found_by = INDEXED[what]
    query = "".join(re.findall(pattern, text, re.DOTALL)[0])
    given = {"account_ids": "$1", "versions": "$2", "followed_ids": "$3", "log": "$4", "head": "$5"}
    for name, parameter in given.items():
        query = re.sub(rf"(?<![\w.]){name}\b(?!_)", parameter, query)
    if events:
        await store.append(0, [event(f"a-{n}", 1, f"k-{n}", data=f'"{"x" * 900}"') for n in range(events)], {})
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan")
        await connection.execute(f"PREPARE asked (text[], integer[], uuid[], integer, bigint) AS {query}")
        plan = await connection.fetch("EXPLAIN EXECUTE asked ('{a}', '{2}', '{null}', 0, 9)")
    finally:
        await connection.close()
    assert found_by in "\n".join(line[0] for line in plan)
