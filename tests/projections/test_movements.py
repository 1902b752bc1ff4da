"""What each event moves, and what it says about who holds what."""

import pytest

from contracts.events import EVENT_TYPES, Draw, Event
from services.projections.balances.holders import Holder, Tenure, holder_at, holders, tenures
from services.projections.balances.movements import OWED, Movement, movements
from tests.projections.vocabulary import (
    carried,
    closed,
    compensation,
    corrected,
    expired,
    marked,
    moment,
    opened,
    paid,
    purchased,
    refunded,
    reopened,
    resumed,
    returned,
    settled,
    suspended,
)

TABLE: list[tuple[Event, list[Movement]]] = [
    (
        purchased("spring", 1200, on="2026-03-01", until="2026-06-02", price=6_380_000),
        [Movement("spring", 1200, moment("2026-03-01"), 6_380_000)],
    ),
    (
        closed("T-1", on="2026-03-05", draws={"winter": 30, "spring": 20}, owed=10, amount=7),
        [
            Movement("winter", -30, moment("2026-03-05"), -7, "T-1", 1),
            Movement("spring", -20, moment("2026-03-05"), -7, "T-1", 1),
            Movement(OWED, 10, moment("2026-03-05"), 0, "T-1", 1),
        ],
    ),
    (closed("T-1", on="2026-03-05"), []),
    (
        settled("T-1", "spring", 40, on="2026-03-10", amount=7),
        [
            Movement("spring", -40, moment("2026-03-10"), -7, "T-1", 1),
            Movement(OWED, -40, moment("2026-03-10"), 0, "T-1", 1),
        ],
    ),
    (
        paid({"T-1": 40, "T-2": 20}, on="2026-03-11", amount=7),
        [
            Movement(OWED, -40, moment("2026-03-11"), -7, "T-1", 1),
            Movement(OWED, -20, moment("2026-03-11"), -7, "T-2", 1),
        ],
    ),
    (
        reopened("T-1", on="2026-03-05", back=[returned("spring", 20, on="2026-03-05", amount=7)], cancelled=10),
        [
            Movement("spring", 20, moment("2026-03-05"), 7, "T-1", 1),
            Movement(OWED, -10, moment("2026-03-05"), 0, "T-1", 1),
        ],
    ),
    (
        marked("T-1", on="2026-03-05", back=[returned("spring", 40, on="2026-03-10", settlement=True)]),
        [
            Movement("spring", 40, moment("2026-03-10"), 100, "T-1", 1),
            Movement(OWED, 40, moment("2026-03-10"), 0, "T-1", 1),
            Movement(OWED, -40, moment("2026-03-05"), 0, "T-1", 1),
        ],
    ),
    (
        marked("T-1", on="2026-03-05", given=compensation("T-1", 30, on="2026-07-01", until="2026-08-01", amount=7)),
        [Movement("compensation-T-1-1", 30, moment("2026-07-01"), 7, "T-1", 1)],
    ),
    (
        corrected(
            "T-1",
            on="2026-03-07",
            before="2026-03-05",
            cancelled=10,
            draws={"spring": 30},
            owed=5,
            back=[returned("winter", 20, on="2026-03-10", settlement=True)],
            given=compensation("T-1", 30, on="2026-07-01", until="2026-08-01", amount=7),
        ),
        [
            Movement("winter", 20, moment("2026-03-10"), 100, "T-1", 1),
            Movement(OWED, 20, moment("2026-03-10"), 0, "T-1", 1),
            Movement(OWED, -20, moment("2026-03-05"), 0, "T-1", 1),
            Movement(OWED, -10, moment("2026-03-05"), 0, "T-1", 1),
            Movement("compensation-T-1-1", 30, moment("2026-07-01"), 7, "T-1", 1),
            Movement("spring", -30, moment("2026-03-07"), -100, "T-1", 2),
            Movement(OWED, 5, moment("2026-03-07"), 0, "T-1", 2),
        ],
    ),
    (
        closed("T-1", on="2026-03-05", draws={"compensation-T-1-1": 30}, closure=2).model_copy(
            update={
                "draws": (
                    Draw(lot_id="compensation-T-1-1", minutes=30, amount_kopecks=7, effective_at=moment("2026-07-01")),
                )
            }
        ),
        [Movement("compensation-T-1-1", -30, moment("2026-07-01"), -7, "T-1", 2)],
    ),
    (refunded("spring", 600, on="2026-03-05"), [Movement("spring", -600, moment("2026-03-05"), -100)]),
    (carried({"spring": 60}, of="spring", to="summer", on="2026-06-02", until="2026-09-02"), []),
    (expired("spring", on="2026-06-02"), []),
    (opened(), []),
    (suspended(on="2026-03-01"), []),
    (resumed(on="2026-03-01"), []),
]


@pytest.mark.parametrize(("event", "moved"), TABLE)
def test_what_an_event_moves(event: Event, moved: list[Movement]):
    assert movements(event) == moved


