"""Rule 4: the account, its lots, its balance, and the money of what is drawn."""

from itertools import permutations

import pytest

from contracts.requisites import Requisites
from services.ledger.domain.refusals import AccountAlreadyOpen, AccountNotFound, PackageAlreadyPurchased
from tests.ledger.domain.expected_events import account_opened, package_purchased, task_closed
from tests.ledger.vocabulary import (
    Step,
    buy,
    close,
    close_month,
    given,
    mark_warranty,
    no_account,
    open_account,
    pay,
    reopen,
    reopen_month,
    resume,
    suspend,
)


def test_an_account_is_opened_with_a_balance_of_nothing():
    (
        no_account()
        .when(open_account(on="2026-03-01 12:00"))
        .then(account_opened(contract_number="17/24", effective="2026-03-01 12:00", booked="2026-03"))
        .then_balance(0)
    )


def test_an_account_keeps_what_identifies_its_customer():
    requisites = Requisites(inn="7707083893", signatory_name="Орлова О. О.")
    no_account().when(open_account(requisites=requisites)).then(account_opened(customer_requisites=requisites))


def test_an_account_is_opened_once():
    given().when(open_account()).then_refused(AccountAlreadyOpen)


@pytest.mark.parametrize(
    "step",
    [
        buy("spring"),
        close(),
        mark_warranty(),
        reopen(),
        pay(10),
        suspend(),
        resume(),
        close_month("2023-12"),
        reopen_month("2023-12"),
    ],
)
def test_an_account_must_exist_for_anything_to_happen_to_it(step: Step):
    no_account().when(step).then_refused(AccountNotFound)


def test_each_purchase_opens_a_lot():
    (
        given(buy("spring", "hours-20"))
        .when(buy("year", "hours-100"))
        .then(package_purchased("year"))
        .then_balance(7200)
        .then_lots(("spring", 1200), ("year", 6000))
    )


def test_a_package_is_bought_once():
    given(buy("spring", "hours-20")).when(buy("spring", "hours-50")).then_refused(PackageAlreadyPurchased)


def test_a_package_is_bought_once_even_when_it_has_expired():
    (
        given(buy("spring", "hours-20", on="2026-03-01"))
        .when(buy("spring", on="2026-09-01"))
        .then_refused(PackageAlreadyPurchased)
    )


def test_a_task_is_charged_to_an_account_without_a_package():
    given().when(close("T-1", worked=60)).then(task_closed("T-1", draws=[], owed=60)).then_balance(-60)


def test_the_balance_is_what_is_left_less_what_is_owed():
    (
        given(buy("spring", "hours-20"), close("T-1", worked=1000))
        .when(close("T-2", worked=300))
        .then(task_closed("T-2", draws=[("spring", 200)], owed=100))
        .then_balance(-100)
    )


def test_a_draw_costs_the_price_of_all_that_is_used_less_what_was_booked():
    story = given(buy("spring", "hours-20"))
    for number, kopecks in enumerate((53_167, 53_166, 53_167, 53_167)):
        task = f"T-{number}"
        story.when(close(task, worked=10)).then(task_closed(task, draws=[("spring", 10, kopecks)]))


@pytest.mark.parametrize("parts", list(permutations([10, 20, 70, 1100])))
def test_the_money_of_all_draws_is_the_price_of_the_lot_in_any_order(parts: tuple[int, ...]):
    story = given(buy("spring", "hours-20"))
    drawn = 0
    for number, minutes in enumerate(parts):
        drawn += story.when(close(f"T-{number}", worked=minutes)).latest[0].draws[0].amount_kopecks
    assert drawn == 6_380_000


def test_money_that_went_back_is_drawn_again():
    (
        given(
            buy("spring", "hours-20"),
            close("T-1", worked=10),
            close("T-2", worked=10),
            reopen("T-1"),
        )
        .when(close("T-3", worked=1190))
        .then(task_closed("T-3", draws=[("spring", 1190, 6_380_000 - 53_166)]))
    )
