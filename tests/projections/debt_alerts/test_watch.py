"""When alerts open, are updated and close, and what they say (rule 13): edges only, events and time alike."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.alerts import AlertDetails
from contracts.events import Event
from services.ledger.audit.replay import replay
from services.projections.debt_alerts.watch import Change, Watched, after, at
from services.projections.following.logged import CannotApply, Logged
from tests.projections.histories import TURNS, Turn, play
from tests.projections.vocabulary import (
    MOSCOW,
    Log,
    carried,
    closed,
    compensation,
    customer_changed,
    expired,
    marked,
    moment,
    opened,
    paid,
    plan_dropped,
    planned,
    purchased,
    reopened,
    resumed,
    settled,
    suspended,
)

SPRING = purchased("spring", 1200, on="2026-03-01", until="2026-06-02")


def changes_of(log: Log, until: str | None = None) -> list[Change]:
    watched: Watched | None = None
    changes: list[Change] = []
    for line in log.lines:
        watched, made = after(watched, Logged.read(line))
        changes += made
    if until and watched:
        changes += at(watched, moment(until))[1]
    return changes


def told(*events: Event, until: str | None = None) -> list[str]:
    """Each change in a word, in order: `debt 1 opened 2026-03-05`."""
    log = Log()
    log.record("romashka", opened())
    for event in events:
        log.record("romashka", event)
    return [in_words(change) for change in changes_of(log, until)]


def in_words(change: Change) -> str:
    what = change.type.removeprefix("alert.")
    return f"{change.kind} {change.episode.number} {what} {change.episode.updated_at.astimezone(MOSCOW):%Y-%m-%d}"


def said(*events: Event, until: str | None = None) -> AlertDetails:
    """What the last change says."""
    log = Log()
    log.record("romashka", opened(), *events)
    return changes_of(log, until)[-1].episode.details


def test_an_account_without_anything_has_no_alerts():
    assert told(until="2030-01-01") == []


def test_debt_opens_once_is_updated_and_closes_when_it_is_gone():
    assert told(
        closed("T-1", on="2026-03-05", owed=60),
        closed("T-2", on="2026-03-06", owed=30),
        paid({"T-1": 60}, on="2026-03-07"),
        paid({"T-2": 30}, on="2026-03-08"),
    ) == [
        "debt 1 opened 2026-03-05",
        "debt 1 updated 2026-03-06",
        "debt 1 updated 2026-03-07",
        "debt 1 closed 2026-03-08",
    ]


def test_a_debt_that_comes_again_is_another_episode():
    assert told(
        closed("T-1", on="2026-03-05", owed=60),
        paid({"T-1": 60}, on="2026-03-06"),
        closed("T-2", on="2026-03-07", owed=30),
        reopened("T-2", on="2026-03-08", cancelled=30),
    ) == [
        "debt 1 opened 2026-03-05",
        "debt 1 closed 2026-03-06",
        "debt 2 opened 2026-03-07",
        "debt 2 closed 2026-03-08",
    ]


@pytest.mark.parametrize(
    ("drawn", "alerts"),
    [
        (1070, []),
        (1080, ["low_balance 1 opened 2026-03-05"]),
        (1200, ["low_balance 1 opened 2026-03-05"]),
    ],
)
def test_a_tenth_of_the_last_package_is_low(drawn: int, alerts: list[str]):
    assert told(SPRING, closed("T-1", on="2026-03-05", draws={"spring": drawn})) == alerts


def test_below_zero_there_is_debt_alone():
    assert told(
        SPRING,
        closed("T-1", on="2026-03-05", draws={"spring": 1200}, owed=60),
        purchased("summer", 1200, on="2026-03-09", until="2026-06-10"),
        settled("T-1", "summer", 60, on="2026-03-09"),
    ) == ["debt 1 opened 2026-03-05", "debt 1 closed 2026-03-09"]


def test_a_low_balance_that_falls_below_zero_is_debt_from_then_on_and_low_again_once_that_is_paid():
    history = [
        SPRING,
        closed("T-1", on="2026-03-05", draws={"spring": 1100}),
        closed("T-2", on="2026-03-06", draws={"spring": 100}, owed=30),
        paid({"T-2": 30}, on="2026-03-07"),
    ]
    assert told(*history) == [
        "low_balance 1 opened 2026-03-05",
        "debt 1 opened 2026-03-06",
        "low_balance 1 closed 2026-03-06",
        "debt 1 closed 2026-03-07",
        "low_balance 2 opened 2026-03-07",
    ]
    log = Log()
    log.record("romashka", opened(), *history[:3])
    (low,) = [change for change in changes_of(log) if change.type == "alert.closed"]
    assert low.episode.details == AlertDetails(balance_minutes=-30, threshold_minutes=120)


def test_the_last_package_is_the_one_bought_last_not_recorded_last():
    late = purchased("winter", 6000, on="2026-01-10", until="2027-01-11")
    assert told(
        SPRING,
        closed("T-1", on="2026-03-05", draws={"spring": 1200}),
        late,
        closed("T-2", on="2026-03-06", draws={"winter": 5870}),
        closed("T-3", on="2026-03-07", draws={"winter": 10}),
    ) == [
        "low_balance 1 opened 2026-03-05",
        "low_balance 1 closed 2026-03-05",
        "low_balance 2 opened 2026-03-07",
    ]


def test_thresholds_are_those_of_the_purchase():
    dated = purchased("spring", 1200, on="2026-03-01", until="2026-06-02", low=300, days=30)
    assert told(dated, closed("T-1", on="2026-03-05", draws={"spring": 900}), until="2026-05-03") == [
        "low_balance 1 opened 2026-03-05",
        "expiring 1 opened 2026-05-03",
    ]


def test_a_compensation_is_no_purchase_and_expires_by_the_terms_known_last():
    dated = purchased("spring", 1200, on="2026-03-01", until="2026-03-02", low=10, days=3)
    given_back = compensation("T-1", 60, on="2026-03-10", until="2026-04-10")
    assert told(dated, reopened("T-1", on="2026-03-10", given=given_back), until="2026-04-09")[-2:] == [
        "low_balance 1 closed 2026-03-10",
        "expiring 2 opened 2026-04-07",
    ]


def test_hours_come_near_their_end_and_are_lost_without_any_event():
    assert told(SPRING, until="2026-05-18") == []
    assert told(SPRING, until="2026-05-19") == ["expiring 1 opened 2026-05-19"]
    assert told(SPRING, until="2026-06-02") == [
        "expiring 1 opened 2026-05-19",
        "expiring 1 closed 2026-06-02",
        "low_balance 1 opened 2026-06-02",
    ]


def test_what_was_due_by_time_is_told_at_its_own_moment_also_when_an_event_comes_first():
    assert told(SPRING, expired("spring", on="2026-07-01")) == told(SPRING, until="2026-07-01")


def test_expiring_hours_are_named_with_their_day_and_the_money_not_yet_booked():
    details = said(SPRING, closed("T-1", on="2026-03-05", draws={"spring": 750}, amount=3_987_500), until="2026-05-20")
    assert details == AlertDetails(
        minutes_at_risk=450, amount_kopecks_at_risk=2_392_500, ends_at=moment("2026-06-02")
    )  # fmt: skip


def test_each_draw_on_expiring_hours_is_told():
    assert told(SPRING, closed("T-1", on="2026-05-20", draws={"spring": 60}), until="2026-05-30") == [
        "expiring 1 opened 2026-05-19",
        "expiring 1 updated 2026-05-20",
    ]


def test_a_successor_bought_in_time_saves_the_hours():
    summer = purchased("summer", 1200, on="2026-05-25", until="2026-08-26", succeeds=["spring"])
    carrying = carried({"spring": 1200}, of="spring", to="summer", on="2026-06-02", until="2026-08-26")
    assert told(SPRING, summer, carrying, expired("spring", on="2026-06-02", to="summer"), until="2026-08-12") == [
        "expiring 1 opened 2026-05-19",
        "expiring 1 closed 2026-05-25",
        "expiring 2 opened 2026-08-12",
    ]


def test_a_successor_bought_before_leaves_nothing_to_warn_of():
    summer = purchased("summer", 1200, on="2026-05-01", until="2026-08-02", succeeds=["spring"])
    assert told(SPRING, summer, until="2026-07-18") == []
    assert said(SPRING, summer, until="2026-07-19").minutes_at_risk == 2400


def test_hours_that_end_one_after_another_are_one_episode():
    april = purchased("april", 600, on="2026-04-01", until="2026-06-10")
    assert told(SPRING, april, until="2026-06-11") == [
        "expiring 1 opened 2026-05-19",
        "expiring 1 updated 2026-05-27",
        "expiring 1 updated 2026-06-02",
        "expiring 1 closed 2026-06-10",
        "low_balance 1 opened 2026-06-10",
    ]


def test_a_purchase_recorded_late_brings_lost_hours_back():
    summer = purchased("summer", 1200, on="2026-05-25", until="2026-08-26", succeeds=["spring"])
    log = Log()
    log.record("romashka", opened(), SPRING)
    log.record("romashka", expired("spring", on="2026-06-02"))
    reclaiming = carried(
        {"spring": 1200}, of="spring", to="summer", on="2026-06-02", until="2026-08-26", reclaimed=True
    )
    log.record("romashka", summer, reclaiming, at="2026-06-20")
    changes = changes_of(log, "2026-08-12")
    assert [in_words(change) for change in changes] == [
        "expiring 1 opened 2026-05-19",
        "expiring 1 closed 2026-06-02",
        "low_balance 1 opened 2026-06-02",
        "low_balance 1 closed 2026-06-20",
        "expiring 2 opened 2026-08-12",
    ]
    assert changes[-1].episode.details.minutes_at_risk == 2400


def test_warranty_after_expiry_becomes_a_compensation_that_expires_too():
    assert told(
        SPRING,
        closed("T-1", on="2026-03-05", draws={"spring": 60}),
        marked("T-1", on="2026-07-01", given=compensation("T-1", 60, on="2026-07-01", until="2026-08-01")),
        until="2026-07-20",
    )[-2:] == ["low_balance 1 updated 2026-07-01", "expiring 2 opened 2026-07-18"]


def test_suspension_opens_and_resumption_closes():
    assert told(closed("T-1", on="2026-03-05", owed=60), suspended(on="2026-03-06"), resumed(on="2026-03-07"))[1:] == [
        "suspended 1 opened 2026-03-06",
        "suspended 1 closed 2026-03-07",
    ]
    assert said(closed("T-1", on="2026-03-05", owed=60), suspended(on="2026-03-06")).reason == "задолженность"


@pytest.mark.parametrize("event", [SPRING, closed("T-1", on="2026-03-05", owed=60)])
def test_an_account_never_opened_cannot_be_watched(event: Event):
    log = Log()
    log.record("nobody", event)
    with pytest.raises(CannotApply, match="nobody"):
        after(None, Logged.read(log.lines[0]))


def test_a_lot_never_opened_cannot_be_drawn_on():
    with pytest.raises(CannotApply, match="never-bought"):
        told(closed("T-1", on="2026-03-05", draws={"never-bought": 10}))


@settings(max_examples=200)
@given(turns=TURNS, looks=st.lists(st.integers(0, 24 * 900), max_size=20))
def test_alerts_do_not_depend_on_when_somebody_looks_nor_on_being_written_down(turns: list[Turn], looks: list[int]):
    log = Log()
    play(log, "romashka", turns)
    end = log.lines[-1].recorded_at + timedelta(days=900)
    undisturbed = [*changes_of(log)]
    watched: Watched | None = None
    changes: list[Change] = []
    times = sorted(log.lines[0].recorded_at + timedelta(hours=hours) for hours in looks)
    for line in log.lines:
        while watched and times and times[0] <= line.recorded_at:
            watched, made = at(Watched.model_validate_json(watched.model_dump_json()), times.pop(0))
            changes += made
        watched, made = after(watched, Logged.read(line))
        changes += made
    assert [(*change[:2], change.episode) for change in changes] == [
        (*change[:2], change.episode) for change in undisturbed
    ]
    assert watched
    for time in (*times, end):
        watched, made = at(watched, time)
        changes += made
    by_kind: dict[str, list[Change]] = {}
    for change in changes:
        by_kind.setdefault(change.kind, []).append(change)
    for told_of_kind in by_kind.values():
        edges = [change.type for change in told_of_kind if change.type != "alert.updated"]
        assert edges == [("alert.opened", "alert.closed")[n % 2] for n in range(len(edges))]
        numbers = [change.episode.number for change in told_of_kind if change.type == "alert.opened"]
        assert numbers == [*range(1, len(numbers) + 1)]


@settings(max_examples=60)
@given(turns=TURNS)
def test_after_every_event_there_is_a_debt_alert_where_the_ledger_itself_says_that_hours_are_owed(turns: list[Turn]):
    log = Log()
    play(log, "romashka", turns)
    watched: Watched | None = None
    for line in log.lines:
        watched, _ = after(watched, Logged.read(line))
        view = replay("romashka", log.lines, line.recorded_at, line.position)
        is_open = {kind for kind, episode in watched.episodes.items() if episode.closed_at is None}
        assert ("debt" in is_open) == (view.balance_minutes < 0)
        assert ("suspended" in is_open) == view.suspended
        if watched.terms:
            assert ("low_balance" in is_open) == (0 <= view.balance_minutes <= watched.terms.low_balance_minutes)


def test_more_planned_than_there_is_opens_once_and_closes_when_it_fits():
    assert told(
        SPRING,
        planned("T-1", 1200, on="2026-03-02"),
        planned("T-2", 60, on="2026-03-03"),
        planned("T-3", 60, on="2026-03-04"),
        plan_dropped("T-2", on="2026-03-05"),
        marked("T-3", on="2026-03-06"),
    ) == [
        "overplanned 1 opened 2026-03-03",
        "overplanned 1 updated 2026-03-04",
        "overplanned 1 updated 2026-03-05",
        "overplanned 1 closed 2026-03-06",
    ]


def test_what_is_overplanned_says_balance_plan_and_what_is_missing():
    assert said(SPRING, planned("T-1", 1260, on="2026-03-02")) == AlertDetails(
        balance_minutes=1200, planned_minutes=1260, available_minutes=-60
    )


def test_a_closing_ends_the_plan_and_a_debt_is_no_overplanning():
    assert told(
        purchased("spring", 100, on="2026-03-01", until="2026-06-02", low=0),
        planned("T-1", 160, on="2026-03-02"),
        planned("T-2", 60, on="2026-03-02"),
        closed("T-1", on="2026-03-03", draws={"spring": 100}, owed=60),
        paid({"T-1": 60}, on="2026-03-04"),
    ) == [
        "overplanned 1 opened 2026-03-02",
        "overplanned 1 updated 2026-03-02",
        "debt 1 opened 2026-03-03",
        "overplanned 1 closed 2026-03-03",
        "debt 1 closed 2026-03-04",
        "low_balance 1 opened 2026-03-04",
        "overplanned 2 opened 2026-03-04",
    ]


def test_hours_that_end_may_leave_too_few_for_the_plan_without_any_event():
    assert told(SPRING, planned("T-1", 60, on="2026-03-02"), until="2026-06-03")[-1:] == [
        "overplanned 1 opened 2026-06-02"
    ]


def test_alerts_name_the_customer_in_force():
    log = Log()
    log.record("romashka", opened(name="ООО «Ромашка»"))
    log.record("romashka", customer_changed("2026-02-01", customer_name="АО «Ромашка»"))
    log.record("romashka", customer_changed("2026-01-15", customer_name="ПАО «Ромашка»"), at="2026-02-02")
    log.record("romashka", customer_changed("2026-02-03", contract_number="2"))
    log.record("romashka", closed("T-1", on="2026-03-05", owed=60))
    assert [change.watched.customer_name for change in changes_of(log)] == ["АО «Ромашка»"]
