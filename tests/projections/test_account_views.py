"""One account, its packages, and finding it: as of now, whatever has been recorded of what is due (rule 7.5)."""

from itertools import chain
from typing import Any

import httpx
import pytest

from tests.projections.questions import Queries, pages
from tests.projections.vocabulary import (
    Log,
    carried,
    closed,
    compensation,
    expired,
    moment,
    opened,
    purchased,
    reopened,
    suspended,
)


@pytest.fixture
def romashka(log: Log) -> Log:
    """An account with four packages and a compensation, asked about on 20 July: two packages have ended by then."""
    log.record("romashka", opened(requisites={"inn": "7707083893", "address": "Москва, Тверская, 1"}))
    log.record("romashka", purchased("winter", 600, on="2026-01-10", until="2026-03-10", price=3_190_000))
    log.record("romashka", closed("T-1", on="2026-01-20", draws={"winter": 400}))
    log.record("romashka", expired("winter", on="2026-03-10"), at="2026-03-10")
    log.record("romashka", purchased("spring", 300, on="2026-04-01", until="2026-07-01"))
    log.record("romashka", purchased("summer", 1200, on="2026-06-01", until="2026-09-01", succeeds=["spring"]))
    log.record("romashka", closed("T-2", on="2026-06-02", draws={"spring": 60}))
    given = compensation("T-1", 400, on="2026-06-03", until="2026-09-01")
    log.record("romashka", reopened("T-1", on="2026-01-20", given=given), at="2026-06-03")
    log.record("romashka", purchased("empty", 60, on="2026-06-04", until="2026-07-01"))
    log.record("romashka", closed("T-3", on="2026-06-05", draws={"empty": 60}))
    log.clock = moment("2026-07-20")
    return log


async def test_an_account_shows_its_customer_its_contract_and_where_it_stands(romashka: Log, ask: Queries):
    listed = (await ask(""))["accounts"][0]
    assert await ask("/romashka") == listed | {
        "contract_date": "2026-01-01",
        "customer_requisites": {
            "inn": "7707083893",
            "kpp": None,
            "address": "Москва, Тверская, 1",
            "bank_details": None,
            "signatory_position": None,
            "signatory_name": None,
            "signatory_authority": None,
        },
        "opened_at": "2025-12-31T21:00:00Z",
        "position": romashka.position,
    }
    assert listed["balance_minutes"] == 240 + 1200 + 400


async def test_an_account_without_anything_and_a_suspended_one_have_views_too(log: Log, ask: Queries):
    log.record("empty", opened())
    log.record("debtor", opened(), closed("T-1", on="2026-01-05", owed=60), suspended(on="2026-01-06"))
    empty, debtor = await ask("/empty"), await ask("/debtor")
    assert (empty["balance_minutes"], empty["customer_requisites"], empty["next_expiry_at"]) == (0, None, None)
    assert (debtor["balance_hours"], debtor["suspended"]) == ("-1.00", True)


async def test_packages_say_what_each_was_what_it_holds_and_where_its_hours_went(romashka: Log, ask: Queries):
    found = {package["package_id"]: package for package in (await ask("/romashka/packages"))["packages"]}
    assert list(found) == ["empty", "compensation-T-1-1", "summer", "spring", "winter"]
    told = {
        name: (one["state"], one["carried_to"], one["remaining_minutes"], one["forfeited_minutes"])
        for name, one in found.items()
    }
    assert told == {
        "winter": ("expired", None, 0, 200),
        "spring": ("carried_over", "summer", 0, 0),
        "summer": ("valid", None, 1440, 0),
        "empty": ("expired", None, 0, 0),
        "compensation-T-1-1": ("valid", None, 400, 0),
    }
    assert [(lot["lot_id"], lot["remaining_minutes"]) for lot in found["summer"]["lots"]] == [
        ("spring", 240),
        ("summer", 1200),
    ]
    assert (found["winter"]["plan"], found["winter"]["price_kopecks"]) == ("hours-20", 3_190_000)
    assert (found["winter"]["bought_at"], found["winter"]["ends_at"]) == (
        "2026-01-09T21:00:00Z",
        "2026-03-09T21:00:00Z",
    )
    kinds = [package["kind"] for package in found.values()]
    assert kinds == ["purchase", "compensation", "purchase", "purchase", "purchase"]


