"""Rules 6.4 and 6.5: what is owed is paid by the first hours that were there after it arose, or by money."""

import pytest
from pydantic import ValidationError

from services.ledger.domain.refusals import PaymentExceedsDebt
from tests.ledger.domain.expected_events import debt_paid, debt_settled, package_expired, package_purchased, task_closed
from tests.ledger.vocabulary import Step, buy, close, given, pay, time_passes


def test_a_purchase_pays_what_is_owed():
    (
        given(close("T-1", worked=100, on="2026-03-01"))
        .when(buy("spring", "hours-20", on="2026-03-05"))
        .then(
            package_purchased("spring"),
            debt_settled("T-1", "spring", 100, money=531_667, effective="2026-03-05", released=False),
        )
        .then_balance(1100)
        .then_balance(-100, as_of="2026-03-04")
    )


def test_a_package_too_small_pays_a_part():
    (
        given(close("T-1", worked=2000, on="2026-03-01"))
        .when(buy("spring", "hours-20", on="2026-03-05"))
        .then(package_purchased("spring"), debt_settled("T-1", "spring", 1200, money=6_380_000))
        .then_balance(-800)
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (close("old", worked=1000, on="2026-03-01"), close("new", worked=1000, on="2026-03-02")),
        (close("new", worked=1000, on="2026-03-02"), close("old", worked=1000, on="2026-03-01")),
        (close("old", worked=1000, on="2026-03-01"), close("new", worked=1000, on="2026-03-01", recorded="2026-03-02")),
    ],
    ids=["in order", "the old one recorded late", "of equal effect, by order of recording"],
)
def test_the_oldest_debt_is_paid_first(first: Step, second: Step):
    (
        given(first, second)
        .when(buy("spring", "hours-20", on="2026-03-05"))
        .then(package_purchased("spring"), debt_settled("old", "spring", 1000), debt_settled("new", "spring", 200))
    )


def test_a_purchase_recorded_late_pays_when_the_debt_arose():
    (
        given(close("T-1", worked=100, on="2026-03-10"))
        .when(buy("spring", "hours-20", on="2026-03-01", recorded="2026-03-20"))
        .then(package_purchased("spring"), debt_settled("T-1", "spring", 100, effective="2026-03-10"))
        .then_balance(1200, as_of="2026-03-09")
        .then_balance(1100, as_of="2026-03-10")
    )


def test_hours_that_were_there_first_pay_first():
    (
        given(buy("year", "hours-100", on="2026-03-01"), buy("spring", "hours-20", on="2026-03-05"))
        .when(close("T-1", worked=60, on="2026-02-01"))
        .then(task_closed("T-1", owed=60), debt_settled("T-1", "year", 60, effective="2026-03-01"))
    )


def test_of_hours_there_at_the_same_time_those_that_end_first_pay_first():
    (
        given(buy("year", "hours-100", on="2026-03-05"), buy("spring", "hours-20", on="2026-03-05"))
        .when(close("T-1", worked=1210, on="2026-02-01"))
        .then(task_closed("T-1", owed=1210), debt_settled("T-1", "spring", 1200), debt_settled("T-1", "year", 10))
    )


def test_hours_pay_in_the_order_of_the_packages_that_held_them_then():
    (
        given(
            buy("spring", "hours-20", on="2026-03-05"),
            buy("half", "hours-30", on="2026-03-05", carry_over=False),
            buy("year", "hours-100", on="2026-04-01"),
            time_passes("2026-06-10"),
        )
        .when(close("T-1", worked=60, on="2026-02-01"))
        .then(task_closed("T-1", owed=60), debt_settled("T-1", "spring", 60, effective="2026-03-05", released=False))
    )


def test_hours_forfeited_since_pay_what_arose_before():
    (
        given(buy("spring", "hours-20", on="2026-03-01"), time_passes("2026-06-10"))
        .when(close("T-1", worked=60, on="2026-02-01"))
        .then(task_closed("T-1", owed=60), debt_settled("T-1", "spring", 60, effective="2026-03-01", released=True))
        .then_balance(0)
        .then_balance(-60, as_of="2026-02-28")
        .then_balance(1140, as_of="2026-03-01")
    )


def test_hours_do_not_pay_what_arose_at_their_end():
    (
        given(buy("spring", "hours-20", on="2026-03-01"), time_passes("2026-06-10"))
        .when(close("T-1", worked=60, on="2026-06-02"))
        .then(task_closed("T-1", owed=60))
        .then_balance(-60)
    )


def test_a_package_bought_and_expired_before_the_debt_arose_pays_nothing():
    (
        given(close("T-1", worked=60, on="2026-06-02"))
        .when(buy("spring", "hours-20", on="2026-03-01", recorded="2026-06-10"))
        .then(package_purchased("spring"), package_expired("spring", forfeited=[("spring", 1200)]))
        .then_balance(-60)
    )


@pytest.mark.parametrize(
    ("minutes", "money"), [(60, 319_000), (10, 53_167), (5, 26_583), (1, 5_317), (50, 265_833), (100, 531_667)]
)
def test_owed_minutes_are_paid_at_the_price_of_debt(minutes: int, money: int):
    (
        given(close("T-1", worked=100))
        .when(pay(minutes))
        .then(debt_paid(minutes, money=money, hour_price=319_000, payments=[("T-1", minutes, money)]))
        .then_balance(minutes - 100)
    )


def test_a_payment_is_rounded_closing_by_closing():
    (
        given(close("T-1", worked=10), close("T-2", worked=10))
        .when(pay(20))
        .then(debt_paid(20, money=106_334, payments=[("T-1", 10, 53_167), ("T-2", 10, 53_167)]))
    )


def test_money_pays_the_oldest_debt_first():
    (
        given(close("new", worked=60, on="2026-03-02"), close("old", worked=60, on="2026-03-01"))
        .when(pay(70))
        .then(debt_paid(70, payments=[("old", 60), ("new", 10)]))
        .then_balance(-50)
    )


def test_no_more_is_paid_than_is_owed():
    given(close("T-1", worked=60)).when(pay(61)).then_refused(PaymentExceedsDebt)
    given(buy("spring")).when(pay(1)).then_refused(PaymentExceedsDebt)


@pytest.mark.parametrize("minutes", [0, -10])
def test_a_payment_is_a_positive_number_of_minutes(minutes: int):
    with pytest.raises(ValidationError):
        given(close("T-1", worked=60)).when(pay(minutes))


@pytest.mark.parametrize(
    ("paid", "effective"), [("2026-03-05", "2026-03-10"), ("2026-03-10", "2026-03-10"), ("2026-03-15", "2026-03-15")]
)
def test_a_payment_counts_once_it_was_paid_and_all_it_pays_had_arisen(paid: str, effective: str):
    (
        given(close("T-1", worked=60, on="2026-03-01"), close("T-2", worked=60, on="2026-03-10"))
        .when(pay(120, on=paid, recorded="2026-03-20"))
        .then(debt_paid(120, effective=effective, paid_at=paid))
    )


def test_a_payment_does_not_wait_for_a_closing_it_does_not_pay():
    (
        given(close("T-1", worked=60, on="2026-03-01"), close("T-2", worked=60, on="2026-03-10"))
        .when(pay(60, on="2026-03-05", recorded="2026-03-20"))
        .then(debt_paid(60, effective="2026-03-05", payments=[("T-1", 60)]))
    )


def test_hours_pay_what_money_left():
    (
        given(close("T-1", worked=60), pay(45))
        .when(buy("spring", "hours-20"))
        .then(package_purchased("spring"), debt_settled("T-1", "spring", 15))
        .then_balance(1185)
    )
