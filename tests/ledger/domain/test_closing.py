"""Rule 5: what a closing needs, what it costs, and how often a task is closed."""

import pytest

from contracts.events import Evidence
from services.ledger.domain.refusals import (
    ConfirmedBeforeClosed,
    EvidenceDoesNotAddUp,
    OffHoursNotRequestedBeforeStart,
    SpecificationNotAgreed,
    StartedAfterClosed,
    TaskAlreadyClosed,
    TaskNotConfirmed,
    TimeEntriesDoNotAddUp,
    UrgencyNotAgreedBeforeStart,
    WorkWasInWorkingHours,
)
from tests.ledger.domain.expected_events import task_closed
from tests.ledger.vocabulary import EVIDENCE, buy, close, given, mark_warranty, reopen

URGENT = ("urgent", "urgent_off_hours")
OFF_HOURS = ("off_hours", "urgent_off_hours")
OTHERS = ("regular", "warranty")


def test_a_task_without_confirmation_is_not_charged():
    given().when(close(confirmed=None)).then_refused(TaskNotConfirmed)


def test_a_confirmation_does_not_come_before_the_closing():
    (
        given()
        .when(close(closed="2026-03-01 12:00:00", confirmed="2026-03-01 11:59:59", recorded="2026-03-02"))
        .then_refused(ConfirmedBeforeClosed)
    )


@pytest.mark.parametrize("confirmed", ["2026-03-01 12:00", "2026-03-09 18:30"])
def test_a_task_counts_when_it_is_closed_and_confirmed(confirmed: str):
    (
        given()
        .when(close("T-1", closed="2026-03-01 12:00", confirmed=confirmed, recorded="2026-04-10"))
        .then(task_closed("T-1", effective=confirmed, booked="2026-03", closed_at="2026-03-01 12:00"))
    )


@pytest.mark.parametrize(
    ("category", "coefficient", "charged"),
    [("regular", "1", 60), ("urgent", "1.5", 90), ("off_hours", "2", 120), ("urgent_off_hours", "3", 180)],
)
def test_a_category_has_its_coefficient(category: str, coefficient: str, charged: int):
    (
        given(buy("spring"))
        .when(close("T-1", worked=60, category=category, agreed=True, requested=True))
        .then(
            task_closed(
                "T-1", category=category, coefficient=coefficient, charged=charged, draws=[("spring", charged)], owed=0
            )
        )
    )


def test_warranty_work_is_recorded_and_costs_nothing():
    (
        given(buy("spring"))
        .when(close("T-1", worked=60, category="warranty"))
        .then(task_closed("T-1", worked=60, coefficient="0", charged=0, draws=[], owed=0))
        .then_balance(1200)
    )


def test_urgent_work_counts_half_as_much_again():
    (
        given(buy("spring", "hours-20", on="2026-03-01"))
        .when(close("T-1", worked=50, category="urgent", agreed=True))
        .then(task_closed("T-1", coefficient="1.5", charged=75, draws=[("spring", 75)]))
    )


@pytest.mark.parametrize("category", URGENT)
@pytest.mark.parametrize(
    ("agreed", "started"),
    [(False, "2026-03-01 12:00"), ("2026-03-01 12:00", None), ("2026-03-01 12:00:01", "2026-03-01 12:00:00")],
)
def test_urgent_work_needs_an_agreement_before_it_starts(category: str, agreed, started: str | None):
    (
        given()
        .when(
            close(
                category=category, agreed=agreed, started=started, requested="2026-03-01 11:00", on="2026-03-01 13:00"
            )
        )
        .then_refused(UrgencyNotAgreedBeforeStart)
    )


@pytest.mark.parametrize("category", OFF_HOURS)
@pytest.mark.parametrize(
    ("requested", "started"), [(False, "2026-03-01 12:00"), ("2026-03-01 12:00:01", "2026-03-01 12:00:00")]
)
def test_off_hours_work_needs_a_request_before_it_starts(category: str, requested, started: str):
    (
        given()
        .when(
            close(
                category=category,
                requested=requested,
                started=started,
                agreed="2026-03-01 11:00",
                on="2026-03-01 13:00",
            )
        )
        .then_refused(OffHoursNotRequestedBeforeStart)
    )


