"""The story of a balance: it ends where the balance is, and every step is told with its price."""

import csv
import io

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from services.auditing.story.forms import Story, written
from services.auditing.story.steps import steps
from services.documents.formats import Formats
from services.documents.story.narration import Narrator
from services.documents.story.step import Step
from services.ledger.audit.replay import replay
from tests.ledger import vocabulary
from tests.ledger.domain.expected_events import moment
from tests.ledger.domain.histories import DAY, INSTANT, Numbers, histories, next_step, numbers, pick
from tests.ledger.vocabulary import (
    ACCOUNT_ID,
    buy,
    close,
    close_month,
    correct,
    mark_warranty,
    pay,
    refund,
    reopen,
    suspend,
    time_passes,
)

HISTORY = (
    buy("spring", "hours-20", on="2026-03-01"),
    close("T-1", worked=50, category="urgent", agreed=True, on="2026-03-10"),
    close("T-2", worked=1190, on="2026-03-12", recorded="2026-04-05"),
    suspend(on="2026-04-06"),
    buy("half", "hours-30", on="2026-04-07"),
    reopen("T-1", on="2026-04-08"),
    close_month("2026-03", on="2026-04-09"),
    time_passes("2026-12-01"),
    close("T-3", worked=120, category="off_hours", requested=True, on="2026-10-06", recorded="2026-12-02"),
    mark_warranty("T-2", on="2026-12-03"),
    close("T-4", worked=2000, on="2026-12-05"),
    pay(30, on="2026-12-06"),
    correct("T-4", worked=1900, on="2026-12-05", recorded="2026-12-07"),
    buy("next", "hours-20", on="2026-12-08"),
    correct("T-4", worked=2000, on="2026-12-05", recorded="2026-12-09"),
    correct("T-4", worked=10, on="2026-12-06", recorded="2026-12-10"),
    refund("next", 1_000_000, on="2026-12-11"),
)
ENGLISH = """
Account opened: Рога и копыта, contract 17/24 of 1 January 2024
Bought package spring: 20 hours for 63,800.00 ₽ (3,190.00 ₽/h), valid through 1 Jun 2026
Closed task T-1 “Перенос портала”: urgent, 0:50 × K 1.5 = 1:15
  from spring: 1:15 × 3,190.00 ₽/h = 3,987.50 ₽
Closed task T-2 “Перенос портала”: regular, 19:50 × K 1 = 19:50
  from spring: 18:45 × 3,190.00 ₽/h = 59,812.50 ₽
  owed: 1:05
  counts from 12 Mar 2026
Work suspended: задолженность
Bought package half: 30 hours for 86,700.00 ₽ (2,890.00 ₽/h), valid through 7 Oct 2026
  will take over what is left of: spring
Debt of task T-2 settled by hours: 1:05
  from half: 1:05 × 2,890.00 ₽/h = 3,130.83 ₽
Work resumed: the balance is positive
Task T-1 reopened: не доделано
  back to spring: 1:15, 3,987.50 ₽
  counts from 10 Mar 2026
Month closed: March 2026
Left over 1:15 carried from spring to half, valid through 7 Oct 2026
  spring: 1:15 worth 3,987.50 ₽
  counts from 2 Jun 2026
Package spring expired, what was left is in half
  counts from 2 Jun 2026
Package half expired: 30:10 worth 87,556.67 ₽ forfeited
  half: 28:55 worth 83,569.17 ₽
  spring: 1:15 worth 3,987.50 ₽
  counts from 8 Oct 2026
Closed task T-3 “Перенос портала”: off hours, 2:00 × K 2 = 4:00
  from forfeited hours of spring: 1:15 × 3,190.00 ₽/h = 3,987.50 ₽, the balance stays
  from forfeited hours of half: 2:45 × 2,890.00 ₽/h = 7,947.50 ₽, the balance stays
  counts from 6 Oct 2026
Task T-2 marked as warranty: ошибка наша
  compensation compensation-T-2-1: 19:50 worth 62,943.33 ₽, valid through 2 Jan 2027
  counts from 12 Mar 2026
Closed task T-4 “Перенос портала”: regular, 33:20 × K 1 = 33:20
  from compensation-T-2-1: 19:50 × 2,890.00 ₽ / 3,190.00 ₽/h ≈ 62,943.33 ₽
  owed: 13:30
Debt paid in money: 0:30 × 3,190.00 ₽/h = 1,595.00 ₽, payment п/п 42
  task T-4: 0:30, 1,595.00 ₽
Corrected task T-4 “Перенос портала”: regular, 31:40 × K 1 = 31:40
  closing 2 in place of closing 1: время исправлено
  it was 33:20, 64,538.33 ₽
  of that stays as it was: 20:20, 64,538.33 ₽
  of that stays owed: 11:20
  debt cancelled: 1:40
  counts from 5 Dec 2026
Bought package next: 20 hours for 63,800.00 ₽ (3,190.00 ₽/h), valid through 8 Mar 2027
  will take over what is left of: compensation-T-2-1
Debt of task T-4 settled by hours: 11:20
  from next: 11:20 × 3,190.00 ₽/h = 36,153.33 ₽
Corrected task T-4 “Перенос портала”: regular, 33:20 × K 1 = 33:20
  closing 3 in place of closing 2: время исправлено
  it was 31:40, 100,691.66 ₽
  of that stays as it was: 31:40, 100,691.66 ₽
  owed: 1:40
  counts from 5 Dec 2026
Debt of task T-4 settled by hours: 1:40
  from next: 1:40 × 3,190.00 ₽/h = 5,316.67 ₽
  counts from 8 Dec 2026
Corrected task T-4 “Перенос портала”: regular, 0:10 × K 1 = 0:10
  closing 4 in place of closing 3: время исправлено
  it was 33:20, 106,008.33 ₽
  back to compensation-T-2-1: 19:50, 62,943.33 ₽
  settlement undone, back to next: 11:20, 36,153.33 ₽
  settlement undone, back to next: 1:40, 5,316.67 ₽
  compensation compensation-T-4-3: 0:30 worth 1,595.00 ₽, valid through 8 Mar 2027
  from compensation-T-4-3: 0:10 × 3,190.00 ₽/h = 531.67 ₽
  these hours count from 10 Dec 2026, when the compensation began
  counts from 6 Dec 2026
Refunded what was left of next: 20:00, 10,000.00 ₽, refund п/п 17: по заявлению
  kept by the contractor: 53,800.00 ₽
  what is left of compensation-T-2-1 will go to no other package now
"""


