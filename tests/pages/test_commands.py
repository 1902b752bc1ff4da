"""Commands as forms: said in words first, recorded once however often they are sent, refused where the fault stands."""

import re
from html import unescape
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, expect

from services.pages.commands.forms import FORMS
from tests.end_to_end.access_calls import RIGHTS
from tests.end_to_end.guarded_service import OWN
from tests.pages.browser import Manner, follow, look
from tests.pages.conftest import Counter
from tests.pages.people import browser_client, shown

KEY = re.compile(r'name="key" value="([^"]+)"')
AT = f"/customers/{OWN}/commands"


async def events(counter: Counter) -> list[dict[str, Any]]:
    """What is recorded of the customer."""
    async with counter.guarded.client(counter.guarded.owner) as client:
        answer = await client.get(f"/v1/accounts/{OWN}/events")
        return [httpx.Response(200, content=line).json() for line in answer.content.splitlines()]


async def tried(counter: Counter, client: httpx.AsyncClient, name: str, **fields: str) -> tuple[httpx.Response, str]:
    """The page that says what would be recorded, and the form's key."""
    page = await shown(client, f"{AT}/{name}", counter.owner)
    key = KEY.search(page.text)
    assert key, page.text
    answer = await client.post(
        f"{AT}/{name}",
        data={"form_token": token_in(page), "key": key[1], "step": "try", **fields},
        headers={"Cookie": counter.owner},
    )
    return answer, key[1]


def token_in(page: httpx.Response) -> str:
    found = re.search(r'name="form_token" value="([^"]+)"', page.text)
    assert found
    return found[1]


PURCHASE = {"package_id": "by-page", "plan": "hours-20", "purchased_at": "2026-06-01T10:00", "carry_over": "true"}


async def test_what_would_be_recorded_is_said_and_nothing_is_recorded(counter: Counter):
    before = await events(counter)
    async with browser_client(counter.url) as client:
        answer, _ = await tried(counter, client, "purchase-package", **PURCHASE | {"package_id": "tried"})
    assert answer.status_code == 200, answer.text
    assert "Покупается пакет" in answer.text
    assert "20,00\N{NO-BREAK SPACE}ч" in answer.text
    assert await events(counter) == before


