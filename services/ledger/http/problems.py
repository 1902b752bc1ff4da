"""Refusals and outages as callers see them."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from fastapi import FastAPI, Request
from fastapi.responses import Response

from contracts.problems import InvalidField, Problem, problem
from services.ledger.clock import ClockMovesForwardOnly
from services.ledger.domain.refusals import Refusal
from services.ledger.event_store.database import LedgerUnavailable, LogWentBack
from services.ledger.event_store.known_account import AccountUnreadable
from services.process.application import furnish, no_page
from services.process.problem_responses import ProblemError, problem_response

NDJSON_TYPES = frozenset({b"application/x-ndjson", b"application/ndjson", b"application/jsonl", b"application/json"})
STREAMING: Mapping[str, frozenset[bytes]] = {"/v1/commands": NDJSON_TYPES}
RETRY_SECONDS = "1"


def furnish_ledger(
    app: FastAPI,
    is_page: Callable[[str], bool] = no_page,
    streaming: Mapping[str, frozenset[bytes]] = MappingProxyType({}),
) -> None:
    """Furnish this application, and let it answer problems for whatever the ledger refuses.

    `streaming`: bodies of other rooms' routes that are no JSON, as `furnish` has them.
    """
    furnish(app, streaming={**STREAMING, **streaming}, is_page=is_page)
    for refused in (Refusal, LedgerUnavailable, AccountUnreadable, ClockMovesForwardOnly):
        app.add_exception_handler(refused, _answer)


async def _answer(_: Request, error: Exception) -> Response:
    if (found := problem_of(error)) is None:
        raise error
    return problem_response(found, {"Retry-After": RETRY_SECONDS} if found.status == 503 else None)


def problem_of(error: Exception) -> Problem | None:
    """The published problem of a refusal or an outage; None for a fault of ours."""
    match error:
        case Refusal():
            field = InvalidField(field=error.field, remedy=error.remedy)
            return problem(error.kind.slug, str(error), (field,))
        case ProblemError():
            return error.problem
        case LogWentBack():
            return problem("log-went-back", f"{error}.")
        case LedgerUnavailable():
            detail = "The ledger cannot record or read now. Send the command again, with the same key."
            return problem("ledger-unavailable", detail)
        case AccountUnreadable():
            return problem("account-unreadable", f"{error}.")
        case ClockMovesForwardOnly():
            remedy = "give an instant that is not before the clock's, nor before a recorded event"
            return problem("clock-moves-forward-only", f"now: {remedy}.", (InvalidField(field="now", remedy=remedy),))
        case _:
            return None
