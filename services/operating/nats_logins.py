"""Users of NATS, one for each part: what it publishes and what it listens to, and nothing else."""

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

Subjects = tuple[str, ...]


def permissions(logs: int) -> Mapping[str, tuple[Subjects, Subjects]]:
    """What each user may publish, and what it may listen to beside its own answers.

    Messages to `$JS.API` are requests to JetStream. The keeper alone changes and deletes streams.
    """
    streams = [stream_name(log_id) for log_id in range(logs)]
    look = _requests(("STREAM.INFO",), streams)
    ringing = (RING, *look), ()
    return {
        "ledger": ringing,
        "expiry": ringing,
        "relay": (("hourbook.log.>", *look, *_requests(("STREAM.CREATE", "STREAM.MSG.GET"), streams)), (RING,)),
        KEEPER: (
            (*_requests(("STREAM.UPDATE",), [*streams, ALERTS]), *_requests(("STREAM.DELETE",), streams)), ()
        ),
        "worker": ((*look, *_requests(("CONSUMER.CREATE",), streams)), ()),
        "alerts": (("hourbook.alerts.>", *_requests(("STREAM.INFO", "STREAM.CREATE"), [ALERTS])), ()),
    }  # fmt: skip


def _requests(kinds: Iterable[str], streams: Iterable[str]) -> Subjects:
    return tuple(f"$JS.API.{kind}.{stream}" for kind in kinds for stream in streams)


def give_users(server: EmbeddedNats, folder: Path, logs: int) -> None:
    """Let a server that is about to start know the parts' users; a file that is there keeps its password."""
    server.users = [
        _user(name, _password(nats_file(folder, name)), publish, listen)
        for name, (publish, listen) in permissions(logs).items()
    ]


def keep_logins(server: EmbeddedNats, folder: Path) -> None:
    """A file with the URL of each user, for the server as it runs now."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    for user in server.users:
        url = f"nats://{user['user']}:{user['password']}@127.0.0.1:{server.port}"
        replace_file(nats_file(folder, str(user["user"])), f"{url}\n")


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
