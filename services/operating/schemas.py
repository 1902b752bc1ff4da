"""The documents under contracts/schemas: JSON Schemas, OpenAPI and AsyncAPI, made from the models and routes."""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from contracts import (
    alerts,
    audit,
    commands,
    envelope,
    invoices,
    payments,
    privacy,
    problems,
    read_models,
    reports,
    tasks,
    totals,
)
from contracts.events import EVENT_TYPES
from contracts.problem_types import CATALOGUE
from services.process.asyncapi import asyncapi
from services.process.meanings import describe_models

SCHEMAS = Path(__file__).parents[2] / "contracts" / "schemas"
SCHEMA_DIALECT = "https://json-schema.org/draft/2020-12/schema"
ANSWERS = (envelope, read_models, reports, tasks, totals, alerts, audit, privacy, invoices, payments)


def documents(openapi: dict[str, Any]) -> dict[str, str]:
    """Every document by its file name; `openapi` is that of all routes together."""
    made = {
        "events.schema.json": _schemas("Events", list(EVENT_TYPES.values())),
        "commands.schema.json": _schemas("Commands", _models_of(commands.COMMAND.json_schema())),
        "answers.schema.json": _schemas("Answers", [model for module in ANSWERS for model in _models(module)]),
        "problems.schema.json": _schemas("Problems", _models(problems)) | {"x-problems": _catalogue()},
        "openapi.json": openapi,
        "asyncapi.json": asyncapi(),
    }
    return {name: json.dumps(document, ensure_ascii=False, indent=1) + "\n" for name, document in made.items()}


def write(openapi: dict[str, Any]) -> None:
    """Write them all, and remove what is no longer one of them."""
    SCHEMAS.mkdir(exist_ok=True)
    made = documents(openapi)
    for stale in {file.name for file in SCHEMAS.iterdir()} - set(made):
        (SCHEMAS / stale).unlink()
    for name, text in made.items():
        (SCHEMAS / name).write_text(text, encoding="utf-8")


def _models(module: Any) -> list[type[BaseModel]]:
    found = [value for value in vars(module).values() if isinstance(value, type) and issubclass(value, BaseModel)]
    return [model for model in found if model.__module__ == module.__name__]


def _models_of(union: dict[str, Any]) -> list[type[BaseModel]]:
    return [getattr(commands, name) for name in union["discriminator"]["mapping"]]


def _schemas(title: str, models: list[type[BaseModel]]) -> dict[str, Any]:
    _, schema = models_json_schema([(model, "serialization") for model in models], title=title)
    describe_models(schema["$defs"])
    return {"$schema": SCHEMA_DIALECT, **schema}


def _catalogue() -> dict[str, Any]:
    """What each problem means, and its HTTP status, by its slug."""
    return {slug: {"status": k.status, "title": k.title, "remedy": k.remedy} for slug, k in CATALOGUE.items()}
