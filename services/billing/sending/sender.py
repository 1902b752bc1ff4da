"""The part that sends: it prepares what is requested, and hands over what is due. Several may run; one works."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from functools import partial

import asyncpg

from services.billing.database import ROLE
from services.billing.running import Billing, Connection, running_billing
from services.billing.sending import metrics
from services.billing.sending.calendar import request_due
from services.billing.sending.delivery import deliver_next
from services.billing.sending.preparation import Writing, prepare_next
from services.billing.sending.settings import SendingSettings, mail_server
from services.billing.sending.smtp import Mailer, MailServerUnavailable
from services.billing.sending.state import watch
from services.billing.sending.texts import VARIABLE, texts
from services.billing.settings import Settings
from services.process.operator_error import CANNOT_START, OperatorError
from services.process.outages import outlasting
from services.process.pauses import pause_after
from services.process.postgres_link import bound_silence
from services.process.postgres_pool import POSTGRES_UNAVAILABLE, session_settings
from services.process.problem_responses import ProblemError
from services.process.settings import parsed
from services.process.stopping import stopping

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.5
WATCH_SECONDS = 5
CALENDAR_SECONDS = 60
HOURBOOK_REST_SECONDS = 2
SERVER_REST_SECONDS_MAX = 60
LOCK = "SELECT pg_try_advisory_lock(hashtextextended('hourbook sender', 0))"


def require_mail_server(sending: SendingSettings) -> None:
    """OperatorError where none is set."""
    if not sending.is_on:
        raise OperatorError("HOURBOOK_SMTP_URL is not set: name the mail server.", exit_code=CANNOT_START)


async def run_sender(settings: Settings, sending: SendingSettings) -> None:
    """Send until cancelled; OperatorError where the settings do not fit."""
    require_mail_server(sending)
    assert sending.mail_from
    writing = Writing(sending.mail_from, parsed(VARIABLE, sending.texts_file, texts))
    server = mail_server(sending)
    async with running_billing(settings) as billing:
        await billing.migration
        work = partial(_send, billing, sending, writing, partial(Mailer, server))
        await outlasting(POSTGRES_UNAVAILABLE, work, "The sender", logger)


async def _send(billing: Billing, sending: SendingSettings, writing: Writing, mailer_of: partial[Mailer]) -> None:
    """Until PostgreSQL is unavailable, which is raised."""
    async with _alone(billing.settings.database_url) as connection:
        mailer = mailer_of()
        try:
            await _Sender(billing, connection, sending, writing, mailer).run()
        finally:
            await mailer.close()


@asynccontextmanager
async def _alone(database_url: str) -> AsyncIterator[Connection]:
    """A connection whose end lets another sender work: all that this one does, it does by this connection."""
    connection = await asyncpg.connect(database_url, **session_settings("hourbook sender", ROLE, "billing"))
    try:
        await bound_silence(connection)
        while not await connection.fetchval(LOCK):  # noqa: ASYNC110 - another process has it
            await asyncio.sleep(POLL_SECONDS)
        yield connection
    finally:
        connection.terminate()


class _Sender:
    """The one that works."""

    def __init__(
        self, billing: Billing, connection: Connection, sending: SendingSettings, writing: Writing, mailer: Mailer
    ) -> None:
        self._billing = billing
        self._connection = connection
        self._sending = sending
        self._writing = writing
        self._mailer = mailer
        self._due: dict[str, float] = {}
        self._server_failures = 0
        self._said: dict[str, str] = {}

    async def run(self) -> None:
        """One thing of each kind after another."""
        while not stopping():
            if self._is_time("watch", WATCH_SECONDS):
                await watch(self._connection)
            worked = [await self._follow_calendar(), await self._prepare(), await self._deliver()]
            if not any(worked):
                await asyncio.sleep(POLL_SECONDS)

    def _is_time(self, what: str, seconds: float) -> bool:
        if time.monotonic() < self._due.get(what, 0):
            return False
        self._rest(what, seconds)
        return True

    def _rest(self, what: str, seconds: float) -> None:
        self._due[what] = time.monotonic() + seconds

    async def _follow_calendar(self) -> bool:
        if self._sending.after_days is None or not self._is_time("calendar", CALENDAR_SECONDS):
            return False
        return await self._outlasting_hourbook(request_due(self._billing, self._connection, self._sending.after_days))

    async def _prepare(self) -> bool:
        if time.monotonic() < self._due.get("preparing", 0):
            return False
        return await self._outlasting_hourbook(prepare_next(self._billing, self._connection, self._writing))

    async def _outlasting_hourbook(self, work: Awaitable[bool]) -> bool:
        try:
            worked = await work
        except ProblemError as problem:
            self._say("hourbook", f"Hourbook does not answer the sender: {problem.problem.detail}")
            self._rest("preparing", HOURBOOK_REST_SECONDS)
            return False
        if worked:
            self._said.pop("hourbook", None)
        return worked

    async def _deliver(self) -> bool:
        if time.monotonic() < self._due.get("delivering", 0):
            return False
        try:
            worked = await deliver_next(self._connection, self._mailer)
        except MailServerUnavailable as unavailable:
            self._say("server", f"The mail server is unavailable: {unavailable}")
            metrics.SERVER_UP.set(0)
            self._rest("delivering", min(pause_after(self._server_failures).total_seconds(), SERVER_REST_SECONDS_MAX))
            self._server_failures += 1
            return False
        if worked:
            self._said.pop("server", None)
            metrics.SERVER_UP.set(1)
            self._server_failures = 0
        else:
            await self._mailer.close()
        return worked

    def _say(self, about: str, sentence: str) -> None:
        """Once, while it goes on."""
        if self._said.get(about) != sentence:
            logger.warning(sentence)
        self._said[about] = sentence
