"""What a command's route is asked with beside path and body, and how it answers.

Header and query are read by hand: a dependency of FastAPI's costs more than deciding the command.
"""

from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import Response
from pydantic import TypeAdapter, ValidationError

from contracts.commands import Command
from contracts.envelope import Recorded
from contracts.problems import InvalidField
from contracts.quantities import IdempotencyKey
from services.access.door import principal_of, require_command
from services.ledger.running import Ledger
from services.ledger.writing.answers import Answer
from services.process.openapi import headers, problems
from services.process.problem_responses import InvalidRequest

KEY = "Idempotency-Key"
CHECKPOINT_SIZE = "Hourbook-Checkpoint-Size"
"""How many events of the account's log the newest checkpoint covers: one that may be older than the answer."""

_IDEMPOTENCY_KEY: TypeAdapter[str] = TypeAdapter(IdempotencyKey)

PARAMETERS: dict[str, Any] = {
    "parameters": [
        {"name": KEY, "in": "header", "required": True, "schema": _IDEMPOTENCY_KEY.json_schema()},
        {"name": "dry_run", "in": "query", "schema": {"type": "boolean", "default": False}},
    ]
}
"""How header and query stand in the OpenAPI document."""


OF_ANY_COMMAND = ("account-unreadable", "ledger-unavailable", "idempotency-key-reused")


def recorded(*slugs: str) -> dict[str, Any]:
    """How a command's route answers, and which problems of its own it has."""
    answers = {201: headers("Hourbook-Position", CHECKPOINT_SIZE, "Idempotency-Replayed")}
    dry_run = {"model": Recorded, "description": "A dry run: what would be recorded."}
    return {
        "status_code": 201,
        "response_model": Recorded,
        "responses": {**answers, 200: dry_run},
        "openapi_extra": PARAMETERS | problems(*OF_ANY_COMMAND, *slugs),
    }


async def ledger_of(request: Request) -> Ledger:
    """The ledger of this process."""
    return request.app.state.ledger


LedgerOf = Annotated[Ledger, Depends(ledger_of)]


_DRY_RUN: TypeAdapter[bool] = TypeAdapter(bool)


async def record(request: Request, command: Command) -> Response:
    """Record the command, or say what would be recorded."""
    ledger: Ledger = request.app.state.ledger
    principal = principal_of(request.scope)
    request.scope["account"] = command.account_id
    require_command(principal, command)
    key = _key_of(request)
    if _is_dry_run(request):
        return _response(await ledger.dry_run(command, key, principal.id), 200, None)
    answer = await ledger.submit(command, key, principal.id)
    return _response(answer, 201, ledger.audit.sizes.get(ledger.log_of(command.account_id)))


def _key_of(request: Request) -> str:
    try:
        (key,) = request.headers.getlist(KEY)
        return _IDEMPOTENCY_KEY.validate_python(key)
    except ValueError as misfit:
        remedy = "send this header once, with 1 to 128 visible characters of ASCII"
        raise InvalidRequest(InvalidField(field=KEY, remedy=remedy)) from misfit


def _is_dry_run(request: Request) -> bool:
    if not request.scope["query_string"]:
        return False
    try:
        return _DRY_RUN.validate_python(request.query_params.get("dry_run", False))
    except ValidationError as misfit:
        raise InvalidRequest(InvalidField(field="dry_run", remedy="give true or false")) from misfit


def _response(answer: Answer, status: int, checkpoint_size: int | None) -> Response:
    headers = {"Hourbook-Position": str(answer.position)} if answer.position else {}
    if checkpoint_size:
        headers[CHECKPOINT_SIZE] = str(checkpoint_size)
    if answer.replayed:
        headers["Idempotency-Replayed"] = "true"
    return Response(answer.body, status, headers, media_type="application/json")
