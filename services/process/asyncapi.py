"""The AsyncAPI document: what travels on JetStream, one message a type of event, and the alerts."""

from typing import Any, get_args

from pydantic.json_schema import models_json_schema

from contracts.alerts import AlertChange, AlertKind
from contracts.events import EVENT_TYPES
from services.process.meanings import describe_models
from services.process.version import VERSION

REF = "#/components/schemas/{model}"

EVENT_HEADERS = {
    "ce-specversion": "CloudEvents version, 1.0.",
    "ce-id": "The event's id.",
    "ce-type": "The event's type.",
    "ce-source": "The log it belongs to.",
    "ce-subject": "The account's id.",
    "ce-time": "`recorded_at`, RFC 3339.",
    "Hourbook-Position": "The event's position in the log; equal to the stream's sequence.",
    "Hourbook-Version": "The event's number within its account.",
    "Hourbook-Schema-Version": "The version of the event type's schema.",
    "Hourbook-Command": "The id of the command that led to the event.",
    "Hourbook-Hash": "The event's leaf hash, in hexadecimal; GET /v1/log/hashes has that of the log.",
    "Hourbook-Ledger": "The id of the ledger whose event it is.",
}
ALERT_HEADERS = {
    "ce-specversion": "CloudEvents version, 1.0.",
    "ce-id": "The change's id; also Nats-Msg-Id.",
    "ce-type": "`alert.opened`, `alert.updated` or `alert.closed`.",
    "ce-source": "`urn:hourbook:alerts`.",
    "ce-subject": "The account's id.",
    "ce-time": "When the condition came, changed or went, RFC 3339.",
}
ACCOUNT = {"description": "The account of one customer contract."}


def asyncapi() -> dict[str, Any]:
    """The whole document; nothing in it leads elsewhere."""
    messages = {
        name: _message(name, (event.__doc__ or "").splitlines()[0], EVENT_HEADERS)
        for name, event in EVENT_TYPES.items()
    }
    log = {
        "address": "hourbook.log.{log}.{account_id}.{type}",
        "description": "Stream HOURBOOK-{log}; its sequence equals the log's position.",
        "parameters": {
            "log": {"description": "The number of the log, from 0."},
            "account_id": ACCOUNT,
            "type": {"description": "The event's type.", "enum": list(EVENT_TYPES)},
        },
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
    }
    alerts = {
        "address": "hourbook.alerts.{account_id}.{kind}",
        "description": "Stream HOURBOOK-ALERTS; each change once, in order.",
        "parameters": {
            "account_id": ACCOUNT,
            "kind": {"description": "What the alert warns of.", "enum": list(get_args(AlertKind))},
        },
        "messages": {"AlertChange": {"$ref": "#/components/messages/AlertChange"}},
    }
    messages["AlertChange"] = _message("AlertChange", "An alert was opened, updated or closed.", ALERT_HEADERS)
    models = [(model, "serialization") for model in (*EVENT_TYPES.values(), AlertChange)]
    _, schemas = models_json_schema(models, ref_template=REF)
    describe_models(schemas["$defs"])
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Hourbook's log and alerts on JetStream", "version": VERSION},
        "defaultContentType": "application/json",
        "channels": {"log": log, "alerts": alerts},
        "operations": {
            "follow_log": {"action": "receive", "channel": {"$ref": "#/channels/log"}},
            "follow_alerts": {"action": "receive", "channel": {"$ref": "#/channels/alerts"}},
        },
        "components": {"messages": messages, "schemas": schemas["$defs"]},
    }


def _message(name: str, summary: str, headers: dict[str, str]) -> dict[str, Any]:
    properties = {header: {"type": "string", "description": meaning} for header, meaning in headers.items()}
    return {
        "name": name,
        "summary": summary,
        "contentType": "application/json",
        "headers": {"type": "object", "properties": properties, "required": list(headers)},
        "payload": {"$ref": REF.format(model=name)},
    }
