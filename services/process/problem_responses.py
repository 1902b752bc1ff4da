"""What a service answers to a request it cannot accept: RFC 9457 problems that name the field and the remedy.

It knows HTTP and the published problems, and no service.
"""

import logging
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import uuid4

from fastapi.responses import Response
from starlette.exceptions import HTTPException

from contracts.problem_types import CATALOGUE
from contracts.problems import PROBLEM_MEDIA_TYPE, InvalidField, Problem, problem
from contracts.quantities import CURSOR_FORM, ID_FORM, KEY_FORM, MONTH_FORM

logger = logging.getLogger(__name__)

BODY_BYTES_MAX = 1 << 20
FIELDS_MAX = 20
TEXT_LENGTH_MAX = 300

_REMEDIES = {
    "missing": "give this field",
    "extra_forbidden": "remove this field: it is not known here",
    "model_attributes_type": "send a JSON object, with the header Content-Type: application/json",
    "dict_type": "send a JSON object, with the header Content-Type: application/json",
    "union_tag_not_found": "name the command",
}
_FORMS = {
    ID_FORM: "use 1 to 64 of A-Z a-z 0-9 _ -",
    MONTH_FORM: "give a month such as 2026-03",
    KEY_FORM: "use 1 to 128 visible characters of ASCII",
    CURSOR_FORM: "hand on next_cursor of the page before, unchanged, or leave it out",
}


class ProblemError(HTTPException):
    """A request that ends in a published problem, raised anywhere below a route."""

    def __init__(
        self,
        slug: str,
        detail: str,
        headers: Mapping[str, str] | None = None,
        fields: tuple[InvalidField, ...] = (),
    ) -> None:
        super().__init__(CATALOGUE[slug].status, detail, headers)
        self.problem = problem(slug, detail, fields)


class InvalidRequest(ProblemError):
    """A request that does not fit, with what would."""

    def __init__(self, *fields: InvalidField) -> None:
        detail = "; ".join(f"{wrong.field}: {wrong.remedy}" for wrong in fields)
        super().__init__("invalid-request", detail, fields=fields)


class BodyTooLarge(ProblemError):
    """A body, or a line of one, over its limit."""

    def __init__(self, what: str, bytes_max: int) -> None:
        remedy = f"send at most {bytes_max} bytes"
        super().__init__("body-too-large", f"{what}: {remedy}.", fields=(InvalidField(field=what, remedy=remedy),))


def problem_response(found: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """The problem as an answer."""
    body = found.model_dump_json(exclude_none=True)
    return Response(body, found.status, headers, media_type=PROBLEM_MEDIA_TYPE)


def invalid_fields(errors: Iterable[Mapping[str, Any]]) -> tuple[InvalidField, ...]:
    """Pydantic's errors as fields and remedies, without what the caller sent; of very many, the first ones."""
    return tuple(_invalid_field(error) for error, _ in zip(errors, range(FIELDS_MAX), strict=False))


def _invalid_field(error: Mapping[str, Any]) -> InvalidField:
    loc = tuple(error["loc"])
    if error["type"] == "json_invalid":
        loc, remedy = loc[:1], f"send valid JSON: {error.get('ctx', {}).get('error', error['msg'])} at {loc[-1]}"
    else:
        form = _FORMS.get(error.get("ctx", {}).get("pattern"))
        remedy = form or _REMEDIES.get(error["type"]) or error["msg"].removeprefix("Value error, ")
    inside = loc[1:] if loc[:1] and loc[0] in {"body", "query", "path", "header"} else loc
    return InvalidField(field=printable(".".join(map(str, inside or loc))), remedy=printable(remedy))


def printable(text: str) -> str:
    """A caller's text, made safe to be repeated: short, and with anything unprintable escaped."""
    shown = text if len(text) <= TEXT_LENGTH_MAX else text[:TEXT_LENGTH_MAX] + "…"
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in shown)


def failure_of(asked: str, fault: Exception) -> Problem:
    """The service's own fault: the caller gets its id and nothing of its insides, which are in the log."""
    occurrence = f"urn:uuid:{uuid4()}"
    logger.error("%s has failed: %s", asked, occurrence, exc_info=fault)
    found = problem("internal-error", "The service has failed at this request; its log says why, by this id.")
    return found.model_copy(update={"instance": occurrence})
