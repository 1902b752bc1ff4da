"""What the log says of tasks is kept as it says it: a version whose events have one field more changes no row."""

import json
from collections.abc import Callable

import asyncpg
import pytest
from pydantic import BaseModel

from contracts.envelope import RecordedEvent
from services.projections.following.logged import Logged, as_said
from services.projections.tasks import TASKS
from services.projections.tasks.queries import task
from tests.projections.vocabulary import Log, closed, opened, paid, purchased

Reader = Callable[[RecordedEvent], Logged]
DATA = "SELECT DISTINCT position, data FROM task_event ORDER BY position"
LATER = {"kind", "rules_edition", "agreed", "customer_requisites"}
"""Fields with a default; a line of an earlier version has none of them."""


def from_its_line(line: RecordedEvent) -> Logged:
    return Logged.of_line(line.model_dump_json().encode())


@pytest.mark.parametrize("read", [from_its_line, Logged.read])
async def test_an_event_is_kept_in_the_very_words_of_its_line(database: asyncpg.Pool, log: Log, read: Reader):
    log.record("romashka", opened(), purchased("spring", 60, on="2026-03-01", until="2026-06-02"))
    log.record("romashka", closed("T-1", on="2026-03-05", owed=30), closed("T-2", on="2026-03-06", owed=60))
    log.record("romashka", paid({"T-1": 30, "T-2": 20}, on="2026-03-07"))
    earlier = [
        line.model_copy(update={"data": {name: said for name, said in line.data.items() if name not in LATER}})
        for line in log.lines
    ]
    assert earlier != log.lines
    async with database.acquire() as connection:
        await TASKS.project(connection, [read(line) for line in earlier])
        kept = {row["position"]: json.loads(row["data"]) for row in await connection.fetch(DATA)}
        first, second = [await task(connection, "romashka", each, None, "ru", 9) for each in ("T-1", "T-2")]
    assert kept == {line.position: line.data for line in earlier}
    assert (first.closings[0].owed_minutes_now, second.closings[0].owed_minutes_now) == (0, 40)


def test_a_part_of_an_event_is_kept_without_defaults():
    class Agreed(BaseModel):
        """As a later version has it."""

        reason: str
        price_kopecks: int | None = None
        currency: str = "RUB"

    assert as_said(Agreed.model_validate({"reason": "подарок", "price_kopecks": None})) == '{"reason":"подарок"}'
    assert as_said(None) is None
