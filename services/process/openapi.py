"""The OpenAPI document: what FastAPI makes of the routes, finished for those who build on it.

A route says what is its own: which problems it answers beside those that any route does, and which headers. Meanings of
fields and parameters come from one table, problems from their catalogue.
"""

import inspect
from collections.abc import Iterable
from copy import deepcopy
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic.json_schema import models_json_schema

from contracts.problem_types import CATALOGUE, ProblemType
from contracts.problems import PROBLEM_MEDIA_TYPE, Problem, problem
from services.process.meanings import TAGS, describe_models, describe_parameter, header
from services.process.version import VERSION

ABOUT = """
Hourbook keeps the prepaid service hours of customers: packages that are bought, tasks that are charged, and what is
left, at any instant and as known at any other.

Times are RFC 3339 with an offset. Minutes and kopecks are whole numbers; hours are strings for people. Lists are pages:
hand on `next_cursor` as `cursor`. To read what you have just recorded, send the `position` of its answer as
`Hourbook-Min-Position`. Whatever cannot be done is answered as a problem (RFC 9457) that names the fields and the
remedy.
"""
PUBLISHED: dict[str, Any] = {"version": VERSION, "docs_url": None, "redoc_url": None}
"""How an application of Hourbook is made: FastAPI's own pages come from the internet."""

REF = "#/components/schemas/{model}"
MARK = "x-problems"
SAFE = ("get", "head")
HEADERS = {401: ("WWW-Authenticate",), 429: ("Retry-After",), 503: ("Retry-After",)}
"""What a problem's answer has beside its body, by status."""

OF_A_READING = {"200", "404", "503"}
"""What a query answers from one state of a projection, and so with its position."""

BEARER = {"security": [{"bearer": []}]}
"""Said of a route that is behind the door, in `openapi_extra`."""

OF_THE_DOOR = ("not-authenticated", "not-allowed", "too-many-requests", "identity-provider-unavailable")
OF_ANY_ROUTE = (
    "malformed-request", "uri-too-long", "headers-too-large", "unknown-host", "foreign-origin", "invalid-request",
    "internal-error",
)  # fmt: skip
OF_ANY_BODY = ("body-too-large", "unsupported-media-type")


def problems(*slugs: str) -> dict[str, Any]:
    """The problems that are a route's own, for `openapi_extra`; KeyError for one that is not in the catalogue.

    What needs the ledger is refused while its log has gone back, too.
    """
    restored = ("log-went-back",) if "ledger-unavailable" in slugs else ()
    return {MARK: [CATALOGUE[slug].slug for slug in (*slugs, *restored)]}


def headers(*names: str) -> dict[str, Any]:
    """The headers of an answer, for `responses`."""
    return {"headers": {name: header(name) for name in names}}


def lines_of(what: str, **more: Any) -> dict[str, Any]:
    """NDJSON as the content of a body: binary, as generated clients call what they hand on as it is."""
    return {"schema": {"type": "string", "format": "binary", "description": what} | more}


def publish(app: FastAPI) -> None:
    """Let the application serve the finished document."""

    def document() -> dict[str, Any]:
        app.openapi_schema = app.openapi_schema or _document(app)
        return app.openapi_schema

    app.openapi = document


def _document(app: FastAPI) -> dict[str, Any]:
    routed = get_openapi(
        title=app.title,
        version=app.version,
        description=ABOUT.strip(),
        routes=app.routes,
        servers=[{"url": "/", "description": "This server."}],
    )
    made = deepcopy(routed)  # routes share what they say
    for route in app.routes:
        if isinstance(route, APIRoute) and route.include_in_schema:
            for method in route.methods:
                _finish(made["paths"][route.path_format][method.lower()], method.lower(), route)
    used = {tag for path in made["paths"].values() for operation in path.values() for tag in operation.get("tags", ())}
    made["tags"] = [{"name": name, "description": meaning} for name, meaning in TAGS.items() if name in used]
    _, of_problems = models_json_schema([(Problem, "serialization")], ref_template=REF)
    schemas = made.get("components", {}).get("schemas", {}) | of_problems["$defs"]
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    describe_models(schemas)
    examples = {kind.slug: _example(kind) for kind in CATALOGUE.values()}
    schemes = {"bearer": {"type": "http", "scheme": "bearer", "description": "A key `hb1_…`, or a person's token."}}
    return made | {"components": {"schemas": schemas, "examples": examples, "securitySchemes": schemes}}


def _finish(operation: dict[str, Any], method: str, route: APIRoute) -> None:
    """The operation by its own name, in its own words, with everything that it can answer."""
    words = inspect.cleandoc(route.endpoint.__doc__ or "")
    operation["operationId"] = route.name
    operation["summary"] = words.partition("\n\n")[0].replace("\n", " ").rstrip(".")
    operation["description"] = words
    parameters: list[dict[str, Any]] = operation.get("parameters", [])
    for parameter in parameters:
        describe_parameter(route.name, parameter)
    of_body = () if method in SAFE else OF_ANY_BODY
    of_door = OF_THE_DOOR if "security" in operation else ()
    slugs = dict.fromkeys([*operation.pop(MARK, []), *of_door, *OF_ANY_ROUTE, *of_body])
    answers: dict[str, Any] = {
        status: _success(answer, operation["summary"])
        for status, answer in operation["responses"].items()
        if status.startswith("2")
    }
    operation["responses"] = answers | _problems([CATALOGUE[slug] for slug in slugs])
    if any(parameter["name"] == "Hourbook-Min-Position" for parameter in parameters):
        for status, answer in operation["responses"].items():
            if status in OF_A_READING:
                answer.setdefault("headers", {})["Hourbook-Position"] = header("Hourbook-Position")


def _success(answer: dict[str, Any], summary: str) -> dict[str, Any]:
    if answer["description"] == "Successful Response":
        answer["description"] = f"{summary}."
    for content in answer.get("content", {}).values():
        content.pop("itemSchema", None)  # of OpenAPI 3.2
    return answer


def _problems(kinds: Iterable[ProblemType]) -> dict[str, Any]:
    """The answers to what cannot be done, by status, each with all of its problems."""
    by_status: dict[int, list[ProblemType]] = {}
    for kind in sorted(kinds, key=lambda kind: kind.status):
        by_status.setdefault(kind.status, []).append(kind)
    return {
        str(status): {
            "description": "\n".join(f"- `{kind.slug}`: {kind.title} {kind.remedy}" for kind in of_status),
            "content": {
                PROBLEM_MEDIA_TYPE: {
                    "schema": {"$ref": REF.format(model="Problem")},
                    "examples": {kind.slug: {"$ref": f"#/components/examples/{kind.slug}"} for kind in of_status},
                }
            },
            **(headers(*HEADERS[status]) if status in HEADERS else {}),
        }
        for status, of_status in by_status.items()
    }


def _example(kind: ProblemType) -> dict[str, Any]:
    found = problem(kind.slug, f"{kind.title} {kind.remedy}")
    return {"summary": kind.title, "value": found.model_dump(mode="json", exclude_none=True)}
