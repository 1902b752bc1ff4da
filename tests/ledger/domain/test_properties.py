"""What holds after any command of any history, however late its facts are recorded."""

from collections import Counter
from collections.abc import Iterable, Iterator

from hypothesis import given, note
from hypothesis import strategies as st

from contracts.events import (
    RULES_EDITION,
    ClosingFacts,
    Compensation,
    DebtPaid,
    DebtSettled,
    Draw,
    Event,
    HoursCarriedOver,
    LotShare,
    PackageExpired,
    PackagePurchased,
    PackageRefunded,
    Payment,
    Returned,
    Reversal,
    TakenOver,
    TaskClosed,
    TaskCorrected,
    TaskPlanned,
)
from contracts.quantities import month_of
from services.ledger.audit.replay import replay
from services.ledger.domain.account import decide, due, fold
from tests.ledger import vocabulary
from tests.ledger.domain.histories import DAY, INSTANT, Numbers, histories, next_step, numbers, pick
from tests.ledger.domain.naive_ledger import NaiveLedger
from tests.ledger.domain.naive_rules import course, said
from tests.ledger.vocabulary import ACCOUNT_ID, Story, time_passes

some_history = given(histories())


def told(history: list[Numbers]) -> Iterator[Story]:
    """The story after each command that was accepted."""
    story = vocabulary.given()
    for step in history:
        before = story.account
        story.when(next_step(story, step))
        note(f"{story.now}: {story.refusal or story.latest}")
        if story.refusal:
            assert story.account is before
        else:
            yield story


def opened() -> NaiveLedger:
    """What the beginning of every story amounts to."""
    return NaiveLedger(line.event() for line in vocabulary.given().recorded)


def with_naive_ledger(history: list[Numbers]) -> Iterator[tuple[Story, NaiveLedger]]:
    """The story after each command, and what its events amount to in a naive reading."""
    naive = opened()
    for story in told(history):
        for event in story.latest:
            naive.read(event)
        yield story, naive


@some_history
def test_what_happens_is_what_the_rules_say(history: list[Numbers]):
    naive = opened()
    for story in told(history):
        expected = course(naive, story.command, story.now)
        for event in story.latest:
            assert said(event) == next(expected)
            naive.read(event)
        assert next(expected, None) is None


@some_history
def test_every_minute_and_every_kopeck_of_a_lot_is_somewhere(history: list[Numbers]):
    for story, naive in with_naive_ledger(history):
        assert set(story.account.lots) == set(naive.lots)
        for lot_id, lot in story.account.lots.items():
            assert lot.left_minutes == naive.lots[lot_id].left
            assert lot.booked_kopecks == naive.lots[lot_id].booked
            assert 0 <= lot.left_minutes <= lot.size_minutes
            assert 0 <= lot.unbooked_kopecks <= lot.price_kopecks
            assert lot.left_minutes or lot.refunded or not lot.unbooked_kopecks
            assert lot.left_minutes < lot.size_minutes or not lot.booked_kopecks


@some_history
def test_the_price_of_a_lot_is_what_it_gave_forfeited_was_refunded_and_retained(history: list[Numbers]):
    *_, story = [vocabulary.given(), *told(history)]
    story.when(time_passes(str(story.now + 3 * 366 * DAY)))
    money = Counter[str]()
    for line in story.recorded:
        for lot_id, kopecks in accounted(line.event()):
            money[lot_id] += kopecks
    assert money == {lot_id: lot.price_kopecks for lot_id, lot in story.account.lots.items()}


def accounted(event: Event) -> Iterator[tuple[str, int]]:
    """Where the price of a lot went: draws and settlements less what came back, forfeited, refunded, retained."""
    match event:
        case ClosingFacts():
            yield from ((draw.lot_id, draw.amount_kopecks) for draw in event.draws)
        case DebtSettled():
            yield event.lot_id, event.amount_kopecks
        case PackageExpired():
            yield from ((share.lot_id, share.amount_kopecks) for share in event.lots)
        case HoursCarriedOver(reclaimed=True):
            yield from ((share.lot_id, -share.amount_kopecks) for share in event.lots)
        case PackageRefunded():
            yield event.lot_id, event.refunded_kopecks + event.retained_kopecks
        case PackagePurchased():
            yield event.package_id, 0
        case _:
            pass
    yield from from_forfeitures(event)


def from_forfeitures(event: Event) -> Iterator[tuple[str, int]]:
    """What came back to lots, and what left or joined the money that they have forfeited meanwhile."""
    if isinstance(event, Reversal | TaskCorrected):
        yield from ((back.lot_id, -back.amount_kopecks) for back in event.returned)
        yield from ((back.lot_id, back.amount_kopecks) for back in event.returned if back.forfeited)
        if event.compensation:
            yield event.compensation.package_id, 0
    if isinstance(event, ClosingFacts):
        yield from ((draw.lot_id, -draw.amount_kopecks) for draw in event.draws if draw.released)
    if isinstance(event, DebtSettled) and event.released:
        yield event.lot_id, -event.amount_kopecks


@some_history
def test_the_balance_is_what_is_held_less_what_is_owed(history: list[Numbers]):
    for story, naive in with_naive_ledger(history):
        account = story.account
        assert account.held_minutes == sum(lot.left_minutes for lot in account.lots.values() if not lot.expired)
        assert account.owed_minutes == sum(debt.minutes for debt in account.debts)
        assert account.balance_minutes == naive.balance_at(story.now)
        read = replay(ACCOUNT_ID, story.recorded, story.now, None)
        assert account.balance_minutes == read.balance_minutes
        assert sum(naive.plans.values()) == account.planned_minutes == read.planned_minutes
        assert account.available_minutes == read.available_minutes


