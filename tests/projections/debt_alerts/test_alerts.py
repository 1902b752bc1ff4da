"""The list of alerts over HTTP: what an alert says, filters, pages, and time that passes without any event."""

from itertools import chain
from typing import Any

import asyncpg
import httpx

from services.projections.debt_alerts.projection import DUE
from services.projections.debt_alerts.queries import ALERTS, FILTERS
from services.projections.settings import Settings
from tests.projections.debt_alerts.questions import Alerts
from tests.projections.questions import client_of
from tests.projections.vocabulary import Log, closed, moment, opened, paid


async def test_an_alert_has_every_field_of_the_interface(customers: Log, alerts: Alerts):
    (listed,) = (await alerts(kind="debt"))["alerts"]
    assert listed == {
        "account_id": "debtor",
        "customer_name": "ООО «Должник»",
        "kind": "debt",
        "episode": 1,
        "opened_at": "2026-03-04T21:00:00Z",
        "updated_at": "2026-03-04T21:00:00Z",
        "closed_at": None,
        "position": 2,
        "details": {
            "balance_minutes": -60,
            "threshold_minutes": None,
            "planned_minutes": None,
            "available_minutes": None,
            "minutes_at_risk": None,
            "amount_kopecks_at_risk": None,
            "ends_at": None,
            "reason": None,
        },
        "text": {
            "ru": "Долг 1,00 ч: выполнено больше, чем куплено часов.",
            "en": "1.00 h of debt: more work was done than hours were bought.",
        },
    }


async def test_hours_come_near_their_end_and_are_gone_without_any_event(customers: Log, alerts: Alerts):
    assert await alerts.open() == ["debtor debt 1", "debtor suspended 1", "low low_balance 1"]
    customers.clock = moment("2026-05-19")
    assert await alerts.open() == [
        "calm expiring 1",
        "debtor debt 1",
        "debtor suspended 1",
        "low expiring 1",
        "low low_balance 1",
    ]
    (calm,) = (await alerts(account_id="calm"))["alerts"]
    assert calm["opened_at"] == "2026-05-18T21:00:00Z"
    assert calm["text"]["en"].replace("\N{NO-BREAK SPACE}", " ") == (
        "Buy a package through 1 June 2026 or lose 20.00 h (63,800.00 ₽)."
    )
    customers.clock = moment("2026-07-01")
    assert await alerts.open() == [
        "calm low_balance 1",
        "debtor debt 1",
        "debtor suspended 1",
        "low low_balance 1",
    ]
    lost = (await alerts(account_id="calm", kind="expiring", open=False))["alerts"]
    assert [alert["closed_at"] for alert in lost] == ["2026-06-01T21:00:00Z"]


FOUND: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["low low_balance", "debtor suspended", "other debt", "debtor debt"]),
    ({"open": True}, ["low low_balance", "debtor suspended", "debtor debt"]),
    ({"open": False}, ["other debt"]),
    ({"kind": "debt"}, ["other debt", "debtor debt"]),
    ({"account_id": "debtor"}, ["debtor suspended", "debtor debt"]),
    ({"account_id": "debtor", "kind": "debt", "open": True}, ["debtor debt"]),
    ({"account_id": "nobody"}, []),
]


async def test_alerts_are_listed_by_what_they_are_the_newest_first(customers: Log, alerts: Alerts):
    customers.record("other", opened(), closed("T-1", on="2026-03-05", owed=60))
    customers.record("other", paid({"T-1": 60}, on="2026-03-06"))
    for asked, found in FOUND:
        pages: list[list[Any]] = []
        cursor: dict[str, str] = {}
        while not pages or cursor["cursor"]:
            page = await alerts(limit=2, **asked, **cursor)
            pages.append(page["alerts"])
            cursor = {"cursor": page["next_cursor"]}
        assert [f"{alert['account_id']} {alert['kind']}" for alert in chain(*pages)] == found
        assert (await alerts(**asked))["alerts"] == [*chain(*pages)]


MISFITS: list[tuple[dict[str, Any], str]] = [
    ({"state": "open"}, "state"),
    ({"kind": "boredom"}, "kind"),
    ({"open": "perhaps"}, "open"),
    ({"cursor": "x"}, "cursor"),
    ({"limit": 0}, "limit"),
    ({"account_id": "no body"}, "account_id"),
]


async def test_a_question_that_does_not_fit_names_its_field(client: httpx.AsyncClient):
    for asked, field in MISFITS:
        refused = await client.get("/v1/alerts", params=asked)
        assert (refused.status_code, refused.json()["fields"][0]["field"]) == (422, field)
        assert refused.json()["fields"][0]["remedy"]
    assert (await client.get("/v1/alerts/stream", params={"after": 3})).status_code == 422
    assert (await client.get("/v1/alerts/stream", headers={"Last-Event-ID": "first"})).status_code == 422
    assert (await client.get("/v1/alerts/deliveries", params={"cursor": "x"})).status_code == 422


async def test_two_workers_make_the_alerts_of_one(customers: Log, settings: Settings, alerts: Alerts):
    async with client_of(settings) as other:
        await alerts.settled()
        customers.record("low", closed("T-2", on="2026-03-21", draws={"spring": 90}))
        customers.clock = moment("2026-05-20")
        one, two = await alerts(limit=1000), await Alerts(other, customers)(limit=1000)
    assert one == two
    assert one["last_change"] == 3


async def test_time_and_pages_are_index_scans(database: asyncpg.Pool, database_url: str):
    owner = await asyncpg.connect(database_url, server_settings={"search_path": "projections"})
    await owner.execute("""
        INSERT INTO alert_account (account_id, watched, next_at)
        SELECT 'a-' || n, '{}', timestamptz '2026-01-01' + n * interval '1 hour' FROM generate_series(1, 5000) AS n;
        INSERT INTO alert (account_id, kind, episode, opened_at, updated_at, closed_at, position, details)
        SELECT 'a-' || (n % 5000 + 1), 'debt', n / 5000, timestamptz '2026-01-01' + n * interval '1 hour', now(),
               CASE WHEN n % 100 = 0 THEN NULL ELSE now() END, n, '{}' FROM generate_series(1, 50000) AS n;
        ANALYZE
    """)
    for statement, index, given in (
        (DUE, "alert_account_next", (moment("2026-01-02"), 200)),
        (ALERTS.format(filters=FILTERS[True]), "alert_open", (100,)),
        (ALERTS.format(filters="true"), "alert_newest", (100,)),
    ):
        plan = "\n".join(row[0] for row in await owner.fetch(f"EXPLAIN {statement}", *given))
        assert index in plan
        assert "Sort" not in plan
    await owner.close()
