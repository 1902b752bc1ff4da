"""Sender and mail server, both real processes, killed at random while a month's documents go out to many customers.

python -m tests.reliability.sending 300
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from email import message_from_bytes
from email.policy import SMTP as MIME
from hashlib import sha256
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest

from infra.data_folder import free_port
from infra.embedded import EmbeddedPostgres
from tests.billing.sending.conftest import MONTH, Desk, history
from tests.billing.sending.mail_server import Mailboxes
from tests.conftest import reachable_folder
from tests.end_to_end.joined import joined_service

SECONDS_MAX = 3600
AT_ONCE = 50
"""Customers whose history is recorded by one request."""
SENDER = "from services.process import pauses; pauses.FIRST_SECONDS = 0.05; from services.__main__ import main; main()"
"""The sender as it is, but for its pauses: they would be most of the time."""
STEPS = (4, 20)
"""So many messages are prepared or tried between one death and the next."""


class Killed:
    """A process that is started again whenever it was killed."""

    def __init__(self, name: str, *arguments: str) -> None:
        self.name, self.deaths = name, 0
        self._arguments = arguments
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        arguments = [each.format(deaths=self.deaths) for each in self._arguments]
        with Path(os.environ["SENDING_LOGS"], self.name).open("ab") as log:  # noqa: ASYNC230 - of a moment
            self._process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=log, stderr=log)

    async def kill(self) -> None:
        """With SIGKILL: nothing is cleaned up."""
        assert self._process is not None
        assert self.alive, f"{self.name} ended by itself: {self._last_words()}"
        self.deaths += 1
        self._process.send_signal(signal.SIGKILL)
        await self._process.wait()

    def _last_words(self) -> str:
        return Path(os.environ["SENDING_LOGS"], self.name).read_text(encoding="utf-8", errors="replace")[-2000:]

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.returncode is None


@asynccontextmanager
async def running(*processes: Killed) -> AsyncIterator[None]:
    for each in processes:
        await each.start()
    try:
        yield
    finally:
        for each in processes:
            if each.alive:
                await each.kill()


async def campaign(desk: Desk, customers: int, seed: int, folder: Path) -> dict[str, int]:
    """Send the documents of so many customers through it all, and judge what came of it; returns what happened."""
    chance = Random(seed)
    accounts = [f"customer-{number:03}" for number in range(customers)]
    for some in (accounts[at : at + AT_ONCE] for at in range(0, customers, AT_ONCE)):
        await desk.command(*(deed for account in some for deed in history(account)))
    for account in accounts:
        await desk.recipients(account, {"address": f"{account}@post.example"})
    port = free_port()
    desk.name_server(port, patience_seconds=1)
    desk.patch.setenv("HOURBOOK_URL", desk.url)
    desk.patch.setenv("SENDING_LOGS", str(folder))
    serving = ["-m", "tests.billing.sending.mail_server", str(port), str(folder / "mail"), f"{seed}{{deaths}}"]
    server = Killed("server", *serving)  # of another mood each time
    senders = [Killed(f"sender-{number}", "-c", SENDER, "sender") for number in range(2)]
    async with running(server, *senders), asyncio.timeout(SECONDS_MAX):
        await desk.send(*accounts)
        await _kill_until_sent(desk, customers, chance, [server, *senders])
    happened = await judge(desk, accounts)
    return happened | {"server killed": server.deaths, "senders killed": sum(each.deaths for each in senders)}


async def _kill_until_sent(desk: Desk, customers: int, chance: Random, processes: list[Killed]) -> None:
    """Kill one of them after every few steps, wherever it is just then, until every message is sent.

    Each dies once at least, the last of them after everything is sent where that comes first.
    """
    next_death = 0
    first_victims = chance.sample(processes, len(processes))
    while True:
        messages = [message for account in await whole_state(desk) for message in account["messages"]]
        assert not [each for each in messages if each["state"] in ("refused", "failed")]
        all_sent = [each["state"] for each in messages] == ["sent"] * customers
        if all_sent and not first_victims:
            return
        steps = len(messages) + sum(each["attempts"] for each in messages)
        if all_sent or steps >= next_death:
            next_death = steps + chance.randint(*STEPS)
            victim = first_victims.pop() if first_victims else chance.choice(processes)
            await victim.kill()
            await victim.start()
        await asyncio.sleep(chance.uniform(0.05, 0.3))


async def whole_state(desk: Desk) -> list[dict[str, Any]]:
    return (await desk.asked("GET", f"/v1/months/{MONTH}/sending", params={"limit": 1000}))["accounts"]


async def judge(desk: Desk, accounts: list[str]) -> dict[str, int]:
    """Every customer has each document once, as it is stored; of what came twice, that was known to be possible."""
    state = {each["account_id"]: each for each in await whole_state(desk)}
    assert desk.mailboxes.recipients == {f"{account}@post.example" for account in accounts}
    repeats = possible = attempts = 0
    for account in accounts:
        (message,) = state[account]["messages"]
        deliveries = desk.mailboxes.deliveries(f"{account}@post.example")
        (taken,) = desk.mailboxes.taken(f"{account}@post.example").values()
        assert list(deliveries) == [f"<{message['message_id']}@seller.example>"]
        assert deliveries.total() <= 1 + message["unanswered"]
        received = [part.get_content() for part in message_from_bytes(taken, policy=MIME).iter_attachments()]  # type: ignore[attr-defined]
        assert [sha256(content).hexdigest() for content in received] == message["documents"]
        for kept, content in zip(message["documents"], received, strict=True):
            assert (await desk.client.get(f"/v1/documents/{kept}")).content == content
        assert len(received) == 2
        repeats += deliveries.total() - 1
        possible += message["unanswered"]
        attempts += message["attempts"]
    return {"customers": len(accounts), "attempts": attempts, "without an answer": possible, "taken twice": repeats}


async def _campaign(customers: int, seed: int) -> None:
    with ExitStack() as stack:
        postgres = stack.enter_context(EmbeddedPostgres(stack.enter_context(reachable_folder())))
        folder = Path(stack.enter_context(TemporaryDirectory()))
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("HOURBOOK_LOGS", "1")
        patch.setenv("DATABASE_URL", postgres.url)
        patch.setenv("HOURBOOK_REQUEST_LOG_FILE", str(folder / "requests.log"))
        async with (
            joined_service(postgres.url, folder / "audit.pem") as url,
            httpx.AsyncClient(base_url=url, trust_env=False, timeout=600) as client,
        ):
            happened = await campaign(Desk(url, client, Mailboxes(folder / "mail"), patch), customers, seed, folder)
    for what, times in happened.items():
        print(f"{times:>7}  {what}")


if __name__ == "__main__":
    asyncio.run(_campaign(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else Random().randrange(2**32)))
