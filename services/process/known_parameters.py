"""Query parameters that no route knows: a misspelt one must not pass for none, nor the second of two be passed over."""

from collections import Counter
from collections.abc import Mapping
from copy import copy
from typing import Any
from urllib.parse import parse_qsl

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.routing import Route
from starlette.types import Scope

from contracts.problems import InvalidField
from services.process.problem_responses import printable

UNKNOWN = "it is not known here"

Names = Mapping[str, bool]
"""The query parameters of a route, and whether each may be given more than once."""


class KnownParameters:
    """The parameters of each route, whether the OpenAPI document shows the route or not."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._names: dict[tuple[str, str], Names] = {}

    def misfits(self, scope: Scope) -> tuple[InvalidField, ...]:
        """What of this request's query its route does not know, or not so often; nothing where there is no route."""
        method = scope["method"]
        route = self._route(scope["path"], method)
        if route is None:
            return ()
        names = self._names.get((route.path_format, method)) or self._read(route, method)
        given = Counter(name for name, _ in parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        unknown = [name for name in given if name not in names]
        twice = [name for name, times in given.items() if times > 1 and names.get(name) is False]
        return (
            *(InvalidField(field=printable(name), remedy=f"remove this parameter: {UNKNOWN}") for name in unknown),
            *(InvalidField(field=printable(name), remedy="give this parameter once") for name in twice),
        )

    def _route(self, path: str, method: str) -> Route | None:
        for route in self._app.routes:
            if isinstance(route, Route) and method in (route.methods or ()) and route.path_regex.match(path):
                return route
        return None

    def _read(self, route: Route, method: str) -> Names:
        if not isinstance(route, APIRoute):  # as /openapi.json, which FastAPI adds
            return {}
        shown = copy(route)
        shown.include_in_schema = True
        document = get_openapi(title="", version="", routes=[shown])
        parameters = document["paths"][route.path_format][method.lower()].get("parameters", [])
        names = {each["name"]: _is_list(each["schema"]) for each in parameters if each["in"] == "query"}
        self._names[route.path_format, method] = names
        return names


def _is_list(schema: Mapping[str, Any]) -> bool:
    return any(each.get("type") == "array" for each in (schema, *schema.get("anyOf", ())))


def methods_at(app: FastAPI, path: str) -> list[str]:
    """Every method that some route knows at this address."""
    return sorted(
        {
            method
            for route in app.routes
            if isinstance(route, APIRoute) and route.path_regex.match(path)
            for method in route.methods
        }
    )
