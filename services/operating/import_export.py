"""Files in and out over HTTP: a file of commands to the ledger, the log to a file. Neither is ever held whole."""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import orjson
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from services.access.caller import Caller
from services.operating.logs import heads
from services.process.operator_error import OperatorError

BLOCK_BYTES = 1 << 16
ANSWER_SECONDS_MAX = 300


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), TransferSpeedColumn(), TimeRemainingColumn(), console=console
    )


async def send(file: Path, caller: Caller, answers: Path | None, console: Console) -> Counter[str]:
    """Stream NDJSON commands to /v1/commands; how many lines had each outcome, and the answers to a file."""
    tally: Counter[str] = Counter()
    size = (await asyncio.to_thread(file.stat)).st_size
    with ExitStack() as closing:
        progress = closing.enter_context(_progress(console))
        kept = closing.enter_context(answers.open("wb")) if answers else None
        task = progress.add_task("importing", total=size)

        async def blocks() -> AsyncIterator[bytes]:
            with file.open("rb") as source:
                while block := await asyncio.to_thread(source.read, BLOCK_BYTES):
                    progress.advance(task, len(block))
                    yield block

        async with (
            caller.async_client(ANSWER_SECONDS_MAX) as client,
            client.stream("POST", "/v1/commands", content=blocks()) as response,
        ):
            response.raise_for_status()
            async for line in response.aiter_lines():
                tally[_outcome(orjson.loads(line))] += 1
                if kept:
                    kept.write(line.encode() + b"\n")
    return tally


def _outcome(answer: dict[str, object]) -> str:
    """`accepted`, `replayed`, or the slug of the refusal."""
    if answer["status"] == 201:
        return "replayed" if answer.get("replayed") else "accepted"
    return str(answer["type"]).rpartition(":")[2]


async def receive(caller: Caller, output: Path | None, log: int | None, after: int, console: Console) -> dict[int, int]:
    """Stream one log, or each of them, to a file or to standard output; returns how many events each had.

    Where there are several logs and none is named, every line says first in which one it stands: `"log"`.
    """
    exported: dict[int, int] = {}
    with ExitStack() as closing:
        progress = closing.enter_context(_progress(console))
        sink = closing.enter_context(output.open("wb")) if output else sys.stdout.buffer
        async with caller.async_client() as client:
            logs = [log] if log is not None else range(len(await heads(client)))
            if after and len(logs) > 1:
                raise OperatorError("A position belongs to one log: name the log with --log, or leave out --after.")
            for each in logs:
                task, exported[each] = progress.add_task(f"exporting log {each}", total=None), 0
                begin = b'{"log":%d,' % each if len(logs) > 1 else b"{"
                async for lines in _lines(client, {"log": each, "after": after}):
                    sink.writelines(begin + line[1:] + b"\n" for line in lines)
                    exported[each] += len(lines)
                    progress.advance(task, sum(map(len, lines)))
    return exported


async def _lines(client: httpx.AsyncClient, asked: dict[str, int]) -> AsyncIterator[list[bytes]]:
    """The lines of a log as they stand, those of a block together."""
    begun = b""
    async with client.stream("GET", "/v1/log", params=asked) as response:
        response.raise_for_status()
        async for block in response.aiter_bytes():
            *lines, begun = (begun + block).split(b"\n")
            yield lines
