"""A line for each request: who asked for what, by which right, and what came of it; no text that its caller wrote.

Lines are JSON, collected and written ten times a second: a process that is killed loses the last of them.
"""

import asyncio
import atexit
import logging
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict
from starlette.types import Scope

from contracts.access import KEY_PREFIX
from contracts.quantities import ID_FORM
from services.process.metrics import REQUEST_LINES_LOST
from services.process.settings import File

logger = logging.getLogger(__name__)

EVERY_SECONDS = 0.1
STANDARD_ERROR = 2
_ID = re.compile(ID_FORM)


class RequestLogSettings(BaseSettings):
    """Where the lines are written."""

    model_config = SettingsConfigDict(frozen=True, populate_by_name=True)

    file: File | None = Field(default=None, validation_alias="HOURBOOK_REQUEST_LOG_FILE")


class RequestLog:
    """A file that grows, or standard error. The file is opened for every writing, so that it may be moved away."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._lines: list[bytes] = []
        self._failing = False
        atexit.register(self.write)

    def add(self, scope: Scope, request_id: str, status: int | None, seconds: float) -> None:
        """The request has ended; without a status, before its answer began."""
        if not self._lines:
            asyncio.get_running_loop().call_later(EVERY_SECONDS, self.write)
        self._lines.append(orjson.dumps(said(scope, request_id, status, seconds), option=orjson.OPT_APPEND_NEWLINE))

    def write(self) -> None:
        """Write what was collected. What cannot be written is lost and counted: answers do not wait for a disk."""
        lines, self._lines = self._lines, []
        if not lines:
            return
        try:
            self._append(b"".join(lines))
            self._failing = False
        except OSError as failure:
            REQUEST_LINES_LOST.inc(len(lines))
            if not self._failing:
                logger.warning("lines of the request log are lost: %s", failure)
            self._failing = True

    def _append(self, text: bytes) -> None:
        if self._file is None:
            os.write(STANDARD_ERROR, text)
            return
        opened = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(opened, text)
        finally:
            os.close(opened)


def said(scope: Scope, request_id: str, status: int | None, seconds: float) -> dict[str, Any]:
    """What the line says: routes by their templates, and of the caller's own words the account's id alone."""
    line: dict[str, Any] = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "method": scope["method"],
        "route": getattr(scope.get("route"), "path", None),
        "principal": getattr(scope.get("principal"), "id", None),
        "right": scope.get("right"),
        "account": _account(scope),
        "status": status,
        "milliseconds": round(seconds * 1000, 1),
        "request_id": request_id,
    }
    if lines := scope.get("lines"):
        line["lines"] = lines
    return line


def _account(scope: Scope) -> str | None:
    """The account in the path or in the command; None for what is no id, and so may be anything, as a key is."""
    account = scope.get("account") or scope.get("path_params", {}).get("account_id")
    return account if account and _ID.fullmatch(account) and not account.startswith(KEY_PREFIX) else None
