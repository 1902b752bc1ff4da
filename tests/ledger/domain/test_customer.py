"""Rule 16: the customer changes from a day on."""

import pytest
from pydantic import ValidationError

from contracts.commands import ChangeCustomer
from services.ledger.domain.refusals import EffectiveInFuture, MonthAlreadyClosed
from tests.ledger.domain.expected_events import customer_changed, package_expired, package_purchased
from tests.ledger.vocabulary import ACCOUNT_ID, buy, change_customer, close, close_month, given, reopen_month


def test_the_customer_has_a_new_name_from_a_day_on():
    given().when(change_customer("2026-03-01", customer_name="АО «Копыта»", on="2026-03-10")).then(
        customer_changed(
            customer_name="АО «Копыта»",
            contract_number=None,
            contract_date=None,
            customer_requisites=None,
            effective="2026-03-01",
            booked="2026-03",
        )
    )


def test_the_day_may_be_today_and_not_tomorrow():
    given().when(change_customer("2026-03-10", contract_number="2", on="2026-03-10 09:00")).then(
        customer_changed(effective="2026-03-10")
    )
    given().when(change_customer("2026-03-11", contract_number="2", on="2026-03-10 09:00")).then_refused(
        EffectiveInFuture
    )


def test_the_day_that_begins_within_five_minutes_counts_as_today():
    given().when(change_customer("2026-03-11", contract_number="2", on="2026-03-10 23:57")).then(
        customer_changed(effective="2026-03-10")
    )


def test_a_day_of_a_closed_month_is_refused_until_that_is_reopened():
    story = given(close_month("2026-03", on="2026-04-02"))
    story.when(change_customer("2026-03-31", contract_number="2")).then_refused(MonthAlreadyClosed)
    story.when(change_customer("2026-04-01", contract_number="2")).then(customer_changed(booked="2026-04"))
    story.when(reopen_month("2026-03"))
    story.when(change_customer("2026-03-31", contract_number="3")).then(customer_changed(booked="2026-03"))


def test_that_it_lies_ahead_is_named_before_the_month():
    story = given(close_month("2026-03", on="2026-04-02"))
    story.when(change_customer("2099-01-01", contract_number="2")).then_refused(EffectiveInFuture)


def test_a_change_of_long_ago_moves_no_hours():
    story = given(
        buy("spring", on="2026-03-01", carry_over=False),
        close("T-1", worked=60, on="2026-06-03"),
        change_customer("2026-04-01", customer_name="АО «Копыта»", on="2026-06-04"),
    )
    assert [type(event).__name__ for event in story.latest] == ["CustomerChanged"]
    story.then_balance(-60)


def test_what_is_due_happens_first():
    given(buy("spring", on="2026-03-01")).when(
        change_customer("2026-03-01", contract_number="2", on="2026-06-02")
    ).then(package_expired("spring"), customer_changed())


@pytest.mark.parametrize(
    "new",
    [
        {},
        {"customer_name": ""},
        {"customer_name": "\u200b"},
        {"contract_number": " "},
        {"contract_date": "2026-02-30"},
        {"customer_requisites": {"inn": "7707083892"}},
        {"customer_requisites": {"address": "\u2800"}},
        {"price": 1},
    ],
)
def test_what_does_not_fit_is_no_command(new):
    with pytest.raises(ValidationError):
        ChangeCustomer(account_id=ACCOUNT_ID, effective_on="2026-03-01", **new)


def test_nothing_but_the_customer_changes():
    story = given(buy("spring", on="2026-03-01"))
    before = story.account
    story.when(change_customer("2026-03-01", contract_number="2", on="2026-03-02"))
    assert story.account == before._replace(version=before.version + 1)
    story.when(buy("next")).then(package_purchased("next", succeeds=("spring",)))
