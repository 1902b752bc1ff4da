"""Accounts of NATS, one for each part with a user of its own: what it publishes and hears, and nothing else.

An answer of JetStream comes into the account that has asked, whatever subject was named for it. So no request of
another part leads into the log: in the relay's account, which has the log's streams, nobody publishes but the relay.
"""

import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from infra.embedded import EmbeddedNats
from services.ledger.publishing.jetstream import stream_name
from services.process.file_replacement import replace_file
from services.process.logins import nats_file
from services.process.streams import KEEPER
from services.projections.debt_alerts.publisher import STREAM as ALERTS

RING = "hourbook.wake.*"
LOG = "hourbook.log.>"
API = "$JS.API.>"
RINGERS = ("ledger", "expiry")

Subjects = tuple[str, ...]


def permissions(logs: int) -> Mapping[str, tuple[Subjects, Subjects]]:
    """What each user may publish, and what it may listen to beside its own answers.

    Messages to `$JS.API` are requests to JetStream. The keeper alone changes and deletes streams of the log.
    """
    streams = [stream_name(log_id) for log_id in range(logs)]
    look = _requests(("STREAM.INFO",), streams)
    return {
        "ledger": ((RING, *look), ()),
        "expiry": ((RING, *look), ()),
        "relay": ((LOG, *look, *_requests(("STREAM.CREATE", "STREAM.MSG.GET"), streams)), (RING,)),
        KEEPER: (_requests(("STREAM.UPDATE", "STREAM.DELETE"), streams), ()),
        "worker": (look, (LOG,)),
        "alerts": (
            ("hourbook.alerts.>", *_requests(("STREAM.INFO", "STREAM.CREATE", "STREAM.UPDATE"), [ALERTS])), ()
        ),
    }  # fmt: skip


def _requests(kinds: Iterable[str], streams: Iterable[str]) -> Subjects:
    return tuple(f"$JS.API.{kind}.{stream}" for kind in kinds for stream in streams)


def _doors() -> Mapping[str, dict[str, Any]]:
    """What the accounts, each named as its part, let in from one another and out."""
    asks = {"service": {"account": "relay", "subject": API}}
    hears = {"stream": {"account": "relay", "subject": LOG}}
    return {
        "relay": {
            "jetstream": "enabled",
            "exports": [
                {"service": API, "accounts": [*RINGERS, KEEPER, "worker"]},
                {"stream": LOG, "accounts": ["worker"]},
            ],
            "imports": [{"stream": {"account": ringer, "subject": RING}} for ringer in RINGERS],
        },
        **{ringer: {"exports": [{"stream": RING, "accounts": ["relay"]}], "imports": [asks]} for ringer in RINGERS},
        KEEPER: {"imports": [asks]},
        "worker": {"imports": [asks, hears]},
        "alerts": {"jetstream": "enabled"},
    }


def give_users(server: EmbeddedNats, folder: Path, logs: int) -> None:
    """Let a server that is about to start know the parts' users; a file that is there keeps its password."""
    allowed = permissions(logs)
    server.accounts = {
        name: {"users": [_user(name, _password(nats_file(folder, name)), *allowed[name])], **doors}
        for name, doors in _doors().items()
    }
    server.homes = {stream_name(log_id): "relay" for log_id in range(logs)} | {ALERTS: "alerts"}


def keep_logins(server: EmbeddedNats, folder: Path) -> None:
    """A file with the URL of each user, for the server as it runs now."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    for name, account in server.accounts.items():
        (user,) = account["users"]
        url = f"nats://{user['user']}:{user['password']}@127.0.0.1:{server.port}"
        replace_file(nats_file(folder, name), f"{url}\n")


def _user(name: str, password: str, publish: Subjects, listen: Subjects) -> dict[str, Any]:
    return {
        "user": name,
        "password": password,
        "permissions": {
            "publish": {"allow": list(publish)},
            "subscribe": {"allow": [*listen, f"_INBOX.{name}.>"]},
        },
    }


def _password(file: Path) -> str:
    kept = urlsplit(file.read_text(encoding="ascii").strip()).password if file.exists() else None
    return kept or secrets.token_hex(24)
