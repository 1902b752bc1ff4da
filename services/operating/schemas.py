"""The documents under contracts/schemas: JSON Schemas, OpenAPI and AsyncAPI, made from the models and routes."""

import json
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from contracts import alerts, audit, commands, envelope, privacy, problems, read_models, reports, tasks, totals
from contracts.events import EVENT_TYPES
from contracts.problem_types import CATALOGUE
from services.process.meanings import describe_models

SCHEMAS = Path(__file__).parents[2] / "contracts" / "schemas"
SCHEMA_DIALECT = "https://json-schema.org/draft/2020-12/schema"
ANSWERS = (envelope, read_models, reports, tasks, totals, alerts, audit, privacy)
HEADERS = {
    "ce-specversion": "CloudEvents version, 1.0",
    "ce-id": "the event's id",
    "ce-type": "the event's type",
    "ce-source": "the log it belongs to",
    "ce-subject": "the account's id",
    "ce-time": "recorded_at, RFC 3339",
    "Hourbook-Position": "the event's position in the log; equal to the stream's sequence",
    "Hourbook-Version": "the event's number within its account",
    "Hourbook-Schema-Version": "the version of the event type's schema",
    "Hourbook-Command": "the id of the command that led to the event",
    "Hourbook-Hash": "the event's leaf hash, in hexadecimal; GET /v1/log/hashes has that of the log",
    "Hourbook-Ledger": "the id of the ledger whose event it is",
}
ALERT_HEADERS = {
    name: {"type": "string", "description": text}
    for name, text in {
        "ce-specversion": "CloudEvents version, 1.0",
        "ce-id": "the change's id; also Nats-Msg-Id",
        "ce-type": "alert.opened, alert.updated or alert.closed",
        "ce-source": "urn:hourbook:alerts",
        "ce-subject": "the account's id",
        "ce-time": "when the condition came, changed or went, RFC 3339",
    }.items()
}


def documents(openapi: dict[str, Any]) -> dict[str, str]:
    """Every document by its file name; `openapi` is that of all routes together."""
    made = {
        "events.schema.json": _schemas("Events", list(EVENT_TYPES.values())),
        "commands.schema.json": _schemas("Commands", _models_of(commands.COMMAND.json_schema())),
        "answers.schema.json": _schemas("Answers", [model for module in ANSWERS for model in _models(module)]),
        "problems.schema.json": _schemas("Problems", _models(problems)) | {"x-problems": _catalogue()},
        "openapi.json": openapi,
        "asyncapi.json": _asyncapi(),
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


def _asyncapi() -> dict[str, Any]:
    """What travels on JetStream: one message a type of event, its payload the event's data; and the alerts."""
    headers = {name: {"type": "string", "description": text} for name, text in HEADERS.items()}
    messages = {
        name: {
            "name": name,
            "summary": (event.__doc__ or "").splitlines()[0],
            "contentType": "application/json",
            "headers": {"type": "object", "properties": headers, "required": list(headers)},
            "payload": {"$ref": f"events.schema.json#/$defs/{name}"},
        }
        for name, event in EVENT_TYPES.items()
    }
    alert = {
        "name": "AlertChange",
        "summary": "An alert was opened, updated or closed.",
        "contentType": "application/json",
        "headers": {"type": "object", "properties": ALERT_HEADERS, "required": list(ALERT_HEADERS)},
        "payload": {"$ref": "answers.schema.json#/$defs/AlertChange"},
    }
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Hourbook's log and alerts on JetStream", "version": "1"},
        "channels": {
            "log": {
                "address": "hourbook.log.{log}.{account_id}.{type}",
                "description": "Stream HOURBOOK-{log}; its sequence equals the log's position.",
                "parameters": {"log": {}, "account_id": {}, "type": {"enum": list(EVENT_TYPES)}},
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
            },
            "alerts": {
                "address": "hourbook.alerts.{account_id}.{kind}",
                "description": "Stream HOURBOOK-ALERTS; each change once, in order.",
                "parameters": {"account_id": {}, "kind": {"enum": list(get_args(alerts.AlertKind))}},
                "messages": {"AlertChange": {"$ref": "#/components/messages/AlertChange"}},
            },
        },
        "operations": {
            "follow": {"action": "receive", "channel": {"$ref": "#/channels/log"}},
            "heed": {"action": "receive", "channel": {"$ref": "#/channels/alerts"}},
        },
        "components": {"messages": {**messages, "AlertChange": alert}},
    }
