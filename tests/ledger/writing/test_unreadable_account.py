"""An account whose events do not fit together fails its own commands, clearly, and nobody else's."""

import asyncio
from datetime import timedelta

import httpx
import pytest

from services.ledger.app import create_api
from services.ledger.clock import SandboxClock
from services.ledger.event_store.known_account import AccountUnreadable
from services.ledger.running import Ledger, running_ledger
from services.ledger.settings import Settings
from services.ledger.writing.answers import Answer
from services.ledger.writing.expiry import expire_due, keep_expiring
from tests.ledger.audit.tampering import as_superuser
from tests.ledger.commands import NOW, closing, opening, purchase
from tests.ledger.serving import serving
from tests.ledger.several_logs import LOGS, all_events, log_with

SPOILT = {
    "a type that nobody knows": "type = 'HoursStolen'",
    "data that do not fit": "data = '{}'",
    "data of another event": "type = 'TaskReopened', data = '{\"task_id\": \"none\"}'",
    "a version too many": "version = 7",
}
GOOD = [f"good-{number}" for number in range(40)]


@pytest.fixture(params=SPOILT.values(), ids=SPOILT)
async def spoilt(settings: Settings, database_url: str, request: pytest.FixtureRequest) -> Settings:
    """Accounts of which one has an event that does not fit; nothing of them is in memory."""
    async with running_ledger(settings) as ledger:
        for account_id in ["bad", *GOOD]:
            await ledger.submit(opening(account_id), "open")
            await ledger.submit(purchase(account_id), "buy")
        await ledger.submit(closing("bad"), "close")
    await as_superuser(
        database_url, f"UPDATE ledger.event SET {request.param} WHERE account_id = 'bad' AND version = 3"
    )
    return settings


async def test_accounts_that_are_loaded_with_it_go_on(spoilt: Settings):
    async with running_ledger(spoilt) as ledger:
        sent = [ledger.submit(closing(account_id, "T-2"), "next") for account_id in ["bad", *GOOD]]
        bad, *good = await asyncio.gather(*sent, return_exceptions=True)
        assert isinstance(bad, AccountUnreadable)
        assert [type(each) for each in good] == [Answer] * len(GOOD)
        with pytest.raises(AccountUnreadable, match="of account bad"):
            await ledger.dry_run(closing("bad", "T-2"), "dry")
        assert await ledger.faults() == []
        assert ["of account bad" in notice for notice in await ledger.notices()].count(True) == 1


async def test_commands_that_are_repeated_with_it_are_answered(spoilt: Settings):
    async with running_ledger(spoilt) as ledger:
        bad, *good = [ledger.submit(closing("bad"), "close"), *(ledger.submit(purchase(each), "buy") for each in GOOD)]
        answers = await asyncio.gather(*good)
        assert all(answer.replayed for answer in answers)
        with pytest.raises(AccountUnreadable):
            await bad


async def test_it_is_answered_with_a_problem(spoilt: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DATABASE_URL", spoilt.database_url)
    monkeypatch.delenv("NATS_URL", raising=False)
    async with serving(create_api) as url, httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as client:
        key, reason = {"Idempotency-Key": "reopen"}, {"reason": "по ошибке"}
        for answer in (
            await client.get("/v1/accounts/bad/replay"),
            await client.post("/v1/accounts/bad/tasks/T-2/reopen", json=reason, headers=key),
        ):
            assert (answer.status_code, answer.json()["type"]) == (409, "urn:hourbook:problem:account-unreadable")
            assert "of account bad" in answer.json()["detail"]
        assert (await client.get("/v1/accounts/good-1/replay")).status_code == 200
        ready = await client.get("/health/details")
        assert (ready.status_code, "of account bad" in str(ready.json()["notices"])) == (200, True)
        assert "bad" not in (await client.get("/health/ready")).text


async def test_once_its_events_are_right_again_it_goes_on(spoilt: Settings, database_url: str):
    async with running_ledger(spoilt) as ledger:
        with pytest.raises(AccountUnreadable):
            await ledger.submit(closing("bad", "T-2"), "next")
        await as_superuser(database_url, "DELETE FROM ledger.event WHERE account_id = 'bad' AND version > 2")
        assert not (await ledger.submit(closing("bad", "T-2"), "next")).replayed
        assert not [notice for notice in await ledger.notices() if "bad" in notice]


async def test_what_is_due_on_others_is_recorded(spoilt: Settings, caplog: pytest.LogCaptureFixture):
    """By the scheduler, which goes on and logs the failure once."""
    async with running_ledger(spoilt.model_copy(update={"sandbox": True})) as ledger:
        assert isinstance(ledger.clock, SandboxClock)
        await ledger.clock.move(NOW + timedelta(days=400))
        expiring = asyncio.create_task(keep_expiring(ledger.store, LOGS, ledger.clock, ledger.expire))
        async with asyncio.timeout(60):
            while await expired(ledger) != set(GOOD) or not (logged := said_of_expiry(caplog)):
                await asyncio.sleep(0.01)
        for log_id in range(LOGS):
            failed = await expire_due(ledger.store, log_id, await ledger.clock.now(), ledger.expire)
            assert list(failed) == (["bad"] if log_id == log_with("bad") else [])
        assert (len(logged), expiring.done()) == (1, False)
        expiring.cancel()


async def expired(ledger: Ledger) -> set[str]:
    return {event.account_id for event in await all_events(ledger.store) if event.type == "PackageExpired"}


def said_of_expiry(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in caplog.records if "what is due on account bad" in each.getMessage()]
