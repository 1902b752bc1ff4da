"""PostgreSQL's own programs, from the wheel: given the password by the environment, so that no process list has it."""

import asyncio
import os
import signal
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from infra.embedded_postgres import binary
from services.process.operator_error import OperatorError

LINES_SHOWN = 8
NO_ROOM = "The disk is full: make room on it, and run this again."


def address_and_password(database_url: str) -> tuple[str, dict[str, str]]:
    """The URL without its password, and the environment that has it."""
    parts = urlsplit(database_url)
    credentials, _, hosts = parts.netloc.rpartition("@")
    user, _, password = credentials.partition(":")
    address = parts._replace(netloc=f"{user}@{hosts}" if user else hosts).geturl()
    return address, dict(os.environ) | ({"PGPASSWORD": unquote(password)} if password else {})


async def run_tool(name: str, *arguments: str | Path, environment: Mapping[str, str] | None = None) -> None:
    """Run it to its end; OperatorError with what it said where it fails. It ends with whoever waits for it."""
    tool = await asyncio.create_subprocess_exec(
        binary(name), *map(str, arguments), env=environment, stdout=PIPE, stderr=STDOUT, start_new_session=True
    )
    try:
        said, _ = await tool.communicate()
    except BaseException:
        os.killpg(tool.pid, signal.SIGKILL)  # its children too
        await tool.wait()
        raise
    if tool.returncode:
        lines = said.decode(errors="replace").splitlines()[-LINES_SHOWN:]
        advice = [NO_ROOM] if any("No space left on device" in line for line in lines) else []
        raise OperatorError("\n".join([f"{name} failed:", *lines, *advice]))
