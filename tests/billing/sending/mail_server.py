"""A real mail server for tests, which fails as it is told to, and files what it takes as mailboxes do."""

import asyncio
import itertools
import ssl
import sys
import warnings
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as MIME
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

HANG_SECONDS = 30
Fault = str
"""Of one message: `refuse-now`, `hang-at-sender`, `refuse-recipient`, `cut-before-content`, `refuse-content-now`,
`refuse-content`, `cut-untaken`, `cut-taken`, `hang-taken`."""


class Mailboxes:
    """What was taken: a file for each delivery. Who reads a mailbox sees of each Message-ID one message."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def file(self, recipient: str, content: bytes) -> None:
        """Keep it; a process that is killed meanwhile keeps all of it or nothing."""
        mailbox = self._folder / recipient
        mailbox.mkdir(parents=True, exist_ok=True)
        unfinished = self._folder / f"{uuid4().hex}.part"
        unfinished.write_bytes(content)
        unfinished.rename(mailbox / uuid4().hex)

    @property
    def recipients(self) -> set[str]:
        """Who was sent anything."""
        return {each.name for each in self._folder.iterdir() if each.is_dir()} if self._folder.exists() else set()

    def deliveries(self, recipient: str) -> Counter[str]:
        """How often each message came, by its Message-ID."""
        return Counter(message_id for message_id, _ in self._files(recipient))

    def taken(self, recipient: str) -> dict[str, bytes]:
        """Each message once, by its Message-ID; a repeat is the very same message."""
        found: dict[str, bytes] = {}
        for message_id, content in self._files(recipient):
            assert found.setdefault(message_id, content) == content
        return found

    def messages(self, recipient: str) -> list[EmailMessage]:
        """As a reader has them."""
        return [message_from_bytes(each, policy=MIME) for each in self.taken(recipient).values()]  # type: ignore[misc]

    def _files(self, recipient: str) -> Iterator[tuple[str, bytes]]:
        mailbox = self._folder / recipient
        for file in sorted(mailbox.iterdir()) if mailbox.exists() else ():
            content = file.read_bytes()
            yield str(message_from_bytes(content, policy=MIME)["Message-ID"]), content


class FailingHandler:
    """Takes messages, and fails as `faults` says for one after another; each fault is of one message."""

    def __init__(self, mailboxes: Mailboxes, faults: Iterator[Fault | None]) -> None:
        self._mailboxes = mailboxes
        self._faults = faults
        self._fault: Fault | None = None

    async def handle_MAIL(  # noqa: N802 - the library's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        self._fault = next(self._faults)
        envelope.mail_from = address
        if self._fault == "hang-at-sender":
            await asyncio.sleep(HANG_SECONDS)
        return "451 4.3.0 try again later" if self._fault == "refuse-now" else "250 OK"

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        if self._fault == "refuse-recipient":
            return f"550 5.1.1 <{address}>: no such user"
        if self._fault == "cut-before-content":
            cut(server)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - the library's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if self._fault == "refuse-content-now":
            return "452 4.2.2 mailbox full"
        if self._fault == "refuse-content":
            return "552 5.3.4 too big"
        if self._fault == "cut-untaken":
            cut(server)
            return "250 nobody reads this"
        assert isinstance(envelope.content, bytes)
        for recipient in envelope.rcpt_tos:
            self._mailboxes.file(recipient, envelope.content)
        if self._fault == "cut-taken":
            cut(server)
        if self._fault == "hang-taken":
            await asyncio.sleep(HANG_SECONDS)
        return "250 2.0.0 queued"


def cut(server: SMTP) -> None:
    """Break the connection without a word."""
    server.transport.abort()


def _only(user: str, password: str) -> Callable[..., AuthResult]:
    def judge(server: Any, session: Any, envelope: Any, mechanism: Any, given: Any) -> AuthResult:
        known = isinstance(given, LoginPassword) and given == LoginPassword(user.encode(), password.encode())
        return AuthResult(success=known, handled=known)

    return judge


@asynccontextmanager
async def mail_server(
    mailboxes: Mailboxes,
    faults: Iterator[Fault | None] | None = None,
    *,
    port: int = 0,
    certificate: tuple[Path, Path] | None = None,
    tls_from_the_start: bool = False,
    login: tuple[str, str] | None = None,
) -> AsyncIterator[int]:
    """A server on loopback; yields its port. With a certificate it wants STARTTLS, or TLS from the start."""
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
    options: dict[str, Any] = {"hostname": "mail.test", "loop": asyncio.get_running_loop()}
    if login:
        options |= {"authenticator": _only(*login), "auth_required": True, "auth_require_tls": not tls_from_the_start}
    if context and not tls_from_the_start:
        options |= {"tls_context": context, "require_starttls": True}
    handler = FailingHandler(mailboxes, faults if faults is not None else itertools.repeat(None))
    connections: set[SMTP] = set()

    def connection() -> SMTP:
        with warnings.catch_warnings(category=UserWarning, action="ignore"):  # it does not know TLS from the start
            made = SMTP(handler, **options)
        connections.add(made)
        return made

    shown = context if tls_from_the_start else None
    server = await asyncio.get_running_loop().create_server(connection, "127.0.0.1", port, ssl=shown)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for each in connections:
            if each.transport:
                each.transport.abort()
        await server.wait_closed()


TEMPORARY: tuple[Fault, ...] = (
    "refuse-now", "hang-at-sender", "cut-before-content", "refuse-content-now", "cut-untaken", "cut-taken",
    "hang-taken",
)  # fmt: skip
"""After these a message is still to be sent."""


def half_the_time(chance: Random) -> Iterator[Fault | None]:
    """A fault for one message in two."""
    while True:
        yield chance.choice(TEMPORARY) if chance.random() < 0.5 else None


async def _serve(port: int, folder: Path, seed: int) -> None:
    async with mail_server(Mailboxes(folder), half_the_time(Random(seed)), port=port):
        print("ready", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":  # a process of its own, to be killed
    asyncio.run(_serve(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])))
