"""How an account would have gone: by itself as it went, with other purchases as if they had been made."""

import pytest
from hypothesis import given as for_all

from contracts.commands import PurchasePackageBody
from contracts.envelope import RecordedEvent
from contracts.what_if import WhatIf, WhatIfView
from services.ledger.audit.replay import replay
from services.ledger.event_store.known_account import AccountUnreadable
from services.ledger.what_if.answer import what_if, what_if_stored
from tests.ledger import vocabulary
from tests.ledger.domain.histories import Numbers, histories, next_step
from tests.ledger.event_store.events import event
from tests.ledger.vocabulary import ACCOUNT_ID, TERMS, Story, buy, close, given, mark_warranty, moment, pay, refund


def recorded(story: Story) -> list[RecordedEvent]:
    """Its events, those recorded at one instant as of one command."""
    return [line.model_copy(update={"command_id": str(line.recorded_at)}) for line in story.recorded]


def asked(story: Story, *purchases: PurchasePackageBody, at: str = "2024-12-31") -> WhatIfView:
    return what_if(ACCOUNT_ID, recorded(story), WhatIf(purchases=purchases or None), TERMS, moment(at))


def bought(package_id: str, plan: str, on: str) -> PurchasePackageBody:
    return PurchasePackageBody(package_id=package_id, plan=plan, purchased_at=moment(on))


@for_all(histories())
def test_a_history_decided_again_goes_as_it_went(history: list[Numbers]):
    story, lines = vocabulary.given(), list[RecordedEvent]()
    for number, step in enumerate(history):
        known = len(story.recorded)
        story.when(next_step(story, step))
        lines += [line.model_copy(update={"command_id": str(number)}) for line in story.recorded[known:]]
    opening = vocabulary.given().recorded
    shown = what_if(ACCOUNT_ID, [*opening, *lines], WhatIf(), TERMS, story.now)
    assert shown.left_out == ()
    assert shown.would_be == shown.was


@for_all(histories())
def test_the_curve_is_that_of_the_replay(history: list[Numbers]):
    story = vocabulary.given()
    for step in history:
        story.when(next_step(story, step))
    shown = what_if(ACCOUNT_ID, recorded(story), WhatIf(), TERMS, story.now)
    assert shown.was.balance_minutes == story.account.balance_minutes or story.account.next_due_at
    for step in shown.was.balance:
        assert step.balance_minutes == replay(ACCOUNT_ID, story.recorded, step.at, None).balance_minutes, step.at


def test_a_bigger_package_would_have_cost_less_than_small_ones_and_debt_paid_with_money():
    story = given(
        buy("first", "hours-20", on="2024-03-01"),
        close("T-1", worked=1500, on="2024-03-10"),
        pay(300, on="2024-03-20"),
        buy("second", "hours-20", on="2024-04-01"),
        close("T-2", worked=600, on="2024-04-10"),
    )
    shown = asked(story, bought("one", "hours-50", "2024-03-01"))
    assert shown.was.spent_kopecks == 2 * 6_380_000 + 1_595_000
    assert shown.would_be.spent_kopecks == 13_650_000
    assert shown.difference.spent_kopecks == 13_650_000 - 14_355_000
    assert shown.was.forfeited_minutes == 600
    assert shown.would_be.forfeited_minutes == 3000 - 2100
    assert [each.slug for each in shown.left_out] == ["payment-exceeds-debt"]


def test_nothing_is_recorded_by_a_question():
    story = given(buy("first", "hours-20", on="2024-03-01"), close("T-1", worked=60, on="2024-03-10"))
    before = story.account
    asked(story, bought("one", "hours-30", "2024-02-01"))
    assert story.account is before


def test_what_a_warranty_or_a_refund_gave_back_is_given_back_there_too():
    story = given(
        buy("first", "hours-20", on="2024-03-01"),
        close("T-1", worked=600, on="2024-03-10"),
        mark_warranty("T-1", on="2024-03-11"),
        refund("first", on="2024-03-12"),
    )
    same = asked(story, bought("first", "hours-20", "2024-03-01"))
    assert same.would_be == same.was
    other = asked(story, bought("other", "hours-20", "2024-03-01"))
    assert [(each.command, each.slug) for each in other.left_out] == [("RefundPackage", "package-not-found")]
    assert other.difference.spent_kopecks == 6_380_000


def test_an_account_whose_events_do_not_fit_together_is_called_that():
    with pytest.raises(AccountUnreadable):
        what_if_stored("a-1", [event("a-1", 2, "k-1")], WhatIf(), TERMS, moment("2024-12-31"))
