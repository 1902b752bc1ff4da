"""What a version would have changed, event by event."""

from decimal import Decimal

from contracts.terms import EffectOnAccount, TermsVersion
from services.ledger.price_lists.effect import Effect
from tests.ledger.domain.expected_events import moment
from tests.ledger.vocabulary import ACCOUNT_ID, TERMS, Step, buy, close, given, mark_warranty, pay, reopen

FIRST = TERMS.versions[0]
SINCE = "2026-03-01"


def changed(**new: object) -> TermsVersion:
    """The first version, in which that is otherwise."""
    return FIRST.model_copy(update={"name": "new", **new})


def effect(version: TermsVersion, *steps: Step) -> EffectOnAccount | None:
    """What it would have changed of that history, if anything."""
    found = Effect(version, moment(SINCE))
    for line in given(*steps).recorded:
        found.take(ACCOUNT_ID, line.event())
    return next(found.accounts(), None)


HISTORY = (
    buy("old", on="2026-02-01"),
    close("T-0", worked=60, category="urgent", agreed=True, on="2026-02-10"),
    buy("spring", on="2026-03-02"),
    close("T-1", worked=60, category="urgent", agreed=True, on="2026-03-10"),
    close("T-2", worked=10, category="urgent", agreed=True, on="2026-03-11"),
)


def test_the_very_terms_change_nothing():
    owing = close("T-3", worked=6000, on="2026-03-12")
    assert effect(changed(), *HISTORY, owing, pay(10), pay(10), pay(7), mark_warranty("T-1"), reopen("T-2")) is None


def test_a_dearer_coefficient_charges_more_of_what_stands_and_took_effect_since():
    dearer = changed(coefficients={**FIRST.coefficients, "urgent": Decimal(2)})
    assert effect(dearer, *HISTORY) == EffectOnAccount(account_id=ACCOUNT_ID, charged_minutes=35)
    assert effect(dearer, *HISTORY, reopen("T-1")) == EffectOnAccount(account_id=ACCOUNT_ID, charged_minutes=5)
    assert effect(dearer, *HISTORY, mark_warranty("T-1"), reopen("T-2")) is None


def test_another_plan_costs_otherwise_but_what_was_agreed_does_not():
    plan = FIRST.plans["hours-20"].model_copy(update={"price_kopecks": 7_000_000, "hour_price_kopecks": 350_000})
    dearer = changed(plans={**FIRST.plans, "hours-20": plan})
    bought = (buy("gift", on="2026-03-03", price_kopecks=0), buy("size", on="2026-03-04", minutes=60))
    assert effect(dearer, *HISTORY, *bought) == EffectOnAccount(
        account_id=ACCOUNT_ID, purchased_kopecks=7_000_000 - 6_380_000 + 350_000 - 319_000
    )


def test_what_could_not_have_been_recorded_is_named():
    smaller = changed(plans={"hours-30": FIRST.plans["hours-30"]}, quantum_minutes=20)
    assert effect(smaller, *HISTORY) == EffectOnAccount(
        account_id=ACCOUNT_ID, not_on_sale=("spring",), not_in_quantum=1
    )


def test_debt_costs_otherwise_however_it_is_paid():
    owing = close("T-3", worked=60, on="2026-03-12")
    cheaper = changed(debt_hour_price_kopecks=300_000)
    for payments in ((60,), (7, 13, 40)):
        assert effect(cheaper, owing, *map(pay, payments)) == EffectOnAccount(
            account_id=ACCOUNT_ID, paid_kopecks=300_000 - 319_000
        )
