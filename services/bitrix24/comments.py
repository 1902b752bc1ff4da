"""The comments of the portal's tasks: read, written once, edited."""

from collections.abc import Collection, Mapping
from typing import Any

from services.bitrix24.portal import Call, Portal, WrongAnswer
from services.bitrix24.portal_records import Comment, read_as
from services.bitrix24.portal_tasks import PAGE

_LIST = "task.commentitem.getlist"
_ADD = "task.commentitem.add"
_UPDATE = "task.commentitem.update"


async def comments_of(portal: Portal, task_ids: Collection[int]) -> Mapping[int, tuple[Comment, ...]]:
    """All comments of each task, the first one first; all or, with a PortalFault, none."""
    found: dict[int, list[Comment]] = {task_id: [] for task_id in task_ids}
    waiting = list(found)
    while waiting:
        answers = await portal.batch([_page_after(task_id, found[task_id]) for task_id in waiting])
        more = []
        for task_id, answer in zip(waiting, answers, strict=True):
            page = read_as(_LIST, tuple[Comment, ...], answer.result)
            known = {comment.id for comment in found[task_id]}
            if known & {comment.id for comment in page}:
                raise WrongAnswer(f"{_LIST}: comments of task {task_id} come again")
            found[task_id] += page
            if len(page) >= PAGE:
                more.append(task_id)
        waiting = more
    return {task_id: tuple(sorted(comments, key=lambda each: each.id)) for task_id, comments in found.items()}


async def add_comment(portal: Portal, task_id: int, text: str) -> None:
    """Write a comment. Asked once: where no answer comes it may stand there all the same, so look before adding it."""
    await portal.call(_ADD, {"TASKID": task_id, "FIELDS": {"POST_MESSAGE": text}}, attempts=1)


async def edit_comment(portal: Portal, task_id: int, comment_id: int, text: str) -> None:
    """Put another text in place of a comment's."""
    await portal.call(_UPDATE, {"TASKID": task_id, "ITEMID": comment_id, "FIELDS": {"POST_MESSAGE": text}})


def _page_after(task_id: int, known: Collection[Comment]) -> Call:
    last = max((comment.id for comment in known), default=0)
    params: dict[str, Any] = {"TASKID": task_id, "ORDER": {"ID": "asc"}, "FILTER": {">ID": last}}
    return Call(_LIST, params)