@pytest.fixture
def story() -> Story:
    """A customer with every kind of movement."""
    recorded = vocabulary.given(*HISTORY).recorded
    return Story(ACCOUNT_ID, tuple(steps(ACCOUNT_ID, recorded, None, None)), None, None)


@given(histories(), st.lists(numbers(4), min_size=1, max_size=5))
def test_a_story_ends_with_the_balance_of_any_instant_as_known_at_any_other(
    history: list[Numbers], readings: list[Numbers]
):
    story = vocabulary.given()
    for step in history:
        story.when(next_step(story, step))
    instants = sorted({line.event().effective_at for line in story.recorded} | {story.now})
    for which, days, just_before, known in readings:
        as_of = pick(instants, which) + days % 10 * 20 * DAY - (just_before % 2) * INSTANT
        known_at = known % (len(story.recorded) + 1)
        told = list(steps(ACCOUNT_ID, story.recorded, as_of, known_at))
        balance = replay(ACCOUNT_ID, story.recorded, as_of, known_at).balance_minutes
        assert (told[-1].balance_minutes if told else 0) == balance
        assert sum(step.change_minutes for step in told) == balance
    told = list(steps(ACCOUNT_ID, story.recorded, None, None))
    assert len(told) == len(story.recorded)
    assert told[-1].balance_minutes == story.account.balance_minutes
    assert all(said(step, lang) for step in told for lang in ("ru", "en"))


def said(step: Step, lang: str) -> str:
    """The step as lines of text, the particulars indented."""
    sentence, particulars = Narrator(Formats(lang)).narrate(step)
    return "\n  ".join([sentence, *particulars]).replace("\N{NO-BREAK SPACE}", " ")


def test_every_step_is_told_with_its_price(story: Story):
    assert "\n".join(said(step, "en") for step in story.steps) == ENGLISH.strip()


def test_every_step_tells_who_gave_its_command():
    lines = vocabulary.given(*HISTORY).recorded
    actors = [None, *(f"key-{number}" for number in range(1, len(lines)))]
    recorded = [line.model_copy(update={"actor": actor}) for line, actor in zip(lines, actors, strict=True)]
    by_actors = Story(ACCOUNT_ID, tuple(steps(ACCOUNT_ID, recorded, None, None)), None, None)
    rows = [orjson.loads(line) for line in written(by_actors, "ndjson", "en").splitlines()]
    assert [row["actor"] for row in rows] == actors
    assert [f"command given by {actor}" in row["particulars"] for row, actor in zip(rows, actors, strict=True)] == [
        actor is not None for actor in actors
    ]
    assert "key-7" in written(by_actors, "csv", "ru").decode()


def test_what_is_due_but_not_recorded_is_told_as_such():
    recorded = vocabulary.given(buy("spring", "hours-20", on="2026-03-01")).recorded
    *_, last = steps(ACCOUNT_ID, recorded, moment("2026-07-01"), None)
    assert (last.recorded_at, last.change_minutes, last.balance_minutes) == (None, -1200, 0)
    assert said(last, "ru") == (
        "Срок пакета spring истёк: сгорело 20:00 на 63 800,00 ₽\n  наступит к этому времени, ещё не записано"
    )


@pytest.mark.parametrize("lang", ["ru", "en"])
def test_each_form_has_every_step(story: Story, lang: str):
    lines = [orjson.loads(line) for line in written(story, "ndjson", lang).splitlines()]
    rows = list(csv.DictReader(io.StringIO(written(story, "csv", lang).decode("utf-8-sig"))))
    balances = [step.balance_minutes for step in story.steps]
    assert [line["balance_minutes"] for line in lines] == [int(row["balance_minutes"]) for row in rows] == balances
    assert [line["what"] for line in lines] == [row["what"] for row in rows]
    table = written(story, "table", lang).decode()
    assert max(map(len, table.splitlines())) <= 100
    pages = PdfReader(io.BytesIO(written(story, "pdf", lang))).pages
    printed = "".join("".join(page.extract_text().split()) for page in pages)
    clock = Formats(lang).clock
    for step, line in zip(story.steps, lines, strict=True):
        assert clock(step.balance_minutes) in table
        assert "".join(line["what"].split()) in printed.replace("\u200b", "")


def test_the_same_story_makes_the_same_bytes(story: Story):
    assert written(story, "pdf", "ru") == written(story, "pdf", "ru")