def test_the_table_speaks_of_every_event_that_can_move_hours():
    spoken_of = {type(event).__name__ for event, _ in TABLE}
    untold = {"MonthClosed", "MonthReopened", "CustomerChanged", "TaskPlanned", "PlanDropped"}
    assert set(EVENT_TYPES) - spoken_of == untold


@pytest.mark.parametrize(
    ("event", "facts"),
    [
        (
            purchased("spring", on="2026-03-01", until="2026-06-02"),
            [Tenure("held", "spring", "spring", moment("2026-06-02"))],
        ),
        (
            purchased("spring", on="2026-03-01", until="2026-06-02", succeeds=["winter"], successor="summer"),
            [
                Tenure("held", "spring", "spring", moment("2026-06-02")),
                Tenure("succeeded", "winter", "spring"),
                Tenure("succeeded", "spring", "summer"),
            ],
        ),
        (
            marked("T-1", on="2026-03-05", given=compensation("T-1", 30, on="2026-07-01", until="2026-08-01")),
            [Tenure("held", "compensation-T-1-1", "compensation-T-1-1", moment("2026-08-01"))],
        ),
        (
            carried({"winter": 60, "spring": 30}, of="spring", to="summer", on="2026-06-02", until="2026-09-02"),
            [
                Tenure("held", "winter", "summer", moment("2026-09-02")),
                Tenure("held", "spring", "summer", moment("2026-09-02")),
            ],
        ),
        (expired("spring", on="2026-06-02", to="summer"), [Tenure("expired", "spring")]),
        (closed("T-1", on="2026-03-05", draws={"spring": 20}), []),
    ],
)
def test_what_an_event_says_about_who_holds_what(event: Event, facts: list[Tenure]):
    assert tenures(event) == facts


JUNE, SEPTEMBER, DECEMBER = moment("2026-06-02"), moment("2026-09-02"), moment("2026-12-02")
SPRING = Tenure("held", "spring", "spring", JUNE)
SUMMER = Tenure("held", "summer", "summer", SEPTEMBER)
AUTUMN = Tenure("held", "autumn", "autumn", DECEMBER)


def test_a_lot_is_held_by_its_own_package():
    assert holders([SPRING]) == {"spring": [Holder("spring", JUNE)]}


def test_past_the_end_a_lot_is_seen_with_one_successor_after_another():
    chain = holders(
        [SPRING, SUMMER, Tenure("succeeded", "spring", "summer"), AUTUMN, Tenure("succeeded", "summer", "autumn")]
    )
    assert chain["spring"] == [Holder("spring", JUNE), Holder("summer", SEPTEMBER), Holder("autumn", DECEMBER)]
    assert chain["summer"] == [Holder("summer", SEPTEMBER), Holder("autumn", DECEMBER)]


def test_a_later_fact_about_the_successor_overrides_an_earlier_one():
    facts = [SPRING, AUTUMN, Tenure("succeeded", "spring", "autumn"), SUMMER, Tenure("succeeded", "spring", "summer")]
    assert holders(facts)["spring"] == [Holder("spring", JUNE), Holder("summer", SEPTEMBER)]


def test_what_has_expired_stays_with_its_package_though_a_successor_is_bought_late():
    facts = [SPRING, Tenure("expired", "spring"), SUMMER, Tenure("succeeded", "spring", "summer")]
    assert holders(facts)["spring"] == [Holder("spring", JUNE)]


def test_reclaimed_hours_live_again():
    reclaimed = Tenure("held", "spring", "summer", SEPTEMBER)
    facts = [SPRING, Tenure("expired", "spring"), SUMMER, Tenure("succeeded", "spring", "summer"), reclaimed]
    assert holders(facts)["spring"] == [Holder("spring", JUNE), Holder("summer", SEPTEMBER)]


def test_a_package_that_has_expired_and_receives_hours_late_passes_them_on():
    """Between its receiving them and its expiring once more (rule 7.3)."""
    facts = [SUMMER, AUTUMN, Tenure("succeeded", "summer", "autumn"), Tenure("expired", "summer")]
    late = [SPRING, Tenure("succeeded", "spring", "summer"), Tenure("held", "spring", "summer", SEPTEMBER)]
    chains = holders([*facts, *late])
    assert chains["spring"] == [Holder("spring", JUNE), Holder("summer", SEPTEMBER), Holder("autumn", DECEMBER)]
    assert chains["summer"] == [Holder("summer", SEPTEMBER)]
    again = holders([*facts, *late, Tenure("expired", "summer")])
    assert again["spring"] == [Holder("spring", JUNE), Holder("summer", SEPTEMBER)]


def test_a_holder_holds_up_to_its_end_and_not_at_it():
    chain = [Holder("spring", JUNE), Holder("summer", SEPTEMBER)]
    assert holder_at(chain, moment("2026-06-01 23:59")) == Holder("spring", JUNE)
    assert holder_at(chain, JUNE) == Holder("summer", SEPTEMBER)
    assert holder_at(chain, SEPTEMBER) is None
