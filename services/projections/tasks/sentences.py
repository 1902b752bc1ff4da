"""A task's explanation as plain sentences for the customer: what counts, why so much, who paid, and what stands."""

import re
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import pairwise
from typing import Any

from contracts.events import Evidence
from contracts.quantities import COMMITMENT_FORM, SELLER_ZONE, month_of
from contracts.tasks import (
    TaskClosing,
    TaskDraw,
    TaskExplanation,
    TaskMark,
    TaskPayment,
    TaskPlan,
    TaskReversal,
    TaskSettlement,
    TaskTakenOver,
)
from services.documents import Lang
from services.documents.formats import Formats, day_of
from services.documents.numerals import HOURS, MINUTES
from services.projections.tasks.wording import wording

_NO_BREAK = "\N{NO-BREAK SPACE}"


def closing_explained(closing: TaskClosing, mark: TaskMark | None, lang: Lang) -> str:
    """One closing. `mark`: the warranty mark that the task had by then."""
    return " ".join(_Sentences(lang).closing(closing, mark))


def task_explained(task: TaskExplanation, lang: Lang) -> str:
    """All closings, one after another, and how the task stands now."""
    sentences = _Sentences(lang)
    said = [closing.explanation for closing in task.closings]
    if task.closings or task.warranty_mark or not task.plan:
        said.append(sentences.standing(task))
    if task.plan:
        said.append(sentences.planned(task.plan))
    return " ".join(said)


