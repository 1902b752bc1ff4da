"""A story as a table for a terminal, as NDJSON, as CSV and as PDF."""

import csv
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

from contracts.quantities import KnownAt
from services.documents.formats import Formats
from services.documents.numerals import Lang
from services.documents.story.narration import Narrator
from services.documents.story.step import Step
from services.documents.typesetting import pdf

Form = Literal["table", "ndjson", "csv", "pdf"]
TABLE_COLUMNS = 100
CSV_COLUMNS = (
    "position", "recorded_at", "effective_at", "booking_month", "type", "what", "particulars", "change_minutes",
    "balance_minutes", "actor",
)  # fmt: skip


@dataclass(frozen=True)
class Story:
    """The steps of an account, and what was asked."""

    account_id: str
    steps: tuple[Step, ...]
    as_of: datetime | None
    known_at: KnownAt


def written(story: Story, form: Form, lang: Lang) -> bytes:
    """The story in that form; the same story always makes the same bytes."""
    return _FORMS[form](story, Narrator(Formats(lang)))


def _rows(story: Story, narrator: Narrator) -> Iterable[dict[str, Any]]:
    """What NDJSON and CSV hold of each step: exact minutes, and the same words as for people."""
    for step in story.steps:
        narrated = narrator.narrate(step)
        yield {
            "position": step.position,
            "recorded_at": step.recorded_at,
            "effective_at": step.event.effective_at,
            "booking_month": step.event.booking_month,
            "type": type(step.event).__name__,
            "what": narrated.sentence,
            "particulars": narrated.particulars,
            "change_minutes": step.change_minutes,
            "balance_minutes": step.balance_minutes,
            "actor": step.actor,
        }


def _ndjson(story: Story, narrator: Narrator) -> bytes:
    rows = _rows(story, narrator)
    return b"".join(orjson.dumps(row, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE) for row in rows)


def _csv(story: Story, narrator: Narrator) -> bytes:
    """With a byte order mark, for spreadsheets; every text begins with words of ours, so none becomes a formula."""
    text = io.StringIO()
    sheet = csv.DictWriter(text, CSV_COLUMNS, lineterminator="\r\n")
    sheet.writeheader()
    for row in _rows(story, narrator):
        instants = {name: row[name] and row[name].isoformat() for name in ("recorded_at", "effective_at")}
        sheet.writerow({**row, **instants, "particulars": "; ".join(row["particulars"])})
    return text.getvalue().encode("utf-8-sig")


def _table(story: Story, narrator: Narrator) -> bytes:
    phrases, clock = narrator.phrases, narrator.formats.clock
    table = Table(title=_title(story, narrator), caption=phrases["unit"], show_lines=True, width=TABLE_COLUMNS)
    table.add_column(phrases["day"], no_wrap=True)
    table.add_column(phrases["what"], ratio=1)
    table.add_column(phrases["change"], justify="right", no_wrap=True)
    table.add_column(phrases["balance"], justify="right", no_wrap=True)
    for step in story.steps:
        narrated = narrator.narrate(step)
        what = Text(narrated.sentence).append("".join(f"\n  {one}" for one in narrated.particulars))
        balance = clock(step.balance_minutes)
        table.add_row(Text(narrator.day_of(step)), what, _signed(step, clock), balance)
    paper = Console(file=io.StringIO(), width=TABLE_COLUMNS, force_terminal=False)
    paper.print(table if story.steps else phrases["nothing"])
    return paper.file.getvalue().encode()  # type: ignore[attr-defined]


def _signed(step: Step, clock: Callable[[int], str]) -> str:
    """A change shows its sign; none is left blank."""
    sign = "+" if step.change_minutes > 0 else ""
    return f"{sign}{clock(step.change_minutes)}" if step.change_minutes else ""


def _title(story: Story, narrator: Narrator) -> str:
    phrases = narrator.phrases
    title = f"{phrases['story']}: {story.account_id}"
    if story.as_of:
        title += f", {phrases['as_of']} {narrator.moment(story.as_of)}"
    if story.known_at is not None:
        known = narrator.moment(story.known_at) if isinstance(story.known_at, datetime) else f"№ {story.known_at}"
        title += f", {phrases['known_at']} {known}"
    return title


def _pdf(story: Story, narrator: Narrator) -> bytes:
    clock = narrator.formats.clock
    rows = [
        {
            "number": step.position,
            "day": narrator.day_of(step),
            "what": narrated.sentence,
            "particulars": list(narrated.particulars),
            "change": _signed(step, clock),
            "balance": clock(step.balance_minutes),
            "negative": step.balance_minutes < 0,
        }
        for step in story.steps
        for narrated in [narrator.narrate(step)]
    ]
    words = {**narrator.formats.words, **narrator.phrases}
    return pdf(
        "story.typ",
        {
            "lang": narrator.formats.lang,
            "words": words,
            "title": _title(story, narrator),
            "account_id": story.account_id,
            "rows": rows,
        },
    )


_FORMS: dict[Form, Callable[[Story, Narrator], bytes]] = {
    "table": _table,
    "ndjson": _ndjson,
    "csv": _csv,
    "pdf": _pdf,
}
