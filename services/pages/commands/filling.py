"""What a form knows by itself: the present, the customer's data, the closing that is to be corrected."""

from typing import Any

from contracts.read_models import AccountView, BalanceView
from contracts.tasks import TaskExplanation
from services.pages.api import ApiProblem
from services.pages.commands.forms import Form
from services.pages.visit import Visit

PRESENT = ("purchased_at", "closed_at", "confirmed_at", "paid_at", "effective_on")


async def known_values(visit: Visit, form: Form, account: AccountView | None) -> dict[str, str]:
    """By field, as a person would write it."""
    if account is None:
        return {}
    fields = {field.name: field for field in form.fields}
    now = (await visit.api.get(BalanceView, f"/v1/accounts/{account.account_id}/balance")).as_of.replace(microsecond=0)
    known: dict[str, Any] = dict.fromkeys(PRESENT, now) | {"carry_over": "true"}
    if form.name == "change-customer":
        known |= _of_customer(account)
    if form.name == "correct-task" and (task_id := visit.asked_id("task_id")):
        known |= await _of_closing(visit, account, task_id)
    return {name: fields[name].shown(value) for name, value in known.items() if name in fields and value is not None}


def _of_customer(account: AccountView) -> dict[str, Any]:
    requisites = account.customer_requisites.model_dump() if account.customer_requisites else {}
    data = {name: getattr(account, name) for name in ("customer_name", "contract_number", "contract_date")}
    return data | {f"customer_requisites.{name}": value for name, value in requisites.items()}


async def _of_closing(visit: Visit, account: AccountView, task_id: str) -> dict[str, Any]:
    """Of the task's last one, but for who confirmed it: events have that name as a commitment alone.

    Nothing of a task that nobody knows, which is said where it is sent.
    """
    try:
        task = await visit.api.get(TaskExplanation, f"/v1/accounts/{account.account_id}/tasks/{task_id}")
    except ApiProblem:
        return {}
    last = task.closings[-1] if task.closings else None
    return dict(last.coefficient) | dict(last) | {"confirmed_by": None} if last else {}
