"""A task's story as data: its facts put in order, with nothing worked out that the events state (rules 5, 6, 8)."""

from collections.abc import Sequence
from typing import Any, TypeVar

from contracts.events import (
    ClosingFacts,
    Compensation,
    DebtPaid,
    DebtSettled,
    Draw,
    Returned,
    Reversal,
    TaskCorrected,
    WarrantyMarked,
)
from contracts.quantities import decimal_hours, hours_column
from contracts.tasks import (
    ReversalKind,
    TaskClosing,
    TaskCoefficient,
    TaskCompensation,
    TaskDraw,
    TaskExplanation,
    TaskMark,
    TaskPayment,
    TaskReturn,
    TaskReversal,
    TaskSettlement,
    TaskTakenOver,
)
from services.documents import Lang
from services.projections.tasks.packages import Fact, Packages
from services.projections.tasks.plans import estimate, standing_plan
from services.projections.tasks.sentences import closing_explained, task_explained

Part = TypeVar("Part", TaskSettlement, TaskPayment)


def explain(facts: Sequence[Fact], packages: Packages, lang: Lang, **asked: Any) -> TaskExplanation:
    """The explanation of the task that the facts are about, in the order of recording.

    `asked`: the fields that say which task, as known when.
    """
    closings = tuple(_closing(fact, facts, packages, lang) for fact in facts if isinstance(fact.event, ClosingFacts))
    last = next((fact.event for fact in reversed(facts) if isinstance(fact.event, ClosingFacts | Reversal)), None)
    charged = sum(closing.charged_minutes_now for closing in closings)
    # A mark leaves a task as it was: closed with nothing charged, or not closed yet (rule 8.5).
    closed = isinstance(last, ClosingFacts) or (isinstance(last, WarrantyMarked) and last.closure is not None)
    explained = TaskExplanation(
        closed=closed,
        warranty_mark=_mark(facts),
        plan=standing_plan(facts),
        closings=closings,
        charged_minutes_now=charged,
        charged_hours_now=decimal_hours(charged),
        owed_minutes_now=sum(closing.owed_minutes_now for closing in closings),
        amount_kopecks_now=sum(closing.amount_kopecks_now for closing in closings),
        explanation="",
        **asked,
    )
    return explained.model_copy(update={"explanation": task_explained(explained, lang)})


def _mark(facts: Sequence[Fact]) -> TaskMark | None:
    """A task is marked once (rule 8.5)."""
    marks = [
        TaskMark(reason=fact.event.reason, recorded_at=fact.recorded_at, actor=fact.actor)
        for fact in facts
        if isinstance(fact.event, WarrantyMarked)
    ]
    return marks[0] if marks else None


def _closing(fact: Fact, facts: Sequence[Fact], packages: Packages, lang: Lang) -> TaskClosing:
    event = fact.event
    assert isinstance(event, ClosingFacts)
    settlements, payments, reversals = _what_became_of(fact, facts, packages)
    before = [earlier for earlier in facts if earlier.position < fact.position]
    mark = _mark(before)
    closing = TaskClosing(
        closure=event.closure,
        title=event.title,
        kind=event.kind,
        package_use_agreed_at=event.package_use_agreed_at,
        evidence=event.evidence,
        estimated_minutes=estimate(before),
        coefficient=_coefficient(event),
        worked_minutes=event.worked_minutes,
        worked_hours=decimal_hours(event.worked_minutes),
        charged_minutes=event.charged_minutes,
        charged_hours=decimal_hours(event.charged_minutes),
        closed_at=event.closed_at,
        confirmed_at=event.confirmed_at,
        confirmed_by=event.confirmed_by,
        effective_at=event.effective_at,
        effective_when="confirmed" if event.confirmed_at > event.closed_at else "closed",
        recorded_at=fact.recorded_at,
        actor=fact.actor,
        booking_month=event.booking_month,
        corrects_closure=event.corrected_closure if isinstance(event, TaskCorrected) else None,
        taken_over=_taken_over(event, packages),
        draws=tuple(
            TaskDraw(**_given(draw, hours, packages, draw.effective_at or event.effective_at))
            for draw, hours in _with_hours(event.draws)
        ),
        released_minutes=sum(draw.minutes for draw in event.draws if draw.released),
        owed_minutes=_owed(event),
        settlements=settlements,
        payments=payments,
        reversals=reversals,
        **_now(event, settlements, payments, reversals),
        explanation="",
    )
    return closing.model_copy(update={"explanation": closing_explained(closing, mark, lang)})


def _taken_over(event: ClosingFacts, packages: Packages) -> tuple[TaskTakenOver, ...]:
    parts = event.taken_over if isinstance(event, TaskCorrected) else ()
    return tuple(
        TaskTakenOver(
            hours=hours,
            compensates_task_id=part.lot_id and packages.lot(part.lot_id).compensates_task_id,
            **part.model_dump(exclude={"hour_price_kopecks"}),
        )
        for part, hours in _with_hours(parts)
    )


def _owed(event: ClosingFacts) -> int:
    """What it owed when it was recorded, taken over or anew."""
    return event.owed_minutes + (event.taken_over_owed_minutes if isinstance(event, TaskCorrected) else 0)