@pytest.mark.parametrize(
    ("name", "fields", "told"),
    [
        ("pay-debt", {"minutes": "60"}, ["Изменится сигнал: Долг 24,00", "Писем никто не получит.", "NATS): 1."]),
        ("resume-work", {}, ["Закроется сигнал: Работа возобновлена.", "вебхуки", f"NATS hourbook.alerts.{OWN}"]),
        ("close-month", {}, ["Сигналы не изменятся.", "Писем никто не получит: почтовый сервер не задан."]),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
async def test_who_is_told_is_said_and_by_what(counter: Counter, name: str, fields: dict[str, str], told: list[str]):
    async with browser_client(counter.url) as client:
        answer, _ = await tried(counter, client, name, **WELL_FILLED[name] | fields)
    said = answer.text.partition("Кому об этом сообщат")[2].replace("\N{NO-BREAK SPACE}", " ")
    assert [each for each in told if each not in said] == [], said


async def test_a_form_that_is_sent_twice_records_once(counter: Counter):
    """As a double click does, and going back to record again."""
    async with browser_client(counter.url) as client:
        answer, key = await tried(counter, client, "purchase-package", **PURCHASE)
        data = {"form_token": token_in(answer), "key": key, "step": "record", **PURCHASE}
        twice = [
            await client.post(f"{AT}/purchase-package", data=data, headers={"Cookie": counter.owner}) for _ in "12"
        ]
    assert [(each.status_code, each.headers["location"]) for each in twice] == [(303, f"/customers/{OWN}")] * 2
    bought = [event["data"]["package_id"] for event in await events(counter) if event["type"] == "PackagePurchased"]
    assert bought.count("by-page") == 1


MOMENT = "2026-06-01T10:00"
REASON = {"reason": "по просьбе заказчика"}
OF_TASK = {"task_id": "own-task-0", **REASON}
CLOSING = {
    "title": "Настройка прав", "kind": "work", "category": "regular", "worked_minutes": "20",
    "closed_at": MOMENT, "confirmed_at": MOMENT,
}  # fmt: skip
WELL_FILLED: dict[str, dict[str, str]] = {
    "close-task": {"task_id": "by-page", **CLOSING},
    "correct-task": OF_TASK | CLOSING,
    "plan-task": {"task_id": "to-come", "title": "t", "category": "regular", "estimated_minutes": "60"},
    "drop-plan": OF_TASK,
    "mark-warranty": OF_TASK,
    "reopen-task": OF_TASK,
    "purchase-package": PURCHASE
    | {"package_id": "gift", "agreed.price_kopecks": "1 000,50", "agreed.reason": "подарок"},
    "refund-package": {"package_id": "own-package", "refund_reference": "п/п 17", **REASON},
    "pay-debt": {"minutes": "60", "paid_at": MOMENT, "payment_reference": "п/п 18"},
    "suspend-work": REASON,
    "resume-work": REASON,
    "change-customer": {"effective_on": "2026-06-01", "customer_name": "ООО «Ока Плюс»"},
    "close-month": {"month": "2026-09"},
    "reopen-month": {"month": "2026-09", **REASON},
}
NOT_SO = {
    "drop-plan": "У этой задачи нет плана.",
    "refund-package": "В этом пакете нет часов, за которые можно вернуть деньги.",
    "suspend-work": "Работа уже приостановлена.",
    "reopen-month": "Открыть снова можно только последний закрытый месяц.",
}
"""What the account's state speaks against, and why."""


@pytest.mark.parametrize("name", FORMS)
async def test_every_form_reaches_its_command(counter: Counter, name: str):
    async with browser_client(counter.url) as client:
        answer, _ = await tried(counter, client, name, **WELL_FILLED[name])
    if name in NOT_SO:
        assert (answer.status_code, NOT_SO[name] in answer.text) == (422, True), answer.text
    else:
        assert (answer.status_code, 'class="happenings"' in answer.text) == (200, True), answer.text


async def test_an_account_is_opened_by_its_form(counter: Counter):
    fields = {
        "account_id": "by-page",
        "customer_name": "ООО «Ока»",
        "contract_number": "7",
        "contract_date": "2026-01-15",
    }
    async with browser_client(counter.url) as client:
        page = await shown(client, "/open-account", counter.owner)
        data = {"form_token": token_in(page), "key": "by-page", **fields}
        said = await client.post("/open-account", data=data | {"step": "try"}, headers={"Cookie": counter.owner})
        assert "Открывается счёт" in said.text
        done = await client.post("/open-account", data=data | {"step": "record"}, headers={"Cookie": counter.owner})
        assert (done.status_code, done.headers["location"]) == (303, "/customers/by-page"), done.text
        assert "ООО «Ока»" in (await shown(client, "/customers/by-page", counter.owner)).text


@pytest.mark.parametrize(
    ("name", "fields", "at_fault"),
    [
        ("purchase-package", PURCHASE | {"purchased_at": "2090-01-01T10:00"}, "purchased_at"),
        ("purchase-package", PURCHASE | {"package_id": "compensation-x"}, "package_id"),
        ("purchase-package", PURCHASE | {"package_id": "x", "agreed.price_kopecks": "many"}, "agreed.price_kopecks"),
        ("purchase-package", {"plan": "hours-20", "purchased_at": "2026-06-01T10:00"}, "package_id"),
        ("close-month", {"month": "2026-13"}, "month"),
        ("pay-debt", {"minutes": "-5", "paid_at": "2026-06-01T10:00", "payment_reference": "1"}, "minutes"),
        ("mark-warranty", {"task_id": "../../x", "reason": "x"}, "task_id"),
        ("change-customer", {"effective_on": "2026-06-01", "customer_requisites.inn": "1"}, "customer_requisites.inn"),
    ],
)
async def test_a_refusal_is_said_at_the_field_at_fault(
    counter: Counter, name: str, fields: dict[str, str], at_fault: str
):
    """The rest stays as it was filled in, and nothing is recorded."""
    before = await events(counter)
    async with browser_client(counter.url) as client:
        answer, key = await tried(counter, client, name, **fields)
    assert answer.status_code == 422, answer.text
    (described,) = re.findall(rf'name="{re.escape(at_fault)}"[^>]*aria-describedby="([^"]+)"', answer.text)
    assert re.search(rf'id="{described}">[^<]+<', answer.text)
    assert f'value="{key}"' in answer.text
    assert await events(counter) == before


ENTRIES = "2026-06-01 10:00 20 Анна Петрова\n\n01.06.2026 11:30; 10; Олег, подрядчик"


async def test_time_entries_are_recorded_as_they_were_written(counter: Counter):
    async with browser_client(counter.url) as client:
        fields = CLOSING | {"task_id": "with-entries", "worked_minutes": "30", "time_entries": ENTRIES}
        answer, key = await tried(counter, client, "close-task", **fields)
        assert answer.status_code == 200, answer.text
        assert '01.06.2026 11:30; 10; Олег, подрядчик"' in unescape(answer.text)
        data = {"form_token": token_in(answer), "key": key, "step": "record", **fields}
        assert (await client.post(f"{AT}/close-task", data=data, headers={"Cookie": counter.owner})).status_code == 303
    (closed,) = [each["data"] for each in await events(counter) if each["data"].get("task_id") == "with-entries"]
    assert [(each["start"], each["minutes"]) for each in closed["time_entries"]] == [
        ("2026-06-01T07:00:00Z", 20),
        ("2026-06-01T08:30:00Z", 10),
    ]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"time_entries": f"{ENTRIES}\n10:00 20 Анна"}, "Строки 4: напишите день, время, минуты и имя"),
        ({"time_entries": "2026-06-31 10:00 20 Анна"}, "Строки 1: напишите"),
        ({"time_entries": f"{ENTRIES}\n2026-06-01 12:00 0 Анна"}, "строка 4: больше 0"),
        ({"time_entries": ENTRIES, "worked_minutes": "40"}, "Исправьте отрезки"),
    ],
    ids=["no day", "no such day", "no minutes", "another sum"],
)
async def test_what_does_not_fit_in_time_entries_is_said_by_line(counter: Counter, changed: dict[str, str], said: str):
    fields = CLOSING | {"task_id": "wrong-entries", "worked_minutes": "30"} | changed
    async with browser_client(counter.url) as client:
        answer, _ = await tried(counter, client, "close-task", **fields)
    assert answer.status_code == 422, answer.text
    (described,) = re.findall(r'name="time_entries"[^>]*aria-describedby="\S+ (\S+)"', answer.text)
    (at_field,) = re.findall(rf'id="{described}">([^<]+)<', answer.text)
    assert said in at_field


