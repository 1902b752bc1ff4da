"""Rules 3.3 and 15: what was agreed and what is planned, as queries show them."""

from contracts.events import Agreed
from tests.projections.questions import Queries
from tests.projections.vocabulary import (
    Log,
    closed,
    customer_changed,
    marked,
    moment,
    opened,
    plan_dropped,
    planned,
    purchased,
)

GIFT = Agreed(minutes=600, price_kopecks=0, ends_on="2026-04-30", reason="юбилей")


async def test_a_lot_and_its_package_show_what_was_agreed(log: Log, ask: Queries):
    log.record("romashka", opened(), purchased("gift", 600, price=0, on="2026-03-01", until="2026-05-01", agreed=GIFT))
    log.record("romashka", purchased("spring", on="2026-03-02", until="2026-06-02"))
    log.clock = moment("2026-03-05")
    said = {"minutes": 600, "price_kopecks": 0, "ends_on": "2026-04-30", "reason": "юбилей"}
    for asked in ({}, {"as_of": "2026-03-04T00:00:00Z"}, {"known_at": "3"}):
        lots = (await ask("/romashka/balance", **asked))["lots"]
        assert [lot["agreed"] for lot in lots] == [said, None]
    packages = (await ask("/romashka/packages"))["packages"]
    assert [(one["agreed"], [lot["agreed"] for lot in one["lots"]]) for one in packages] == [
        (None, [None]),
        (said, [said]),
    ]


async def test_planned_time_stands_by_the_instant_of_recording_alone(log: Log, ask: Queries):
    log.record("romashka", opened(), purchased("spring", on="2026-03-01", until="2026-06-02"))
    log.record("romashka", planned("T-1", 60, on="2026-03-02"))
    log.record("romashka", planned("T-2", 30, on="2026-03-03"))
    log.record("romashka", closed("T-1", on="2026-03-01", draws={"spring": 50}), at="2026-03-10")
    log.clock = moment("2026-03-20")

    async def asked(**at: str) -> tuple[int, int, int]:
        view = await ask("/romashka/balance", **at)
        return view["balance_minutes"], view["planned_minutes"], view["available_minutes"]

    assert await asked() == (1150, 30, 1120)
    assert await asked(as_of="2026-03-09T00:00:00Z") == (1150, 90, 1060)
    assert await asked(as_of="2026-03-02T00:00:00Z") == (1150, 60, 1090)
    assert await asked(as_of="2026-03-01T12:00:00Z") == (1150, 0, 1150)
    assert await asked(known_at="4") == (1200, 90, 1110)
    assert await asked(known_at="2026-03-02T12:00:00Z") == (1200, 60, 1140)
    assert await asked(known_at="4", as_of="2026-03-02T00:00:00Z") == (1200, 60, 1140)


async def test_plans_end_by_closing_by_dropping_and_count_nothing_under_warranty(log: Log, ask: Queries):
    log.record("romashka", opened(), planned("T-1", 60, on="2026-03-01"), planned("T-2", 30, on="2026-03-01"))
    log.record("romashka", planned("T-1", 10, on="2026-03-02"), planned("T-3", 20, on="2026-03-02"))
    assert (await ask("/romashka"))["planned_minutes"] == 60
    log.record("romashka", marked("T-2", on="2026-03-03"))
    assert (await ask("/romashka"))["planned_minutes"] == 30
    log.record("romashka", plan_dropped("T-3", on="2026-03-04"), plan_dropped("T-2", on="2026-03-04"))
    assert [each["available_minutes"] for each in (await ask(""))["accounts"]] == [-10]
    log.record("romashka", closed("T-1", on="2026-03-05"), planned("T-1", 40, on="2026-03-05"))
    log.record("romashka", customer_changed("2026-03-01", contract_number="2"), at="2026-03-06")
    assert (await ask("/romashka"))["planned_minutes"] == 40
