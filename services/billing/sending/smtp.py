"""The mail server that takes messages: one connection, used again, and what the server's answers mean."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Literal, NamedTuple

import aiosmtplib

from services.billing.sending.letter import Letter
from services.billing.sending.settings import MailServer

ANSWER_LENGTH_MAX = 300


class Outcome(NamedTuple):
    """What came of an attempt, and the server's words.

    `waiting`: not taken, and worth another attempt. `unanswered`: the server was given the message, and whether it took
    it is not known.
    """

    state: Literal["sent", "waiting", "refused", "unanswered"]
    answer: str


class MailServerUnavailable(Exception):
    """No message can be handed over now, whichever it is."""


class Mailer:
    """Hands messages over, one at a time."""

    def __init__(self, server: MailServer) -> None:
        self._server = server
        self._connection: aiosmtplib.SMTP | None = None

    async def deliver(self, letter: Letter, hand_over: Callable[[], Awaitable[None]]) -> Outcome:
        """Hand a message over. `hand_over` is awaited when the server is ready for it, and before it gets a byte.

        MailServerUnavailable where no session could be had, and nothing was begun.
        """
        message = letter.composed()
        connection = await self._connected()
        try:
            refusal = await _announced(connection, letter)
        except (aiosmtplib.SMTPException, OSError) as failure:  # before the message: the server has nothing of it
            return Outcome("waiting", said(failure, letter.address))
        if refusal is not None:
            return refusal
        await hand_over()
        return await _content(connection, message, letter.address)

    async def _connected(self) -> aiosmtplib.SMTP:
        if self._connection is not None and self._connection.is_connected:
            with suppress(aiosmtplib.SMTPException, OSError):
                await self._connection.rset()
                return self._connection
        self.leave()
        connection = self._server.connection()
        try:
            await connection.connect()
        except (aiosmtplib.SMTPException, OSError, ValueError) as failure:
            connection.close()
            raise MailServerUnavailable(said(failure, "")) from failure
        self._connection = connection
        return connection

    def leave(self) -> None:
        """Let go of the connection without a word."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    async def close(self) -> None:
        """Say goodbye."""
        if self._connection is not None and self._connection.is_connected:
            with suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
                async with asyncio.timeout(2):
                    await self._connection.quit()
        self.leave()


async def _announced(connection: aiosmtplib.SMTP, letter: Letter) -> Outcome | None:
    """Name sender and recipient; what the server has against them. A sender that it refuses may be put right."""
    await connection.mail(letter.from_address)
    try:
        await connection.rcpt(letter.address)
    except aiosmtplib.SMTPRecipientRefused as refused:
        return Outcome(_refusal(refused.code), said(refused, letter.address))
    return None


async def _content(connection: aiosmtplib.SMTP, message: bytes, address: str) -> Outcome:
    try:
        answer = await connection.data(message)
    except aiosmtplib.SMTPDataError as refused:
        return Outcome(_refusal(refused.code), said(refused, address))
    except (aiosmtplib.SMTPException, OSError) as failure:
        return Outcome("unanswered", said(failure, address))
    return Outcome("sent", _without(f"{answer.code} {answer.message}", address))


def _refusal(code: int) -> Literal["waiting", "refused"]:
    return "refused" if 500 <= code < 600 else "waiting"


def said(failure: Exception, address: str) -> str:
    """The server's words, or what happened to the connection; never with the recipient's address."""
    if isinstance(failure, aiosmtplib.SMTPResponseException):
        return _without(f"{failure.code} {failure.message}", address)
    return _without(f"{type(failure).__name__}: {failure}", address)


def _without(text: str, address: str) -> str:
    """Addresses are personal and can be erased: what a server repeats of them is not kept."""
    line = " ".join(text.split())[:ANSWER_LENGTH_MAX]
    if not address:
        return line
    at = line.lower().find(address.lower())
    while at >= 0:
        line = line[:at] + "the address" + line[at + len(address) :]
        at = line.lower().find(address.lower())
    return line