async def test_a_form_is_for_those_who_have_its_right(counter: Counter):
    """Others are not offered it, and are refused where they ask or send."""
    async with browser_client(counter.url) as client:
        for holder, session in counter.sessions.items():
            if holder.role in {"admin", "follower"}:
                continue
            listed = await shown(client, AT, session)
            for name, form in FORMS.items():
                entitled = holder.role in RIGHTS[form.right.value].split()
                assert (f'href="{AT}/{name}"' in listed.text) == entitled, (holder, name)
                if not entitled:
                    data = {"form_token": token_in(listed), "step": "record"}
                    refused = await client.post(f"{AT}/{name}", data=data, headers={"Cookie": session})
                    asked = await shown(client, f"{AT}/{name}", session)
                    assert (refused.status_code, asked.status_code) == (403, 403), (holder, name)


async def test_a_correction_begins_with_the_closing_and_without_what_stands_for_a_name(counter: Counter):
    """The commitment to who confirmed it is no name: it would be recorded as one."""
    async with browser_client(counter.url) as client:
        page = await shown(client, f"{AT}/correct-task?task_id=own-task-0", counter.owner)
    assert 'name="worked_minutes" type="number" value="900"' in page.text
    assert 'name="confirmed_by" type="text" value=""' in page.text


async def test_a_form_of_another_session_is_not_taken(counter: Counter):
    async with browser_client(counter.url) as client:
        answer = await client.post(f"{AT}/suspend-work", data={"reason": "x"}, headers={"Cookie": counter.owner})
    assert answer.status_code == 403


@pytest.mark.parametrize("script", [True, False])
async def test_a_browser_records_once_with_a_double_click_and_a_reload(
    counter: Counter, browser: Browser, script: bool
):
    task_id = f"planned-{script}"
    async with look(browser, Manner(script=script), counter.url, counter.owner) as looking:
        page = looking.page
        await page.goto(f"{AT}/plan-task")
        await page.fill("[name=task_id]", task_id)
        await page.fill("[name=title]", "Перенос портала на новый сервер")
        await page.select_option("[name=category]", "urgent")
        await page.fill("[name=estimated_minutes]", "65")
        await follow(page, "button[value=try]")
        assert await page.get_attribute("[name=estimated_minutes]", "aria-invalid") == "true", "65 is not in quanta"
        await page.fill("[name=estimated_minutes]", "60")
        await follow(page, "button[value=try]")
        await page.reload()
        assert not [each for each in await looking.findings() if "422" not in each]
        await page.dblclick("button[value=record]")
        await expect(page).to_have_url(f"{counter.url}/customers/{OWN}")  # the first click's navigation is cut off
        await page.reload()
    planned = [event for event in await events(counter) if event["data"].get("task_id") == task_id]
    assert [event["type"] for event in planned] == ["TaskPlanned"]


async def test_a_task_leads_those_who_may_to_its_commands(counter: Counter):
    link = f'href="{AT}/correct-task?task_id=own-task-0"'
    async with browser_client(counter.url) as client:
        for holder, session in counter.sessions.items():
            page = await shown(client, f"/customers/{OWN}/tasks/own-task-0", session)
            if page.status_code == 200:
                assert (link in page.text) == (holder.role in RIGHTS["tasks"].split()), holder
