"""After each round the ledger keeps how the portal is, and where the months differ; auditors find the agreements."""

import httpx
import orjson
import pytest
from prometheus_client import REGISTRY
from starlette.responses import JSONResponse

from contracts.drift import Drift, DriftKind, PortalStates
from services.bitrix24.portal import PortalFault
from services.bitrix24.recording import Rounds
from services.bitrix24.reporting import Reports
from services.bitrix24.running import one_round
from services.pages.drift import WORDS
from tests.bitrix24.fake_portal import problem
from tests.bitrix24.trade import CUSTOMERS, MONTH, OKA, SELLERS, SETTINGS, at, confirmed


def silent(_: object) -> None:
    pass


async def drift(hourbook, month: str = MONTH) -> Drift:
    return Drift.model_validate_json((await hourbook.get("/v1/drift", params={"month": month})).content)


async def state(hourbook):
    (found,) = PortalStates.model_validate_json((await hourbook.get("/v1/portals")).content).portals
    return found


async def notices(hourbook) -> str:
    return " ".join((await hourbook.get("/health/details")).json()["notices"])


async def test_agreement_and_drift_are_kept_with_the_positions_they_rest_on(fake, portal, hourbook):
    reports = Reports(Rounds(portal, hourbook, SETTINGS), 300)
    assert (await drift(hourbook)).compared_at is None
    task = confirmed(fake)
    confirmed(fake, minutes=20)
    assert await one_round(reports, silent)

    agreed = await drift(hourbook)
    assert (agreed.agreed, agreed.items) == (2, ())
    assert agreed.last_agreement
    assert agreed.last_agreement.agreed == 2
    log = [orjson.loads(line) for line in (await hourbook.get("/v1/log")).content.splitlines()]
    assert agreed.last_agreement.positions["oka"] >= max(e["position"] for e in log if e["type"] == "TaskClosed")
    assert "wait for somebody" not in await notices(hourbook)

    fake.work(task, SELLERS, at("2026-03-02 15:00"), 600)
    assert not await one_round(reports, silent)

    differing = await drift(hourbook)
    (item,) = differing.items
    assert (item.kind, item.task_id, item.portal.worked_minutes, item.ledger.worked_minutes) == (
        DriftKind.MINUTES, f"B24-{task}", 60, 50,
    )  # fmt: skip
    assert [each.command for each in item.proposal] == ["CorrectTask"]
    assert (differing.agreed, differing.last_agreement) == (1, agreed.last_agreement)
    assert (await state(hourbook)).proposed == 1
    assert "1 tasks of the portal of local wait for somebody" in await notices(hourbook)


async def test_no_name_of_a_person_is_kept(fake, portal, hourbook):
    task = confirmed(fake)
    fake.set_status(task, 4, SELLERS, at("2026-03-05 10:00"))
    fake.set_status(task, 5, SELLERS, at("2026-03-05 11:00"))
    confirmed(fake, tags=("срочно",))
    await one_round(Reports(Rounds(portal, hourbook, SETTINGS), 300), silent)

    kept = (await hourbook.get("/v1/drift", params={"month": MONTH})).text

    assert {each.kind for each in (await drift(hourbook)).items} == {DriftKind.UNDECIDED, DriftKind.REFUSED}
    assert not [person for person in fake.people.values() if person["LAST_NAME"] in kept]


HALF = {"result": {"result": [], "result_error": [], "result_total": [], "result_time": []}}
FAULTS = {
    "a revoked webhook": ("webhook-refused", [problem(401, "INVALID_CREDENTIALS")]),
    "too much to do": ("unavailable", [problem(503, "QUERY_LIMIT_EXCEEDED")] * 6),
    "slow": ("unavailable", [httpx.ReadTimeout("slow")] * 6),
    "wrongly typed": ("wrong-answer", [JSONResponse({"result": {"tasks": [{"id": True}]}})]),
    "half a task": ("wrong-answer", [JSONResponse({"result": {"tasks": [{"id": "1", "title": "half"}]}})]),
}


async def test_a_portal_that_fails_is_named_everywhere_until_it_is_read_again(fake, portal, hourbook):
    fake.create(OKA, at("2026-03-02 09:00"), author=CUSTOMERS)
    reports = Reports(Rounds(portal, hourbook, SETTINGS), 300)
    assert (await hourbook.get("/health/ready", params={"part": "portal"})).status_code == 422
    confirmed(fake)
    await one_round(reports, silent)
    read_at = (await state(hourbook)).read_at
    confirmed(fake)
    for condition, answers in FAULTS.values():
        fake.faults[:] = answers
        with pytest.raises(PortalFault) as fault:
            await reports.rounds.next()
        await reports.fault(fault.value)

        found = await state(hourbook)
        assert (found.condition, found.read_at) == (condition, read_at)
        assert "cannot be read" in await notices(hourbook)
        ready = await hourbook.get("/health/ready", params={"part": "portal"})
        assert (ready.status_code, ready.json()["parts"][0]["state"]) == (503, "not ready")
        assert WORDS[f"drift_condition_{condition}"][0] in (await hourbook.get("/drift", params={"month": MONTH})).text
        refused = REGISTRY.get_sample_value("hourbook_portal_webhook_refused")
        assert refused == (condition == "webhook-refused")
        assert (await drift(hourbook)).agreed == 1
        assert (condition == "unavailable") == (found.waited_seconds > 0)

    fake.faults[:] = [await whole_page(reports.rounds.portal), JSONResponse(HALF)]
    with pytest.raises(PortalFault, match="there is no answer"):
        await reports.rounds.next()
    assert (await drift(hourbook)).agreed == 1

    assert await one_round(reports, silent)
    assert (await state(hourbook)).condition == "read"
    assert "cannot be read" not in await notices(hourbook)
    assert (await hourbook.get("/health/ready", params={"part": "portal"})).status_code == 200


async def whole_page(portal) -> JSONResponse:
    """What the portal answers to the question for its tasks."""
    asked = {"order": {"ID": "asc"}, "filter": {"GROUP_ID": [OKA]}, "start": -1}
    return JSONResponse({"result": (await portal.call("tasks.task.list", asked)).result})
