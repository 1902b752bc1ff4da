"""An account that cannot be applied halts alone: it is named, its own answers stop, and the others go on."""

from collections.abc import Sequence
from dataclasses import replace

import asyncpg
import httpx
import pytest
from prometheus_client import REGISTRY

from contracts.events import Event
from services.projections.balances import BALANCES
from services.projections.catalogue import PROJECTIONS
from services.projections.following import halted_accounts
from services.projections.following.logged import CannotApply, Logged
from services.projections.following.tracking import Projection
from tests.projections.following.stage import Stage
from tests.projections.questions import caught_up, until
from tests.projections.vocabulary import Log, closed, opened, purchased

OVERDRAWN = closed("T-X", on="2026-03-05", draws={"spring-romashka": 7000})
NEVER_BOUGHT = closed("T-X", on="2026-03-05", draws={"never-bought": 10})


@pytest.mark.parametrize("live", [True, False])
async def test_the_others_go_on_and_nothing_after_the_event_to_blame_counts(
    stage: Stage, caplog: pytest.LogCaptureFixture, live: bool
):
    await stage.record("romashka", tasks=3)
    last = await stage.record("technosphere", tasks=3)
    if live:
        await stage.publish()
    async with stage.worker(nats_url="" if live else None):
        await stage.reached(last)
        to_blame = stage.log.record("romashka", OVERDRAWN)
        await stage.close("romashka", tasks=2)
        more = await stage.close("technosphere", tasks=5)
        if live:
            await stage.publish(after=last)
        await stage.reached(more)
        assert "a_lot_holds_between_nothing_and_its_size" in await stage.account_halted()
        more = await stage.close("romashka")
        more = await stage.close("technosphere")
        if live:
            await stage.publish(after=more - 2)
        await stage.reached(more)
    assert await stage.remaining() == {"romashka": 5970, "technosphere": 5910}
    assert (await stage.place()).halted is None
    said = [record.message for record in caplog.records if record.levelname == "ERROR"]
    assert len(said) == 1
    assert f"at {to_blame}:" in said[0]
    labels = {"projection": "balances", "log": stage.name}
    assert REGISTRY.get_sample_value("hourbook_projection_halted_accounts", labels) == 1


@pytest.mark.parametrize("live", [True, False])
async def test_an_account_with_an_event_that_cannot_be_read_halts_alone(stage: Stage, live: bool):
    last = await stage.record("technosphere", tasks=3)
    await stage.record("romashka", tasks=3)
    stage.log.lines[-1].data["worked_minutes"] = "many"
    more = await stage.close("technosphere")
    if live:
        await stage.publish()
    async with stage.worker(nats_url="" if live else None):
        await stage.reached(more)
        assert "its data do not fit TaskClosed: worked_minutes" in await stage.account_halted()
    assert more > last
    assert await stage.remaining() == {"romashka": 5980, "technosphere": 5960}
    assert (await stage.place()).halted is None


@pytest.mark.parametrize(
    "event",
    [NEVER_BOUGHT, closed("T-X", on="2026-03-05", owed=10), purchased("summer", on="2026-03-05", until="2026-06-06")],
)
async def test_an_account_that_was_never_opened_halts_alone(stage: Stage, event: Event):
    stage.log.record("nobody", event)
    last = await stage.record()
    await stage.reached_by_worker(last)
    assert (await stage.place()).halted_accounts == ["nobody"]
    assert await stage.remaining() == {"romashka": 5990}


async def test_several_accounts_of_one_batch_are_found_whatever_their_place_in_it(stage: Stage):
    names = [f"a-{number:02}" for number in range(40)]
    bad = {"a-00", "a-13", "a-14", "a-39"}
    for name in names:
        await stage.record(name, tasks=2)
    for name in names:
        stage.log.record(
            name, NEVER_BOUGHT if name in bad else closed("T-9", on="2026-03-05", draws={f"spring-{name}": 5})
        )
    await stage.reached_by_worker(stage.log.position)
    assert set((await stage.place()).halted_accounts) == bad
    assert await stage.remaining() == {name: 5980 if name in bad else 5975 for name in names}


async def test_what_is_refused_for_many_accounts_halts_the_projection(stage: Stage, monkeypatch: pytest.MonkeyPatch):
    """That is the program's fault, and no account's."""
    monkeypatch.setattr(halted_accounts, "ACCOUNTS_MAX", 3)
    for number in range(8):
        stage.log.record(f"nobody-{number}", NEVER_BOUGHT)
    async with stage.worker(nats_url=None):
        assert "of 4 accounts: it is about an account or a lot" in await stage.halted()
    assert (await stage.place()).halted_accounts == []


