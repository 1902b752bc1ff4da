"""What changes in the portal after it was charged: proposed, and put right where the settings allow it."""

from collections.abc import Callable

import pytest

from contracts.drift import DriftKind
from services.bitrix24.comparison import compared
from services.bitrix24.portal import WrongAnswer
from services.bitrix24.reading import MISSING_MIN
from services.bitrix24.recording import CHANGE_OF, Rounds
from services.bitrix24.settings import Connector
from tests.bitrix24.fake_portal import FakePortal
from tests.bitrix24.trade import CUSTOMERS, MONTH, OKA, SELLERS, SETTINGS, VOLGA, at, caught_up, confirmed

ELSEWHERE = 9
LATER = at("2026-03-04 10:00")
AGREED = {"ufAuto6": "2026-03-01T09:00:00+03:00"}


def settings(*apply: str) -> Connector:
    """Where urgent work is agreed in a field, and these changes are put right."""
    consents = SETTINGS.consents.model_copy(update={"urgency_field": "UF_AUTO_6"})
    return SETTINGS.model_copy(update={"consents": consents, "apply": frozenset(apply)})


def accept_again(fake: FakePortal, task: int) -> None:
    fake.set_status(task, 3, SELLERS, LATER)
    fake.set_status(task, 4, SELLERS, at("2026-03-05 10:00"))
    fake.set_status(task, 5, CUSTOMERS, at("2026-03-06 10:00"))


CHANGES: dict[str, tuple[Callable[[FakePortal, int], object], DriftKind, list[str]]] = {
    "reopened": (lambda f, t: f.set_status(t, 3, SELLERS, LATER), DriftKind.REOPENED, ["ReopenTask oka"]),
    "accepted anew": (accept_again, DriftKind.CHANGED, ["CorrectTask oka"]),
    "its time": (lambda f, t: f.work(t, SELLERS, LATER, 600), DriftKind.MINUTES, ["CorrectTask oka"]),
    "its category": (lambda f, t: f.edit(t, LATER, tags=("срочно",)), DriftKind.CHANGED, ["CorrectTask oka"]),
    "its group": (
        lambda f, t: f.move(t, VOLGA, SELLERS, LATER),
        DriftKind.MOVED,
        ["ReopenTask oka", "CloseTask volga"],
    ),
    "to no account": (lambda f, t: f.move(t, ELSEWHERE, SELLERS, LATER), DriftKind.MOVED, ["ReopenTask oka"]),
    "deleted": (lambda f, t: f.delete(t), DriftKind.DELETED, ["ReopenTask oka"]),
}


async def test_each_change_after_charging_is_proposed_and_its_proposal_leads_to_agreement(fake, portal, hourbook):
    changed = {f"B24-{confirmed(fake, own=AGREED)}": change for change in CHANGES}
    agreed = confirmed(fake)
    await Rounds(portal, hourbook, settings()).next()
    await caught_up(hourbook)
    for task_id, change in changed.items():
        CHANGES[change][0](fake, int(task_id.removeprefix("B24-")))

    outcomes = await Rounds(portal, hourbook, settings()).next()
    found = await compared(portal, hourbook, settings(), MONTH)

    assert {each.task_id: each.outcome for each in outcomes} == dict.fromkeys(changed, "proposed")
    assert {
        changed[each.task_id]: (each.kind, [f"{deed.command} {deed.account_id}" for deed in each.proposal])
        for each in found.differences
    } == {change: (kind, commands) for change, (_, kind, commands) in CHANGES.items()}
    assert {each.refused_as for each in found.differences} == {None}
    assert (found.agreed, f"B24-{agreed}" in changed) == (1, False)

    for some in ("correct", "reopen", "move", "delete"):
        allowed = Rounds(portal, hourbook, settings(some))
        recorded = {changed[each.task_id] for each in await allowed.next() if each.outcome == "recorded"}
        assert recorded == {change for change, (_, kind, _) in CHANGES.items() if CHANGE_OF[kind] == some}
        await caught_up(hourbook)
    found = await compared(portal, hourbook, settings(), MONTH)
    assert (found.differences, found.portal) == ((), found.ledger)
    assert await Rounds(portal, hourbook, settings()).next() == []


