"""The deed of each command: checks against the account, then its fact (rule 11.1)."""

from datetime import datetime

from contracts.commands import (
    CloseMonth,
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
    TaskReopened,
    WarrantyMarked,
    WorkResumed,
    WorkSuspended,
)
from contracts.quantities import rounded_division
from services.ledger.domain.bookings import freeze
from services.ledger.domain.refusals import (
    AccountAlreadyOpen,
    AlreadySuspended,
    BalanceNotNegative,
    MonthAlreadyClosed,
    MonthNotClosed,
    NotSuspended,
    PaymentExceedsDebt,
    TaskAlreadyWarranty,
    TaskNotClosed,
)
from services.ledger.domain.reversal import reopened, undo
from services.ledger.domain.state import Account, Debt, Paid
from services.ledger.domain.terms import Terms, TermsVersion


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


def mark_warranty(command: MarkWarranty, account: Account, terms: Terms, now: datetime) -> WarrantyMarked:
    """A task is marked as warranty, which takes back what its closing charged (rules 5.6, 8)."""
    task = account.task(command.task_id)
    if task.warranty:
        raise TaskAlreadyWarranty(command.task_id)
    closing = task.closing
    if closing is None:
        return WarrantyMarked(**account.times(now), task_id=command.task_id, reason=command.reason)
    return WarrantyMarked(
        **account.times(closing.effective_at),
        task_id=command.task_id,
        reason=command.reason,
        closure=closing.number,
        charged_minutes=closing.charged_minutes,
        **undo(account, command.task_id, closing, terms.at(now), now),
    )


def reopen_task(command: ReopenTask, account: Account, terms: Terms, now: datetime) -> TaskReopened:
    """A task's closing is taken back, so that it can be closed anew (rule 8)."""
    closing = account.task(command.task_id).closing
    if closing is None:
        raise TaskNotClosed(command.task_id)
    return reopened(account, command.task_id, closing, command.reason, terms.at(now), now)


def pay_debt(command: PayDebt, account: Account, terms: Terms, now: datetime) -> DebtPaid:
    """Owed minutes are paid with money, the oldest first, at the debt price in force at `paid_at` (rule 6.5).

    Many payments for one closing cost what one costs, for each counts those before it.
    """
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
        amount = _debt_price(account, debt, minutes, in_force)
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


def _debt_price(account: Account, debt: Debt, minutes: int, in_force: TermsVersion) -> int:
    closing = account.tasks[debt.task_id].closing
    before = [part for part in closing.parts if isinstance(part, Paid)] if closing else []
    paid_minutes = sum(part.minutes for part in before) + minutes
    cost = rounded_division(paid_minutes * in_force.debt_hour_price_kopecks, 60)
    return max(cost - sum(part.amount_kopecks for part in before), 0)


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
