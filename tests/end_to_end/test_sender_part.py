"""`up` with a mail server starts a sender, which works with billing's own key and login behind a closed door."""

import asyncio
from pathlib import Path

import httpx
import pytest

from contracts.access import Role
from infra.data_folder import free_port
from services.access.caller import KeyInFile
from services.operating.door_keys import file_of
from services.operating.up import running
from tests.billing.sending.conftest import Desk
from tests.billing.sending.mail_server import Mailboxes, mail_server
from tests.end_to_end.program import program


@pytest.mark.timeout(600)
async def test_a_month_is_sent_by_command_through_the_part_that_up_starts(
    server_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    mailboxes = Mailboxes(tmp_path / "mail")
    monkeypatch.setenv("HOURBOOK_ACCESS", "closed")
    monkeypatch.setenv("HOURBOOK_MAIL_FROM", "Hourbook <office@seller.example>")
    async with mail_server(mailboxes) as port:
        monkeypatch.setenv("HOURBOOK_SMTP_URL", f"smtp://localhost:{port}")
        up = running(server_folder, free_port())
        hourbook = await asyncio.to_thread(up.__enter__)
        try:
            assert [part.name for part in hourbook.parts].count("sender") == 1
            owner = file_of(server_folder, "owner")
            async with httpx.AsyncClient(
                base_url=hourbook.url, auth=KeyInFile(owner), trust_env=False, timeout=60
            ) as client:
                await Desk(hourbook.url, client, mailboxes, monkeypatch).customer("oka", "buh@oka.example")
            finance = file_of(server_folder, Role.FINANCE)
            line = ["send-documents", "2026-03", "--url", hourbook.url, "--key-file", str(finance)]
            would = await asyncio.to_thread(program, *line, "--dry-run")
            did = await asyncio.to_thread(program, *line)
        finally:
            await asyncio.to_thread(up.__exit__, None, None, None)

    assert would.returncode == did.returncode == 0, (would.stderr, did.stderr)
    assert would.stdout == "oka\twould be sent\tbuh@oka.example\treport and act\n"
    assert did.stdout == "oka\tsent\tbuh@oka.example\n"
    assert len(mailboxes.messages("buh@oka.example")) == 1
    log = (server_folder / "processes" / "sender.log").read_text()
    assert "buh@" not in log
    assert owner.name not in log
