"""Rule 2: when an event counts, in which month it stands, and where an interval ends."""

import pytest
from pydantic import ValidationError

from contracts.commands import COMMAND
from services.ledger.domain.refusals import EffectiveInFuture, WorkedTimeNotInQuantum
from services.ledger.domain.terms import Terms
from tests.ledger.domain.expected_events import debt_paid, moment, package_purchased, task_closed
from tests.ledger.vocabulary import ACCOUNT_ID, TERMS, Step, buy, close, correct, given, pay

AHEAD = {"on": "2026-03-01 12:05", "recorded": "2026-03-01 12:00"}
FURTHER_AHEAD = {"on": "2026-03-01 12:05:00.000001", "recorded": "2026-03-01 12:00"}


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (buy("spring", **AHEAD), package_purchased("spring", effective="2026-03-01 12:00")),
        (close("T-2", **AHEAD), task_closed("T-2", effective="2026-03-01 12:00")),
        (pay(60, **AHEAD), debt_paid(60, effective="2026-03-01 12:00", paid_at="2026-03-01 12:00")),
    ],
)
def test_up_to_five_minutes_ahead_counts_as_now(step: Step, expected):
    story = given(close("T-1", worked=60, on="2026-02-01")).when(step)
    assert [expected.seen_in(event) for event in story.latest[:1]] == [expected.said]


@pytest.mark.parametrize(
    "step", [buy("spring", **FURTHER_AHEAD), close("T-2", **FURTHER_AHEAD), pay(60, **FURTHER_AHEAD)]
)
def test_more_than_five_minutes_ahead_is_refused(step: Step):
    given(close("T-1", worked=60, on="2026-02-01")).when(step).then_refused(EffectiveInFuture)


def test_a_confirmation_ahead_is_refused_however_long_ago_the_task_was_closed():
    (
        given()
        .when(close(closed="2026-03-01", confirmed="2026-03-05 10:06", on="2026-03-05 10:00"))
        .then_refused(EffectiveInFuture)
    )


def changing_terms(first_quantum: int, second_quantum: int) -> Terms:
    """Two price lists that differ in everything that an event says of them; the second from 12:02 on."""
    first = TERMS.versions[0].model_copy(update={"quantum_minutes": first_quantum})
    plans = {name: plan.model_copy(update={"price_kopecks": 1}) for name, plan in first.plans.items()}
    changed = {"name": "second", "in_force_from": moment("2026-03-01 12:02"), "plans": plans}
    changed |= {"quantum_minutes": second_quantum, "debt_hour_price_kopecks": 60}
    return Terms((first, first.model_copy(update=changed)))


@pytest.mark.parametrize("step", [buy("spring", **AHEAD), close("T-2", **AHEAD), pay(60, **AHEAD)])
def test_what_is_a_little_ahead_is_under_the_terms_of_now(step: Step):
    terms = changing_terms(10, 20)
    fact = given(close("T-1", worked=60, on="2026-02-01"), terms=terms).when(step).latest[0]
    assert fact.model_dump()["terms_version"] == terms.versions[0].name


@pytest.mark.parametrize("given_again", ["2026-03-01 12:04", "2026-03-01 12:00"])
@pytest.mark.parametrize(("quanta", "refused"), [((10, 20), False), ((20, 10), True)])
def test_a_closing_that_was_a_little_ahead_stays_under_its_terms_when_it_is_corrected(
    given_again: str, quanta: tuple[int, int], refused: bool
):
    """Its K and its quantum alike: both are those of the instant at which it counts."""
    ahead = close("T-1", worked=60, on="2026-03-01 12:04", recorded="2026-03-01 12:00")
    story = given(ahead, terms=changing_terms(*quanta))
    story.when(correct("T-1", worked=70, on=given_again, recorded="2026-03-07"))
    if refused:
        story.then_refused(WorkedTimeNotInQuantum)
    else:
        assert (story.refusal, story.latest[0].model_dump()["terms_version"]) == (None, story.terms.versions[0].name)


def test_a_package_bought_a_little_ahead_over_midnight_is_valid_from_today():
    (
        given()
        .when(buy("spring", "hours-20", on="2026-03-02 00:03", recorded="2026-03-01 23:59"))
        .then(package_purchased("spring", effective="2026-03-01 23:59", ends="2026-06-02"))
    )


@pytest.mark.parametrize(
    ("at", "month"),
    [
        ("2026-06-30T20:59:59.999999Z", "2026-06"),
        ("2026-06-30T21:00Z", "2026-07"),
        ("2026-12-31T23:00:00-05:00", "2027-01"),
    ],
)
def test_months_are_those_of_moscow(at: str, month: str):
    given().when(close("T-1", on=at)).then(task_closed("T-1", effective=at, booked=month))


@pytest.mark.parametrize("given_time", ["2026-03-01T12:00:00", "2026-03-01", "2026-03-01 12:00:00+03:00", 1772355600])
def test_a_timestamp_without_an_offset_is_no_request(given_time: object):
    purchase = {"command": "PurchasePackage", "account_id": ACCOUNT_ID, "package_id": "spring", "plan": "hours-20"}
    with pytest.raises(ValidationError):
        COMMAND.validate_python({**purchase, "purchased_at": given_time})


@pytest.mark.parametrize(
    ("at", "draws"),
    [
        ("2026-02-28 23:59:59.999999", []),
        ("2026-03-01", [("spring", 60)]),
        ("2026-06-01 23:59:59.999999", [("spring", 60)]),
    ],
)
def test_a_lot_is_valid_from_its_start_on(at: str, draws: list):
    story = given(buy("spring", "hours-20", on="2026-03-01")).when(close("T-1", worked=60, on=at))
    assert [(draw.lot_id, draw.minutes) for draw in story.latest[0].draws] == draws


def test_a_lot_is_no_longer_valid_at_its_end():
    story = given(buy("spring", "hours-20", on="2026-03-01")).when(close("T-1", worked=60, on="2026-06-02"))
    assert story.latest[-1].owed_minutes == 60
