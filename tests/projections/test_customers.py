"""Rule 16.1: lists and views name what is in force now, however changes were recorded and batched."""

from itertools import pairwise

import asyncpg

from services.projections.balances import BALANCES
from services.projections.following.logged import Logged
from tests.projections.questions import Queries
from tests.projections.vocabulary import Log, customer_changed, opened

CHANGES = (
    customer_changed("2026-03-01", customer_name="АО «Ромашка»", contract_number="2/26"),
    customer_changed("2026-02-01", customer_name="ПАО «Ромашка»", contract_date="2026-02-01"),
    customer_changed("2026-03-01", contract_number="3/26", customer_requisites={"address": "Москва"}),
)


async def test_what_holds_from_the_latest_day_on_is_in_force_and_of_one_day_what_was_recorded_last(
    log: Log, ask: Queries
):
    log.record("romashka", opened(requisites={"inn": "7707083893"}))
    for change in CHANGES:
        log.record("romashka", change, at="2026-03-10")
    view = await ask("/romashka")
    assert (view["customer_name"], view["contract_number"], view["contract_date"]) == (
        "АО «Ромашка»",
        "3/26",
        "2026-02-01",
    )
    assert (view["customer_requisites"]["address"], view["customer_requisites"]["inn"]) == ("Москва", None)
    assert view["opened_at"] == "2025-12-31T21:00:00Z"


async def test_each_day_from_which_on_something_holds_is_answered_with_all_that_holds_then(log: Log, ask: Queries):
    log.record("romashka", opened(requisites={"inn": "7707083893"}))
    for change in CHANGES:
        log.record("romashka", change, at="2026-03-10")
    latest, middle, first = await ask("/romashka/customer/history")
    told = [(each["effective_on"], each["customer_name"], each["contract_number"]) for each in (latest, middle, first)]
    assert told == [
        ("2026-03-01", "АО «Ромашка»", "3/26"),
        ("2026-02-01", "ПАО «Ромашка»", first["contract_number"]),
        (None, first["customer_name"], first["contract_number"]),
    ]
    assert [each["contract_date"] for each in (latest, middle)] == ["2026-02-01", "2026-02-01"]
    assert latest["customer_requisites"]["address"] == "Москва"
    assert middle["customer_requisites"] == first["customer_requisites"]
    assert first["customer_requisites"]["inn"] == "7707083893"
    now = await ask("/romashka")
    assert latest == {name: now.get(name) for name in latest} | {"effective_on": "2026-03-01"}


async def test_it_is_found_by_its_new_name_and_listed_in_its_order(log: Log, ask: Queries):
    log.record("a", opened(name="ООО «Анис»"))
    log.record("b", opened(name="ООО «Барс»"), customer_changed("2026-03-01", customer_name="ООО «Аист»"))
    assert [each["account_id"] for each in (await ask("", q="аист"))["accounts"]] == ["b"]
    assert (await ask("", q="барс"))["accounts"] == []
    assert [each["account_id"] for each in (await ask("", sort="customer_name"))["accounts"]] == ["b", "a"]


async def test_rows_follow_from_the_events_alone_and_never_from_batches(database: asyncpg.Pool, log: Log):
    log.record("romashka", opened())
    for change in CHANGES:
        log.record("romashka", change, at="2026-03-10")
    lines = [Logged.read(line) for line in log.lines]
    found = []
    for cuts in ((0, 4), (0, 1, 2, 3, 4), (0, 2, 4), (0, 3, 4)):
        async with database.acquire() as connection:
            undone = connection.transaction()
            await undone.start()
            for start, end in pairwise(cuts):
                await BALANCES.project(connection, lines[start:end])
            found.append([await connection.fetch(f"SELECT * FROM {table}") for table in ("account", "customer")])
            await undone.rollback()
    assert found[1:] == found[:1] * 3
