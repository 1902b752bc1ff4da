"""The routes of the projections service."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from asyncpg import Connection
from fastapi import APIRouter, Depends, Path, Query, Request, Response

from contracts.quantities import TaskId
from contracts.read_models import AccountPage, BalanceStep, BalanceView, LogView, ProjectionView, StatementPage
from contracts.tasks import TaskExplanation
from contracts.totals import Totals, TotalsList
from services.process.problem_responses import ProblemError
from services.projections.balances import BALANCES, accounts, queries
from services.projections.balances.queries import UnknownAccount
from services.projections.balances.totals import totals_of_day
from services.projections.following.tracking import Cut, Projection
from services.projections.monthly_reports import MONTHLY_REPORTS
from services.projections.monthly_reports.totals import totals_of_months
from services.projections.parameters import (
    AccountPath,
    AskedAccounts,
    AskedBalance,
    AskedPeriod,
    AskedReport,
    AskedStatement,
    AskedTotals,
    MinPosition,
)
from services.projections.running import Projections
from services.projections.tasks import TASKS
from services.projections.tasks.queries import UnknownTask, task

router = APIRouter(prefix="/v1", tags=["projections"])


@dataclass(frozen=True)
class Reading:
    """One state of the read models, and the present: what an answer is made from."""

    connection: Connection
    position: int
    now: datetime


@dataclass(frozen=True)
class ReadingOf:
    """Every answer rests on one state of a projection's tables, and says which log position that is."""

    projection: Projection

    async def __call__(self, request: Request, response: Response, minimum: MinPosition = 0) -> AsyncIterator[Reading]:
        projections: Projections = request.app.state.projections
        now = await projections.now()
        account_id = request.path_params.get("account_id")
        async with projections.snapshot(minimum, self.projection, account_id) as (connection, position):
            at = {"Hourbook-Position": str(position)}
            response.headers.update(at)
            try:
                yield Reading(connection, position, now)
            except UnknownAccount as unknown:
                detail = f"No account {unknown} was opened up to position {position}. Check its id."
                raise ProblemError("account-not-found", detail, headers=at) from unknown
            except UnknownTask as unknown:
                detail = f"Nothing is known of task {unknown} up to position {position}. Check its id and account."
                raise ProblemError("task-not-found", detail, headers=at) from unknown


Read = Annotated[Reading, Depends(ReadingOf(BALANCES))]


@router.get("/accounts")
async def list_accounts(read: Read, asked: Annotated[AskedAccounts, Query()]) -> AccountPage:
    """Accounts with their balances now, a page."""
    return await accounts.accounts(read.connection, now=read.now, **asked.model_dump())


@router.get("/accounts/{account_id}/balance")
async def get_balance(read: Read, account_id: AccountPath, asked: Annotated[AskedBalance, Query()]) -> BalanceView:
    """An account's balance at any instant, as known at any other (rule 12); by default now, with everything known."""
    return await queries.balance(read.connection, account_id, asked.as_of, asked.known_at, read.now, read.position)


@router.get("/accounts/{account_id}/balance/history")
async def get_history(read: Read, account_id: AccountPath, asked: Annotated[AskedPeriod, Query()]) -> list[BalanceStep]:
    """The curve of the balance: its value at `from`, then every change before `to`; by default all of it up to now."""
    before = asked.before or max(read.now, asked.since or read.now) + timedelta(microseconds=1)
    return await queries.history(read.connection, account_id, asked.since, before)


@router.get("/accounts/{account_id}/statement")
async def get_statement(
    read: Read, account_id: AccountPath, asked: Annotated[AskedStatement, Query()]
) -> StatementPage:
    """Every movement with its event, in order of effect, a page."""
    return await queries.statement(read.connection, account_id, asked.since, asked.before, asked.cursor, asked.limit)


@router.get("/accounts/{account_id}/tasks/{task_id}")
async def get_task(
    read: Annotated[Reading, Depends(ReadingOf(TASKS))],
    account_id: AccountPath,
    task_id: Annotated[TaskId, Path()],
    asked: Annotated[AskedReport, Query()],
) -> TaskExplanation:
    """Why a task cost what it cost: K, draws in their order, debt, what was taken back; also in plain sentences."""
    return await task(read.connection, account_id, task_id, asked.known_at, asked.lang, read.position)


@router.get("/totals")
async def get_totals(
    request: Request, response: Response, asked: Annotated[AskedTotals, Query()], minimum: MinPosition = 0
) -> TotalsList:
    """Totals over all accounts: of a day by effect, of a month, or of every month of a range, by booking."""
    projections: Projections = request.app.state.projections
    async with projections.snapshot(minimum, MONTHLY_REPORTS if asked.months else BALANCES) as (connection, position):
        response.headers["Hourbook-Position"] = str(position)
        return TotalsList(totals=await _totals(connection, asked))


async def _totals(connection: Connection, asked: AskedTotals) -> tuple[Totals, ...]:
    if asked.day:
        return (await totals_of_day(connection, asked.day),)
    return await totals_of_months(connection, asked.months)


@router.get("/projections")
async def list_projections(
    request: Request, response: Response, minimum: MinPosition = 0
) -> tuple[ProjectionView, ...]:
    """Where every projection stands: asked with `Hourbook-Min-Position`, once all of them have come that far.

    Where there are several logs, that far in each of them, or to its end.
    """
    projections: Projections = request.app.state.projections
    places = await projections.places(minimum)
    response.headers["Hourbook-Position"] = str(min(at.position for at in places.values()))
    return tuple(_view(name, at) for name, at in places.items())


def _view(name: str, at: Cut) -> ProjectionView:
    logs = (LogView(log=n, position=place.position, halted=place.halted) for n, place in enumerate(at.places))
    return ProjectionView(name=name, position=at.position, halted=at.halted, logs=tuple(logs))
