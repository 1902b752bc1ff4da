"""What one customer's page shows the beginning of: all tasks, all movements, and the documents of a month."""

import re

from starlette.responses import Response

from contracts.read_models import AccountView, StatementPage
from contracts.tasks import TaskPage
from services.pages.download import download
from services.pages.errors import NothingHere
from services.pages.visit import Visit

ROWS = 100
DAY = re.compile(r"\d{4}-\d\d-\d\d")
FILES = {
    "reports": re.compile(r"(\d{4}-\d\d)\.(?:pdf|xlsx)"),
    "acts": re.compile(r"(\d{4}-\d\d)\.(?:pdf|xlsx)"),
    "invoices": re.compile(r"([\d-]{1,30})\.(?:pdf|xlsx)"),
    "upd": re.compile(r"(\d{4}-\d\d)\.xml"),
}
"""By kind: what its files are called here."""


async def show_tasks(visit: Visit) -> Response:
    """All tasks of the customer, a page."""
    path = f"/v1/accounts/{visit.named('account_id')}"
    asked = {name: visit.asked(name) for name in ("state", "category")}
    account = await visit.api.get(AccountView, path)
    page = await visit.api.get(TaskPage, f"{path}/tasks", **asked, cursor=visit.asked("cursor"), limit=ROWS)
    return visit.html("customers/tasks.html", account=account, page=page, asked=asked)


async def show_statement(visit: Visit) -> Response:
    """All movements of the customer's hours, in order of effect, a page."""
    path = f"/v1/accounts/{visit.named('account_id')}"
    account = await visit.api.get(AccountView, path)
    page = await visit.api.get(StatementPage, f"{path}/statement", cursor=visit.asked("cursor"), limit=ROWS)
    return visit.html("customers/statement.html", account=account, page=page)


async def show_document(visit: Visit) -> Response:
    """A document as its route makes it."""
    kind, file = visit.request.path_params["kind"], visit.request.path_params["file"]
    found = FILES[kind].fullmatch(file) if kind in FILES else None
    if not found:
        raise NothingHere
    path = f"/v1/accounts/{visit.named('account_id')}"
    if kind == "upd":
        return await download(visit, f"{path}/acts/{found[1]}/upd.xml")
    return await download(visit, f"{path}/{kind}/{file}", lang=visit.lang)


async def show_reconciliation(visit: Visit) -> Response:
    """The reconciliation of the days that the form names; without them, the page with the form."""
    path, since, until = f"/v1/accounts/{visit.named('account_id')}", visit.asked("since"), visit.asked("until")
    form = visit.asked("form") or "pdf"
    if not since or not until or not DAY.fullmatch(since) or not DAY.fullmatch(until) or form not in {"pdf", "xlsx"}:
        return visit.go_to(f"/customers/{visit.named('account_id')}#reconciliation")
    return await download(visit, f"{path}/reconciliations/{since}/{until}.{form}", lang=visit.lang)
