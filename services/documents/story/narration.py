"""A step in words: one sentence of what happened, and below it how it was paid for, with every price."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, NamedTuple

from contracts.events import (
    AccountOpened,
    ClosingFacts,
    DebtPaid,
    DebtSettled,
    Draw,
    Event,
    HoursCarriedOver,
    PackageExpired,
    PackagePurchased,
    PackageRefunded,
    Returned,
    Reversal,
    TaskClosed,
    TaskCorrected,
)
from contracts.quantities import SELLER_ZONE, rounded_division
from services.documents.formats import Formats, day_of
from services.documents.story.administration import without_hours
from services.documents.story.phrases import phrases
from services.documents.story.prices import Agreed, Prices
from services.documents.story.step import Step


class Narrated(NamedTuple):
    """What happened, and the particulars below it."""

    sentence: str
    particulars: tuple[str, ...]


class Narrator:
    """Puts steps into sentences of one language."""

    def __init__(self, formats: Formats) -> None:
        self.formats = formats
        self.phrases = phrases(formats.lang)

    def narrate(self, step: Step) -> Narrated:
        """The step in words; where it counts from another day than that of its recording, it says so."""
        sentence, *particulars = self._tell(step.event, step.prices)
        if step.recorded_at is None:
            particulars.append(self.say("due"))
        elif day_of(step.recorded_at) != day_of(step.event.effective_at):
            particulars.append(self.say("counts", day=self.day(day_of(step.event.effective_at))))
        if step.actor:
            particulars.append(self.say("by", actor=step.actor))
        return Narrated(sentence, tuple(particulars))

    def say(self, phrase: str, **values: Any) -> str:
        """A phrase with its values."""
        return self.phrases[phrase].format(**values)

    def day(self, day: date) -> str:
        """A day in a table."""
        return self.formats.short_day(day)

    def day_of(self, step: Step) -> str:
        """The day on which it became known; of what is due, on which it will."""
        return self.day(day_of(step.recorded_at or step.event.effective_at))

    def moment(self, instant: datetime) -> str:
        """Day and time of day at the seller's."""
        return f"{self.day(day_of(instant))} {instant.astimezone(SELLER_ZONE):%H:%M}"

    def through(self, ends_at: datetime) -> str:
        """The last day on which hours can be used."""
        return self.formats.through(ends_at, short=True)

    def _tell(self, event: Event, prices: Agreed) -> Iterator[str]:
        clock, money = self.formats.clock, self.formats.money
        name = type(event).__name__
        match event:
            case AccountOpened():
                opened = self.formats.long_day(event.contract_date)
                yield self.say(name, customer=event.customer_name, number=event.contract_number, day=opened)
            case PackagePurchased():
                yield from self._bought(event)
            case PackageRefunded():
                yield from self._refunded(event)
            case TaskClosed():
                yield from self._closed(event, prices)
            case TaskCorrected():
                yield from self._corrected(event, prices)
            case DebtSettled():
                yield self.say(name, task=event.task_id, minutes=clock(event.minutes))
                yield self._part(event, prices)
            case DebtPaid():
                yield self.say(
                    name, minutes=clock(event.minutes), reference=event.payment_reference,
                    **self._money((event.hour_price_kopecks,), event.minutes, event.amount_kopecks),
                )  # fmt: skip
                for paid in event.payments:
                    minutes, amount = clock(paid.minutes), money(paid.amount_kopecks)
                    yield self.say("paid_part", task=paid.task_id, minutes=minutes, money=amount)
            case HoursCarriedOver() | PackageExpired():
                yield from self._ended(event)
            case Reversal():
                yield from self._taken_back(event)
            case _:
                yield without_hours(event, self)

    def _bought(self, event: PackagePurchased) -> Iterator[str]:
        money = self.formats.money
        yield self.say(
            "PackageAgreed" if event.agreed else "PackagePurchased",
            package=event.package_id, plan=self.formats.plan(event.plan), minutes=self.formats.clock(event.minutes),
            money=money(event.price_kopecks), rate=money(event.hour_price_kopecks), through=self.through(event.ends_at),
        )  # fmt: skip
        if event.agreed:
            yield self.say("agreed", reason=event.agreed.reason)
        if event.succeeds:
            yield self.say("takes_over", packages=", ".join(event.succeeds))
        if event.successor_package_id:
            yield self.say("hands_on", package=event.successor_package_id)

    def _refunded(self, event: PackageRefunded) -> Iterator[str]:
        money = self.formats.money
        yield self.say(
            "PackageRefunded", lot=event.lot_id, minutes=self.formats.clock(event.refunded_minutes),
            money=money(event.refunded_kopecks), reference=event.refund_reference, reason=event.reason,
        )  # fmt: skip
        if event.package_id != event.lot_id:
            yield self.say("held_by", package=event.package_id)
        if event.retained_kopecks:
            yield self.say("retained", money=money(event.retained_kopecks))
        for change in event.succeeded:
            phrase = "succeeded_by" if change.successor_package_id else "succeeded_by_none"
            yield self.say(phrase, package=change.package_id, heir=change.successor_package_id)

    def _closed(self, event: TaskClosed, prices: Agreed) -> Iterator[str]:
        yield self.say("TaskClosed", task=event.task_id, title=event.title, **self._charged(event))
        yield from self._work_of(event)
        yield from self._taken(event, prices)

    def _corrected(self, event: TaskCorrected, prices: Agreed) -> Iterator[str]:
        """What the closing is now and what it was, what of the old one stays, what went back, and what is new."""
        clock, money = self.formats.clock, self.formats.money
        yield self.say("TaskCorrected", task=event.task_id, title=event.title, **self._charged(event))
        closings = {"closure": event.closure, "corrected": event.corrected_closure}
        yield self.say("in_place_of", reason=event.reason, **closings)
        yield from self._work_of(event)
        if event.corrected_charged_minutes:
            was = clock(event.corrected_charged_minutes), money(event.corrected_amount_kopecks)
            yield self.say("corrected_was", minutes=was[0], money=was[1])
        if event.taken_over:
            minutes = sum(part.minutes for part in event.taken_over)
            amount = sum(part.amount_kopecks for part in event.taken_over)
            yield self.say("taken_over", minutes=clock(minutes), money=money(amount))
        if event.taken_over_owed_minutes:
            yield self.say("taken_over_owed", minutes=clock(event.taken_over_owed_minutes))
        yield from self._undone(event)
        yield from self._taken(event, prices)

    def _charged(self, event: ClosingFacts) -> dict[str, str]:
        clock = self.formats.clock
        return {
            "worked": clock(event.worked_minutes),
            "category": self.formats.words[event.category].lower(),
            "charged": clock(event.charged_minutes),
            "k": self.formats.coefficient(str(event.coefficient)),
        }

    def _work_of(self, event: ClosingFacts) -> Iterator[str]:
        if event.kind == "specification":
            yield self.say("specification")
        if not event.charged_minutes:
            yield self.say("for_nothing")

    def _taken(self, event: ClosingFacts, prices: Agreed) -> Iterator[str]:
        for draw in event.draws:
            yield self._part(draw, prices)
            if draw.effective_at and draw.effective_at != event.effective_at:
                yield self.say("draw_counts", day=self.day(day_of(draw.effective_at)))
        if event.owed_minutes:
            yield self.say("owed", minutes=self.formats.clock(event.owed_minutes))

    def _part(self, part: Draw | DebtSettled, prices: Agreed) -> str:
        """Minutes of a lot at its price; the money follows rule 4.4, so that all of a lot's adds up to its price."""
        agreed = prices.of(part.lot_id)
        phrase = ("released" if part.released else "drawn") + ("" if agreed else "_agreed")
        return self.say(
            phrase, lot=part.lot_id, minutes=self.formats.clock(part.minutes),
            **self._money(agreed, part.minutes, part.amount_kopecks),
        )  # fmt: skip

    def _money(self, prices: Prices, minutes: int, amount_kopecks: int) -> dict[str, str]:
        """Price and money, and whether one follows from the other to the kopeck."""
        money = self.formats.money
        exact = len(prices) == 1 and rounded_division(prices[0] * minutes, 60) == amount_kopecks
        rate = " / ".join(money(price) for price in prices)
        return {"rate": rate, "equals": "=" if exact else "≈", "money": money(amount_kopecks)}

    def _ended(self, event: HoursCarriedOver | PackageExpired) -> Iterator[str]:
        clock, money = self.formats.clock, self.formats.money
        if isinstance(event, HoursCarriedOver):
            yield self.say(
                "reclaimed" if event.reclaimed else "HoursCarriedOver", minutes=clock(event.minutes),
                former=event.from_package_id, heir=event.to_package_id, through=self.through(event.ends_at),
            )  # fmt: skip
        elif event.carried_to:
            yield self.say("expired_carried", package=event.package_id, heir=event.carried_to)
        elif not event.lots:
            yield self.say("expired_empty", package=event.package_id)
        else:
            forfeited, amount = clock(event.forfeited_minutes), money(event.forfeited_amount_kopecks)
            yield self.say("PackageExpired", package=event.package_id, minutes=forfeited, money=amount)
        for share in event.lots if len(event.lots) > 1 or isinstance(event, HoursCarriedOver) else ():
            yield self.say("share", lot=share.lot_id, minutes=clock(share.minutes), money=money(share.amount_kopecks))

    def _taken_back(self, event: Reversal) -> Iterator[str]:
        yield self.say(type(event).__name__, task=event.task_id, reason=event.reason)
        undone = list(self._undone(event))
        yield from undone or [self.say("nothing_to_undo")]

    def _undone(self, event: Reversal | TaskCorrected) -> Iterator[str]:
        clock, money = self.formats.clock, self.formats.money
        for back in event.returned:
            yield self._back(back)
        if event.cancelled_owed_minutes:
            yield self.say("cancelled", minutes=clock(event.cancelled_owed_minutes))
        if given := event.compensation:
            yield self.say(
                "compensation", package=given.package_id, minutes=clock(given.minutes),
                money=money(given.amount_kopecks), through=self.through(given.ends_at),
            )  # fmt: skip

    def _back(self, back: Returned) -> str:
        phrase = "returned_forfeited" if back.forfeited else "returned_settlement" if back.settlement else "returned"
        minutes, amount = self.formats.clock(back.minutes), self.formats.money(back.amount_kopecks)
        return self.say(phrase, lot=back.lot_id, minutes=minutes, money=amount)
