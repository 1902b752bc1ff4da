"""A closed month's documents reach everybody who is to get them, once, as they are stored."""

import asyncio
import logging
from datetime import timedelta
from hashlib import sha256

import asyncpg
import pytest

from services.billing.sending import delivery
from tests.billing.sending.conftest import MONTH, REQUISITES, Desk
from tests.billing.sending.mail_server import mail_server


async def test_a_months_documents_arrive_as_they_are_stored(desk: Desk):
    await desk.customer("whole", "buh@whole.example")
    async with mail_server(desk.mailboxes) as port, desk.sender(port):
        await desk.send("whole")
        state = await desk.once_sent("whole")

    (message,) = desk.mailboxes.messages("buh@whole.example")
    attached = {part.get_filename(): part.get_content() for part in message.iter_attachments()}
    assert list(attached) == [f"Report-whole-{MONTH}.pdf", f"Act-whole-{MONTH}.pdf"]
    assert {sha256(content).hexdigest() for content in attached.values()} == set(state["messages"][0]["documents"])
    for document in state["documents"]:
        kept = await desk.client.get(f"/v1/documents/{document['sha256']}")
        assert kept.content == attached[document["name"]]
        assert kept.content == (await desk.client.get(f"/v1/accounts/whole/{document['kind']}s/{MONTH}.pdf")).content
    assert message["Subject"] == "Документы за март 2026 года по договору № whole/26"
    assert "Акт № whole/26-2026-03" in message.get_body(("plain",)).get_content()


async def test_asking_again_sends_nothing_twice(desk: Desk):
    await desk.customer("twice", "buh@twice.example")
    async with mail_server(desk.mailboxes) as port, desk.sender(port):
        await desk.send("twice")
        await desk.once_sent("twice")
        await desk.send("twice")
        state = await desk.once("twice", lambda state: state["state"] == "nothing-new")

    assert desk.mailboxes.deliveries("buh@twice.example").total() == 1
    assert [message["attempts"] for message in state["messages"]] == [1]


async def test_each_recipient_gets_its_kinds_in_its_language_and_sees_no_other(desk: Desk):
    await desk.customer("kinds")
    await desk.recipients(
        "kinds",
        {"address": "boss@kinds.example", "kinds": ["report"], "lang": "en"},
        {"address": "buh@kinds.example", "kinds": ["act"]},
    )
    async with mail_server(desk.mailboxes) as port, desk.sender(port):
        planned = await desk.send("kinds", dry_run=True)
        await desk.send("kinds")
        await desk.once_sent("kinds", messages=2)

    assert [(each["address"], each["kinds"], each["lang"]) for each in planned["planned"][0]["messages"]] == [
        ("boss@kinds.example", ["report"], "en"), ("buh@kinds.example", ["act"], "ru"),
    ]  # fmt: skip
    (report,), (act,) = desk.mailboxes.messages("boss@kinds.example"), desk.mailboxes.messages("buh@kinds.example")
    assert [part.get_filename() for part in report.iter_attachments()] == [f"Report-kinds-{MONTH}.pdf"]
    assert [part.get_filename() for part in act.iter_attachments()] == [f"Act-kinds-{MONTH}.pdf"]
    assert report["Subject"].startswith("Documents for March 2026")
    assert "sign" not in report.get_body(("plain",)).get_content()
    assert "buh@" not in report.as_string()


async def test_an_upd_goes_to_who_asks_for_it_once_it_can_be_written_and_until_then_the_rest_goes(desk: Desk):
    """What it lacks is said, beforehand too; its file is called what its content says, in whichever language."""
    await desk.customer("upd", close=False)
    everything = ["report", "act", "upd"]
    await desk.recipients(
        "upd",
        {"address": "buh@upd.example", "kinds": everything, "lang": "en"},
        {"address": "edo@upd.example", "kinds": ["upd"]},
    )
    await desk.command({"command": "CloseMonth", "account_id": "upd", "month": MONTH})
    async with mail_server(desk.mailboxes) as port, desk.sender(port):
        (planned,) = (await desk.send("upd", dry_run=True))["planned"]
        assert [(each["address"], each["kinds"]) for each in planned["messages"]] == [
            ("buh@upd.example", ["report", "act"])
        ]
        await desk.send("upd")
        without = await desk.once_sent("upd")
        assert all("customer.inn" in (said["reason"] or "") for said in (planned, without))
        await desk.command(
            {"command": "ReopenMonth", "account_id": "upd", "month": MONTH, "reason": "реквизиты"},
            {"command": "ChangeCustomer", "account_id": "upd", "effective_on": "2026-03-01",
             "customer_requisites": REQUISITES},
            {"command": "CloseMonth", "account_id": "upd", "month": MONTH},
        )  # fmt: skip
        await desk.send("upd")
        state = await desk.once_sent("upd", messages=3)

    assert state["reason"] is None
    (alone,) = desk.mailboxes.messages("edo@upd.example")
    (file,) = alone.iter_attachments()
    (kept,) = [each for each in state["documents"] if each["kind"] == "upd"]
    assert file.get_content_type() == "application/xml"
    assert file.get_filename() == kept["name"]
    assert f'ИдФайл="{kept["name"].removesuffix(".xml")}"' in file.get_content().decode("cp1251")
    stored = await desk.client.get(f"/v1/documents/{kept['sha256']}")
    assert stored.content == file.get_content()
    assert stored.headers["Content-Disposition"].startswith("attachment")
    attached = [
        [part.get_content_type() for part in message.iter_attachments()]
        for message in desk.mailboxes.messages("buh@upd.example")
    ]
    assert sorted(attached) == [["application/pdf"] * 2, ["application/pdf"] * 2 + ["application/xml"]]


