"""One task: why it cost what it cost."""

from starlette.responses import Response

from contracts.access import Right
from contracts.privacy import PersonalText
from contracts.read_models import AccountView
from contracts.tasks import TaskExplanation
from services.pages.page import Page
from services.pages.tasks.words import WORDS
from services.pages.visit import Visit


async def show_task(visit: Visit) -> Response:
    """The explanation in sentences, and for each closing what was charged and which hours paid, the latest first."""
    path = f"/v1/accounts/{visit.named('account_id')}"
    account = await visit.api.get(AccountView, path)
    task = await visit.api.get(TaskExplanation, f"{path}/tasks/{visit.named('task_id')}", lang=visit.lang)
    names = await _names(visit, f"{path}/personal-data", {each.confirmed_by for each in task.closings} - {None})
    return visit.html("tasks/task.html", account=account, task=task, closings=task.closings[::-1], names=names)


async def _names(visit: Visit, path: str, commitments: set[str | None]) -> dict[str | None, str]:
    """The names that stand behind commitments, for who may read names; an erased one is none any more."""
    if not visit.may(Right.PERSONAL):
        return {}
    found = [await visit.api.get(list[PersonalText], path, commitment=each) for each in commitments]
    return {text.commitment: text.text for texts in found for text in texts}


PAGES = (Page("/customers/{account_id}/tasks/{task_id}", show=show_task, right=Right.BALANCES),)

__all__ = ["PAGES", "WORDS"]
