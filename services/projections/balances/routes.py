"""The routes of accounts, balances and statements."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from contracts.access import Right
from contracts.read_models import (
    AccountPage,
    AccountView,
    BalanceStep,
    BalanceView,
    CustomerInForce,
    PackagePage,
    StatementPage,
    WeeklyBalances,
)
from services.access.needs import needs
from services.projections.balances import BALANCES, accounts, curve, customers, packages, queries
from services.projections.balances.parameters import (
    AskedAccounts,
    AskedBalance,
    AskedHistory,
    AskedPackages,
    AskedStatement,
    AskedWeeks,
)
from services.projections.parameters import AccountPath
from services.projections.readings import OF_ACCOUNT, OF_ALL, Reading, reading_of

router = APIRouter(prefix="/v1/accounts")
weekly = APIRouter(prefix="/v1/balances")

Read = Annotated[Reading, reading_of(BALANCES)]


@router.get("", tags=["accounts"], openapi_extra=OF_ALL)
@needs(Right.BALANCES, listing=True)
async def list_accounts(read: Read, asked: Annotated[AskedAccounts, Query()]) -> AccountPage:
    """Accounts with their balances now, a page."""
    shown = {"halted": read.at.halted_accounts, "scope": read.principal.accounts}
    return await accounts.accounts(read.connection, now=read.now, **shown, **asked.model_dump())


@weekly.get("/weekly", tags=["balances"], openapi_extra=OF_ALL)
@needs(Right.BALANCES, listing=True)
async def get_weekly_balances(read: Read, asked: Annotated[AskedWeeks, Query()]) -> list[WeeklyBalances]:
    """The balances of some accounts at the end of each of the last weeks, by everything known."""
    seen = [account_id for account_id in asked.account if read.principal.sees(account_id)]
    return await curve.weekly_balances(read.connection, seen, asked.weeks, read.now)


@router.get("/{account_id}", tags=["accounts"], openapi_extra=OF_ACCOUNT)
@needs(Right.BALANCES)
async def get_account(read: Read, account_id: AccountPath) -> AccountView:
    """One account as of now: its customer, its contract, and where it stands."""
    return await accounts.account(read.connection, account_id, read.now, read.position)


@router.get("/{account_id}/customer/history", tags=["accounts"], openapi_extra=OF_ACCOUNT)
@needs(Right.BALANCES)
async def get_customer_history(read: Read, account_id: AccountPath) -> list[CustomerInForce]:
    """Who the customer is from which day on, with its contract and requisites, the latest day first (rule 16.1)."""
    return await customers.history(read.connection, account_id)


@router.get("/{account_id}/packages", tags=["accounts"], openapi_extra=OF_ACCOUNT)
@needs(Right.BALANCES)
async def list_packages(read: Read, account_id: AccountPath, asked: Annotated[AskedPackages, Query()]) -> PackagePage:
    """The account's packages as of now, the newest first, a page: what each was, holds, and where its hours went."""
    return await packages.packages(read.connection, account_id, now=read.now, **asked.model_dump())


@router.get("/{account_id}/balance", tags=["balances"], openapi_extra=OF_ACCOUNT)
@needs(Right.BALANCES)
async def get_balance(read: Read, account_id: AccountPath, asked: Annotated[AskedBalance, Query()]) -> BalanceView:
    """An account's balance at any instant, as known at any other (rule 12); by default now, with everything known."""
    return await queries.balance(read.connection, account_id, asked.as_of, asked.known_at, read.now, read.position)


@router.get("/{account_id}/balance/history", tags=["balances"], openapi_extra=OF_ACCOUNT)
@needs(Right.BALANCES)
async def get_balance_history(
    read: Read, account_id: AccountPath, asked: Annotated[AskedHistory, Query()]
) -> list[BalanceStep]:
    """The curve of the balance: its value at `from`, then every change before `to`; by default all of it up to now.

    With `known_at` as it was believed to be then (rule 12).
    """
    before = asked.before or max(read.now, asked.since or read.now) + timedelta(microseconds=1)
    return await curve.history(read.connection, account_id, asked.since, before, asked.known_at)


@router.get("/{account_id}/statement", tags=["balances"], openapi_extra=OF_ACCOUNT)
@needs(Right.BALANCES)
async def get_statement(
    read: Read, account_id: AccountPath, asked: Annotated[AskedStatement, Query()]
) -> StatementPage:
    """Every movement with its event, in order of effect, a page."""
    return await queries.statement(read.connection, account_id, asked.since, asked.before, asked.cursor, asked.limit)