async def test_what_is_written_into_a_closed_month_is_named_so(fake, portal, hourbook):
    task = confirmed(fake)
    await Rounds(portal, hourbook, SETTINGS).next()
    closing = await hourbook.post(f"/v1/accounts/oka/months/{MONTH}/close", headers={"Idempotency-Key": "march"})
    assert closing.status_code == 201, closing.text
    fake.work(task, SELLERS, at("2026-03-02 16:00"), 600)
    await caught_up(hourbook)

    (found,) = (await compared(portal, hourbook, SETTINGS, MONTH)).differences

    assert (found.kind, found.booked_in) == (DriftKind.LATE, "2026-04")


async def test_a_portal_that_suddenly_shows_hardly_anything_is_not_believed(fake, portal, hourbook):
    for _ in range(MISSING_MIN + 1):
        confirmed(fake)
    await Rounds(portal, hourbook, SETTINGS).next()
    await caught_up(hourbook)
    head = (await hourbook.get("/v1/log", params={"limit": 1})).headers["Hourbook-Position"]
    fake.tasks.clear()

    with pytest.raises(WrongAnswer, match="21 of 21 charged tasks are missing"):
        await Rounds(portal, hourbook, settings("delete")).next()

    assert (await hourbook.get("/v1/log", params={"limit": 1})).headers["Hourbook-Position"] == head


async def test_what_others_have_recorded_is_not_the_connectors(fake, portal, hourbook):
    by_hand = {
        "title": "по телефону", "category": "regular", "worked_minutes": 10,
        "closed_at": "2026-03-02T10:00:00+03:00", "confirmed_at": "2026-03-02T11:00:00+03:00",
    }  # fmt: skip
    url, key = "/v1/accounts/oka/tasks/T-1/close", {"Idempotency-Key": "by-hand"}
    answer = await hourbook.post(url, json=by_hand, headers=key)
    assert answer.status_code == 201, answer.text
    await caught_up(hourbook)

    assert await Rounds(portal, hourbook, settings("delete")).next() == []
    found = await compared(portal, hourbook, SETTINGS, MONTH)
    assert (found.differences, found.ledger) == ((), ())


async def test_estimates_of_open_tasks_are_plans_until_they_are_done_or_have_none(fake, portal, hourbook):
    rounds = Rounds(portal, hourbook, SETTINGS)
    task = fake.create(OKA, at("2026-03-02 09:00"), estimate=3700, deadline=at("2026-03-20 18:00"))

    async def planned(account: str = "oka") -> dict:
        await rounds.next()
        of_account = (await rounds.ledger.tasks([account]))[account]
        found = of_account.get(f"B24-{task}")
        return found and (found.estimated_minutes, found.category, found.planned_start_at)

    assert await planned() == (70, "regular", at("2026-03-20 18:00"))
    fake.edit(task, LATER, estimate=7200, tags=("срочно",))
    assert await planned() == (120, "urgent", at("2026-03-20 18:00"))
    fake.edit(task, at("2026-03-04 11:00"), estimate=3700, tags=())
    assert await planned() == (70, "regular", at("2026-03-20 18:00"))
    fake.move(task, VOLGA, SELLERS, at("2026-03-04 12:00"))
    assert await planned() is None
    assert await planned("volga") == (70, "regular", at("2026-03-20 18:00"))
    fake.edit(task, at("2026-03-04 13:00"), estimate=0)
    assert await planned("volga") is None


async def test_no_plan_is_made_where_the_settings_want_none(fake, portal, hourbook):
    fake.create(OKA, at("2026-03-02 09:00"), estimate=3700)
    rounds = Rounds(portal, hourbook, SETTINGS.model_copy(update={"plans": False}))

    assert await rounds.next() == []
    assert (await rounds.ledger.tasks(["oka"]))["oka"] == {}
