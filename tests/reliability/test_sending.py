"""Whatever is killed while documents go out: every customer has each document once, and the very bytes are stored."""

from pathlib import Path

import httpx
import pytest

from tests.billing.sending.conftest import Desk
from tests.billing.sending.mail_server import Mailboxes
from tests.end_to_end.joined import joined_service
from tests.reliability.sending import campaign

CUSTOMERS = 6
"""The campaign has 300."""


@pytest.mark.timeout(900)  # each death costs a start
async def test_sender_and_mail_server_are_killed_at_random(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HOURBOOK_LOGS", "1")
    monkeypatch.setenv("DATABASE_URL", database_url)
    async with (
        joined_service(database_url, tmp_path / "audit.pem") as url,
        httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as client,
    ):
        desk = Desk(url, client, Mailboxes(tmp_path / "mail"), monkeypatch)
        happened = await campaign(desk, CUSTOMERS, seed=1, folder=tmp_path)

    assert happened["senders killed"]
    assert happened["server killed"]
