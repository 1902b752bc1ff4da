"""A running Hourbook at the address that an operator gave."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from services.process.operator_error import OperatorError


@contextmanager
def hourbook_at(url: str) -> Iterator[None]:
    """Where Hourbook is asked over HTTP: no answer, or one that nobody expected, is an OperatorError."""
    try:
        yield
    except httpx.HTTPStatusError as answered:
        response = answered.response
        raise OperatorError(
            f"{response.request.method} {response.request.url} was answered with {response.status_code} "
            f"{response.reason_phrase}. See {url}/health/details, and try again."
        ) from answered
    except (httpx.HTTPError, httpx.InvalidURL) as failure:
        raise OperatorError(
            f"{url} does not answer: {failure or type(failure).__name__}. "
            "Is Hourbook running, and is --url its address?"
        ) from failure


def document(answer: httpx.Response) -> Any:
    """A JSON answer; where it is a problem, an OperatorError says which, with the fields that do not fit."""
    if "problem+json" in answer.headers.get("Content-Type", ""):
        problem = answer.json()
        fields = [f"{each['field']}: {each['remedy']}." for each in problem.get("fields") or ()]
        raise OperatorError(" ".join(filter(None, (problem["title"], problem.get("detail"), *fields))))
    return answer.raise_for_status().json()
