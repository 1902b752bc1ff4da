"""What holds of corrections and refunds after any history (rules 8.6, 14)."""

from collections import Counter

from hypothesis import given

from contracts.commands import CorrectTask
from contracts.events import ClosingFacts, PackageRefunded, TaskCorrected
from tests.ledger import vocabulary
from tests.ledger.domain.histories import DAY, INSTANT, MINUTE, Numbers, histories, pick
from tests.ledger.domain.naive_ledger import NaiveLedger
from tests.ledger.domain.test_properties import told
from tests.ledger.domain.test_theorem import charges, lots
from tests.ledger.vocabulary import Step, Story, refund, time_passes

some_history = given(histories())


def standing(story: Story) -> list[ClosingFacts]:
    """What the closings that stand and were not reversed by a mark have stated."""
    stated = {
        (event.task_id, event.closure): event
        for line in story.recorded
        if isinstance(event := line.event(), ClosingFacts)
    }
    return [
        stated[task_id, task.closing.number]
        for task_id, task in story.account.tasks.items()
        if task.closing and not task.closing.reversed
    ]


def corrected_to(closing: ClosingFacts, worked_minutes: int, at: str) -> Step:
    """The same closing with other worked time."""
    said = {name: getattr(closing, name) for name in CorrectTask.model_fields if hasattr(closing, name)}
    changed = {"worked_minutes": worked_minutes, "account_id": vocabulary.ACCOUNT_ID, "reason": "проверено"}
    command = CorrectTask(**said | changed)
    return Step(lambda _: command, at)


def at_rest(history: list[Numbers]) -> Story:
    """The story with everything recorded that is due."""
    *_, story = [vocabulary.given(), *told(history)]
    return story.when(time_passes(str(story.now + MINUTE)))


def booked_by_task(story: Story) -> dict[tuple[str, str], list[int]]:
    """What each month has booked of a task, over all its closings; what comes to nothing is left out."""
    sums: dict[tuple[str, str], list[int]] = {}
    for month, booked in story.account.months.items():
        for (task_id, _), figures in booked.closings.items():
            row = sums.setdefault((month, task_id), [0, 0, 0])
            row[:] = [mine + more for mine, more in zip(row, figures, strict=True)]
    return {key: row for key, row in sums.items() if any(row)}


@some_history
def test_a_correction_that_changes_nothing_changes_nothing(history: list[Numbers]):
    story = at_rest(history)
    before = NaiveLedger(line.event() for line in story.recorded)
    state, booked = (lots(story.account), charges(story.account)), booked_by_task(story)
    months = {month: of.balance_minutes for month, of in story.account.months.items() if of.balance_minutes}
    for closing in standing(story):
        story.when(corrected_to(closing, closing.worked_minutes, str(story.now)))
        (corrected,) = story.latest
        assert isinstance(corrected, TaskCorrected)
        assert corrected.only_difference
        assert (corrected.draws, corrected.returned, corrected.compensation, corrected.owed_minutes) == (
            (),
            (),
            None,
            0,
        )
        assert corrected.amount_kopecks == corrected.corrected_amount_kopecks
    after = NaiveLedger(line.event() for line in story.recorded)
    for at in sorted(before.instants() | {story.now, story.now + 1000 * DAY}):
        assert before.balance_at(at) == after.balance_at(at)
        assert before.balance_at(at - INSTANT) == after.balance_at(at - INSTANT)
    assert (lots(story.account), charges(story.account)) == state
    assert booked_by_task(story) == booked
    assert {month: of.balance_minutes for month, of in story.account.months.items() if of.balance_minutes} == months


@some_history
def test_a_correction_by_some_minutes_moves_so_many(history: list[Numbers]):
    story = at_rest(history)
    for number, closing in enumerate(standing(story)):
        worked = max(10, closing.worked_minutes + pick((-600, -10, 10, 600), number + len(history)))
        balance = story.account.balance_minutes
        story.when(corrected_to(closing, worked, str(story.now)))
        (corrected, *_) = story.latest
        assert isinstance(corrected, TaskCorrected)
        moved = corrected.coefficient * worked - closing.charged_minutes
        back = sum(part.minutes for part in corrected.returned) + corrected.cancelled_owed_minutes
        back += corrected.compensation.minutes if corrected.compensation else 0
        assert moved == sum(draw.minutes for draw in corrected.draws) + corrected.owed_minutes - back
        from_forfeitures = Counter[bool]()
        for draw in corrected.draws:
            from_forfeitures[draw.released] += draw.minutes
        for part in corrected.returned:
            from_forfeitures[part.forfeited] -= part.minutes
        if len(story.latest) == 1:
            assert story.account.balance_minutes == balance - moved + from_forfeitures[True]


@some_history
def test_a_refund_takes_what_is_left_and_parts_its_money(history: list[Numbers]):
    story = at_rest(history)
    for lot in [lot for lot in story.account.lots.values() if lot.live_minutes]:
        agreed = pick((None, 0, lot.unbooked_kopecks // 3), len(lot.lot_id) + lot.left_minutes)
        balance = story.account.balance_minutes
        story.when(refund(lot.lot_id, agreed, on=str(story.now)))
        (refunded, *_) = story.latest
        assert isinstance(refunded, PackageRefunded)
        assert refunded.refunded_minutes == lot.left_minutes == balance - story.account.balance_minutes
        assert refunded.refunded_kopecks + refunded.retained_kopecks == lot.price_kopecks - lot.booked_kopecks
        assert refunded.refunded_kopecks == (lot.unbooked_kopecks if agreed is None else agreed)
        assert story.account.lots[lot.lot_id].live_minutes == 0
        assert not [package for package in story.account.packages.values() if package.successor_id == lot.lot_id]