def _coefficient(event: ClosingFacts) -> TaskCoefficient:
    return TaskCoefficient(
        coefficient=str(event.coefficient),
        category=event.category,
        warranty_mark=event.warranty,
        started_at=event.started_at,
        urgency_agreed_at=event.urgency_agreed_at,
        off_hours_requested_at=event.off_hours_requested_at,
        terms_version=event.terms_version,
    )


def _what_became_of(
    closing: Fact, facts: Sequence[Fact], packages: Packages
) -> tuple[tuple[TaskSettlement, ...], tuple[TaskPayment, ...], tuple[TaskReversal, ...]]:
    """How its debt was settled and paid, and how it was taken back."""
    assert isinstance(closing.event, ClosingFacts)
    number = closing.event.closure
    settlements: list[TaskSettlement] = []
    payments: list[TaskPayment] = []
    reversals: list[TaskReversal] = []
    for fact in facts:
        match fact.event:
            case DebtSettled(closure=of) as settled if of == number:
                given = _given(settled, "", packages, settled.effective_at)
                times = {"effective_at": settled.effective_at, "booking_month": settled.booking_month}
                settlements.append(TaskSettlement(**given, **times, cause=packages.cause(fact, closing)))
            case DebtPaid() as paid:
                payments += _payments(paid, number)
            case Reversal(closure=of) | TaskCorrected(corrected_closure=of) if of == number:
                reversals.append(_reversal(fact))
            case _:
                pass
    return _as_column(settlements), _as_column(payments), tuple(reversals)


def _now(
    event: ClosingFacts,
    settlements: Sequence[TaskSettlement],
    payments: Sequence[TaskPayment],
    reversals: Sequence[TaskReversal],
) -> dict[str, int]:
    """What a closing charges, owes and costs, after all that became of it; nothing once it was taken back (rule 8)."""
    if reversals:
        return {"charged_minutes_now": 0, "owed_minutes_now": 0, "amount_kopecks_now": 0}
    paid = (*settlements, *payments)
    return {
        "charged_minutes_now": event.charged_minutes,
        "owed_minutes_now": _owed(event) - sum(part.minutes for part in paid),
        "amount_kopecks_now": _amount(event) + sum(part.amount_kopecks for part in paid),
    }


def _amount(event: ClosingFacts) -> int:
    """The money of what it drew, and of all that it took over."""
    return event.amount_kopecks if isinstance(event, TaskCorrected) else sum(d.amount_kopecks for d in event.draws)


def _with_hours(parts: Sequence[Any]) -> list[tuple[Any, str]]:
    """Parts of one sum, with hours that add up (rule 1.3)."""
    return list(zip(parts, hours_column([part.minutes for part in parts]), strict=True))


def _as_column(parts: Sequence[Part]) -> tuple[Part, ...]:
    """A table of its own, whose hours add up to its rounded total (rule 1.3)."""
    return tuple(part.model_copy(update={"hours": hours}) for part, hours in _with_hours(parts))


def _given(given: Draw | DebtSettled, hours: str, packages: Packages, at: Any) -> dict[str, Any]:
    lot, holder = packages.lot(given.lot_id), packages.holder(given.lot_id, at)
    return {
        "lot_id": lot.lot_id,
        "plan": lot.plan,
        "agreed_minutes": lot.agreed_minutes,
        "compensates_task_id": lot.compensates_task_id,
        "lot_starts_at": lot.starts_at,
        "package_id": holder.package_id,
        "package_ends_at": holder.ends_at,
        "minutes": given.minutes,
        "hours": hours,
        "amount_kopecks": given.amount_kopecks,
        "released": given.released,
    }


def _payments(paid: DebtPaid, closure: int) -> list[TaskPayment]:
    return [
        TaskPayment(
            minutes=payment.minutes,
            hours="",
            amount_kopecks=payment.amount_kopecks,
            hour_price_kopecks=paid.hour_price_kopecks,
            payment_reference=paid.payment_reference,
            paid_at=paid.paid_at,
            effective_at=paid.effective_at,
            booking_month=paid.booking_month,
        )
        for payment in paid.payments
        if payment.closure == closure
    ]


def _reversal(fact: Fact) -> TaskReversal:
    event = fact.event
    assert isinstance(event, Reversal | TaskCorrected)
    kind: ReversalKind = "warranty" if isinstance(event, WarrantyMarked) else "reopening"
    month, by = event.booking_month, None
    if isinstance(event, TaskCorrected):
        kind, month, by = "correction", event.corrected_booking_month, event.closure
    return TaskReversal(
        kind=kind,
        corrected_by_closure=by,
        reason=event.reason,
        recorded_at=fact.recorded_at,
        actor=fact.actor,
        effective_at=event.undone_at,
        booking_month=month,
        returned=tuple(_return(back, hours) for back, hours in _with_hours(event.returned)),
        cancelled_owed_minutes=event.cancelled_owed_minutes,
        compensation=event.compensation and _compensation(event.compensation),
    )


def _return(back: Returned, hours: str) -> TaskReturn:
    return TaskReturn(hours=hours, **back.model_dump())


def _compensation(given: Compensation) -> TaskCompensation:
    return TaskCompensation(hours=decimal_hours(given.minutes), **given.model_dump())
