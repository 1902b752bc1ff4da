"""The list of accounts: by what they are, page by page."""

from itertools import chain
from typing import Any

import pytest

from tests.projections.questions import Queries, pages
from tests.projections.vocabulary import Log, closed, moment, opened, paid, purchased, suspended


@pytest.fixture
def many(log: Log) -> Log:
    """Accounts in debt, suspended, with hours that end at different times, with nothing; asked on 20 March."""
    for name in ("empty", "debtor", "suspended", "soon", "later", "carried", "gone"):
        log.record(name, opened(name=f"ООО «{name}»"))
    log.record("debtor", closed("T-1", on="2026-03-05", owed=60))
    log.record("suspended", closed("T-1", on="2026-03-05", owed=30), suspended(on="2026-03-06"))
    log.record("suspended", paid({"T-1": 10}, on="2026-03-07"))
    log.record("soon", purchased("a", 60, on="2026-01-10", until="2026-03-30"))
    log.record("soon", purchased("b", 30, on="2026-01-11", until="2026-03-30"))
    log.record("soon", purchased("c", 10, on="2026-01-12", until="2026-04-10"))
    log.record("later", purchased("a", 60, on="2026-01-10", until="2026-04-12"))
    log.record("carried", purchased("a", 60, on="2026-01-10", until="2026-03-25"))
    log.record("carried", purchased("b", 60, on="2026-02-10", until="2026-08-25", succeeds=["a"]))
    log.record("gone", purchased("a", 60, on="2026-01-10", until="2026-03-15"))
    log.clock = moment("2026-03-20")
    return log


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({}, ["carried", "debtor", "empty", "gone", "later", "soon", "suspended"]),
        ({"debt": True}, ["debtor", "suspended"]),
        ({"debt": False}, ["carried", "empty", "gone", "later", "soon"]),
        ({"suspended": True}, ["suspended"]),
        ({"suspended": False, "debt": True}, ["debtor"]),
        ({"expiring_within": 14}, ["soon"]),
        ({"expiring_within": 30}, ["soon", "later"]),
        ({"expiring_within": 0}, []),
        ({"expiring_within": 30, "suspended": True}, []),
    ],
)
async def test_accounts_are_listed_by_what_they_are(many: Log, ask: Queries, asked: dict[str, Any], names: list[str]):
    found = await pages(ask, "", "accounts", limit=2, **asked)
    assert [account["account_id"] for page in found for account in page] == names
    assert (await ask("", **asked))["accounts"] == [*chain.from_iterable(found)]


async def test_a_listed_account_shows_what_it_holds_and_what_goes_first(many: Log, ask: Queries):
    listed = {account["account_id"]: account for account in (await ask(""))["accounts"]}
    assert listed["soon"] == {
        "account_id": "soon",
        "customer_name": "ООО «soon»",
        "contract_number": "17/26",
        "balance_minutes": 100,
        "balance_hours": "1.67",
        "held_minutes": 100,
        "owed_minutes": 0,
        "planned_minutes": 0,
        "available_minutes": 100,
        "suspended": False,
        "next_expiry_at": "2026-03-29T21:00:00Z",
        "next_expiry_minutes": 90,
        "run_out_on": None,
        "forecast_as_of": None,
        "halted": False,
    }
    assert (listed["suspended"]["balance_minutes"], listed["suspended"]["suspended"]) == (-20, True)
    assert (listed["gone"]["balance_minutes"], listed["gone"]["next_expiry_at"]) == (0, None)
    assert listed["carried"]["next_expiry_at"] == "2026-08-24T21:00:00Z"


ORDERS = [
    ({"sort": "account_id", "expiring_within": 30}, ["later", "soon"]),
    ({"sort": "customer_name"}, ["carried", "debtor", "empty", "gone", "later", "soon", "suspended"]),
    ({"sort": "balance"}, ["debtor", "suspended", "empty", "gone", "later", "soon", "carried"]),
    ({"sort": "-balance"}, ["carried", "soon", "later", "gone", "empty", "suspended", "debtor"]),
    ({"sort": "-balance", "debt": True}, ["suspended", "debtor"]),
    ({"sort": "expiry"}, ["soon", "later", "carried", "debtor", "empty", "gone", "suspended"]),
    ({"sort": "expiry", "suspended": False}, ["soon", "later", "carried", "debtor", "empty", "gone"]),
]


async def test_accounts_are_listed_in_the_order_asked_for(many: Log, ask: Queries):
    for asked, names in ORDERS:
        found = await pages(ask, "", "accounts", limit=2, **asked)
        assert [account["account_id"] for page in found for account in page] == names, asked


async def test_hours_that_end_are_gone_from_every_order_though_nothing_was_recorded(many: Log, ask: Queries):
    many.clock = moment("2026-03-30")
    assert [one["account_id"] for one in (await ask("", sort="-balance"))["accounts"]][:3] == [
        "carried",
        "later",
        "soon",
    ]
    assert [one["account_id"] for one in (await ask("", sort="expiry"))["accounts"]][:3] == ["soon", "later", "carried"]