async def test_a_recipient_that_is_added_later_gets_what_it_lacks(desk: Desk):
    await desk.customer("later", "boss@later.example", kinds=["report"])
    async with mail_server(desk.mailboxes) as port, desk.sender(port):
        await desk.send("later")
        await desk.once_sent("later")
        await desk.recipients("later", {"address": "boss@later.example"}, {"address": "buh@later.example"})
        await desk.send("later")
        await desk.once_sent("later", messages=3)

    names = [
        part.get_filename() for m in desk.mailboxes.messages("boss@later.example") for part in m.iter_attachments()
    ]
    assert sorted(names) == [f"Act-later-{MONTH}.pdf", f"Report-later-{MONTH}.pdf"]


async def test_a_month_that_is_closed_again_is_sent_again_and_the_old_documents_stay(desk: Desk):
    await desk.customer("again", "buh@again.example")
    async with mail_server(desk.mailboxes) as port, desk.sender(port):
        await desk.send("again")
        first = await desk.once_sent("again")
        await desk.command(
            {"command": "ReopenMonth", "account_id": "again", "month": MONTH, "reason": "ошибка"},
            {"command": "MarkWarranty", "account_id": "again", "task_id": "T-1", "reason": "гарантия"},
            {"command": "CloseMonth", "account_id": "again", "month": MONTH},
        )
        await desk.send("again")
        second = await desk.once_sent("again", messages=2)

    assert [message["revision"] for message in second["messages"]] == [1, 2]
    assert not set(second["messages"][0]["documents"]) & set(second["messages"][1]["documents"])
    for document in first["documents"]:
        assert (await desk.client.get(f"/v1/documents/{document['sha256']}")).status_code == 200
    texts = [message.get_body(("plain",)).get_content() for message in desk.mailboxes.messages("buh@again.example")]
    assert sorted("заменяют" in text for text in texts) == [False, True]


async def test_an_act_with_nothing_in_it_is_not_sent(desk: Desk):
    await desk.customer("idle", "buh@idle.example", worked=0)
    async with mail_server(desk.mailboxes) as port, desk.sender(port):
        await desk.send("idle")
        await desk.once_sent("idle")

    (message,) = desk.mailboxes.messages("buh@idle.example")
    assert [part.get_filename() for part in message.iter_attachments()] == [f"Report-idle-{MONTH}.pdf"]


async def test_why_nothing_is_sent_is_said_beforehand_and_afterwards(desk: Desk):
    await desk.customer("nobody")
    await desk.customer("open", "buh@open.example", close=False)
    async with mail_server(desk.mailboxes) as port, desk.sender(port):
        planned = {
            each["account_id"]: each["state"] for each in (await desk.send("nobody", "open", dry_run=True))["planned"]
        }
        await desk.send("nobody", "open")
        states = {
            each: (await desk.once(each, lambda state: state["state"] != "requested"))["state"] for each in planned
        }

    assert planned == states == {"nobody": "no-recipients", "open": "not-closed"}
    assert not desk.mailboxes.recipients


@pytest.mark.parametrize("fault", ["refuse-recipient", "refuse-content"])
async def test_what_is_refused_is_not_tried_again_by_itself_but_by_hand(desk: Desk, fault: str):
    account = fault.replace("refuse-", "no-")
    await desk.customer(account, f"buh@{account}.example")
    async with mail_server(desk.mailboxes, iter([fault, None])) as port, desk.sender(port):
        await desk.send(account)
        refused = await desk.once(account, lambda state: [m["state"] for m in state["messages"]] == ["refused"])
        assert f"buh@{account}" not in refused["messages"][0]["answer"]
        assert refused["messages"][0]["next_attempt_at"] is None
        planned = await desk.send(account, dry_run=True)
        assert [message["again"] for message in planned["planned"][0]["messages"]] == [True]
        await desk.send(account)
        await desk.once_sent(account)

    assert desk.mailboxes.deliveries(f"buh@{account}.example").total() == 1