@some_history
def test_every_charge_is_drawn_settled_paid_or_owed(history: list[Numbers]):
    charged: dict[str, int] = {}
    for story in told(history):
        charged |= {event.task_id: event.charged_minutes for event in story.latest if isinstance(event, ClosingFacts)}
        owed = {debt.task_id: debt.minutes for debt in story.account.debts}
        for task_id, task in story.account.tasks.items():
            if task.closing and not task.warranty:
                used = (part.minutes for part in task.closing.parts)
                assert charged[task_id] == sum(used) + owed.pop(task_id, 0)
        assert not owed


@some_history
def test_nothing_is_left_undone(history: list[Numbers]):
    for story in told(history):
        account = story.account
        assert due(account, story.now) == ()
        assert not (account.suspended and account.balance_minutes > 0)
        for debt in account.debts:
            assert not [lot for lot in account.lots.values() if lot.left_minutes and debt.effective_at < lot.ends_at]


@some_history
def test_the_next_end_is_known_beforehand(history: list[Numbers]):
    for story in told(history):
        ends = [package.ends_at for package in story.account.packages.values() if not package.expired]
        assert story.account.next_due_at == min(ends, default=None)
        if next_due_at := story.account.next_due_at:
            assert story.now < next_due_at
            assert due(story.account, next_due_at - INSTANT) == ()
            assert due(story.account, next_due_at)[-1].effective_at == next_due_at


@some_history
def test_the_successor_is_the_first_package_that_may_take_over(history: list[Numbers]):
    for story, naive in with_naive_ledger(history):
        for package_id, package in story.account.packages.items():
            successor = naive.successor(naive.packages[package_id])
            assert package.successor_id == (successor and successor.package_id)


@some_history
def test_an_event_adds_up_and_is_booked_into_an_open_month(history: list[Numbers]):
    for story in told(history):
        for event in story.latest:
            assert adds_up(event)
            assert event.effective_at <= story.now
            assert event.booking_month >= month_of(event.effective_at)


@some_history
def test_every_event_says_by_which_edition_of_the_rules_it_was_decided(history: list[Numbers]):
    for story in told(history):
        assert {event.rules_edition for event in story.latest} <= {RULES_EDITION}


def adds_up(event: Event) -> bool:
    """Whether the parts of an event make its whole."""
    match event:
        case TaskPlanned():
            return event.coefficient * event.estimated_minutes == event.planned_minutes
        case TaskClosed():
            drawn, _ = total(event.draws)
            return event.coefficient * event.worked_minutes == event.charged_minutes == drawn + event.owed_minutes
        case TaskCorrected():
            return corrects(event)
        case PackageExpired():
            return (event.forfeited_minutes, event.forfeited_amount_kopecks) == total(event.lots)
        case HoursCarriedOver():
            return 0 < event.minutes == total(event.lots)[0]
        case DebtPaid():
            return (event.minutes, event.amount_kopecks) == total(event.payments)
        case _:
            return True


def corrects(event: TaskCorrected) -> bool:
    """Whether the new closing is what it took over and took anew, and the old one that and what went back."""
    over, over_kopecks = total(event.taken_over)
    drawn, kopecks = total(event.draws)
    back, back_kopecks = total((*event.returned, *([event.compensation] if event.compensation else [])))
    over += event.taken_over_owed_minutes
    return (
        event.coefficient * event.worked_minutes == event.charged_minutes == over + drawn + event.owed_minutes
        and event.corrected_charged_minutes == over + back + event.cancelled_owed_minutes
        and event.amount_kopecks == over_kopecks + kopecks
        and event.corrected_amount_kopecks == over_kopecks + back_kopecks
    )


def total(parts: Iterable[Draw | LotShare | Payment | TakenOver | Returned | Compensation]) -> tuple[int, int]:
    """The minutes and the kopecks of all of them."""
    listed = list(parts)
    return sum(part.minutes for part in listed), sum(part.amount_kopecks for part in listed)


@some_history
def test_events_read_back_from_the_log_make_the_same_account(history: list[Numbers]):
    account = vocabulary.given().account
    for story in told(history):
        read_back = tuple(line.event() for line in story.recorded[len(story.recorded) - len(story.latest) :])
        assert read_back == story.latest
        account = fold(account, read_back)
        assert account == story.account


@some_history
def test_the_same_commands_make_the_same_events(history: list[Numbers]):
    before = vocabulary.given().account
    for story in told(history):
        if story.command:
            assert decide(story.command, before, story.terms, story.now) == story.latest
        before = story.account


@given(histories(), st.lists(numbers(4), min_size=1, max_size=10))
def test_a_balance_read_at_any_instant_and_as_known_at_any_time_is_the_sum_of_its_movements(
    history: list[Numbers], readings: list[Numbers]
):
    *_, story = [vocabulary.given(), *told(history)]
    instants = sorted(NaiveLedger(line.event() for line in story.recorded).instants() | {story.now})
    for which, days, just_before, known in readings:
        as_of = pick(instants, which) + days % 10 * 20 * DAY - (just_before % 2) * INSTANT
        known_at = known % (len(story.recorded) + 1)
        known_events = [line.event() for line in story.recorded if line.position <= known_at]
        view = replay(ACCOUNT_ID, story.recorded, as_of, known_at)
        assert view.balance_minutes == NaiveLedger(known_events).balance_at(as_of)
        assert sum(lot.remaining_minutes for lot in view.lots) == view.held_minutes
