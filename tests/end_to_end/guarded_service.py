"""Hourbook behind its door: two customers' accounts with a history each, and a key for every role."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import orjson
import pytest

from contracts.access import KeyRequest, Role
from services.access.principals import LOCAL
from services.ledger.access.keys import Keys
from services.ledger.running import running_ledger
from services.ledger.settings import Settings
from tests.end_to_end.joined import at_work, joined_application
from tests.projections.questions import caught_up

OWN, FOREIGN, UNKNOWN = "oka-000001", "kama-00001", "none-00001"
"""Of one length, so that answers about them are, too."""

MARK = "SECRETKAMA"
"""Stands in every text of the foreign account, and nowhere else."""

ROLES = tuple(sorted(Role))
CLOSED_MONTH = "2026-03"


class Holder(NamedTuple):
    """Whose key it is: of one role, for all accounts or for OWN alone; nobody is the customer of all accounts."""

    role: str
    scoped: bool


class Guarded(NamedTuple):
    """The service, and the credentials of everybody who may ask it something."""

    url: str
    owner: str
    keys: Mapping[Holder, str]

    def client(self, credential: str | None) -> httpx.AsyncClient:
        """A client with that credential, or with none."""
        headers = {"Authorization": f"Bearer {credential}"} if credential else {}
        return httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=60, headers=headers)


@asynccontextmanager
async def guarded_service(database_url: str, folder: Path) -> AsyncIterator[Guarded]:
    """Once everything that has happened is in the read models; the worker has ended then, for it slows the calls."""
    with pytest.MonkeyPatch.context() as patch:
        settings = {"HOURBOOK_ACCESS": "closed", "HOURBOOK_LOGS": "1"}
        for name, value in settings.items():
            patch.setenv(name, value)
        owner, keys = await _keys(database_url)
        (folder / "owner.key").write_text(owner)
        patch.setenv("HOURBOOK_LEDGER_KEY_FILE", str(folder / "owner.key"))
        async with joined_application(database_url, folder / "audit.pem") as url:
            guarded = Guarded(url, owner, keys)
            async with at_work(url), guarded.client(owner) as client:
                await _happen(client)
            yield guarded


async def _keys(database_url: str) -> tuple[str, dict[Holder, str]]:
    """Made by who owns the server, as its first keys are."""
    async with running_ledger(Settings(database_url=database_url, nats_url=None)) as ledger:
        making = Keys(ledger.access, LOCAL)

        async def made(*roles: str, scoped: bool = False) -> str:
            accounts = frozenset({OWN}) if scoped else None
            asked = KeyRequest(name="of a test", roles=frozenset(map(Role, roles)), accounts=accounts)
            return (await making.make(asked)).credential

        holders = [Holder(role, scoped) for role in ROLES for scoped in (False, True)]
        holders.remove(Holder(Role.CUSTOMER, False))  # there is no such key
        return await made(*ROLES), {each: await made(each.role, scoped=each.scoped) for each in holders}


async def _happen(client: httpx.AsyncClient) -> None:
    lines = [line for account, mark in ((FOREIGN, MARK), (OWN, "own")) for line in _history(account, mark)]
    content = b"\n".join(map(orjson.dumps, lines))
    answer = await client.post("/v1/commands", content=content, headers={"Content-Type": "application/x-ndjson"})
    answers = list(map(orjson.loads, answer.content.splitlines()))
    assert {each["status"] for each in answers} == {201}, answers
    last = answers[-1]["events"][-1]
    (await caught_up(client, "/v1/projections", last["position"])).raise_for_status()
    while (await client.get(f"/v1/accounts/{OWN}/receipts/{last['version']}")).status_code == 503:
        pass


def _history(account: str, mark: str) -> list[dict[str, object]]:
    """Hours bought and worked up, a debt, warranty, a suspension, a closed month; people and texts in it all."""
    task = {
        "category": "regular", "worked_minutes": 900, "closed_at": "2026-03-03T12:00:00Z",
        "confirmed_at": "2026-03-03T12:00:00Z", "confirmed_by": f"{mark} person", "title": f"{mark} title",
    }  # fmt: skip
    deeds: list[dict[str, object]] = [
        {"command": "OpenAccount", "customer_name": f"{mark} customer", "contract_number": f"{mark}-7/26",
         "contract_date": "2026-01-01"},
        {"command": "PurchasePackage", "package_id": f"{mark}-package", "plan": "hours-20",
         "purchased_at": "2026-03-01T12:00:00Z"},
        *({"command": "CloseTask", "task_id": f"{mark}-task-{number}", **task} for number in range(3)),
        {"command": "MarkWarranty", "task_id": f"{mark}-task-1", "reason": f"{mark} reason"},
        {"command": "CloseTask", "task_id": f"{mark}-task-3", **task},
        {"command": "SuspendWork", "reason": f"{mark} suspension"},
        {"command": "CloseMonth", "month": CLOSED_MONTH},
    ]  # fmt: skip
    return [{**each, "account_id": account, "idempotency_key": f"{mark}-key-{n}"} for n, each in enumerate(deeds)]
