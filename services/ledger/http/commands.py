"""The routes of commands: a body, what stands in the path, and a key. Both are valid when a route is reached."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from contracts.access import Right
from contracts.commands import (
    ChangeCustomer,
    ChangeCustomerBody,
    CloseMonth,
    CloseTask,
    CloseTaskBody,
    CorrectTask,
    CorrectTaskBody,
    DropPlan,
    MarkWarranty,
    NoBody,
    OpenAccount,
    PayDebt,
    PayDebtBody,
    PlanTask,
    PlanTaskBody,
    PurchasePackage,
    PurchasePackageBody,
    ReasonBody,
    RefundPackage,
    RefundPackageBody,
    ReopenMonth,
    ReopenTask,
    ResumeWork,
    SuspendWork,
)
from contracts.quantities import AccountId, GivenReason, LotId, Month, TaskId
from services.access.door import counting, principal_of
from services.access.needs import Need, needs
from services.ledger.http import access, drift, evidence, expectations, log, personal_data, terms
from services.ledger.http.bulk import NDJSON, Conversation
from services.ledger.http.requests import LedgerOf, record, recorded
from services.process.openapi import lines_of

LINES = lines_of(
    "A command a line: `command`, `account_id`, `idempotency_key`, and what its own route takes.",
    examples=['{"command": "CloseMonth", "account_id": "a", "idempotency_key": "1", "month": "2026-03"}\n'],
)
ANSWERS = lines_of("The answer to a command a line, or the problem, with its `line` and its `status`.")

commands = APIRouter(prefix="/v1/accounts", tags=["commands"])
bulk = APIRouter(prefix="/v1", tags=["commands"])


CLOSING_CHECKS = (
    "worked-time-not-in-quantum",
    "task-not-confirmed",
    "confirmed-before-closed",
    "started-after-closed",
    "effective-in-future",
    "urgency-not-agreed-before-start",
    "off-hours-not-requested-before-start",
    "specification-not-agreed",
    "time-entries-do-not-add-up",
    "work-was-in-working-hours",
    "evidence-does-not-add-up",
)
"""Why a closing is refused for what it says itself, also where it corrects another one (rule 5.7)."""


@commands.post(
    "/{account_id}/tasks/{task_id}/close", **recorded("account-not-found", "task-already-closed", *CLOSING_CHECKS)
)
@needs(Right.TASKS)
async def close_task(account_id: AccountId, task_id: TaskId, body: CloseTaskBody, request: Request) -> Response:
    """Charge a confirmed task. Never refused for want of hours: the rest is owed."""
    return await record(request, CloseTask.model_construct(account_id=account_id, task_id=task_id, **body.__dict__))


@commands.post("", **recorded("account-already-open"))
@needs(Right.MONEY)
async def open_account(body: OpenAccount, request: Request) -> Response:
    """Open the account of one customer contract."""
    return await record(request, body)


@commands.post(
    "/{account_id}/packages",
    **recorded("account-not-found", "package-already-purchased", "unknown-plan", "effective-in-future"),
)
@needs(Right.MONEY)
async def purchase_package(account_id: AccountId, body: PurchasePackageBody, request: Request) -> Response:
    """Buy a package of hours."""
    return await record(request, PurchasePackage.model_construct(account_id=account_id, **body.__dict__))


@commands.post(
    "/{account_id}/packages/{package_id}/refund",
    **recorded("account-not-found", "package-not-found", "nothing-to-refund", "refund-exceeds-price"),
)
@needs(Right.MONEY)
async def refund_package(
    account_id: AccountId, package_id: LotId, body: RefundPackageBody, request: Request
) -> Response:
    """Give back money for what is left of one package, or of one compensation, whoever holds it now."""
    return await record(
        request, RefundPackage.model_construct(account_id=account_id, package_id=package_id, **body.__dict__)
    )


@commands.post(
    "/{account_id}/tasks/{task_id}/correct", **recorded("account-not-found", "task-not-closed", *CLOSING_CHECKS)
)
@needs(Right.TASKS)
async def correct_task(account_id: AccountId, task_id: TaskId, body: CorrectTaskBody, request: Request) -> Response:
    """Say what a closing should have been: where it took effect then, only the difference moves."""
    return await record(request, CorrectTask.model_construct(account_id=account_id, task_id=task_id, **body.__dict__))


@commands.post("/{account_id}/tasks/{task_id}/warranty", **recorded("account-not-found", "task-already-warranty"))
@needs(Right.TASKS)
async def mark_warranty(account_id: AccountId, task_id: TaskId, body: ReasonBody, request: Request) -> Response:
    """Take a task's charge back for good: it and its later closings cost nothing."""
    return await record(
        request, MarkWarranty.model_construct(account_id=account_id, task_id=task_id, reason=body.reason)
    )


