"""What moves no hours, in words: plans, the customer's data, suspensions and months."""

from collections.abc import Iterator
from typing import Any, Protocol

from contracts.events import (
    CustomerChanged,
    Event,
    MonthClosed,
    MonthReopened,
    PlanDropped,
    TaskPlanned,
    WorkResumed,
    WorkSuspended,
)
from services.documents.formats import Formats


class Language(Protocol):
    """The phrases of one language, and how it writes quantities."""

    formats: Formats

    def say(self, phrase: str, **values: Any) -> str:
        """A phrase with its values."""
        ...


def without_hours(event: Event, to: Language) -> str:
    """The event in a sentence; TypeError for one that a story does not know."""
    name = type(event).__name__
    match event:
        case CustomerChanged():
            return to.say(name, day=to.formats.short_day(event.effective_on), what=", ".join(_changed(event, to)))
        case TaskPlanned():
            return _planned(event, to)
        case PlanDropped():
            return to.say(name, task=event.task_id, reason=event.reason)
        case WorkSuspended():
            return to.say(name, reason=event.reason)
        case WorkResumed():
            unsaid = to.say("by_itself" if event.automatic else "at_will")
            return to.say(name, reason=event.reason or unsaid)
        case MonthClosed():
            return to.say(name, month=to.formats.month(event.month))
        case MonthReopened():
            return to.say(name, month=to.formats.month(event.month), reason=event.reason)
        case _:
            raise TypeError(f"a story does not know the event {name}")


def _changed(event: CustomerChanged, to: Language) -> Iterator[str]:
    """What of the customer's data is new; requisites are named, not repeated."""
    day = event.contract_date and to.formats.long_day(event.contract_date)
    news = {"customer_name": event.customer_name, "contract_number": event.contract_number, "contract_date": day}
    yield from (to.say(name, value=value) for name, value in news.items() if value)
    if event.customer_requisites:
        yield to.say("customer_requisites")


def _planned(event: TaskPlanned, to: Language) -> str:
    clock = to.formats.clock
    return to.say(
        "TaskPlanned", task=event.task_id, title=event.title, estimate=clock(event.estimated_minutes),
        category=to.formats.words[event.category].lower(), planned=clock(event.planned_minutes),
        k=to.formats.coefficient(str(event.coefficient)),
    )  # fmt: skip
