"""Rules 10.1 and 10.2: months are closed once, and nothing is booked into a closed one."""

from hashlib import sha256

import pytest
from pydantic import ValidationError

from contracts.commands import ReopenMonth
from services.ledger.domain.refusals import MonthAlreadyClosed, MonthNotClosed, MonthNotOver
from tests.ledger.domain.expected_events import (
    debt_paid,
    debt_settled,
    month_closed,
    month_reopened,
    package_expired,
    package_purchased,
    task_closed,
)
from tests.ledger.vocabulary import ACCOUNT_ID, Step, buy, close, close_month, given, mark_warranty, pay, reopen_month

MARCH = close_month("2026-03", on="2026-04-05")


def test_a_month_is_closed_once_it_is_over():
    given().when(close_month("2026-03", on="2026-03-31 23:59:59.999999")).then_refused(MonthNotOver)
    (
        given()
        .when(close_month("2026-03", on="2026-03-31T21:00Z"))
        .then(month_closed("2026-03", effective="2026-04-01", booked="2026-04"))
    )


def test_a_month_to_come_is_not_over():
    given().when(close_month("2027-01", on="2026-12-31")).then_refused(MonthNotOver)


@pytest.mark.parametrize("month", ["2026-03", "2026-02", "2025-12"])
def test_a_closed_month_has_closed_every_earlier_one(month: str):
    given(MARCH).when(close_month(month)).then_refused(MonthAlreadyClosed)


def test_months_may_be_skipped():
    given(MARCH).when(close_month("2026-06", on="2026-07-01")).then(month_closed("2026-06"))


@pytest.mark.parametrize(
    ("effective", "booked"),
    [
        ("2025-12-31", "2026-04"),
        ("2026-03-31 23:59:59", "2026-04"),
        ("2026-04-01", "2026-04"),
        ("2026-05-20", "2026-05"),
    ],
)
def test_what_takes_effect_in_a_closed_month_is_booked_into_the_first_open_one(effective: str, booked: str):
    (
        given(MARCH)
        .when(close("T-1", on=effective, recorded="2026-05-20"))
        .then(task_closed("T-1", effective=effective, booked=booked))
    )


def test_the_first_open_month_may_be_over():
    (
        given(close_month("2026-12", on="2027-01-10"))
        .when(close("T-1", on="2026-11-30", recorded="2027-06-01"))
        .then(task_closed("T-1", booked="2027-01"))
    )


def test_every_event_of_a_command_is_booked_by_its_own_effect():
    (
        given(
            close("T-1", worked=60, on="2026-03-20"),
            close("T-2", worked=60, on="2026-04-10"),
            close_month("2026-03", on="2026-07-10"),
        )
        .when(buy("spring", "hours-20", on="2026-03-15", recorded="2026-07-15"))
        .then(
            package_purchased("spring", effective="2026-03-15", booked="2026-04"),
            debt_settled("T-1", "spring", 60, effective="2026-03-20", booked="2026-04"),
            debt_settled("T-2", "spring", 60, effective="2026-04-10", booked="2026-04"),
            package_expired("spring", effective="2026-06-16", booked="2026-06"),
        )
    )


def test_an_end_that_falls_into_a_closed_month_is_booked_into_the_first_open_one():
    (
        given(close_month("2026-06", on="2026-07-10"))
        .when(buy("spring", "hours-20", on="2026-03-15", recorded="2026-07-15"))
        .then(package_purchased("spring", booked="2026-07"), package_expired("spring", booked="2026-07"))
    )


def test_what_is_due_is_booked_before_the_month_is_closed():
    (
        given(buy("spring", "hours-20", on="2026-03-15"))
        .when(close_month("2026-06", on="2026-07-10"))
        .then(package_expired("spring", effective="2026-06-16", booked="2026-06"), month_closed("2026-06"))
    )


def test_a_payment_is_booked_by_its_effect():
    (
        given(close("T-1", worked=60, on="2026-03-20"), MARCH)
        .when(pay(60, on="2026-03-25", recorded="2026-04-10"))
        .then(debt_paid(60, effective="2026-03-25", booked="2026-04"))
    )


def test_the_month_closed_last_is_reopened():
    (
        given(MARCH)
        .when(reopen_month("2026-03", on="2026-04-06"))
        .then(month_reopened("2026-03", reason="ошибка в акте", effective="2026-04-06", booked="2026-04"))
    )


