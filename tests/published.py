"""The OpenAPI document as those who build on it read it, and whether an answer is one that it declares."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import httpx
from jsonschema import Draft202012Validator
from uvicorn.importer import import_from_string

PROBLEM = "application/problem+json"
METHODS = ("get", "put", "post", "delete")
OUR_HEADERS = re.compile(r"hourbook-.+|idempotency-replayed|retry-after|content-disposition")


@cache
def document() -> dict[str, Any]:
    """Of all routes together."""
    return import_from_string("services.app:create_app")().openapi()


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    """Every object in a document, however deep."""
    if isinstance(node, dict):
        yield node
    for part in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from nodes(part)


def fits(value: Any, schema: dict[str, Any]) -> list[str]:
    """What of the value its schema does not allow, a sentence each."""
    whole = schema | {"components": document()["components"]}
    return [f"{error.json_path}: {error.message}" for error in Draft202012Validator(whole).iter_errors(value)]


@cache
def _paths() -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    """Fixed paths before those with parameters."""
    found = document()["paths"]
    return [
        (re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)).replace("tile/[^/]+", "tile/.+")), operations)
        for path, operations in sorted(found.items(), key=lambda item: item[0].count("{"))
    ]


async def require_declared(answer: httpx.Response) -> None:
    """Fail where the document does not say that this operation can answer so: for a client's hook."""
    operation = _operation(answer.request)
    if operation is None:
        return
    said = f"{operation['operationId']} answered {answer.status_code}"
    declared = operation["responses"].get(str(answer.status_code))
    assert declared, f"{said}, which its document does not have"
    headers = {name.lower() for name in declared.get("headers", {})}
    assert not {name for name in answer.headers if OUR_HEADERS.fullmatch(name)} - headers, said
    media_type = answer.headers.get("content-type", "").partition(";")[0]
    assert media_type in declared["content"], f"{said} with {media_type}"
    if media_type in ("application/json", PROBLEM):
        await answer.aread()
        content = declared["content"][media_type]
        misfits = fits(answer.json(), content["schema"])
        assert not misfits, f"{said}: {misfits}"
        if media_type == PROBLEM:
            slug = answer.json()["type"].rpartition(":")[2]
            assert slug in content["examples"], f"{said} with the problem {slug}"


def _operation(request: httpx.Request) -> dict[str, Any] | None:
    for pattern, operations in _paths():
        if pattern.fullmatch(request.url.path):
            return operations.get(request.method.lower())
    return None
