"""Commands to a ledger that runs, at real time; what a test does not speak of is supplied here."""

from datetime import UTC, datetime, timedelta
from typing import Any

from contracts.commands import CloseTask, OpenAccount, PurchasePackage, SuspendWork

NOW = datetime.now(UTC)
YESTERDAY = NOW - timedelta(days=1)
A_YEAR_AGO = NOW - timedelta(days=365)


def opening(account_id: str, *, customer: str = "ООО «Ока»") -> OpenAccount:
    """A customer's contract begins."""
    return OpenAccount(
        account_id=account_id, customer_name=customer, contract_number="7/26", contract_date="2026-01-01"
    )


def purchase(account_id: str, package_id: str = "spring", *, at: datetime = YESTERDAY) -> PurchasePackage:
    """The customer buys 20 hours."""
    return PurchasePackage(account_id=account_id, package_id=package_id, plan="hours-20", purchased_at=at)


def closing(account_id: str, task_id: str = "T-1", *, worked: int = 10) -> CloseTask:
    """A task of the day was closed and confirmed."""
    return CloseTask(account_id=account_id, task_id=task_id, **closing_body(worked=worked, at=NOW))


def closing_body(*, worked: int = 10, at: datetime = NOW) -> dict[str, Any]:
    """What travels in the body of a closing."""
    return {
        "title": "Настройка прав доступа",
        "category": "regular",
        "worked_minutes": worked,
        "closed_at": at.isoformat(),
        "confirmed_at": at.isoformat(),
        "confirmed_by": "client@example.com",
    }


def suspension(account_id: str) -> SuspendWork:
    """Work is suspended; refused while nothing is owed."""
    return SuspendWork(account_id=account_id, reason="задолженность")
