"""Where a portal's month and the ledger's differ, by the page: each kind in words, with what would make them agree."""

from typing import Any

from contracts.access import Role
from contracts.drift import DriftKind
from services.pages.drift.words import WORDS
from tests.end_to_end.guarded_service import OWN, Holder
from tests.pages.conftest import Counter
from tests.pages.people import browser_client, shown

READER = Holder(Role.READER, scoped=False)
SIDE = {"account_id": OWN, "worked_minutes": 60, "category": "urgent", "effective_at": "2026-03-02T11:00:00+03:00"}


def item(kind: DriftKind, **more: Any) -> dict[str, Any]:
    command = {"command": "CorrectTask", "account_id": OWN, "task_id": "own-task-0"}
    told = {"kind": kind, "account_id": OWN, "task_id": "own-task-0", "detail": "no time is written on it"}
    return told | {"portal": SIDE, "proposal": [command]} | more


async def test_each_kind_is_said_with_its_proposal_and_months_say_how_many_there_are(counter: Counter):
    items = [item(kind) for kind in DriftKind]
    items.append(item(DriftKind.REFUSED, refused_as="urgency-not-agreed-before-start"))
    items.append(item(DriftKind.LATE, booked_in="2026-04"))
    body = {
        "compared_at": "2026-04-01T09:00:00+03:00", "agreed": 7, "positions": {OWN: 3}, "items": items,
        "portal_hash": "0" * 64, "ledger_hash": "1" * 64,
    }  # fmt: skip
    state = {"condition": "webhook-refused", "sentence": "make a new one", "every_seconds": 300, "undecided": 2}
    async with counter.guarded.client(counter.guarded.owner) as asking:
        assert "не сверяли" in (await _page(counter, counter.owner))
        assert "С порталом месяц не сверяли" in await _month(counter)
        assert (await asking.put("/v1/drift/2026-03", json=body)).status_code == 200
        assert (await asking.put("/v1/portals/own", json=state)).status_code == 200

    page = await _page(counter, counter.owner)
    for kind in DriftKind:
        assert WORDS[f"drift_kind_{kind}"][0] in page
    assert f"совпадает задач — 7, расходится — {len(items)}" in page
    assert f"/customers/{OWN}/commands/correct-task?task_id=own-task-0" in page
    assert "/problems/urgency-not-agreed-before-start" in page
    assert ("не принимает вебхук" in page, "make a new one" in page) == (True, True)
    async with browser_client(counter.url) as client:
        inbox = (await shown(client, "/", counter.owner)).text
    assert ("Что ждёт решения" in inbox, "Исправить в портале: 2" in inbox) == (True, True), inbox
    month = await _month(counter)
    for said in (f"расходится с порталом: {len(items)}", "нужно решить в портале: 1", "учёт откажет: 1"):
        assert said in month, said
    assert "С порталом месяц не сверяли" not in month

    reader = await _page(counter, counter.sessions[READER])
    assert "commands/correct-task" not in reader


async def _month(counter: Counter) -> str:
    async with browser_client(counter.url) as client:
        return (await shown(client, "/months/2026-03", counter.owner)).text


async def _page(counter: Counter, session: str) -> str:
    async with browser_client(counter.url) as client:
        return (await shown(client, "/drift?month=2026-03", session)).text