@commands.post("/{account_id}/tasks/{task_id}/reopen", **recorded("account-not-found", "task-not-closed"))
@needs(Right.TASKS)
async def reopen_task(account_id: AccountId, task_id: TaskId, body: ReasonBody, request: Request) -> Response:
    """Take a task's closing back, so that it can be closed anew."""
    return await record(request, ReopenTask.model_construct(account_id=account_id, task_id=task_id, reason=body.reason))


@commands.put(
    "/{account_id}/tasks/{task_id}/plan",
    **recorded("account-not-found", "task-already-closed", "worked-time-not-in-quantum"),
)
@needs(Right.TASKS)
async def plan_task(account_id: AccountId, task_id: TaskId, body: PlanTaskBody, request: Request) -> Response:
    """Say what an open task is expected to take; planned again, the new plan stands."""
    return await record(request, PlanTask.model_construct(account_id=account_id, task_id=task_id, **body.__dict__))


@commands.delete("/{account_id}/tasks/{task_id}/plan", **recorded("account-not-found", "task-not-planned"))
@needs(Right.TASKS)
async def drop_plan(
    account_id: AccountId, task_id: TaskId, reason: Annotated[GivenReason, Query()], request: Request
) -> Response:
    """Take a task's plan back."""
    return await record(request, DropPlan.model_construct(account_id=account_id, task_id=task_id, reason=reason))


@commands.put("/{account_id}/customer", **recorded("account-not-found", "effective-in-future", "month-already-closed"))
@needs(Right.MONEY)
async def change_customer(account_id: AccountId, body: ChangeCustomerBody, request: Request) -> Response:
    """Change the customer's name, contract or requisites from a day on; documents of closed months stay."""
    return await record(request, ChangeCustomer.model_construct(account_id=account_id, **body.__dict__))


@commands.post(
    "/{account_id}/debt-payments", **recorded("account-not-found", "payment-exceeds-debt", "effective-in-future")
)
@needs(Right.MONEY)
async def pay_debt(account_id: AccountId, body: PayDebtBody, request: Request) -> Response:
    """Pay owed minutes with money, the oldest first."""
    return await record(request, PayDebt.model_construct(account_id=account_id, **body.__dict__))


@commands.post("/{account_id}/suspension", **recorded("account-not-found", "already-suspended", "balance-not-negative"))
@needs(Right.MONEY)
async def suspend_work(account_id: AccountId, body: ReasonBody, request: Request) -> Response:
    """Suspend work while the balance is negative."""
    return await record(request, SuspendWork.model_construct(account_id=account_id, reason=body.reason))


@commands.delete("/{account_id}/suspension", **recorded("account-not-found", "not-suspended"))
@needs(Right.MONEY)
async def resume_work(account_id: AccountId, reason: Annotated[GivenReason, Query()], request: Request) -> Response:
    """Resume work at the seller's will."""
    return await record(request, ResumeWork.model_construct(account_id=account_id, reason=reason))


@commands.post(
    "/{account_id}/months/{month}/close", **recorded("account-not-found", "month-already-closed", "month-not-over")
)
@needs(Right.MONTHS)
async def close_month(account_id: AccountId, month: Month, request: Request, body: NoBody | None = None) -> Response:
    """Close a month that is over, and every earlier one."""
    return await record(request, CloseMonth.model_construct(account_id=account_id, month=month))


@commands.post("/{account_id}/months/{month}/reopen", **recorded("account-not-found", "month-not-closed"))
@needs(Right.MONTHS)
async def reopen_month(account_id: AccountId, month: Month, body: ReasonBody, request: Request) -> Response:
    """Reopen the month closed last."""
    return await record(request, ReopenMonth.model_construct(account_id=account_id, month=month, reason=body.reason))


@bulk.post(
    "/commands",
    status_code=200,
    response_class=Conversation,
    responses={200: {"description": "A line for each line, in their order.", "content": {NDJSON: ANSWERS}}},
    openapi_extra={"requestBody": {"required": True, "content": {NDJSON: LINES}}},
)
@needs(Need(streams=True))
async def record_commands(ledger: LedgerOf, request: Request, dry_run: Annotated[bool, Query()] = False) -> Response:
    """Any commands, NDJSON, one a line with its `idempotency_key`; answered line by line while more are sent.

    One bad line spoils no other, and every account keeps the order of its lines. A client may read while it sends,
    or once it has sent everything. A dry run answers each line as if those before it were recorded, for at most a
    thousand accounts, and records nothing.
    """
    principal = principal_of(request.scope)
    with counting(None):
        ledger.door.limits.require_bulk(principal)
    return Conversation(ledger, principal, dry_run=dry_run)


ROUTES = [
    *commands.routes, *bulk.routes, *log.router.routes, *log.sandbox.routes, *evidence.router.routes,
    *expectations.router.routes, *personal_data.router.routes, *access.router.routes, *terms.router.routes,
    *drift.router.routes,
]  # fmt: skip
"""Every route of the ledger, side by side: a router inside a router is matched anew on each level, at a price."""
