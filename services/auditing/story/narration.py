"""A step in words: one sentence of what happened, and below it how it was paid for, with every price."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, NamedTuple

from contracts.events import (
    AccountOpened,
    CustomerChanged,
    DebtPaid,
    DebtSettled,
    Draw,
    Event,
    HoursCarriedOver,
    MonthClosed,
    MonthReopened,
    PackageExpired,
    PackagePurchased,
    PlanDropped,
    Returned,
    Reversal,
    TaskClosed,
    TaskPlanned,
    WorkResumed,
    WorkSuspended,
)
from contracts.quantities import SELLER_ZONE, rounded_division
from services.auditing.story.phrases import phrases
from services.auditing.story.prices import Agreed, Prices
from services.auditing.story.steps import Step
from services.documents.formats import Formats, day_of


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
            case TaskClosed():
                yield from self._closed(event, prices)
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
                yield self._without_hours(event)

    def _without_hours(self, event: Event) -> str:
        """What moves no hours."""
        name = type(event).__name__
        match event:
            case CustomerChanged():
                return self.say(name, day=self.day(event.effective_on), what=", ".join(self._changed(event)))
            case TaskPlanned():
                return self._planned(event)
            case PlanDropped():
                return self.say(name, task=event.task_id, reason=event.reason)
            case WorkSuspended():
                return self.say(name, reason=event.reason)
            case WorkResumed():
                unsaid = self.say("by_itself" if event.automatic else "at_will")
                return self.say(name, reason=event.reason or unsaid)
            case MonthClosed():
                return self.say(name, month=self.formats.month(event.month))
            case MonthReopened():
                return self.say(name, month=self.formats.month(event.month), reason=event.reason)
            case _:
                raise TypeError(f"a story does not know the event {name}")

    def _changed(self, event: CustomerChanged) -> Iterator[str]:
        """What of the customer's data is new; requisites are named, not repeated."""
        day = event.contract_date and self.formats.long_day(event.contract_date)
        news = {"customer_name": event.customer_name, "contract_number": event.contract_number, "contract_date": day}
        yield from (self.say(name, value=value) for name, value in news.items() if value)
        if event.customer_requisites:
            yield self.say("customer_requisites")

    def _planned(self, event: TaskPlanned) -> str:
        clock = self.formats.clock
        return self.say(
            "TaskPlanned", task=event.task_id, title=event.title, estimate=clock(event.estimated_minutes),
            category=self.formats.words[event.category].lower(), planned=clock(event.planned_minutes),
            k=self.formats.coefficient(str(event.coefficient)),
        )  # fmt: skip

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

    def _closed(self, event: TaskClosed, prices: Agreed) -> Iterator[str]:
        clock = self.formats.clock
        yield self.say(
            "TaskClosed", task=event.task_id, title=event.title, worked=clock(event.worked_minutes),
            category=self.formats.words[event.category].lower(), charged=clock(event.charged_minutes),
            k=self.formats.coefficient(str(event.coefficient)),
        )  # fmt: skip
        if event.kind == "specification":
            yield self.say("specification")
        if not event.charged_minutes:
            yield self.say("for_nothing")
        for draw in event.draws:
            yield self._part(draw, prices)
        if event.owed_minutes:
            yield self.say("owed", minutes=clock(event.owed_minutes))

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
        clock, money = self.formats.clock, self.formats.money
        yield self.say(type(event).__name__, task=event.task_id, reason=event.reason)
        for back in event.returned:
            yield self._back(back)
        if event.cancelled_owed_minutes:
            yield self.say("cancelled", minutes=clock(event.cancelled_owed_minutes))
        if given := event.compensation:
            yield self.say(
                "compensation", package=given.package_id, minutes=clock(given.minutes),
                money=money(given.amount_kopecks), through=self.through(given.ends_at),
            )  # fmt: skip
        if not (event.returned or event.cancelled_owed_minutes or event.compensation):
            yield self.say("nothing_to_undo")

    def _back(self, back: Returned) -> str:
        phrase = "returned_forfeited" if back.forfeited else "returned_settlement" if back.settlement else "returned"
        minutes, amount = self.formats.clock(back.minutes), self.formats.money(back.amount_kopecks)
        return self.say(phrase, lot=back.lot_id, minutes=minutes, money=amount)
