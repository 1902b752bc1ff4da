"""Webhooks: signed, sent until accepted, each opening and closing once; who is down holds up nobody else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from pydantic import ValidationError

from infra.data_folder import free_port
from services.process import pauses
from services.process.pauses import pause_after
from services.projections.debt_alerts import webhooks
from services.projections.debt_alerts.webhooks import endpoints
from services.projections.settings import Settings
from tests.projections.debt_alerts.questions import Alerts
from tests.projections.debt_alerts.receiver import SECRET, receiving
from tests.projections.questions import client_of, until, until_ready
from tests.projections.vocabulary import Log, closed, opened, paid, purchased

DELIVERIES = "SELECT number, attempts, last_status FROM alert_delivery WHERE delivered_at IS NOT NULL ORDER BY number"


def settings_file(folder: Path, *urls: str, kinds: str = "") -> Path:
    file = folder / "webhooks.toml"
    lines = [f'[[endpoint]]\nurl = "{url}"\nsecret = "{SECRET}"\n{kinds}\n' for url in urls]
    file.write_text("".join(lines), encoding="utf-8")
    return file


@asynccontextmanager
async def sending(settings: Settings, file: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The service at work with those webhooks, once its alerts have begun."""
    async with client_of(settings.model_copy(update={"webhooks_file": file})) as client:
        await until_ready(client)
        yield client


def debts(log: Log, *names: str) -> None:
    """Of each account: debt opens, is updated, closes; then the balance is low."""
    for name in names:
        log.record(name, opened(), purchased("spring", 1200, on="2026-03-01", until="2026-06-02"))
        log.record(name, closed("T-1", on="2026-03-05", draws={"spring": 1200}, owed=60))
        log.record(name, closed("T-2", on="2026-03-06", owed=60))
        log.record(name, paid({"T-1": 60, "T-2": 60}, on="2026-03-07"))


async def delivered(database: asyncpg.Pool, deliveries: int) -> list[tuple[Any, ...]]:
    async def all_there() -> bool:
        return len(await database.fetch(DELIVERIES)) >= deliveries

    await until(all_there)
    return [tuple(row) for row in await database.fetch(DELIVERIES)]


async def test_openings_and_closings_are_sent_once_and_signed(
    settings: Settings, database: asyncpg.Pool, log: Log, tmp_path: Path
):
    async with receiving() as receiver:
        async with sending(settings, settings_file(tmp_path, f"{receiver.url}/hook")) as client:
            debts(log, "a")
            assert await delivered(database, 3) == [(1, 1, 204), (3, 1, 204), (4, 1, 204)]
            page = (await client.get("/v1/alerts/deliveries", params={"limit": 2})).json()
            newest = page["deliveries"][0]
            assert (newest["number"], newest["account_id"], newest["kind"], newest["type"], newest["last_status"]) == (
                4, "a", "low_balance", "alert.opened", 204
            )  # fmt: skip
            assert newest["delivered_at"]
            assert newest["next_attempt_at"] is None
            rest = await client.get("/v1/alerts/deliveries", params={"cursor": page["next_cursor"]})
            assert [delivery["number"] for delivery in rest.json()["deliveries"]] == [1]
        types = [(change["type"], change["data"]["kind"]) for change in receiver.received]
        assert sorted(types) == [
            ("alert.closed", "debt"), ("alert.opened", "debt"), ("alert.opened", "low_balance")
        ]  # fmt: skip


async def test_an_endpoint_hears_of_its_kinds_and_of_nothing_before_it_was_there(
    settings: Settings, database: asyncpg.Pool, log: Log, tmp_path: Path
):
    async with sending(settings, settings_file(tmp_path)) as client:
        debts(log, "a")
        await Alerts(client, log).settled()
    async with receiving() as receiver:
        file = settings_file(tmp_path, f"{receiver.url}/hook", kinds='kinds = ["debt"]')
        async with sending(settings, file):
            debts(log, "b")
            await delivered(database, 2)
        assert {change["data"]["account_id"] for change in receiver.received} == {"b"}
        assert {change["data"]["kind"] for change in receiver.received} == {"debt"}


