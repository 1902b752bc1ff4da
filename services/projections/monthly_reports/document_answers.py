"""A read model as the form it was asked for in: itself, or a document that is set when it is sent."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime

from fastapi import Response
from pydantic import BaseModel
from starlette.types import Receive, Scope, Send

from contracts.reports import Act
from services.documents import NoUpd, upd
from services.process.openapi import headers, problems
from services.process.problem_responses import ProblemError
from services.projections.readings import UNAVAILABLE

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MEDIA_TYPES = {"json": "application/json", "pdf": "application/pdf", "xlsx": XLSX}

OF_DOCUMENT = problems("account-not-found", "account-halted", "figures-differ", *UNAVAILABLE)
BINARY = {"schema": {"type": "string", "format": "binary"}}
DOCUMENT = headers("Content-Disposition") | {"content": {MEDIA_TYPES["pdf"]: BINARY, XLSX: BINARY}}
"""What stands in the OpenAPI document beside the JSON."""

UPD = headers("Content-Disposition") | {"content": {"application/xml": BINARY}}
OF_UPD = problems("account-not-found", "account-halted", "figures-differ", "upd-not-possible", *UNAVAILABLE)


def answer(
    made: BaseModel, form: str, name: str, renderers: Mapping[str, Callable[[], bytes]], position: int
) -> Response:
    """The read model itself, or its document under that name."""
    at = {"Hourbook-Position": str(position)}
    if form == "json":
        return Response(made.model_dump_json().encode(), media_type=MEDIA_TYPES["json"], headers=at)
    at["Content-Disposition"] = f'inline; filename="{name}.{form}"'
    return TypesetResponse(renderers[form], media_type=MEDIA_TYPES[form], headers=at)


def upd_answer(act: Act, closed_at: datetime | None, position: int) -> Response:
    """The act as an УПД, under the name that the format gives it."""
    at = {"Hourbook-Position": str(position)}
    try:
        made = upd(act, closed_at)
    except NoUpd as none:
        raise ProblemError("upd-not-possible", str(none), fields=none.fields) from none
    at["Content-Disposition"] = f'attachment; filename="{made.name}"'
    return Response(made.content, media_type="application/xml", headers=at)


class TypesetResponse(Response):
    """A document that is set when it is sent: by then the route has let go of its connection to PostgreSQL.

    Typesetting has a thread of its own, so that nobody waits for it.
    """

    def __init__(self, typeset: Callable[[], bytes], *, media_type: str, headers: Mapping[str, str]) -> None:
        super().__init__(media_type=media_type, headers=headers)
        self._typeset = typeset

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.body = await asyncio.to_thread(self._typeset)
        self.headers["Content-Length"] = str(len(self.body))
        await super().__call__(scope, receive, send)