async def test_what_fails_for_a_while_is_sent_when_it_can_be(desk: Desk, caplog: pytest.LogCaptureFixture):
    """What may have been taken is sent again under its Message-ID, and says so of itself; no log has its address."""
    caplog.set_level(logging.DEBUG, "services")
    await desk.customer("weather", "buh@weather.example")
    faults = ["refuse-now", "cut-before-content", "refuse-content-now", "cut-taken", "cut-untaken", None]
    async with mail_server(desk.mailboxes, iter(faults)) as port, desk.sender(port):
        await desk.send("weather")
        state = await desk.once_sent("weather")

    (message,) = state["messages"]
    assert (message["attempts"], message["unanswered"]) == (6, 2)
    assert list(desk.mailboxes.deliveries("buh@weather.example").values()) == [2]
    assert len(desk.mailboxes.messages("buh@weather.example")) == 1
    assert "451 " in caplog.text
    assert "buh@" not in caplog.text


async def test_what_fails_for_too_long_is_given_up(desk: Desk, monkeypatch):
    monkeypatch.setattr(delivery, "GIVE_UP_AFTER", timedelta())
    await desk.customer("hopeless", "buh@hopeless.example")
    async with mail_server(desk.mailboxes, iter(["refuse-now"])) as port, desk.sender(port):
        await desk.send("hopeless")
        await desk.once("hopeless", lambda state: [m["state"] for m in state["messages"]] == ["failed"])


async def test_a_server_that_is_away_keeps_everything_waiting(desk: Desk):
    await desk.customer("patient", "buh@patient.example")
    async with mail_server(desk.mailboxes) as port:
        pass
    async with desk.sender(port):
        await desk.send("patient")
        state = await desk.once("patient", lambda state: state["state"] == "prepared")
        assert [(each["state"], each["attempts"]) for each in state["messages"]] == [("prepared", 0)]
        async with mail_server(desk.mailboxes, port=port):
            await desk.once_sent("patient")


async def test_an_erased_address_is_sent_nothing_and_stands_nowhere(desk: Desk, file_database_url: str):
    await desk.customer("private", "anna@private.example")
    async with mail_server(desk.mailboxes) as port, desk.sender(port):
        await desk.send("private")
        await desk.once_sent("private")
        body = {"address": "anna@private.example", "reason": "просьба"}
        erased = await desk.client.post("/v1/accounts/private/recipients/erasures", json=body)
        assert erased.json() == {"account_id": "private", "erased": 1}
        await desk.send("private")
        state = await desk.once("private", lambda state: state["state"] == "no-recipients")

    assert [message["address"] for message in state["messages"]] == [None]
    assert "anna@" not in (await desk.client.get("/v1/accounts/private/recipients")).text
    connection = await asyncpg.connect(file_database_url)
    tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'billing'")
    for (table,) in tables:
        rows = await connection.fetch(f"SELECT row::text AS shown FROM billing.{table} AS row")
        assert not any("anna@" in row["shown"] for row in rows), table
    await connection.close()


async def test_a_mark_says_who_signed_what_when_and_the_last_one_counts(desk: Desk, file_database_url: str):
    """Each is kept once, also where its form came twice at the same time."""
    await desk.customer("signed", "buh@signed.example")
    async with mail_server(desk.mailboxes) as port, desk.sender(port):
        await desk.send("signed")
        state = await desk.once_sent("signed")
    act = next(each for each in state["documents"] if each["kind"] == "act")
    for mark in ("signed", "unsigned", "returned"):
        body = {"mark": mark, "marked_on": "2026-07-10"}
        twice = [desk.client.put(f"/v1/documents/{act['sha256']}/mark", json=body) for _ in "12"]
        for marked in await asyncio.gather(*twice):
            assert marked.json() | {"mark": mark} == marked.json()

    shown = next(each for each in (await desk.state("signed"))["documents"] if each["kind"] == "act")
    assert (shown["mark"], shown["marked_on"], shown["marked_by"]) == ("returned", "2026-07-10", "local")
    connection = await asyncpg.connect(file_database_url)
    kept = await connection.fetch("SELECT mark FROM billing.document_mark WHERE account_id = 'signed' ORDER BY number")
    await connection.close()
    assert [row["mark"] for row in kept] == ["signed", "unsigned", "returned"]


async def test_a_list_of_recipients_that_comes_twice_at_once_is_kept_once(desk: Desk):
    await desk.customer("doubled")
    await asyncio.gather(*(desk.recipients("doubled", {"address": "buh@doubled.example"}) for _ in "1234"))
    assert len((await desk.asked("GET", "/v1/accounts/doubled/recipients"))["lists"]) == 1


async def test_a_document_that_was_never_sent_is_not_found(desk: Desk):
    answer = await desk.client.get(f"/v1/documents/{'0' * 64}")
    assert answer.status_code == 404
    answer = await desk.client.put(f"/v1/documents/{'0' * 64}/mark", json={"mark": "signed", "marked_on": "2026-07-10"})
    assert answer.status_code == 404


async def test_without_a_mail_server_nothing_is_requested(desk: Desk):
    await desk.customer("offline", "buh@offline.example")
    answer = await desk.client.post(f"/v1/months/{MONTH}/sending", json={"accounts": ["offline"]})
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (409, "sending-off")
    page = (await desk.client.get(f"/v1/months/{MONTH}/sending")).json()
    assert "offline" not in {each["account_id"] for each in page["accounts"]}
