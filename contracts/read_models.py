"""What queries answer. Minutes and kopecks are integers, hours are strings for people ("12.50")."""

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict

from contracts.events import Agreed
from contracts.quantities import AccountId, Instant, Kopecks, LotId, Minutes, SignedMinutes
from contracts.requisites import Requisites


class ReadModel(BaseModel):
    """A row that is also an answer."""

    model_config = ConfigDict(frozen=True)


class LotView(ReadModel):
    """A lot alive at an instant: `package_id` is the package that holds it then, `lot_id` the one it came from.

    `agreed`: what was agreed for its purchase alone (rule 3.3).
    """

    lot_id: LotId
    package_id: LotId
    plan: str | None
    remaining_minutes: Minutes
    size_minutes: Minutes
    price_kopecks: Kopecks
    agreed: Agreed | None = None
    starts_at: Instant
    ends_at: Instant


class BalanceView(ReadModel):
    """What a balance was at `as_of`, as known at `known_at` (rule 12); `position` is the last event it rests on."""

    account_id: AccountId
    as_of: Instant
    known_at: Instant | int | None
    position: int
    balance_minutes: SignedMinutes
    balance_hours: str
    held_minutes: Minutes
    owed_minutes: Minutes
    planned_minutes: Minutes
    available_minutes: SignedMinutes
    suspended: bool
    lots: tuple[LotView, ...]


class BalanceStep(ReadModel):
    """The balance from `at` on, until the next step."""

    at: Instant
    balance_minutes: SignedMinutes


class WeeklyBalances(ReadModel):
    """One account's balance at the end of each of the last weeks; the last one is now."""

    account_id: AccountId
    weekly_balance_minutes: tuple[SignedMinutes, ...]


class ExpectedDay(ReadModel):
    """A day: in a tenth of the ways in which the account may go on it is not later than `p10`, in half than `p50`."""

    p10: date
    p50: date
    p90: date


class AccountSummary(ReadModel):
    """One account in a list, as of now. `next_expiry_at`: when the first of its hours will be gone.

    That is not their package's end where a successor, bought already, takes them over (rules 7.2, 13). `halted`: an
    event of the account could not be applied, and these figures are those before it. `run_out_on`: when its balance is
    expected to be above zero no longer, as its forecast said at `forecast_as_of`; absent before there is any (rule 18).
    """

    account_id: AccountId
    customer_name: str
    contract_number: str
    balance_minutes: SignedMinutes
    balance_hours: str
    held_minutes: Minutes
    owed_minutes: Minutes
    planned_minutes: Minutes
    available_minutes: SignedMinutes
    suspended: bool
    next_expiry_at: Instant | None
    next_expiry_minutes: Minutes
    run_out_on: ExpectedDay | None = None
    forecast_as_of: Instant | None = None
    halted: bool = False


class AccountPage(ReadModel):
    """A page of accounts; `next_cursor` fetches the next one and is absent on the last.

    `forecasts_behind`, where forecasts choose or order the accounts: how many have had hours moved since theirs, or
    have none of today.
    """

    accounts: tuple[AccountSummary, ...]
    forecasts_behind: int | None = None
    next_cursor: str | None


class AccountView(AccountSummary):
    """One account as of now: its customer, its contract, and where it stands; `position` is the last event known."""

    contract_date: date
    customer_requisites: Requisites | None
    opened_at: Instant
    position: int


class CustomerInForce(ReadModel):
    """Who the customer is by everything known, from a day on until that of the next one (rule 16.1).

    `effective_on` is absent for what the account was opened with.
    """

    effective_on: date | None
    customer_name: str
    contract_number: str
    contract_date: date
    customer_requisites: Requisites | None


PackageState = Literal["valid", "expired", "carried_over"]


class PackageView(ReadModel):
    """A package as of now: bought, or made of what a task taken back could not return (rule 8.2; `plan` is absent).

    `lots`: the hours it holds, its own and those carried over to it; `remaining_minutes` is their sum, and the sums of
    all packages are what the account holds. Once it has ended it holds nothing: what was left went to `carried_to`, or
    is forfeited.
    """

    package_id: LotId
    kind: Literal["purchase", "compensation"]
    plan: str | None
    state: PackageState
    bought_at: Instant
    ends_at: Instant
    size_minutes: Minutes
    price_kopecks: Kopecks
    agreed: Agreed | None = None
    remaining_minutes: Minutes
    remaining_hours: str
    forfeited_minutes: Minutes
    carried_to: LotId | None
    lots: tuple[LotView, ...]


class PackagePage(ReadModel):
    """A page of an account's packages, the newest first."""

    account_id: AccountId
    packages: tuple[PackageView, ...]
    next_cursor: str | None


class StatementLine(ReadModel):
    """One movement: signed minutes of a lot, or of the debt where `lot_id` is absent, with the event that made it."""

    position: int
    event_id: str
    type: str
    recorded_at: Instant
    effective_at: Instant
    lot_id: LotId | None
    task_id: str | None
    closure: int | None
    minutes: SignedMinutes
    amount_kopecks: Kopecks


class StatementPage(ReadModel):
    """A page of an account's movements, in order of effect."""

    account_id: AccountId
    lines: tuple[StatementLine, ...]
    next_cursor: str | None


class LogView(ReadModel):
    """How far a projection has come in one log, and how many accounts do not go on in it."""

    log: int
    position: int
    halted: str | None
    halted_accounts: int = 0


class ProjectionView(ReadModel):
    """How far a projection has come, and why it does not go on, if it does not.

    Where there are several logs, `position` is the furthest in any of them.
    """

    name: str
    position: int
    halted: str | None
    logs: tuple[LogView, ...]
