"""What a command would change of the alerts is what it changes once it is recorded, and nothing of it is kept."""

from typing import Any

import httpx
import pytest

from contracts.envelope import RecordedEvent
from contracts.events import Event
from tests.projections.debt_alerts.questions import Alerts
from tests.projections.vocabulary import Log, closed, opened, paid, planned, purchased, resumed

NOTHING = dict.fromkeys(
    ("balance_minutes", "held_minutes", "owed_minutes", "planned_minutes", "available_minutes"), 0
) | {"suspended": False}


def dry_run(log: Log, account_id: str, *events: Event, **changed: Any) -> dict[str, Any]:
    """The answer to a command that would record these events."""
    beside = Log()
    beside.lines = list(log.lines)
    beside.record_at(log.clock, account_id, *events)
    lines: list[RecordedEvent] = beside.lines[log.position :]
    shown = [
        line.model_copy(update={"position": None, "event_id": None, **changed}).model_dump(mode="json")
        for line in lines
    ]
    return {"account_id": account_id, "version": 1, "position": None, "events": shown, "balance": NOTHING}


@pytest.mark.parametrize(
    ("account_id", "events", "told"),
    [
        (
            "low",
            [closed("T-2", on="2026-03-20", draws={"spring": 100}, owed=20)],
            ["debt opened", "low_balance closed"],
        ),
        ("debtor", [paid({"T-1": 60}, on="2026-03-20"), resumed(on="2026-03-20")], ["debt closed", "suspended closed"]),
        ("debtor", [paid({"T-1": 10}, on="2026-03-20")], ["debt updated"]),
        ("calm", [planned("T-3", 1210, on="2026-03-20")], ["overplanned opened"]),
        ("calm", [purchased("autumn", 1200, on="2026-03-20", until="2026-09-20")], []),
    ],
    ids=["into debt", "out of debt", "less debt", "overplanned", "nothing"],
)
async def test_a_command_changes_the_alerts_that_were_foreseen(
    customers: Log, alerts: Alerts, client: httpx.AsyncClient, account_id: str, events: list[Event], told: list[str]
):
    before = await alerts(account_id=account_id)
    answer = await client.post(
        f"/v1/accounts/{account_id}/alerts/foreseen", json=dry_run(customers, account_id, *events)
    )
    assert answer.status_code == 200, answer.text
    foreseen = answer.json()["alerts"]
    assert sorted({f"{each['kind']} {each['type'].removeprefix('alert.')}" for each in foreseen}) == told
    assert await alerts(account_id=account_id) == before

    customers.record(account_id, *events, at="2026-03-20")
    now = {(alert["kind"], alert["text"]["ru"]) for alert in (await alerts(account_id=account_id))["alerts"]}
    last = {each["kind"]: (each["kind"], each["text"]["ru"]) for each in foreseen}
    assert set(last.values()) <= now


async def test_what_is_no_dry_run_of_the_account_is_refused(customers: Log, alerts: Alerts, client: httpx.AsyncClient):
    await alerts.settled()
    foreign = closed("T-9", on="2026-03-20", draws={"nowhere": 10})
    fits = closed("T-9", on="2026-03-20", draws={"spring": 10})
    for body in (
        dry_run(customers, "calm", foreign),
        dry_run(customers, "low", fits),
        dry_run(customers, "calm", fits, type="Miracle"),
        dry_run(customers, "calm", fits, data={}),
    ):
        answer = await client.post("/v1/accounts/calm/alerts/foreseen", json=body)
        assert answer.status_code == 422, answer.text
    unknown = await client.post("/v1/accounts/nobody/alerts/foreseen", json=dry_run(customers, "nobody", fits))
    assert unknown.status_code == 404
    opening = await client.post("/v1/accounts/new/alerts/foreseen", json=dry_run(customers, "new", opened()))
    assert opening.json()["alerts"] == []
