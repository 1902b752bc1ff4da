"""Backups and drills by the clock: when the next one is due, and that no hindrance ends them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.operating.backup import schedule
from services.operating.backup.outcomes import DrillOutcome, last_backup_at, last_drill_at, note_drill
from services.process.operator_error import OperatorError

NOW = datetime(2026, 11, 29, tzinfo=UTC)


@pytest.mark.parametrize(("hours_ago", "left"), [(None, 0), (0, 24), (23, 1), (24, 0), (99, 0), (-1, 0)], ids=str)
def test_the_next_one_is_due_after_the_last_whoever_made_it(hours_ago: int | None, left: int):
    last = None if hours_ago is None else NOW - timedelta(hours=hours_ago)
    assert schedule.seconds_left(last, 24, NOW) == left * 3600


class Enough(Exception):
    """The end of this test."""


async def test_what_hinders_one_is_said_and_ends_nothing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(schedule, "RETRY_SECONDS", 0)
    ends, said = iter([OperatorError("No room."), OSError(28, "No space left"), None, Enough()]), list[str]()

    async def work() -> None:
        if hindrance := next(ends):
            raise hindrance

    with pytest.raises(Enough):
        await schedule.keep_doing(work, lambda: None, 24, said.append)
    assert said == [f"{each}. It is tried again in 0 minutes." for each in ("No room", "[Errno 28] No space left")]


def test_a_drill_counts_whatever_came_of_it(tmp_path: Path):
    assert (last_backup_at(tmp_path), last_drill_at(tmp_path)) == (None, None)
    note_drill(tmp_path, DrillOutcome("none", NOW, good=False))
    assert last_drill_at(tmp_path) == NOW
