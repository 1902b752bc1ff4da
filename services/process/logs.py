"""The log of a process: a line for each event, with time, level, part and request, for people or for machines."""

import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Literal

import orjson
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
"""Of the request that is being answered; empty outside of any."""


class LogSettings(BaseSettings):
    """How lines of logs are written."""

    model_config = SettingsConfigDict(frozen=True, populate_by_name=True)

    form: Literal["text", "json"] = Field(default="text", validation_alias="HOURBOOK_LOG_FORMAT")


class _Line(logging.Formatter):
    def __init__(self, part: str) -> None:
        super().__init__()
        self._part = part

    def fields(self, record: logging.LogRecord) -> dict[str, str]:
        """What a line says, without what is not known."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        said = {"time": at, "level": record.levelname.lower(), "part": self._part}
        if request_id := REQUEST_ID.get():
            said["request_id"] = request_id
        said |= {"logger": record.name, "message": record.getMessage()}
        if record.exc_info:
            said["traceback"] = self.formatException(record.exc_info)
        return said


class _Text(_Line):
    def format(self, record: logging.LogRecord) -> str:
        said = self.fields(record)
        request = f" request {said['request_id']}" if "request_id" in said else ""
        begin = f"{said['time']} {said['level'].upper()} {said['part']}{request}: {said['message']}"
        return f"{begin}\n{said['traceback']}" if "traceback" in said else begin


class _Json(_Line):
    def format(self, record: logging.LogRecord) -> str:
        return orjson.dumps(self.fields(record)).decode()


def begin_log(part: str, settings: LogSettings) -> None:
    """Write what this process logs to standard error: its own news, and warnings of libraries."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter({"text": _Text, "json": _Json}[settings.form](part))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("services").setLevel(logging.INFO)
