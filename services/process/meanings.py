"""What the published documents say of fields, parameters and headers: from contracts/meanings.toml, by name."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import contracts

_MEANINGS = tomllib.loads(Path(contracts.__file__).with_name("meanings.toml").read_text(encoding="utf-8"))

TAGS: Mapping[str, str] = _MEANINGS["tags"]

UNITS = {
    "minutes": "In whole minutes.",
    "kopecks": "In whole kopecks.",
    "hours": "In decimal hours with two digits, for people.",
    "days": "In days.",
    "months": "In calendar months.",
    "percent": "In per cent.",
}
"""By a word of a field's name."""

INSTANT = "An RFC 3339 timestamp with an offset."


def describe_models(schemas: Mapping[str, Any]) -> None:
    """Give every field of these models its meaning, its unit and an example, where it says none of its own."""
    for model, schema in schemas.items():
        for name, field in schema.get("properties", {}).items():
            meaning, *example = _meaning("fields", model, name)
            if meaning:
                field.setdefault("description", " ".join(filter(None, [meaning, _unit(name, field)])))
            if example and "$ref" not in field and "const" not in field:
                field.setdefault("examples", example)


def describe_parameter(operation: str, parameter: dict[str, Any]) -> None:
    """Give a parameter of an operation its meaning and an example."""
    section = "headers" if parameter["in"] == "header" else "parameters"
    meaning, *example = _meaning(section, operation, parameter["name"])
    if meaning:
        parameter.setdefault("description", " ".join(filter(None, [meaning, _unit("", parameter["schema"])])))
    if example:
        parameter.setdefault("example", example[0])


def header(name: str) -> dict[str, Any]:
    """A header of an answer; KeyError for one that nobody has said the meaning of."""
    meaning, example = _MEANINGS["headers"][name]
    kind = "integer" if isinstance(example, int) else "string"
    return {"description": meaning, "schema": {"type": kind}, "example": example}


def _meaning(section: str, owner: str, name: str) -> list[Any]:
    known = _MEANINGS[section]
    return known.get(f"{owner}.{name}") or known.get(name) or [None]


def _unit(name: str, schema: Mapping[str, Any]) -> str | None:
    kinds = [schema, *schema.get("anyOf", ())]
    if any(kind.get("format") == "date-time" for kind in kinds):
        return INSTANT
    if any(kind.get("type") in ("integer", "string") for kind in kinds):
        return next((unit for word, unit in UNITS.items() if word in name.split("_")), None)
    return None