def test_off_hours_work_needs_a_known_start():
    (
        given()
        .when(close(category="off_hours", requested="2026-03-01 11:00", on="2026-03-01 13:00"))
        .then_refused(OffHoursNotRequestedBeforeStart)
    )


def test_consents_given_at_the_very_start_are_in_time():
    (
        given()
        .when(
            close(
                "T-1",
                category="urgent_off_hours",
                agreed="2026-03-01 12:00",
                requested="2026-03-01 12:00",
                started="2026-03-01 12:00",
                on="2026-03-01 13:00",
            )
        )
        .then(task_closed("T-1", urgency_agreed_at="2026-03-01 12:00", off_hours_requested_at="2026-03-01 12:00"))
    )


@pytest.mark.parametrize("category", OTHERS)
def test_other_work_needs_nobodys_consent(category: str):
    given().when(close("T-1", category=category)).then(task_closed("T-1", started_at=None))


@pytest.mark.parametrize("category", OTHERS)
def test_no_work_starts_after_it_was_closed(category: str):
    (
        given()
        .when(close(category=category, started="2026-03-01 12:00:01", on="2026-03-01 12:00:00"))
        .then_refused(StartedAfterClosed)
    )


def test_work_may_start_at_the_moment_it_was_closed():
    given().when(close("T-1", started="2026-03-01 12:00", on="2026-03-01 12:00")).then(task_closed("T-1"))


@pytest.mark.parametrize(
    "entries", [[], [("2026-03-02 10:00", 50)], [("2026-03-02 10:00", 60), ("2026-03-02 12:00", 1)]]
)
def test_time_entries_add_up_to_the_worked_time(entries: list):
    given().when(close(worked=60, entries=entries, on="2026-03-03")).then_refused(TimeEntriesDoNotAddUp)


def test_time_entries_need_not_be_in_quanta():
    (
        given()
        .when(close("T-1", worked=60, entries=[("2026-03-02 10:00", 7), ("2026-03-02 10:07", 53)], on="2026-03-03"))
        .then(task_closed("T-1", worked=60))
    )


@pytest.mark.parametrize("category", OFF_HOURS)
@pytest.mark.parametrize("start", ["2026-03-02 08:01", "2026-03-02 09:00", "2026-03-02 17:59", "2026-03-02T06:00Z"])
def test_off_hours_work_lies_wholly_outside_working_hours(category: str, start: str):
    entries = [("2026-03-01 12:00", 60), (start, 60)]
    (
        given()
        .when(close(worked=120, category=category, agreed=True, requested=True, entries=entries, on="2026-03-03"))
        .then_refused(WorkWasInWorkingHours)
    )


def test_off_hours_work_may_touch_working_hours_from_outside():
    entries = [("2026-03-02 08:00", 60), ("2026-03-02 18:00", 60), ("2026-03-01 12:00", 60)]
    (
        given()
        .when(close("T-1", worked=180, category="off_hours", requested=True, entries=entries, on="2026-03-03"))
        .then(task_closed("T-1", coefficient="2"))
    )


@pytest.mark.parametrize("category", ["regular", "urgent", "warranty"])
def test_other_work_may_lie_in_working_hours(category: str):
    (
        given()
        .when(
            close("T-1", worked=60, category=category, agreed=True, entries=[("2026-03-02 12:00", 60)], on="2026-03-03")
        )
        .then(task_closed("T-1"))
    )


def test_a_task_is_not_charged_twice():
    given(close("T-1")).when(close("T-1")).then_refused(TaskAlreadyClosed)


def test_a_task_that_cost_nothing_is_closed_all_the_same():
    given(close("T-1", category="warranty")).when(close("T-1")).then_refused(TaskAlreadyClosed)


def test_each_closing_has_a_number():
    (
        given(close("T-1"), reopen("T-1"), close("T-1"), reopen("T-1"))
        .when(close("T-1"))
        .then(task_closed("T-1", closure=3))
    )
    given(close("T-1"), reopen("T-1")).when(close("T-2")).then(task_closed("T-2", closure=1))


