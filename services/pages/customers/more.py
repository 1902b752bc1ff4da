"""What one customer's page shows the beginning of: all tasks, all movements, and the documents of a month."""

import re

from starlette.responses import Response

from contracts.read_models import AccountView, StatementPage
from contracts.tasks import TaskPage
from services.pages.errors import NothingHere
from services.pages.visit import Visit

ROWS = 100
DOCUMENTS = {"reports": "reports", "acts": "acts"}
FILE = re.compile(r"\d{4}-\d\d\.(pdf|xlsx)")


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
    """A report or an act as its route makes it: browsers have a session, and the route wants a credential."""
    kind, file = visit.request.path_params["kind"], visit.request.path_params["file"]
    if kind not in DOCUMENTS or not FILE.fullmatch(file):
        raise NothingHere
    made = await visit.api.ask(
        "GET", f"/v1/accounts/{visit.named('account_id')}/{DOCUMENTS[kind]}/{file}", params={"lang": visit.lang}
    )
    kept = {name: made.headers[name] for name in ("Content-Type", "Content-Disposition") if name in made.headers}
    return Response(made.content, headers=kept)