async def test_what_is_refused_is_sent_again_with_the_same_id_until_it_is_accepted(
    settings: Settings, database: asyncpg.Pool, log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(pauses, "FIRST_SECONDS", 0.01)
    tries: dict[int, int] = {}

    def refuses(number: int) -> bool:
        tries[number] = tries.get(number, 0) + 1
        return tries[number] < 3

    async with receiving(refuses) as receiver:
        async with sending(settings, settings_file(tmp_path, f"{receiver.url}/hook")) as client:
            debts(log, "a", "b")
            found = await delivered(database, 6)
            assert [attempts for _, attempts, _ in found] == [3] * 6
            assert 'hourbook_webhook_deliveries_total{outcome="failed"}' in (await client.get("/metrics")).text
        assert set(receiver.accepted.values()) == {1}
        assert {len(ids) for ids in receiver.ids.values()} == {1}


async def test_endpoints_that_are_down_slow_or_elsewhere_hold_up_nobody(
    settings: Settings, database: asyncpg.Pool, log: Log, tmp_path: Path
):
    async with receiving() as slow, receiving() as quick:
        slow.holding = asyncio.Event()
        urls = [f"http://127.0.0.1:{free_port()}/hook", f"{slow.url}/hook", f"{quick.url}/elsewhere"]
        urls.append("https://169.254.169.254/hook")
        async with sending(settings, settings_file(tmp_path, *urls, f"{quick.url}/hook")) as client:
            debts(log, *(f"a-{n}" for n in range(10)))
            await delivered(database, 30)
            assert sorted(quick.accepted.values()) == [1] * 30
            assert not slow.accepted
            await until(lambda: failed(client, urls[3], "NotAsked"))
            await until(lambda: failed(client, urls[0], "ConnectError"))
            await until(lambda: failed(client, urls[2], "Temporary Redirect"))
            slow.holding.set()
            await delivered(database, 60)


async def failed(client: httpx.AsyncClient, url: str, error: str) -> bool:
    listed = (await client.get("/v1/alerts/deliveries", params={"limit": 1000})).json()["deliveries"]
    return any(each["endpoint"] == url and error in (each["last_error"] or "") for each in listed)


async def test_after_days_it_is_given_up_and_says_so(
    settings: Settings, database: asyncpg.Pool, log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(webhooks, "GIVE_UP_AFTER", timedelta())
    async with receiving(lambda _: True) as receiver:
        async with sending(settings, settings_file(tmp_path, f"{receiver.url}/hook")) as client:
            debts(log, "a")

            async def given_up() -> bool:
                listed = (await client.get("/v1/alerts/deliveries")).json()["deliveries"]
                return [each["given_up_at"] is not None for each in listed] == [True] * 3

            await until(given_up)
        assert len(receiver.received) == 3


def test_the_pause_doubles_up_to_an_hour_and_is_drawn_from_all_of_it():
    for attempts, longest in ((0, 0.5), (1, 1), (5, 16), (20, 3600), (1000, 3600)):
        pauses = [pause_after(attempts).total_seconds() for _ in range(200)]
        assert max(pauses) <= longest
        assert max(pauses) > longest / 2 > min(pauses)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('[[endpoint]]\nurl = "ftp://x"\nsecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"', "url"),
        ('[[endpoint]]\nurl = "https://x"\nsecret = "whsec_?"', "secret"),
        ('[[endpoint]]\nurl = "https://x"\nsecret = "whsec_MfKQ"', "secret"),
        ('[[endpoint]]\nurl = "https://x"\nsecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"\nkinds = ["x"]', "kinds"),
        ('[[endpoint]]\nurl = "http://x"\nsecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"', "use https"),
        ('[[webhook]]\nurl = "https://x"', "webhook"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_by_the_field(tmp_path: Path, text: str, field: str):
    file = tmp_path / "webhooks.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ValidationError, match=field) as refused:
        endpoints(file)
    assert "MfKQ9r8G" not in str(refused.value)