def test_a_task_marked_as_warranty_costs_nothing_at_any_later_closing():
    story = given(buy("spring"), mark_warranty("T-1"))
    for closure in (1, 2):
        story.when(close("T-1", worked=60, category="urgent", agreed=True)).then(
            task_closed("T-1", closure=closure, category="urgent", warranty=True, worked=60, coefficient="0", charged=0)
        )
        story.when(reopen("T-1"))


def test_a_task_marked_as_warranty_still_needs_its_consents():
    given(mark_warranty("T-1")).when(close("T-1", category="urgent")).then_refused(UrgencyNotAgreedBeforeStart)


def test_the_category_warranty_is_not_a_mark():
    (
        given(close("T-1", category="warranty"), reopen("T-1"))
        .when(close("T-1", worked=60))
        .then(task_closed("T-1", closure=2, warranty=False, charged=60))
    )


@pytest.mark.parametrize(("agreed", "on"), [("2026-03-05", "2026-03-05"), ("2026-03-01", "2026-03-05")])
def test_a_specification_is_charged_like_work_where_the_customer_agreed_to_that(agreed: str, on: str):
    given(buy("spring", on="2026-03-01")).when(
        close("T-1", kind="specification", package_use_agreed=agreed, on=on)
    ).then(task_closed("T-1", kind="specification", draws=[("spring", 60)], package_use_agreed_at=agreed))


@pytest.mark.parametrize("agreed", [None, "2026-03-05 00:01"])
def test_a_specification_that_was_not_agreed_to_in_time_is_refused(agreed: str | None):
    given().when(close("T-1", kind="specification", package_use_agreed=agreed, on="2026-03-05")).then_refused(
        SpecificationNotAgreed
    )


def test_a_specification_is_asked_about_after_off_hours_and_before_time_entries():
    entries = [("2026-03-05 10:00", 50)]
    asked = {"kind": "specification", "started": "2026-03-05 10:00", "on": "2026-03-05 12:00", "entries": entries}
    given().when(close(category="off_hours", **asked)).then_refused(OffHoursNotRequestedBeforeStart)
    given().when(close(**asked)).then_refused(SpecificationNotAgreed)
    given().when(close(package_use_agreed="2026-03-05", **asked)).then_refused(TimeEntriesDoNotAddUp)


@pytest.mark.parametrize(
    ("rounding", "seconds", "entries", "least", "most"),
    [
        ("task", 600, 3, 10, 10),
        ("task", 601, 3, 20, 20),
        ("nearest", 1, 1, 10, 10),
        ("nearest", 899, 2, 10, 10),
        ("nearest", 900, 2, 20, 20),
        ("entry", 2, 2, 10, 20),
        ("entry", 1200, 2, 20, 30),
        ("entry", 1201, 2, 30, 30),
    ],
)
def test_the_seconds_of_an_evidence_make_the_worked_time(
    rounding: str, seconds: int, entries: int, least: int, most: int
):
    evidence = {"raw_seconds": seconds, "entries": entries, "rounding": rounding}
    for worked in range(10, 50, 10):
        story = given().when(close("T-1", worked=worked, evidence=evidence))
        if least <= worked <= most:
            stated = Evidence(**EVIDENCE | evidence)
            story.then(task_closed("T-1", worked=worked, evidence=stated))
        else:
            story.then_refused(EvidenceDoesNotAddUp)


def test_an_evidence_that_names_no_rounding_is_kept_as_it_is():
    evidence = {"raw_seconds": 1, "rounding": None}
    given().when(close("T-1", worked=60, evidence=evidence)).then(
        task_closed("T-1", worked=60, evidence=Evidence(**EVIDENCE | evidence))
    )


def test_the_evidence_is_judged_after_the_time_entries():
    asked = {"worked": 60, "on": "2026-03-05 12:00", "evidence": {"raw_seconds": 1}}
    given().when(close(entries=[("2026-03-05 10:00", 50)], **asked)).then_refused(TimeEntriesDoNotAddUp)
    given().when(close(entries=[("2026-03-05 10:00", 60)], **asked)).then_refused(EvidenceDoesNotAddUp)


def test_work_needs_no_such_agreement():
    given().when(close("T-1")).then(task_closed("T-1", kind="work", package_use_agreed_at=None))
