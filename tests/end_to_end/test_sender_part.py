"""`up` starts a sender with a mail server, and a connector with a portal's settings, each with a key of its own."""

import asyncio
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from contracts.access import Role
from infra.data_folder import free_port
from services.access.caller import KeyInFile
from services.operating.door_keys import file_of
from services.operating.up import running
from tests.billing.sending.conftest import Desk
from tests.billing.sending.mail_server import Mailboxes, mail_server
from tests.bitrix24.fake_portal import SECRET, FakePortal
from tests.bitrix24.trade import CUSTOMERS, OKA, SELLERS, confirmed
from tests.end_to_end.program import program
from tests.ledger.serving import serving


async def closings_of(client: httpx.AsyncClient, task: int) -> list[dict[str, Any]]:
    """What the task was charged, as far as the read model of tasks has come."""
    return (await client.get(f"/v1/accounts/oka/tasks/B24-{task}")).json().get("closings", [])


@pytest.mark.timeout(600)
async def test_a_month_is_sent_by_command_through_the_part_that_up_starts(
    server_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    mailboxes = Mailboxes(tmp_path / "mail")
    monkeypatch.setenv("HOURBOOK_ACCESS", "closed")
    monkeypatch.setenv("HOURBOOK_MAIL_FROM", "Hourbook <office@seller.example>")
    portal = FakePortal(time.monotonic)
    portal.person(SELLERS, "Пётр Мастер")
    portal.person(CUSTOMERS, "Анна Иванова", extranet=True)
    task = confirmed(portal)
    async with mail_server(mailboxes) as port, serving(lambda: portal.app) as portal_url:
        (server_folder / "bitrix24.toml").write_text(
            f'webhook = "{portal_url}/rest/{SECRET}/"\nsince = 2026-01-01\n[accounts]\n{OKA} = "oka"\n'
        )
        monkeypatch.setenv("HOURBOOK_SMTP_URL", f"smtp://localhost:{port}")
        up = running(server_folder, free_port())
        hourbook = await asyncio.to_thread(up.__enter__)
        try:
            assert {"sender", "bitrix24"} < {part.name for part in hourbook.parts}
            owner = file_of(server_folder, "owner")
            async with httpx.AsyncClient(
                base_url=hourbook.url, auth=KeyInFile(owner), trust_env=False, timeout=60
            ) as client:
                await Desk(hourbook.url, client, mailboxes, monkeypatch).customer("oka", "buh@oka.example")
                async with asyncio.timeout(120):
                    while not (said := (await client.get("/v1/portals")).json()["portals"]):
                        await asyncio.sleep(0.1)
                    while not (closings := await closings_of(client, task)):
                        await asyncio.sleep(0.1)
            finance = file_of(server_folder, Role.FINANCE)
            line = ["send-documents", "2026-03", "--url", hourbook.url, "--key-file", str(finance)]
            would = await asyncio.to_thread(program, *line, "--dry-run")
            did = await asyncio.to_thread(program, *line)
        finally:
            await asyncio.to_thread(up.__exit__, None, None, None)

    assert would.returncode == did.returncode == 0, (would.stderr, did.stderr)
    assert would.stdout == "oka\twould be sent\tbuh@oka.example\treport and act\n"
    assert did.stdout == "oka\tsent\tbuh@oka.example\n"
    assert (said[0]["condition"], closings[0]["worked_minutes"]) == ("read", 50)
    assert SECRET not in (server_folder / "processes" / "bitrix24.log").read_text()
    assert len(mailboxes.messages("buh@oka.example")) == 1
    log = (server_folder / "processes" / "sender.log").read_text()
    assert "buh@" not in log
    assert owner.name not in log