@pytest.mark.parametrize("error", [KeyError, AssertionError, ZeroDivisionError, CannotApply])
async def test_whatever_applying_an_event_raises_halts_its_account(stage: Stage, error: type[Exception]):
    async def project(connection: asyncpg.Connection, batch: Sequence[Logged]) -> None:
        if any(logged.recorded.account_id == "romashka" and logged.position > 2 for logged in batch):
            raise error("it cannot be")
        await BALANCES.project(connection, batch)

    await stage.record("romashka")
    last = await stage.record("technosphere")
    async with stage.worker(nats_url=None, projection=replace(BALANCES, project=project)):
        await stage.reached(last)
        await stage.account_halted()
    assert await stage.remaining() == {"romashka": 6000, "technosphere": 5990}


async def test_a_rebuild_halts_the_same_accounts_and_has_the_same_totals(stage: Stage):
    await stage.record("romashka", tasks=3)
    stage.log.record("romashka", OVERDRAWN)
    last = await stage.record("technosphere", tasks=3)
    await stage.reached_by_worker(last)
    async with stage.rebuild() as rebuilding:
        assert (await rebuilding.run()).halted_accounts == ("romashka",)
    more = await stage.close("technosphere")
    await stage.close("romashka")
    await stage.reached_by_worker(more + 1)
    assert (await stage.place()).halted_accounts == ["romashka"]
    assert await stage.remaining() == {"romashka": 5970, "technosphere": 5960}


@pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda each: each.name)
async def test_every_projection_goes_on_without_an_account(stage: Stage, projection: Projection):
    """It refuses what it cannot apply itself; here it is made to."""

    async def project(connection: asyncpg.Connection, batch: Sequence[Logged]) -> None:
        await projection.project(connection, batch)
        if any(logged.recorded.account_id == "romashka" and logged.position > 2 for logged in batch):
            raise CannotApply("it cannot be")

    async def reached() -> bool:
        at = await stage.database.fetchrow(
            "SELECT position, halted FROM tracking WHERE projection = $1 AND log = $2", projection.name, stage.name
        )
        return at is not None and at["position"] == last and at["halted"] is None

    await stage.database.execute("INSERT INTO alert_frontier VALUES (0, 0, 0, now())")
    await stage.record("romashka")
    last = await stage.record("technosphere")
    async with stage.worker(nats_url=None, projection=replace(projection, project=project)):
        await until(reached)
    halted = await stage.database.fetch("SELECT projection, account_id, position FROM halted_account")
    assert [tuple(row) for row in halted] == [(projection.name, "romashka", 3)]


async def test_only_the_accounts_own_answers_stop(log: Log, client: httpx.AsyncClient):
    log.record("romashka", opened(), purchased("spring-romashka", 6000, on="2026-03-01", until="2026-06-02"))
    log.record("romashka", OVERDRAWN)
    log.record("technosphere", opened(), purchased("spring", 1200, on="2026-03-01", until="2026-06-02"))

    async def named() -> bool:
        notices = (await client.get("/health/details")).json()["notices"]
        return any("romashka halted in the projection balances before event" in each for each in notices)

    await until(named)
    for path in ("", "/balance", "/balance/history", "/statement", "/packages"):
        refused = await client.get(f"/v1/accounts/romashka{path}")
        assert (refused.status_code, refused.json()["type"]) == (503, "urn:hourbook:problem:account-halted"), path
        assert "romashka" in refused.json()["detail"]
    other = await caught_up(client, "/v1/accounts/technosphere/balance", 2)
    assert (other.status_code, other.json()["balance_minutes"]) == (200, 1200)
    listed = (await caught_up(client, "/v1/accounts", log.position)).json()["accounts"]
    assert {account["account_id"]: account["halted"] for account in listed} == {"romashka": True, "technosphere": False}
    totals = (await caught_up(client, "/v1/totals", log.position, day="2026-03-01")).json()["totals"]
    assert [total["sold_minutes"] for total in totals] == [7200]
    places = (await client.get("/v1/projections")).json()
    assert sum(at["halted_accounts"] for place in places if place["name"] == "balances" for at in place["logs"]) == 1
