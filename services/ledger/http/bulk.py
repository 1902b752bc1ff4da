"""Many commands in one request, many answers in one response: NDJSON both ways, at the same time."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args

import orjson
from fastapi.responses import Response
from pydantic import ValidationError
from starlette.types import Message, Receive, Scope, Send

from contracts.commands import COMMAND, Command, CommandLine
from contracts.problems import InvalidField
from services.access.door import require_command
from services.access.principals import Principal
from services.ledger.event_store.known_account import KnownAccount
from services.ledger.http.outbox import BLOCK_BYTES, Outbox
from services.ledger.http.problems import problem_of
from services.ledger.running import Ledger
from services.ledger.writing.answers import Answer
from services.process.problem_responses import BODY_BYTES_MAX, BodyTooLarge, InvalidRequest, failure_of, invalid_fields

LINE_BYTES_MAX = BODY_BYTES_MAX + (4 << 10)
"""A command that has a route of its own fits in a line too, with what stands there in path and header."""

IN_FLIGHT_MAX = 2000
IN_FLIGHT_BYTES_MAX = 16 << 20
BREATH_LINES = 50
LINE_BYTES_USUAL = 1000
"""Lines that are wrong never wait for the log: everybody else goes on after so many, or after as many bytes."""

TRIED_ACCOUNTS_MAX = 1000
"""Accounts that a dry run keeps, as its lines would leave them."""

TOO_MANY_TRIED = f"try the commands of at most {TRIED_ACCOUNTS_MAX} accounts at once; send the others on their own"

NDJSON = "application/x-ndjson"
COMMAND_NAMES = frozenset(command.__name__ for command in get_args(Command))


@dataclass(frozen=True, slots=True)
class Asked:
    """A line that was read, and its answer to come; or the answer or the error it came to at once.

    `tried`: nothing of it is recorded.
    """

    number: int
    outcome: "asyncio.Future[Answer] | Answer | Exception"
    size: int
    checkpoint_size: int | None = None
    tried: bool = False

    @property
    def ready(self) -> bool:
        """Whether its answer need not be waited for."""
        return not isinstance(self.outcome, asyncio.Future) or self.outcome.done()

    def line(self, tally: Counter[str]) -> bytes:
        """The answer to this line, which is ready, and is counted by what it came to."""
        try:
            answer = self._answer()
        except Exception as error:  # noqa: BLE001 - not even a fault of ours spoils another line
            found = problem_of(error) or failure_of(f"line {self.number} of a conversation", error)
            tally[found.slug] += 1
            return b'{"line":%d,' % self.number + found.model_dump_json(exclude_none=True).encode()[1:] + b"\n"
        tally["replayed" if answer.replayed else "tried" if self.tried else "accepted"] += 1
        beside = b'"replayed":true,' if answer.replayed else b""
        if self.checkpoint_size:
            beside += b'"checkpoint_size":%d,' % self.checkpoint_size
        status = 200 if self.tried else 201
        return b'{"line":%d,"status":%d,%b%b\n' % (self.number, status, beside, answer.body[1:])

    def _answer(self) -> Answer:
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome.result() if isinstance(self.outcome, asyncio.Future) else self.outcome


class InFlight(asyncio.Queue[Asked | None]):
    """Lines that were read and have no answer yet; a line has to wait behind so many, or behind so many bytes."""

    def __init__(self) -> None:
        self._bytes = 0
        super().__init__(IN_FLIGHT_MAX)

    def full(self) -> bool:
        return super().full() or self._bytes >= IN_FLIGHT_BYTES_MAX

    def _put(self, item: Asked | None) -> None:
        self._bytes += item.size if item else 0
        super()._put(item)

    def _get(self) -> Asked | None:
        item: Asked | None = super()._get()
        self._bytes -= item.size if item else 0
        return item


class Lines:
    """Cuts blocks into numbered lines; never keeps more of a line than is allowed."""

    def __init__(self) -> None:
        self._number = 0
        self._begun = b""

    def cut(self, block: bytes) -> Iterator[tuple[int, bytes]]:
        """The lines that end in this block; of a line that is too long, just enough to show it."""
        *ended, self._begun = (self._begun + block).split(b"\n")
        for line in ended:
            self._number += 1
            yield self._number, line
        self._begun = self._begun[: LINE_BYTES_MAX + 1]


def parsed(line: bytes) -> tuple[Command, str]:
    """A command and its key; a ProblemError that names field and remedy if it is none."""
    if len(line) > LINE_BYTES_MAX:
        raise BodyTooLarge("line", LINE_BYTES_MAX)
    try:
        document = orjson.loads(line)
        key = CommandLine.model_validate(document).idempotency_key
        return COMMAND.validate_python({k: v for k, v in document.items() if k != "idempotency_key"}), key
    except orjson.JSONDecodeError as malformed:
        remedy = f"send one valid JSON object: {malformed}"
        raise InvalidRequest(InvalidField(field="line", remedy=remedy)) from malformed
    except ValidationError as misfit:
        raise InvalidRequest(*invalid_fields(map(_within_command, misfit.errors()))) from misfit


def _within_command(error: Any) -> dict[str, Any]:
    """Pydantic puts the command's name before the field's, and has no field for a line that is no object."""
    loc = error["loc"][1:] if len(error["loc"]) > 1 and error["loc"][0] in COMMAND_NAMES else error["loc"]
    return {**error, "loc": loc or ("command" if error["type"].startswith("union_tag") else "line",)}


class Conversation(Response):
    """Answers each line as soon as those before it are answered, while more lines are still being sent.

    A response of its own kind because Starlette's streaming one reads the request itself, to see when the client
    leaves.
    """

    media_type = NDJSON

    def __init__(self, ledger: Ledger, principal: Principal, *, dry_run: bool = False) -> None:
        super().__init__()
        self._dry_run = dry_run
        self._tried: dict[str, KnownAccount] = {}
        self._ledger = ledger
        self._principal = principal
        self._worked = 0
        del self.headers["content-length"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = InFlight()
        tally = scope["lines"] = Counter[str]()
        outbox = Outbox()
        first = await receive()
        work = [
            asyncio.create_task(self._read(first, receive, asked)),
            asyncio.create_task(_answer(asked, outbox, tally)),
        ]
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            while block := await outbox.take():
                await send({"type": "http.response.body", "body": block, "more_body": True})
            await asyncio.gather(*work)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            for task in work:
                task.cancel()
            outbox.close()

    async def _read(self, message: Message, receive: Receive, asked: InFlight) -> None:
        """Submit each line, no further than so many ahead of the answers, until the end or until the client leaves.

        Who sends faster than its limit is read more slowly.
        """
        lines, take = Lines(), self._ledger.door.limits.take_bulk
        while message.get("more_body", False):
            rest = take(self._principal, len(message["body"]))
            for number, line in lines.cut(message["body"]):
                await self._ask(number, line, asked)
            if rest:
                await asyncio.sleep(rest)
            message = await receive()
        take(self._principal, len(message.get("body", b"")))
        for number, line in lines.cut(message.get("body", b"") + b"\n"):
            await self._ask(number, line, asked)
        await asked.put(None)

    async def _ask(self, number: int, line: bytes, asked: InFlight) -> None:
        if line.strip():
            await asked.put(await self._try(number, line) if self._dry_run else self._submitted(number, line))
        self._worked += 1 + len(line) // LINE_BYTES_USUAL
        if self._worked >= BREATH_LINES:
            self._worked = 0
            await asyncio.sleep(0)

    async def _try(self, number: int, line: bytes) -> Asked:
        """As if the lines before it were recorded."""
        try:
            command, key = self._allowed(line)
            self._require_room(command.account_id)
            answer = await self._ledger.dry_run(command, key, self._principal.id, self._tried)
            return Asked(number, answer, len(line), tried=True)
        except Exception as error:  # noqa: BLE001 - the task that answers this line judges what it is
            return Asked(number, error, len(line))

    def _require_room(self, account_id: str) -> None:
        if account_id not in self._tried and len(self._tried) >= TRIED_ACCOUNTS_MAX:
            raise InvalidRequest(InvalidField(field="line", remedy=TOO_MANY_TRIED))

    def _allowed(self, line: bytes) -> tuple[Command, str]:
        command, key = parsed(line)
        require_command(self._principal, command)
        return command, key

    def _submitted(self, number: int, line: bytes) -> Asked:
        try:
            command, key = self._allowed(line)
            log_id = self._ledger.log_of(command.account_id)
            submitted = self._ledger.submit(command, key, self._principal.id)
            return Asked(number, submitted, len(line), self._ledger.audit.sizes.get(log_id))
        except Exception as error:  # noqa: BLE001 - the task that answers this line judges what it is
            return Asked(number, error, len(line))


async def _answer(asked: InFlight, outbox: Outbox, tally: Counter[str]) -> None:
    """Put the answers into the outbox, in order, several together when they are there, and count them."""
    block = bytearray()

    async def put() -> None:
        await outbox.put(bytes(block))
        block.clear()

    try:
        while line := await asked.get():
            if not line.ready:
                await put()
                await asyncio.wait([line.outcome])
            block += line.line(tally)
            if asked.empty() or len(block) > BLOCK_BYTES:
                await put()
        await put()
    finally:
        await outbox.end()