async def test_packages_are_the_same_before_and_after_what_is_due_is_recorded(romashka: Log, ask: Queries):
    before = (await ask("/romashka/packages"))["packages"]
    moved = carried({"spring": 240}, of="spring", to="summer", on="2026-07-01", until="2026-09-01")
    romashka.record("romashka", moved, expired("spring", on="2026-07-01", to="summer"), at="2026-07-20")
    romashka.record("romashka", expired("empty", on="2026-07-01"), at="2026-07-20")
    assert (await ask("/romashka/packages"))["packages"] == before
    held = sum(package["remaining_minutes"] for package in before)
    assert held == (await ask("/romashka"))["held_minutes"] == (await ask("/romashka/balance"))["held_minutes"]


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({}, ["empty", "compensation-T-1-1", "summer", "spring", "winter"]),
        ({"state": "valid"}, ["compensation-T-1-1", "summer"]),
        ({"state": "expired"}, ["empty", "winter"]),
        ({"state": "carried_over"}, ["spring"]),
        ({"since": "2026-04-01T00:00:00+03:00", "to": "2026-06-03T00:00:00+03:00"}, ["summer", "spring"]),
        ({"to": "2026-01-10T00:00:00+03:00"}, []),
    ],
)
async def test_packages_are_filtered_and_paged(romashka: Log, ask: Queries, asked: dict[str, Any], names: list[str]):
    found = await pages(ask, "/romashka/packages", "packages", limit=2, **asked)
    assert [package["package_id"] for package in chain.from_iterable(found)] == names


async def test_an_unknown_account_has_no_views(romashka: Log, ask: Queries, client: httpx.AsyncClient):
    for path in ("/nobody", "/nobody/packages", "/nobody/tasks"):
        answer = await ask.answer(path)
        assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (404, "account-not-found")
    for path, field in (("/romashka?q=x", "q"), ("/romashka/packages?state=gone", "state")):
        refused = await client.get(f"/v1/accounts{path}")
        assert [wrong["field"] for wrong in refused.json()["fields"]] == [field]


@pytest.fixture
def named(log: Log) -> Log:
    """Accounts whose customers and contracts have names that are easily mistyped."""
    log.record("horns", opened(name="ООО «Рога и копыта»", contract="17/26"))
    log.record("hedgehog", opened(name="Зелёный   Ёж", contract="№ 4-Б"))
    log.record("percent", opened(name="100%_Ltd\\", contract="A/1"))
    log.record("strasse", opened(name="Große Straße", contract="7/26"))
    log.record("one", opened(name="X", contract="0"))
    return log


SEARCHES = [
    ("рога", ["horns"]),
    ("РОГА И", ["horns"]),
    ("ОГ", ["horns"]),
    ("7/26", ["horns", "strasse"]),
    ("17/26", ["horns"]),
    ("еж", ["hedgehog"]),
    ("ЗЕЛЕНЫЙ ЁЖ", ["hedgehog"]),
    ("  зелёный   ёж ", ["hedgehog"]),
    ("№ 4-б", ["hedgehog"]),
    ("%_l", ["percent"]),
    ("\\", ["percent"]),
    ("strasse", ["strasse"]),
    ("x", ["one"]),
    ("копыта 17", []),
    ("копыта» 17", []),
    ("рогаикопыта", []),
    ("ооо «рога и копыта»x", []),
]


@pytest.mark.parametrize(("q", "found"), SEARCHES)
async def test_accounts_are_found_by_a_piece_of_name_or_contract(named: Log, ask: Queries, q: str, found: list[str]):
    assert [account["account_id"] for account in (await ask("", q=q))["accounts"]] == found


async def test_a_search_goes_with_filters_orders_and_pages(named: Log, ask: Queries, client: httpx.AsyncClient):
    named.record("horns", closed("T-1", on="2026-01-05", owed=60))
    found = await pages(ask, "", "accounts", q="/26", sort="-balance", limit=1)
    assert [account["account_id"] for account in chain.from_iterable(found)] == ["strasse", "horns"]
    assert [account["account_id"] for account in (await ask("", q="/26", debt=True))["accounts"]] == ["horns"]
    for nothing in ("", "   ", "x" * 101):
        refused = await client.get("/v1/accounts", params={"q": nothing})
        assert (refused.status_code, [wrong["field"] for wrong in refused.json()["fields"]]) == (422, ["q"])
