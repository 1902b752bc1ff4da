"""Hourbook's own public routes, as billing asks them: with the credential of the caller that asks it, or with its own.

So nobody learns or does anything by way of billing that the door would not let them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from fastapi import Request

from contracts.problem_types import CATALOGUE
from contracts.problems import PROBLEM_MEDIA_TYPE, Problem
from services.process import tracing
from services.process.logs import REQUEST_ID
from services.process.problem_responses import ProblemError
from services.process.request_id import HEADER

ANSWER_SECONDS_MAX = 30
SOON = {"Retry-After": "1"}
_REPEATED = ("Retry-After", "WWW-Authenticate")


@dataclass(frozen=True)
class Hourbook:
    """The routes, and the credential that is shown there."""

    client: httpx.AsyncClient
    headers: Mapping[str, str] = field(default_factory=dict)

    def as_caller(self, request: Request) -> "Hourbook":
        """The same routes, asked by whoever has sent the request."""
        shown = request.headers.get("Authorization")
        return Hourbook(self.client, {"Authorization": shown} if shown else {})

    async def get(self, path: str, **asked: Any) -> Any:
        """The answer's JSON; ProblemError with the problem that was answered."""
        return (await self.answer("GET", path, params=asked)).json()

    async def command(self, path: str, body: Mapping[str, Any], key: str, *, dry_run: bool = False) -> Any:
        """What a command is answered, recorded or as a dry run; ProblemError with what it is refused for."""
        asked = {"dry_run": "true"} if dry_run else {}
        answer = await self.answer("POST", path, params=asked, json=body, headers={"Idempotency-Key": key})
        return answer.json()

    async def answer(self, method: str, path: str, **asked: Any) -> httpx.Response:
        """An answer that is no problem; ProblemError with the problem that it is, or `ledger-unavailable`."""
        own = {HEADER.decode(): REQUEST_ID.get(), **tracing.told_on()}
        headers = {**self.headers, **own, **asked.pop("headers", {})}
        try:
            answer = await self.client.request(method, path, headers=headers, **asked)
        except httpx.HTTPError as outage:
            detail = "Hourbook's own routes cannot be reached now. Try again."
            raise ProblemError("ledger-unavailable", detail, headers=SOON) from outage
        if answer.is_success:
            return answer
        raise _problem_of(answer)


def _problem_of(answer: httpx.Response) -> ProblemError:
    """The same problem, for the caller; what is none that callers know is an outage."""
    if answer.headers.get("Content-Type") == PROBLEM_MEDIA_TYPE:
        found = Problem.model_validate_json(answer.content)
        if found.slug in CATALOGUE:
            headers = {name: answer.headers[name] for name in _REPEATED if name in answer.headers}
            return ProblemError(found.slug, found.detail, headers, found.fields)
    detail = f"Hourbook's own route answered {answer.status_code}. Try again."
    return ProblemError("ledger-unavailable", detail, headers=SOON)