@pytest.mark.parametrize(
    ("steps", "month"),
    [((), "2026-03"), ((MARCH,), "2026-02"), ((MARCH,), "2026-04"), ((MARCH, reopen_month("2026-03")), "2026-03")],
    ids=["never closed", "an earlier one", "a later one", "reopened already"],
)
def test_no_other_month_is_reopened(steps: tuple[Step, ...], month: str):
    given(*steps).when(reopen_month(month)).then_refused(MonthNotClosed)


def test_a_reopened_month_is_booked_into_again_while_earlier_ones_stay_closed():
    story = given(MARCH, reopen_month("2026-03"))
    story.when(close("T-1", on="2026-03-20")).then(task_closed("T-1", booked="2026-03"))
    story.when(close("T-2", on="2026-02-20")).then(task_closed("T-2", booked="2026-03"))


def test_a_reopened_month_is_closed_again():
    given(MARCH, reopen_month("2026-03")).when(close_month("2026-03")).then(month_closed("2026-03"))


def test_months_are_reopened_one_after_another_the_last_first():
    story = given(MARCH, reopen_month("2026-03"))
    story.when(reopen_month("2026-02")).then(month_reopened("2026-02"))
    story.when(close("T-1", on="2026-02-20")).then(task_closed("T-1", booked="2026-02"))
    story.when(close("T-2", on="2026-01-20")).then(task_closed("T-2", booked="2026-02"))


def test_january_follows_december():
    story = given(close_month("2026-12", on="2027-01-10"))
    story.when(close("T-1", on="2026-12-20")).then(task_closed("T-1", booked="2027-01"))
    story.when(reopen_month("2026-12")).when(close("T-2", on="2026-11-20")).then(task_closed("T-2", booked="2026-12"))
    story.when(close_month("2026-12")).when(reopen_month("2026-12"))
    story.when(reopen_month("2026-11")).then(month_reopened("2026-11"))


def test_a_closed_months_report_is_frozen_with_its_balances():
    (
        given(buy("spring", "hours-20", on="2026-03-01"), close("T-1", worked=60, on="2026-03-20"))
        .when(MARCH)
        .then(month_closed("2026-03", reports=[("2026-03", 0, 1140)], account_version=3))
    )


def test_every_month_newly_closed_that_booked_anything_is_frozen_and_the_named_one_in_any_case():
    story = given(buy("spring", "hours-20", on="2026-03-01"), MARCH, close("T-1", worked=60, on="2026-04-10"))
    story.when(close_month("2026-07", on="2026-08-01")).then(
        package_expired("spring", booked="2026-06"),
        month_closed("2026-07", reports=[("2026-04", 1200, 1140), ("2026-06", 1140, 0), ("2026-07", 0, 0)]),
    )


def test_months_reopened_are_frozen_anew_with_what_was_booked_into_them_since():
    story = given(close("T-1", worked=60, on="2026-02-10"), close_month("2026-02", on="2026-03-05"), MARCH)
    story.when(reopen_month("2026-03")).when(reopen_month("2026-02"))
    story.when(close("T-2", worked=30, on="2026-02-20"))
    story.when(close_month("2026-03")).then(
        month_closed("2026-03", reports=[("2026-02", 0, -90), ("2026-03", -90, -90)])
    )


def test_a_report_is_frozen_with_what_every_closing_came_to():
    story = given(
        buy("spring", "hours-20", on="2026-03-01"),
        close("T-2", worked=60, on="2026-03-20"),
        close("T-10", worked=1200, on="2026-03-21"),
        mark_warranty("T-2", on="2026-03-22"),
    )
    (closed,) = story.when(MARCH).latest
    text = (
        "hourbook-report 1\naccount horns-and-hooves\nmonth 2026-03\nopening 0\nclosing 0\n"
        "T-10 1 1200 1200 6380000\nT-2 1 60 0 0\n"
    )
    assert closed.reports[0].report_hash == sha256(text.encode()).hexdigest()


def test_a_month_is_reopened_for_a_reason():
    with pytest.raises(ValidationError):
        ReopenMonth(account_id=ACCOUNT_ID, month="2026-03", reason=" ")
