"""Proofs: receipts and events are judged in the browser; the page hands it what the routes of evidence answer."""

from collections.abc import Awaitable, Callable
from urllib.parse import quote

from starlette.responses import Response

from contracts.access import Right
from services.pages.api import ApiProblem
from services.pages.page import Page
from services.pages.proofs.words import WORDS
from services.pages.visit import Visit

ASKED = ("log", "from", "to")
NOTHING, NOT_FOUND = 204, 404


async def show_proofs(visit: Visit) -> Response:
    """The page, with the form for a receipt where the person may have one."""
    return visit.html("proofs/proofs.html", may_have_receipts=visit.may(Right.EVIDENCE))


def answer_of(path: str) -> Callable[[Visit], Awaitable[Response]]:
    """What a route of evidence answers, as it stands, asked with the person's own credential."""

    async def show(visit: Visit) -> Response:
        asked = {name: value for name in ASKED if (value := visit.asked(name))}
        return await _evidence(visit, path, **asked)

    return show


async def show_receipt_of_version(visit: Visit) -> Response:
    """The receipt of the command that led to a version of an account."""
    version = visit.request.path_params["version"]
    return await _evidence(visit, f"/v1/accounts/{visit.named('account_id')}/receipts/{version}")


async def _evidence(visit: Visit, path: str, **asked: str) -> Response:
    """For a script, to which nothing is an answer too: browsers would complain of a 404."""
    try:
        answer = await visit.api.ask("GET", path, params=asked)
    except ApiProblem as refused:
        if refused.problem.status != NOT_FOUND:
            raise
        return Response(status_code=NOTHING)
    return Response(answer.content, media_type=answer.headers["Content-Type"])


async def download_receipt(visit: Visit) -> Response:
    """The receipt of a command, as a file to keep."""
    account_id, key = visit.asked("account_id") or "", visit.asked("idempotency_key") or ""
    path = f"/v1/accounts/{quote(account_id, safe='')}/receipts"
    answer = await visit.api.ask("GET", path, params={"idempotency_key": key})
    named = {"Content-Disposition": f'attachment; filename="receipt-{account_id}.json"'}
    return Response(answer.content, media_type="application/json", headers=named)


EVIDENCE = "/proofs/evidence"

PAGES = (
    Page("/proofs", show=show_proofs, menu="menu_proofs"),
    Page("/proofs/receipt", show=download_receipt, right=Right.EVIDENCE),
    Page(f"{EVIDENCE}/keys", show=answer_of("/v1/audit/keys"), right=Right.EVIDENCE),
    Page(f"{EVIDENCE}/checkpoint", show=answer_of("/v1/audit/checkpoint"), right=Right.EVIDENCE),
    Page(f"{EVIDENCE}/consistency", show=answer_of("/v1/audit/proof/consistency"), right=Right.EVIDENCE),
    Page(f"{EVIDENCE}/receipts/{{account_id}}/{{version:int}}", show=show_receipt_of_version, right=Right.EVIDENCE),
)

__all__ = ["PAGES", "WORDS"]
