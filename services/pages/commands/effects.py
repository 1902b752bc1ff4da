"""What a command would record, for people: each event with its figures, the balance before and after."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any, Literal, NamedTuple

from contracts.envelope import Recorded
from contracts.events import EVENT_TYPES, Event
from contracts.read_models import AccountView
from services.pages.visit import Visit

Unit = Literal["text", "time", "money", "moment", "last_day", "day", "month", "category", "work"]

FACTS: Mapping[str, Unit] = {
    "task_id": "text", "package_id": "text", "lot_id": "text", "title": "text", "kind": "work", "category": "category",
    "plan": "text", "minutes": "time", "price_kopecks": "money", "ends_at": "last_day",
    "estimated_minutes": "time", "planned_minutes": "time", "worked_minutes": "time", "coefficient": "text",
    "charged_minutes": "time", "owed_minutes": "time", "cancelled_owed_minutes": "time", "amount_kopecks": "money",
    "forfeited_minutes": "time", "forfeited_amount_kopecks": "money",
    "from_package_id": "text", "to_package_id": "text",
    "refunded_minutes": "time", "refunded_kopecks": "money", "retained_kopecks": "money",
    "customer_name": "text", "contract_number": "text", "contract_date": "day", "effective_on": "day",
    "month": "month", "effective_at": "moment", "booking_month": "month",
}  # fmt: skip
"""Fields of events that are shown, in this order, and how."""

MOVES = ("draws", "returned", "payments", "lots")


class Fact(NamedTuple):
    """A figure of an event: the name of its label, and the figure as it is written."""

    word: str
    text: str


class Happening(NamedTuple):
    """An event as a person reads it; `moves`: lots that give or get, each with its hours and money."""

    word: str
    facts: tuple[Fact, ...]
    moves: tuple[str, ...]


class Effects(NamedTuple):
    """`before` and `after`: the balance in minutes."""

    happenings: tuple[Happening, ...]
    before: int
    after: int


def effects_of(answer: Mapping[str, Any], account: AccountView | None, visit: Visit) -> Effects:
    """Of a dry run's answer, beside how the account stands."""
    recorded = Recorded.model_validate(answer)
    events = [(line.type, EVENT_TYPES[line.type].model_validate(line.data)) for line in recorded.events]
    happenings = tuple(_happening(name, event, visit) for name, event in events)
    before = account.balance_minutes if account else 0
    return Effects(happenings, before, recorded.balance.balance_minutes)


def _happening(name: str, event: Event, visit: Visit) -> Happening:
    facts = tuple(Fact(f"fact_{field}", text) for field, text in _facts(event, visit))
    return Happening(f"happens_{name}", facts, tuple(_moves(event, visit)))


def _facts(event: Event, visit: Visit) -> Iterator[tuple[str, str]]:
    for field, unit in FACTS.items():
        value = getattr(event, field, None)
        if value is not None and value != "" and (value != 0 or unit in {"time", "money"}):
            yield field, _written(value, unit, visit)


def _written(value: Any, unit: Unit, visit: Visit) -> str:
    show, say = visit.show, visit.say
    match unit, value:
        case "time", int():
            return show.time(value)
        case "money", int():
            return show.money(value)
        case "moment", datetime():
            return show.moment(value)
        case "last_day", datetime():
            return show.last_day(value)
        case "day", date():
            return show.day(value)
        case "month", str():
            return show.month(value)
        case (("category" | "work"), str()):
            return getattr(say, f"{'category' if unit == 'category' else 'choice'}_{value}", value)
        case _:
            return show.text(str(value))


def _moves(event: Event, visit: Visit) -> Iterator[str]:
    for name in MOVES:
        for part in getattr(event, name, ()):
            subject = getattr(part, "lot_id", None) or getattr(part, "task_id", "")
            yield getattr(visit.say, f"moves_{name}").format(subject=subject, figures=_figures(part, visit))
    if given := getattr(event, "compensation", None):
        yield visit.say.moves_compensation.format(subject=given.package_id, figures=_figures(given, visit))


def _figures(part: Any, visit: Visit) -> str:
    return f"{visit.show.time(part.minutes)}, {visit.show.money(part.amount_kopecks)}"
