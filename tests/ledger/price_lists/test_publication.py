"""Rule 3.4: terms are published, an hour ahead, under the log's hashes, and every process decides by them in time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contracts.access_events import TermsPublished
from contracts.placement import ACCESS_LOG, every_log
from contracts.terms import TermsVersion
from services.auditing.auditor import Audit
from services.ledger.audit.checkpointer import Checkpointer
from services.ledger.audit.statements import Surroundings
from services.ledger.clock import SandboxClock
from services.ledger.event_store.database import Database
from services.ledger.event_store.roles import SIGNER
from services.ledger.event_store.store import EventStore
from services.ledger.price_lists.publication import CannotPublish, begin_terms, publish
from services.ledger.running import Ledger, running_ledger
from services.ledger.settings import Settings, terms
from services.process.stopping import end
from tests.ledger.commands import closing, opening, purchase
from tests.ledger.event_store.events import event

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FIRST = terms().versions[0]


def dearer(starts: datetime = NOW + timedelta(hours=1), name: str = "2026-03", price: int = 7_000_000) -> TermsVersion:
    """A version in which 20 hours cost more."""
    plan = FIRST.plans["hours-20"].model_copy(update={"price_kopecks": price})
    changed = {"name": name, "in_force_from": starts, "plans": {**FIRST.plans, "hours-20": plan}}
    return FIRST.model_copy(update=changed)


@asynccontextmanager
async def sandboxed(settings: Settings) -> AsyncIterator[Ledger]:
    async with running_ledger(settings.model_copy(update={"sandbox": True})) as running:
        yield running


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """With one log, however many the suite runs with."""
    return settings.model_copy(update={"logs": 1})


@pytest.fixture
async def ledger(settings: Settings) -> AsyncIterator[Ledger]:
    """At noon of 1 March 2026, by the test clock."""
    async with sandboxed(settings) as running:
        await move(running, NOW)
        yield running


@pytest.fixture
async def signing(ledger: Ledger) -> AsyncIterator[Database]:
    """The database as signers see it."""
    async with Database.connected(ledger.settings.database_url, 2, role=SIGNER) as connected:
        yield connected


async def move(ledger: Ledger, now: datetime) -> None:
    assert isinstance(ledger.clock, SandboxClock)
    await ledger.clock.move(now)


async def bought(ledger: Ledger, package_id: str, at: datetime) -> tuple[str, int]:
    """The terms and the price of a package bought then."""
    answer = await ledger.submit(purchase("oka", package_id, at=at), f"buy-{package_id}")
    recorded = await ledger.store.account_page(ledger.log_of("oka"), "oka", 0, 1000)
    assert answer.position
    said = next(each.event() for each in reversed(recorded) if each.type == "PackagePurchased")
    return said.terms_version, said.price_kopecks


async def published(store: EventStore) -> list[tuple[str, str, str]]:
    """What the log of access says of terms: subject, actor, version."""
    facts = await store.page(ACCESS_LOG, 0, 1000)
    return [
        (fact.account_id, fact.actor or "", TermsPublished.model_validate_json(fact.data).version.name)
        for fact in facts
        if fact.type == "TermsPublished"
    ]


async def test_a_ledger_begins_with_the_terms_that_it_came_with_and_says_so_once(settings: Settings):
    async with running_ledger(settings) as one, running_ledger(settings):
        pass
    async with running_ledger(settings) as again:
        assert again.access.terms == one.access.terms == terms()
        await asyncio.gather(*(begin_terms(again.access, terms()) for _ in range(3)))
        assert await published(again.store) == [("terms", "system-operator", FIRST.name)]


async def test_a_ledger_that_exists_already_goes_on_with_them(store: EventStore, settings: Settings):
    await store.append(0, [event("a-1", 1, "k-1")], {})
    async with running_ledger(settings) as goes_on:
        assert await published(goes_on.store) == [("terms", "system-operator", FIRST.name)]


async def test_a_version_is_in_force_from_its_instant_and_touches_nothing_before(ledger: Ledger):
    await ledger.submit(opening("oka"), "open")
    starts = NOW + timedelta(hours=1)
    done = await publish(ledger.access, dearer(starts), "key-a")
    assert (done.published_by, done.version) == ("key-a", dearer(starts))
    assert await bought(ledger, "before", NOW) == (FIRST.name, 6_380_000)
    await move(ledger, starts)
    assert await bought(ledger, "after", starts) == ("2026-03", 7_000_000)
    assert await bought(ledger, "late", starts - timedelta(microseconds=1)) == (FIRST.name, 6_380_000)


@pytest.mark.parametrize(
    ("version", "field"),
    [
        (dearer(NOW + timedelta(minutes=59, seconds=59)), "in_force_from"),
        (dearer(NOW - timedelta(days=1)), "in_force_from"),
        (dearer(NOW + timedelta(hours=3)), "in_force_from"),
        (dearer(NOW + timedelta(hours=2)), "in_force_from"),
        (dearer(datetime(2400, 1, 1, tzinfo=UTC)), "in_force_from"),
        (dearer(NOW + timedelta(days=9), name=FIRST.name), "name"),
        (dearer(NOW + timedelta(days=9), name="known"), "name"),
    ],
    ids=["too soon", "in the past", "with another", "before another", "too late", "the first one's name", "a name"],
)
async def test_what_does_not_follow_is_refused_and_leaves_no_trace(ledger: Ledger, version: TermsVersion, field: str):
    known = await publish(ledger.access, dearer(NOW + timedelta(hours=3), name="known"), "key-a")
    with pytest.raises(CannotPublish) as refused:
        await publish(ledger.access, version, "key-a")
    assert refused.value.field == field
    assert [each.version.name for each in ledger.access.state.published] == [FIRST.name, known.version.name]


async def test_published_again_it_is_as_it_was(ledger: Ledger):
    one = await publish(ledger.access, dearer(), "key-a")
    await move(ledger, NOW + timedelta(days=1))
    assert await publish(ledger.access, dearer(), "key-b") == one


async def test_of_two_processes_that_publish_at_once_one_is_refused(ledger: Ledger, settings: Settings):
    async with sandboxed(settings) as other:
        outcomes = await asyncio.gather(
            publish(ledger.access, dearer(name="one"), "key-a"),
            publish(other.access, dearer(name="two"), "key-b"),
            return_exceptions=True,
        )
    assert sorted(type(each).__name__ for each in outcomes) == ["CannotPublish", "PublishedTerms"]


async def test_a_process_that_has_not_read_the_log_reads_it_before_it_decides_by_older_terms(
    ledger: Ledger, settings: Settings
):
    await ledger.submit(opening("oka"), "open")
    async with sandboxed(settings) as cut_off:
        await end(*(task for task in cut_off.work if task.get_name() == "The log of access"))
        await cut_off.access.catch_up()
        await publish(ledger.access, dearer(), "key-a")
        assert cut_off.access.terms == terms()
        assert await bought(cut_off, "before", NOW) == (FIRST.name, 6_380_000)
        await move(ledger, NOW + timedelta(hours=1))
        assert await bought(cut_off, "after", NOW + timedelta(hours=1)) == ("2026-03", 7_000_000)


async def test_also_where_it_last_read_by_a_clock_that_stood_later(settings: Settings):
    async with sandboxed(settings) as cut_off, sandboxed(settings) as other:
        await end(*(task for task in cut_off.work if task.get_name() == "The log of access"))
        await move(other, NOW)
        await other.submit(opening("oka"), "open")
        await publish(other.access, dearer(), "key-a")
        await move(other, NOW + timedelta(hours=1))
        assert await bought(cut_off, "after", NOW + timedelta(hours=1)) == ("2026-03", 7_000_000)


async def test_checkpoints_state_what_is_published_and_the_audit_finds_nothing(
    ledger: Ledger, signing: Database, settings: Settings, tmp_path: Path
):
    await ledger.submit(opening("oka"), "open")
    surroundings = Surroundings(1, ledger.access.terms_now)
    signers = [
        Checkpointer(signing, log_id, tmp_path / "key.pem", surroundings, real_time=False) for log_id in every_log(1)
    ]
    for signer in signers:
        await signer.catch_up()
    await publish(ledger.access, dearer(), "key-a")
    await ledger.submit(closing("oka", "T-9").model_copy(update={"closed_at": NOW, "confirmed_at": NOW}), "close")
    for signer in signers:
        await signer.catch_up()
    audit = Audit(settings.database_url, 1, tmp_path / "verified.json", with_projections=False)
    assert {log_id: found.faults for log_id, found in (await audit.run(full=True)).items()} == {0: [], ACCESS_LOG: []}


async def test_a_signer_that_has_not_heard_of_a_version_asks_before_it_calls_it_a_forgery(
    ledger: Ledger, signing: Database, settings: Settings, tmp_path: Path
):
    async with sandboxed(settings) as other:
        await end(*(task for task in other.work if task.get_name() == "The log of access"))
        slow = Checkpointer(
            signing, ACCESS_LOG, tmp_path / "key.pem", Surroundings(1, other.access.terms_now),
            real_time=False,
        )  # fmt: skip
        await slow.catch_up()
        await publish(ledger.access, dearer(), "key-a")
        quick = Checkpointer(
            signing, ACCESS_LOG, tmp_path / "key.pem", Surroundings(1, ledger.access.terms_now),
            real_time=False,
        )  # fmt: skip
        await quick.catch_up()
        await slow.catch_up()
