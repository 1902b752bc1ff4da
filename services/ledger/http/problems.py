"""Refusals and outages as callers see them."""

from fastapi import FastAPI, Request
from fastapi.responses import Response

from contracts.problems import InvalidField, Problem, problem
from services.ledger.clock import ClockMovesForwardOnly
from services.ledger.domain.refusals import Refusal
from services.ledger.event_store.database import LedgerUnavailable
from services.process.problem_responses import ProblemError, install_problem_responses, problem_response

STREAMING_PATHS = ("/v1/commands",)
RETRY_SECONDS = "1"


def install_problems(app: FastAPI) -> None:
    """Answer problems on this application: for whatever does not fit, and for whatever the ledger refuses."""
    install_problem_responses(app, streaming=STREAMING_PATHS)
    for refused in (Refusal, LedgerUnavailable, ClockMovesForwardOnly):
        app.add_exception_handler(refused, _answer)


async def _answer(_: Request, error: Exception) -> Response:
    found = problem_of(error)
    return problem_response(found, {"Retry-After": RETRY_SECONDS} if found.status == 503 else None)


def problem_of(error: Exception) -> Problem:
    """The published problem of a refusal or an outage; anything else is a fault of ours and raised as it is."""
    match error:
        case Refusal():
            field = InvalidField(field=error.field, remedy=error.remedy)
            return problem(error.slug, error.title, str(error), (field,))
        case ProblemError():
            return error.problem
        case LedgerUnavailable():
            detail = "The ledger cannot record or read now. Send the command again, with the same key."
            return problem("ledger-unavailable", "The ledger is unavailable.", detail)
        case ClockMovesForwardOnly():
            remedy = "give an instant that is not before the clock's, nor before a recorded event"
            field = InvalidField(field="now", remedy=remedy)
            return problem(
                "clock-moves-forward-only", "The test clock moves forward only.", f"now: {remedy}.", (field,)
            )
        case _:
            raise error
