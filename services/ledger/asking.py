"""What a command's route is asked with, and how it answers."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Header, Request
from fastapi.responses import Response

from contracts.commands import Command
from contracts.problems import PROBLEM_MEDIA_TYPE, InvalidField, Problem
from contracts.quantities import IdempotencyKey
from services.ledger.answers import Answer
from services.ledger.running import Ledger
from services.problem_responses import InvalidRequest, printable

KEY = "Idempotency-Key"
PARAMETERS = {"dry_run", "reason"}

PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"description": meaning, "content": {PROBLEM_MEDIA_TYPE: {"schema": Problem.model_json_schema()}}}
    for status, meaning in {
        404: "There is no such account.",
        409: "The account is not in a state for this.",
        413: "The body is too large.",
        422: "It does not fit, or cannot be recorded whatever the account's state.",
        503: "PostgreSQL is away: send it again, with the same key.",
    }.items()
}
"""How problems stand in the OpenAPI document."""


async def ledger_of(request: Request) -> Ledger:
    """The ledger of this process."""
    return request.app.state.ledger


LedgerOf = Annotated[Ledger, Depends(ledger_of)]


@dataclass(frozen=True, slots=True)
class Asked:
    """A caller who waits for the answer to one command."""

    ledger: Ledger
    key: str
    dry_run: bool

    async def record(self, command: Command) -> Response:
        """Record the command, or say what would be recorded."""
        if self.dry_run:
            return _response(await self.ledger.dry_run(command, self.key), 200)
        return _response(await self.ledger.submit(command, self.key), 201)


async def asked(request: Request, key: Annotated[IdempotencyKey, Header(alias=KEY)], dry_run: bool = False) -> Asked:
    """The key stands in the header once; an unknown parameter is refused, or a misspelt `dry_run` would record."""
    if len(request.headers.getlist(KEY)) > 1:
        raise InvalidRequest(InvalidField(field=KEY, remedy="send this header once"))
    if request.scope["query_string"] and (unknown := set(request.query_params) - PARAMETERS):
        raise InvalidRequest(*(InvalidField(field=printable(each), remedy="remove this") for each in unknown))
    return Asked(request.app.state.ledger, key, dry_run)


AskedBy = Annotated[Asked, Depends(asked)]


def _response(answer: Answer, status: int) -> Response:
    headers = {"Hourbook-Position": str(answer.position)} if answer.position else {}
    if answer.replayed:
        headers["Idempotency-Replayed"] = "true"
    return Response(answer.body, status, headers, media_type="application/json")
