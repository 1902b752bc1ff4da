"""Rows of the auditor's pages: each event as a sentence, with its particulars."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.envelope import RecordedEvent
from services.documents.story.narration import Narrated, Narrator
from services.documents.story.prices import Agreed
from services.documents.story.step import Step
from services.pages.visit import Visit


@dataclass(frozen=True)
class Row:
    """An event in words."""

    event: RecordedEvent
    told: Narrated


@dataclass(frozen=True)
class Fact:
    """A fact about access in words."""

    position: int
    recorded_at: datetime
    subject: str
    actor: str | None
    sentence: str


def rows_of(visit: Visit, events: Iterable[RecordedEvent], wanted: frozenset[int] | None = None) -> Iterator[Row]:
    """Each event in words; prices of an hour are known of lots whose purchase is among them.

    `wanted`: the positions that are shown, where the others are there for their prices alone.
    """
    narrator, prices = Narrator(visit.show), Agreed()
    for event in events:
        try:
            said = event.event()
            prices.take(said)
            told = narrator.narrate(Step(event.position, event.recorded_at, said, prices, 0, 0))
        except (ValueError, LookupError, TypeError):
            told = Narrated(visit.say.audit_unreadable.format(type=event.type), ())
        if wanted is None or event.position in wanted:
            yield Row(event, told)


def facts_of(visit: Visit, lines: Iterable[dict[str, Any]]) -> Iterator[Fact]:
    """What is remembered of access, a sentence each."""
    for line in lines:
        yield Fact(
            line["position"], datetime.fromisoformat(line["recorded_at"]), line["account_id"], line.get("actor"),
            _sentence(visit, line["type"], line["data"]),
        )  # fmt: skip


def _sentence(visit: Visit, kind: str, data: dict[str, Any]) -> str:
    everybody, until = visit.say.audit_all_accounts, data.get("overlap_ends_at")
    phrase = getattr(visit.say, f"said_{kind}", None)
    if phrase is None:
        return visit.say.audit_unreadable.format(type=kind)
    return phrase.format(
        roles=", ".join(data.get("roles") or ()) or "–",
        accounts=everybody if data.get("accounts") is None else ", ".join(data["accounts"]),
        account=data.get("account_id") or everybody,
        until=visit.show.moment(datetime.fromisoformat(until)) if until else "",
        reason=data.get("reason", ""),
        erased=data.get("erased", ""),
        name=data.get("version", {}).get("name", ""),
    )
