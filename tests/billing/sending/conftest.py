"""Hourbook at work with closed months, a mail server, and a sender."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from services.billing.sending.sender import run_sender
from services.billing.sending.settings import SendingSettings
from services.billing.settings import Settings
from services.process import pauses
from services.process.settings import read
from services.process.stopping import end
from tests.billing.sending.mail_server import Mailboxes
from tests.end_to_end.joined import joined_service
from tests.published import require_declared

MONTH = "2026-03"
SELLER = """
[party]
name = "ООО «Часы»"
inn = "7701234560"
kpp = "770101001"
signatory_name = "Иванов Иван Иванович"
"""
REQUISITES = {"inn": "7736207543", "kpp": "773601001"}
SECONDS_MAX = 60


@dataclass
class Desk:
    """A support desk: its Hourbook, and what customers find in their mailboxes."""

    url: str
    client: httpx.AsyncClient
    mailboxes: Mailboxes
    patch: pytest.MonkeyPatch
    _keys: int = field(default=0)

    async def command(self, *commands: dict[str, Any]) -> None:
        """Have them recorded, and in the read models; again with the same keys while the service has too much to do."""
        lines = []
        for each in commands:
            self._keys += 1
            lines.append(orjson.dumps(each | {"idempotency_key": f"key-{self._keys}"}))
        headers = {"Content-Type": "application/x-ndjson"}
        while True:
            answer = await self.client.post("/v1/commands", content=b"\n".join(lines), headers=headers)
            answers = list(map(orjson.loads, answer.content.splitlines())) if answer.is_success else []
            if answers and all(each["status"] != 503 for each in answers):
                break
            assert answer.is_success or answer.status_code == 503, answer.text
        assert {each["status"] for each in answers} == {201}, answers
        position = str(max(each["position"] for each in answers))
        while (
            await self.client.get("/v1/projections", headers={"Hourbook-Min-Position": position})
        ).status_code == 503:
            pass

    async def customer(
        self, account_id: str, *addresses: str, worked: int = 60, close: bool = True, **more: Any
    ) -> None:
        """An account with a task in March, closed or not, and who gets its documents."""
        await self.command(*history(account_id, worked=worked, close=close))
        if addresses:
            await self.recipients(account_id, *({"address": each, **more} for each in addresses))

    async def recipients(self, account_id: str, *recipients: dict[str, Any], since: str = "2026-01-01") -> Any:
        """Say who gets its documents."""
        body = {"effective_on": since, "recipients": recipients}
        return await self.asked("PUT", f"/v1/accounts/{account_id}/recipients", json=body)

    async def asked(self, method: str, path: str, **more: Any) -> Any:
        """What is answered once the service is not too busy to."""
        while (answer := await self.client.request(method, path, **more)).status_code == 503:
            pass
        return answer.raise_for_status().json()

    async def send(self, *accounts: str, dry_run: bool = False) -> Any:
        """Request the month's documents, or ask what would be sent."""
        body = {"accounts": accounts} if accounts else {}
        return await self.asked("POST", f"/v1/months/{MONTH}/sending", params={"dry_run": dry_run}, json=body)

    async def state(self, account_id: str) -> Any:
        """Where its documents of the month are."""
        page = await self.asked("GET", f"/v1/months/{MONTH}/sending")
        return next((each for each in page["accounts"] if each["account_id"] == account_id), None)

    async def once(self, account_id: str, condition: Callable[[Any], bool]) -> Any:
        """The state, once the condition holds of it."""
        async with asyncio.timeout(SECONDS_MAX):
            while (state := await self.state(account_id)) is None or not condition(state):
                await asyncio.sleep(0.02)
        return state

    async def once_sent(self, account_id: str, messages: int = 1) -> Any:
        """The state, once so many messages are sent and nothing is requested any more."""
        return await self.once(
            account_id,
            lambda state: (
                state["state"] != "requested" and [each["state"] for each in state["messages"]] == ["sent"] * messages
            ),
        )

    @asynccontextmanager
    async def sender(self, port: int, **settings: Any) -> AsyncIterator[None]:
        """A sender at work in this process."""
        self.name_server(port)
        sending = read(SendingSettings, **settings)
        work = asyncio.create_task(run_sender(read(Settings, hourbook_url=self.url), sending))
        try:
            yield
        finally:
            await end(work)
            if not work.cancelled():
                work.result()

    def name_server(self, port: int, patience_seconds: int = SECONDS_MAX) -> None:
        """Have the settings name that mail server, and say how long it may take to answer."""
        self.patch.setenv("HOURBOOK_SMTP_URL", f"smtp://localhost:{port}?timeout={patience_seconds}")
        self.patch.setenv("HOURBOOK_MAIL_FROM", "ООО «Часы» <office@seller.example>")


def history(account_id: str, *, worked: int = 60, close: bool = True) -> list[dict[str, Any]]:
    """A contract, hours, a task in March, and the month's close."""
    at = "2026-03-10T12:00:00+03:00"
    deeds: list[dict[str, Any]] = [
        {"command": "OpenAccount", "customer_name": f"ООО «{account_id}»", "contract_number": f"{account_id}/26",
         "contract_date": "2026-01-15"},
        {"command": "PurchasePackage", "package_id": "spring", "plan": "hours-20",
         "purchased_at": "2026-03-01T12:00:00Z"},
        {"command": "CloseTask", "task_id": "T-1", "title": "Настройка прав", "category": "regular",
         "worked_minutes": worked, "closed_at": at, "confirmed_at": at, "confirmed_by": "Анна"},
    ]  # fmt: skip
    if not worked:
        deeds.pop()
    if close:
        deeds.append({"command": "CloseMonth", "month": MONTH})
    return [deed | {"account_id": account_id} for deed in deeds]


@pytest.fixture(scope="module")
async def joined(file_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """Hourbook for the tests of a file, each with accounts of its own."""
    folder = tmp_path_factory.mktemp("desk")
    (folder / "seller.toml").write_text(SELLER, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOURBOOK_LOGS", "1")
        patch.setenv("HOURBOOK_SELLER_FILE", str(folder / "seller.toml"))
        async with joined_service(file_database_url, folder / "key.pem") as url:
            yield url


@pytest.fixture
async def desk(
    joined: str, file_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Desk]:
    """With pauses so short that nobody waits for them."""
    monkeypatch.setattr(pauses, "FIRST_SECONDS", 0.01)
    monkeypatch.setenv("DATABASE_URL", file_database_url)
    hooks = {"response": [require_declared]}
    async with httpx.AsyncClient(base_url=joined, trust_env=False, timeout=60, event_hooks=hooks) as client:
        yield Desk(joined, client, Mailboxes(tmp_path / "mail"), monkeypatch)
