"""The deed of each command: checks against the account, then its fact (rule 11.1)."""

from datetime import datetime

from contracts.commands import (
    CloseMonth,
    CloseTask,
    MarkWarranty,
    OpenAccount,
    PayDebt,
    ReopenMonth,
    ReopenTask,
    ResumeWork,
    SuspendWork,
)
from contracts.events import (
    AccountOpened,
    DebtPaid,
    MonthClosed,
    MonthReopened,
    Payment,
    TaskClosed,
    TaskReopened,
    WarrantyMarked,
    WorkResumed,
    WorkSuspended,
)
from contracts.quantities import rounded_division
from services.ledger.domain.bookings import freeze
from services.ledger.domain.consents import effect_of, terms_of_work
from services.ledger.domain.lots import draw
from services.ledger.domain.refusals import (
    AccountAlreadyOpen,
    AlreadySuspended,
    BalanceNotNegative,
    MonthAlreadyClosed,
    MonthNotClosed,
    NotSuspended,
    PaymentExceedsDebt,
    TaskAlreadyClosed,
    TaskAlreadyWarranty,
    TaskNotClosed,
)
from services.ledger.domain.reversal import undo
from services.ledger.domain.state import Account
from services.ledger.domain.terms import Terms


def open_account(command: OpenAccount, account: Account, now: datetime) -> AccountOpened:
    """One account per customer contract (rule 4.1)."""
    if account.version:
        raise AccountAlreadyOpen(command.account_id)
    return AccountOpened(
        **account.times(now),
        customer_name=command.customer_name,
        contract_number=command.contract_number,
        contract_date=command.contract_date,
        customer_requisites=command.customer_requisites,
    )


def close_task(command: CloseTask, account: Account, terms: Terms, now: datetime) -> TaskClosed:
    """Work is never refused for want of hours: what the lots cannot cover is owed (rule 4.3)."""
    task = account.task(command.task_id)
    if task.closing is not None:
        raise TaskAlreadyClosed(command.task_id)
    assert command.confirmed_at is not None, "require_consents lets no unconfirmed task pass"
    effective_at = effect_of(command, now)
    in_force = terms_of_work(command, terms, now)
    coefficient = in_force.coefficients["warranty" if task.warranty else command.category]
    charged = coefficient * command.worked_minutes
    assert charged == int(charged), "charged time is whole in any quantum the terms allow"
    draws, owed = draw(account.lots_ending_after(effective_at), int(charged), effective_at)

    return TaskClosed(
        **account.times(effective_at),
        task_id=command.task_id,
        closure=task.closures + 1,
        title=command.title,
        category=command.category,
        warranty=task.warranty,
        worked_minutes=command.worked_minutes,
        coefficient=coefficient,
        terms_version=in_force.name,
        charged_minutes=int(charged),
        draws=draws,
        owed_minutes=owed,
        started_at=command.started_at,
        closed_at=command.closed_at,
        confirmed_at=command.confirmed_at,
        confirmed_by=command.confirmed_by,
        urgency_agreed_at=command.urgency_agreed_at,
        off_hours_requested_at=command.off_hours_requested_at,
        time_entries=command.time_entries,
        kind=command.kind,
        package_use_agreed_at=command.package_use_agreed_at,
    )


def take_back(
    command: MarkWarranty | ReopenTask, account: Account, terms: Terms, now: datetime
) -> WarrantyMarked | TaskReopened:
    """A warranty mark and a reopening both reverse the task's closing (rule 8)."""
    task = account.task(command.task_id)
    if isinstance(command, ReopenTask) and task.closing is None:
        raise TaskNotClosed(command.task_id)
    if isinstance(command, MarkWarranty) and task.warranty:
        raise TaskAlreadyWarranty(command.task_id)

    undone = undo(account, command.task_id, task.closing, terms.at(now), now)
    times = account.times(task.closing.effective_at if task.closing else now)
    task_id, reason = command.task_id, command.reason
    if isinstance(command, MarkWarranty):
        return WarrantyMarked(**times, task_id=task_id, reason=reason, **undone)
    worked = task.closing.worked_minutes if task.closing else 0
    return TaskReopened(**times, task_id=task_id, reason=reason, worked_minutes=worked, **undone)


def pay_debt(command: PayDebt, account: Account, terms: Terms, now: datetime) -> DebtPaid:
    """Owed minutes are paid with money, the oldest first, at the debt price in force at `paid_at` (rule 6.5)."""
    if command.minutes > account.owed_minutes:
        raise PaymentExceedsDebt(command.minutes)
    paid_at = min(command.paid_at, now)
    in_force = terms.at(paid_at)
    payments: list[Payment] = []
    effective_at, left = paid_at, command.minutes
    for debt in account.debts:
        if not left:
            break
        minutes = min(debt.minutes, left)
        amount = rounded_division(minutes * in_force.debt_hour_price_kopecks, 60)
        payments.append(Payment(task_id=debt.task_id, closure=debt.closure, minutes=minutes, amount_kopecks=amount))
        effective_at, left = max(effective_at, debt.effective_at), left - minutes
    return DebtPaid(
        **account.times(effective_at),
        minutes=command.minutes,
        amount_kopecks=sum(payment.amount_kopecks for payment in payments),
        hour_price_kopecks=in_force.debt_hour_price_kopecks,
        terms_version=in_force.name,
        paid_at=paid_at,
        payment_reference=command.payment_reference,
        payments=tuple(payments),
    )


def suspend_work(command: SuspendWork, account: Account, now: datetime) -> WorkSuspended:
    """The seller may suspend work while the balance is negative (rule 9.1)."""
    if account.suspended:
        raise AlreadySuspended(command.account_id)
    if account.balance_minutes >= 0:
        raise BalanceNotNegative(command.account_id)
    return WorkSuspended(**account.times(now), reason=command.reason, balance_minutes=account.balance_minutes)


def resume_work(command: ResumeWork, account: Account, now: datetime) -> WorkResumed:
    """Work resumes at the seller's will (rule 9.2)."""
    if not account.suspended:
        raise NotSuspended(command.account_id)
    return resumed(account, now, command.reason, automatic=False)


def resumed(account: Account, now: datetime, reason: str | None, *, automatic: bool) -> WorkResumed:
    """Work resumes: by itself with a positive balance, or at the seller's will (rule 9.2)."""
    return WorkResumed(
        **account.times(now),
        reason=reason,
        automatic=automatic,
        balance_minutes=account.balance_minutes,
    )


def close_month(command: CloseMonth, account: Account, now: datetime) -> MonthClosed:
    """A month closes once, with every earlier one; the figures of their reports are in the event (rule 10.1)."""
    closed_through = account.closed_through
    if closed_through is not None and command.month <= closed_through:
        raise MonthAlreadyClosed(command.month)
    return MonthClosed(
        **account.times(now),
        month=command.month,
        reports=tuple(freeze(command.account_id, account.months, closed_through, command.month)),
        account_version=account.version,
    )


def reopen_month(command: ReopenMonth, account: Account, now: datetime) -> MonthReopened:
    """Only the last closed month can be reopened (rule 10.2)."""
    if command.month != account.closed_through:
        raise MonthNotClosed(command.month)
    return MonthReopened(**account.times(now), month=command.month, reason=command.reason)
