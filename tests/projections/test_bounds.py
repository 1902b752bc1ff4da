"""Sums far beyond what 32 bits hold go through every table, answer and document without losing a minute or kopeck."""

import asyncpg

from contracts.quantities import EXACT_MAX
from tests.projections.questions import Queries
from tests.projections.vocabulary import Log, closed, opened, purchased

HUGE = EXACT_MAX // 8
WHOLE_NUMBERS = """
    SELECT table_schema || '.' || table_name || '.' || column_name FROM information_schema.columns
    WHERE table_schema IN ('projections', 'reporting', 'ledger') AND column_name ~ '(minutes|kopecks|position)$'
        AND data_type NOT IN ('bigint', 'numeric')
"""


async def test_no_column_of_minutes_kopecks_or_positions_is_narrower_than_64_bits(database: asyncpg.Pool):
    assert await database.fetch(WHOLE_NUMBERS) == []


async def test_sums_beyond_32_bits_are_exact_in_every_answer_and_document(log: Log, ask: Queries):
    log.record("volga", opened())
    log.record("volga", purchased("spring", HUGE, on="2026-03-01", until="2099-04-01", price=HUGE + 1))
    log.record("volga", closed("T-1", on="2026-03-02", draws={"spring": HUGE - 7}, owed=0, amount=HUGE))
    for number in range(3):
        log.record("volga", closed(f"U-{number}", on="2026-03-03", owed=HUGE))
    balance = await ask("/volga/balance", as_of="2026-03-04T00:00:00Z")
    assert (balance["held_minutes"], balance["owed_minutes"]) == (7, 3 * HUGE)
    assert balance["lots"][0]["size_minutes"] == HUGE
    history = await ask("/volga/balance/history", since="2026-03-01T00:00:00Z", to="2026-04-01T00:00:00Z")
    assert history[-1]["balance_minutes"] == 7 - 3 * HUGE
    (summary,) = (await ask("", sort="balance"))["accounts"]
    assert summary["balance_minutes"] == 7 - 3 * HUGE
    lines = (await ask("/volga/statement"))["lines"]
    assert (lines[0]["minutes"], lines[0]["amount_kopecks"]) == (HUGE, HUGE + 1)
    report = await ask("/volga/reports/2026-03")
    assert report["totals"]["charged_minutes"] == 4 * HUGE - 7
    assert report["totals"]["amount_kopecks"] == HUGE
    assert (await ask("/volga/acts/2026-03"))["total_kopecks"] == HUGE
    task = await ask("/volga/tasks/T-1")
    assert task["charged_minutes_now"] == HUGE - 7
    for document in ("reports/2026-03.pdf", "reports/2026-03.xlsx", "acts/2026-03.pdf", "acts/2026-03.xlsx"):
        answer = await ask.answer(f"/volga/{document}")
        assert answer.status_code == 200, answer.text