@dataclass(frozen=True)
class _Sentences:
    lang: Lang

    @cached_property
    def _words(self) -> dict[str, str]:
        return wording(self.lang)

    @cached_property
    def _formats(self) -> Formats:
        return Formats(self.lang)

    def _say(self, expression: str, **what: Any) -> str:
        return self._words[expression].format_map(what)

    def closing(self, closing: TaskClosing, mark: TaskMark | None) -> list[str]:
        said = [self._closed(closing), self._coefficient(closing, mark), self._charged(closing)]
        if closing.package_use_agreed_at and closing.kind == "specification":
            said.append(self._say("specification", agreed=self._day(closing.package_use_agreed_at)))
        if closing.evidence:
            said.append(self._evidence(closing.evidence))
        if closing.estimated_minutes is not None:
            said.append(self._say("estimated", estimate=self._time(closing.estimated_minutes)))
        said += [self._taken_over(closing)] if closing.taken_over else []
        said += [self._drawn(closing)] if closing.draws else []
        if closing.released_minutes:
            said.append(self._say("released", minutes=self._time(closing.released_minutes)))
        if closing.owed_minutes:
            owed = "owed_rest" if closing.draws or closing.taken_over else "owed_all"
            said.append(self._say(owed, owed=self._time(closing.owed_minutes)))
        said += [self._report(closing), *self._debt_paid(closing)]
        return said + [sentence for reversal in closing.reversals for sentence in self._taken_back(reversal, closing)]

    def _closed(self, closing: TaskClosing) -> str:
        closed, confirmed = self._day(closing.closed_at), self._day(closing.confirmed_at)
        how = "at_once" if closed == confirmed else "then_confirmed"
        by = self._say("by", name=name) if (name := _shown(closing.confirmed_by)) else ""
        again = "corrected" if closing.corrects_closure else "again" if closing.closure > 1 else "closed"
        numbers = {"closure": closing.closure, "corrects": closing.corrects_closure}
        if how == "at_once" and not by:
            closed = closed.removesuffix(".")  # a Russian date that ends a sentence has its full stop already
        return self._say(f"{again}_{how}", title=closing.title, closed=closed, confirmed=confirmed, by=by, **numbers)

    def _coefficient(self, closing: TaskClosing, mark: TaskMark | None) -> str:
        why = closing.coefficient
        k = self._formats.coefficient(why.coefficient)
        if mark and why.warranty_mark:
            return self._say("warranty_mark", k=k, marked=self._day(mark.recorded_at), reason=mark.reason)
        agreed, requested, started = why.urgency_agreed_at, why.off_hours_requested_at, why.started_at
        first = agreed or requested
        moments = {"agreed": agreed, "requested": requested, "started": started}
        return self._say(why.category, k=k, **{name: self._moment(at, first) for name, at in moments.items()})

    def _charged(self, closing: TaskClosing) -> str:
        worked, charged = closing.worked_minutes, closing.charged_minutes
        how = "worked" if not charged else "worked_and_charged" if charged == worked else "worked_times_k"
        k = self._formats.coefficient(closing.coefficient.coefficient)
        return self._say(how, worked=self._time(worked), charged=self._time(charged), k=k)

    def _evidence(self, evidence: Evidence) -> str:
        seconds = f"{evidence.raw_seconds:,}".replace(",", _NO_BREAK)
        rounding = self._say(f"rounding_{evidence.rounding}") if evidence.rounding else ""
        told = {"source": evidence.source, "entries": evidence.entries, "hash": evidence.entries_hash}
        return self._say("evidence", seconds=seconds, rounding=rounding, **told)

    def _taken_over(self, closing: TaskClosing) -> str:
        minutes = sum(part.minutes for part in closing.taken_over)
        money = sum(part.amount_kopecks for part in closing.taken_over)
        amount = self._say("amount", minutes=self._time(minutes), money=self._formats.money(money))
        return self._say("taken_over", amount=amount, corrects=closing.corrects_closure)

    def _drawn(self, closing: TaskClosing) -> str:
        if len(closing.draws) == 1:
            (draw,) = closing.draws
            return self._say("drawn_from_one", lot_of=self._lot(draw, "_of"), amount=self._amount(draw))
        draws = [self._say("draw", lot=self._lot(draw), amount=self._amount(draw)) for draw in closing.draws]
        together = any(one.package_ends_at == after.package_ends_at for one, after in pairwise(closing.draws))
        return self._say("drawn_by_start" if together else "drawn_by_end", draws=self._words["then"].join(draws))

    def _amount(self, part: Any) -> str:
        return self._say("amount", minutes=self._time(part.minutes), money=self._formats.money(part.amount_kopecks))

    def _lot(self, draw: TaskDraw, case: str = "") -> str:
        """A lot with its terms: its size, and until when it is valid or in whose hands."""
        plan = [self._formats.size(draw.plan, draw.agreed_minutes)] if draw.plan else []
        held = "valid" if draw.package_id == draw.lot_id else "carried"
        terms = self._say(held, holder=draw.package_id, through=self._formats.through(draw.package_ends_at))
        return f"{self._name(draw, case)} ({', '.join([*plan, terms])})"

    def _name(self, draw: TaskDraw | TaskTakenOver, case: str) -> str:
        kind = "compensation" if draw.compensates_task_id else "package"
        noun = self._words[f"noun_{kind}{case}"]
        return self._say(kind, noun=noun, lot=draw.lot_id, task=draw.compensates_task_id)

    def _report(self, closing: TaskClosing) -> str:
        booked, effective = closing.booking_month, month_of(closing.effective_at)
        months = {"month": self._formats.month(booked), "effective_month": self._formats.month(effective)}
        return self._say("report" if booked == effective else "correction", **months)

    def _debt_paid(self, closing: TaskClosing) -> list[str]:
        """Settlements and payments in the order in which they took effect."""
        parts = sorted((*closing.settlements, *closing.payments), key=lambda part: part.effective_at)
        return [self._debt_paid_by(part, whole=part.minutes == closing.owed_minutes) for part in parts]

    def _debt_paid_by(self, part: TaskSettlement | TaskPayment, *, whole: bool) -> str:
        debt = "the_debt" if whole else "part_of_the_debt"
        said = {"day": self._day(part.effective_at), "debt": self._words[debt], "amount": self._amount(part)}
        if isinstance(part, TaskPayment):
            return self._say(
                "paid",
                paid=self._words[f"paid_{debt}"],
                minutes=self._time(part.minutes),
                price=self._formats.money(part.hour_price_kopecks),
                money=self._formats.money(part.amount_kopecks),
                reference=part.payment_reference,
                **said,
            )
        said |= {"settled": self._words[f"settled_{debt}"], "lot_of": self._lot(part, "_of")}
        settled = self._say(_why(part), package=part.cause.package_id, task=part.cause.task_id, **said)
        return f"{settled} {self._words['settled_released']}" if part.released else settled

    def _taken_back(self, reversal: TaskReversal, closing: TaskClosing) -> list[str]:
        """Why, and where everything went."""
        lots = {part.lot_id: part for part in (*closing.taken_over, *closing.draws, *closing.settlements)}
        parts: list[str] = []
        for back in reversal.returned:
            how = "forfeited_again" if back.forfeited else "returned"
            names = {f"lot{case}": self._name(lots[back.lot_id], case) for case in ("_of", "_into")}
            parts.append(self._say(how, amount=self._amount(back), **names))
        if reversal.cancelled_owed_minutes:
            parts.append(self._say("cancelled", minutes=self._time(reversal.cancelled_owed_minutes)))
        if given := reversal.compensation:
            through = self._formats.through(given.ends_at)
            parts.append(self._say(_why_compensated(reversal, closing), amount=self._amount(given), through=through))
        what = "taken_back" if parts or reversal.corrected_by_closure else "nothing_taken"
        day = self._day(reversal.recorded_at)
        other = reversal.corrected_by_closure
        return [self._say(f"{what}_{reversal.kind}", day=day, reason=reversal.reason, other=other), *parts]

    def standing(self, task: TaskExplanation) -> str:
        if not task.closings:
            if not (mark := task.warranty_mark):
                return self._words["stands_unplanned"]
            marked, reason = self._day(mark.recorded_at), mark.reason
            return self._say("not_closed_marked", task=task.task_id, marked=marked, reason=reason)
        if not task.closed:
            return self._words["stands_reopened"]
        charged, owed = task.charged_minutes_now, task.owed_minutes_now
        how = (
            "stands_nothing" if not charged else "stands" if not owed
            else "stands_all_owed" if owed == charged else "stands_owing"
        )  # fmt: skip
        money = self._formats.money(task.amount_kopecks_now)
        return self._say(how, charged=self._time(charged), owed=self._time(owed), money=money)

    def planned(self, plan: TaskPlan) -> str:
        """What the task is expected to take."""
        estimate, planned = self._time(plan.estimated_minutes), self._time(plan.planned_minutes)
        return self._say("planned", day=self._day(plan.recorded_at), estimate=estimate, planned=planned)

    def _time(self, minutes: int) -> str:
        """`1 час 30 минут`, `2 hours`."""
        hours, rest = divmod(minutes, 60)
        parts = [(hours, HOURS[self.lang])] if hours else []
        parts += [(rest, MINUTES[self.lang])] if rest or not hours else []
        return " ".join(f"{number}{_NO_BREAK}{noun.beside(number)}" for number, noun in parts)

    def _day(self, instant: datetime) -> str:
        return self._formats.long_day(day_of(instant))

    def _moment(self, instant: datetime | None, first: datetime | None) -> str:
        """A day and the seller's time of day; the time alone on the day of the first moment that was named."""
        if instant is None or first is None:
            return ""
        day, time = self._day(instant), f"{instant.astimezone(SELLER_ZONE):%H:%M}"
        same_day = instant != first and day == self._day(first)
        return self._say("same_day" if same_day else "day_and_time", day=day, time=time)


def _shown(name: str | None) -> str | None:
    """A name, unless it is only a commitment to one: names stand apart, and may have been erased."""
    return None if name and re.fullmatch(COMMITMENT_FORM, name) else name


def _why(settlement: TaskSettlement) -> str:
    """The expression for what brought the hours that settled a debt."""
    cause = settlement.cause
    if cause.kind == "purchase":
        return "settled_bought" if cause.package_id == settlement.lot_id else "settled_purchase"
    compensated = cause.kind == "reversal" and settlement.compensates_task_id == cause.task_id
    return "settled_compensation" if compensated else f"settled_{cause.kind}"


def _why_compensated(reversal: TaskReversal, closing: TaskClosing) -> str:
    """The expression for what could not go back: paid in money, or drawn on a package that has ended (rule 8.2)."""
    if reversal.kind == "correction":
        return "compensated_correction"
    taken = sum(part.minutes for part in (*closing.draws, *closing.settlements))
    taken += sum(part.minutes for part in closing.taken_over if part.lot_id)
    paid = closing.payments or any(part.lot_id is None for part in closing.taken_over)
    expired = taken > sum(back.minutes for back in reversal.returned)
    return f"compensated_{'both' if expired and paid else 'expired' if expired else 'paid'}"
