"""What every query of every room rests on: one state of the read models, and the present."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asyncpg import Connection
from fastapi import Depends, Request, Response

from services.access.door import principal_of
from services.access.principals import Principal
from services.process.openapi import problems
from services.process.problem_responses import ProblemError
from services.projections.following.tracking import Cut, Projection
from services.projections.lookups import UnknownAccount, UnknownTask
from services.projections.parameters import MinPosition
from services.projections.read_models import Projections

UNAVAILABLE = ("projection-behind", "projection-halted", "projections-unavailable", "ledger-unavailable")
OF_ALL = problems(*UNAVAILABLE)
OF_ACCOUNT = problems("account-not-found", "account-halted", *UNAVAILABLE)
"""What queries of all accounts, and those of one, can answer beside their answers."""


@dataclass(frozen=True)
class Reading:
    """One state of the read models, and the present: what an answer is made from."""

    connection: Connection
    at: Cut
    now: datetime
    principal: Principal

    @property
    def position(self) -> int:
        """The last position that counts."""
        return self.at.position


@dataclass(frozen=True)
class ReadingOf:
    """Every answer rests on one state of a projection's tables, and says which log position that is."""

    projection: Projection

    async def __call__(self, request: Request, response: Response, minimum: MinPosition = 0) -> AsyncIterator[Reading]:
        projections: Projections = request.app.state.projections
        now, principal = await projections.now(), principal_of(request.scope)
        account_id = request.path_params.get("account_id") or request.query_params.get("account_id")
        if account_id is not None and not principal.sees(account_id):
            account_id = None
        async with projections.snapshot(minimum, self.projection, account_id) as (connection, cut):
            position = cut.position
            at = {"Hourbook-Position": str(position)}
            response.headers.update(at)
            try:
                yield Reading(connection, cut, now, principal)
            except UnknownAccount as unknown:
                detail = f"No account {unknown} was opened up to position {position}. Check its id."
                raise ProblemError("account-not-found", detail, headers=at) from unknown
            except UnknownTask as unknown:
                detail = f"Nothing is known of task {unknown} up to position {position}. Check its id and account."
                raise ProblemError("task-not-found", detail, headers=at) from unknown


def reading_of(projection: Projection) -> Any:
    """A reading for a route. It ends when the answer is made: no connection is held while a client reads it."""
    return Depends(ReadingOf(projection), scope="function")
