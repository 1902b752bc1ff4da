"""Stories that the ledger's domain decides, and what the projections make of them in PostgreSQL."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import product

import asyncpg
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from contracts.envelope import RecordedEvent
from contracts.quantities import KnownAt, month_of
from contracts.read_models import BalanceView
from contracts.reports import MonthlyReport
from services.documents import act_pdf, act_xlsx, report_pdf, report_xlsx
from services.documents.seller import Seller
from services.ledger.domain.local_time import month_before
from services.projections.balances import BALANCES
from services.projections.balances.queries import balance
from services.projections.following.logged import Logged
from services.projections.monthly_reports import MONTHLY_REPORTS
from services.projections.monthly_reports.acts import act
from services.projections.monthly_reports.queries import Asked, report
from tests.ledger import vocabulary
from tests.ledger.domain.histories import Numbers, next_step, numbers
from tests.ledger.vocabulary import ACCOUNT_ID, Step, Story

PAPERS = {"pdf": (report_pdf, act_pdf), "xlsx": (report_xlsx, act_xlsx)}

LENIENT = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
SOME = settings(max_examples=settings().max_examples // 10, suppress_health_check=LENIENT)
FEW = settings(SOME, max_examples=max(4, settings().max_examples // 50), phases=[Phase.generate])
"""For what sets documents: to make a failing history shorter would take many minutes."""

EVENTFUL = st.lists(numbers(6), min_size=25, max_size=40)
"""Histories that are not short."""

Files = dict[str, bytes]
"""By month and form."""


def last_month(story: Story) -> str:
    """The one that was over last."""
    return month_before(month_of(story.now))


def logged(lines: Iterable[RecordedEvent]) -> list[Logged]:
    """Recorded events as projections take them."""
    return [Logged.read(line.model_copy(update={"event_id": f"e-{line.position}"})) for line in lines]


class Told:
    """A story, projected as far as it is told, in a transaction that will be undone.

    `moments`: after each step that was not refused, the last position and the time; what was due by then is recorded.
    """

    def __init__(self, connection: asyncpg.Connection) -> None:
        self.connection = connection
        self.story = vocabulary.given()
        self.seller = Seller()
        self.moments: list[tuple[int, datetime]] = []
        self._projected = 0

    @property
    def position(self) -> int:
        return len(self.story.recorded)

    async def tell(self, history: Iterable[Numbers | Step]) -> None:
        """Everything that happens, or is refused."""
        for step in history:
            self.story.when(step if isinstance(step, Step) else next_step(self.story, step))
            if not self.story.refusal:
                self.moments.append((self.position, self.story.now))
        await self.apply(logged(self.story.recorded[self._projected :]))
        self._projected = self.position

    async def apply(self, batch: list[Logged]) -> None:
        """Of this story, or of what another program recorded."""
        for projection in (BALANCES, MONTHLY_REPORTS) if batch else ():
            await projection.project(self.connection, batch)

    async def report(self, month: str, known_at: KnownAt = None) -> MonthlyReport:
        return await report(self.connection, Asked(ACCOUNT_ID, month, known_at), self.position, self.seller)

    async def balance(self, as_of: datetime, known_at: KnownAt = None) -> BalanceView:
        return await balance(self.connection, ACCOUNT_ID, as_of, known_at, self.story.now, self.position)

    async def data(self, months: Iterable[str], known_at: KnownAt = None) -> Files:
        """Report and act of each month as JSON."""
        files: Files = {}
        for month in months:
            made = await self.report(month, known_at)
            files[f"report-{month}.json"] = made.model_dump_json().encode()
            files[f"act-{month}.json"] = (await act(self.connection, made, self.seller)).model_dump_json().encode()
        return files

    async def papers(self, months: Iterable[str], known_at: KnownAt = None) -> Files:
        """Report and act of each month as PDF and workbook, in both languages."""
        files: Files = {}
        for month in months:
            made = await self.report(month, known_at)
            of_it = await act(self.connection, made, self.seller)
            for (form, (report_paper, act_paper)), lang in product(PAPERS.items(), ("ru", "en")):
                files[f"report-{month}-{lang}.{form}"] = report_paper(made, lang)
                files[f"act-{month}-{lang}.{form}"] = act_paper(of_it, lang)
        return files


class Telling:
    """Begins a story, any number of times one after another."""

    def __init__(self, database: asyncpg.Pool) -> None:
        self._database = database

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[Told]:
        async with self._database.acquire() as connection:
            undone = connection.transaction()
            await undone.start()
            try:
                yield Told(connection)
            finally:
                await undone.rollback()


@pytest.fixture
async def telling(database: asyncpg.Pool) -> Telling:
    return Telling(database)
