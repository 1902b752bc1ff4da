"""What auditors are shown, read from a running ledger over HTTP: events, signed checkpoints, the tree, keys, terms."""

import time
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any

import httpx
import orjson

from contracts.placement import ACCESS_LOG
from services.ledger.audit.merkle import HASH_BYTES, HEIGHT, WIDTH, entries, full_root
from services.process.address import document
from services.process.operator_error import OperatorError

TILES_KEPT = 64
ANSWER_SECONDS_MAX = 300
SIGNED_SECONDS_MAX = 20


class AuditSource:
    """The ledger at an address."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._tile = lru_cache(TILES_KEPT)(self._read_tile)

    def document(self, path: str) -> Any:
        """A JSON answer; what the ledger says against it, if it does."""
        return document(self._client.get(path))

    def heads(self) -> dict[int, int]:
        """The position of the last event of each log, by the log's number."""
        heads: dict[int, int] = {}
        while True:
            answer = self._client.get("/v1/log", params={"log": len(heads), "limit": 1})
            if answer.status_code == httpx.codes.NOT_FOUND:
                return heads
            heads[len(heads)] = int(answer.raise_for_status().headers["Hourbook-Position"])

    def log_of(self, account_id: str) -> int:
        """The log that an account's events are in: its first event's receipt says so."""
        return self.document(f"/v1/accounts/{account_id}/receipts/1")["log"]

    def latest_checkpoint(self, log: int) -> str:
        """The signed note of the log as it stands."""
        answer = self._client.get("/v1/audit/checkpoint", params={"log": log})
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise OperatorError(f"Log {log} has no signed checkpoint yet. One is made within a second: try again.")
        return answer.raise_for_status().text

    def checkpoint_of(self, log: int, size: int) -> str:
        """The newest signed note once it covers so many events; they are signed within a second."""
        for _ in range(SIGNED_SECONDS_MAX * 10):
            if int((note := self.latest_checkpoint(log)).split("\n")[1]) >= size:
                return note
            time.sleep(0.1)
        raise OperatorError(
            f"Nobody signs what is new in log {log}: of {size} events the last checkpoint covers fewer."
        )

    def checkpoints(self, log: int, size: int) -> Iterator[str]:
        """The signed notes up to that size, the smallest first; they come in pages."""
        after = 0
        while after < size:
            page = list(self._lines("/v1/audit/checkpoints", {"log": log, "after": after}))
            for line in page:
                checkpoint = orjson.loads(line)
                after = checkpoint["size"]
                if after <= size:
                    yield checkpoint["note"]
            if not page:
                return

    def seals(self, log: int, after: int, limit: int) -> list[dict[str, Any]]:
        """A page of the seals of the appends that end after a position."""
        asked = {"log": log, "after": after, "limit": limit}
        return [orjson.loads(line) for line in self._lines("/v1/audit/seals", asked)]

    def lines(self, log: int, after: int, until: int) -> Iterator[bytes]:
        """The log's lines in (after, until], by position."""
        if log == ACCESS_LOG:
            yield from self.access_lines(until, after)
        elif after < until:
            yield from self._lines("/v1/log", {"log": log, "after": after, "limit": until - after})

    def access_lines(self, until: int, after: int = 0) -> Iterator[bytes]:
        """The lines of the log of access in (after, until], by position; they come in pages."""
        while after < until and (page := list(self._lines("/v1/access/records", {"after": after}))):
            yield from page[: until - after]
            after += len(page)

    def account_lines(self, account_id: str) -> Iterator[bytes]:
        """All lines of an account."""
        return self._lines(f"/v1/accounts/{account_id}/events", {})

    def personal_lines(self, log: int, after: int, until: int) -> Iterator[bytes]:
        """What is personal and not erased of the log's events in (after, until], a line a text."""
        return self._lines("/v1/personal-data", {"log": log, "after": after, "until": until})

    def personal_lines_of(self, account_id: str, until: int) -> Iterator[bytes]:
        """What is personal and not erased of an account's events up to that position."""
        texts = self.document(f"/v1/accounts/{account_id}/personal-data")
        return (orjson.dumps(text) for text in texts if text["position"] <= until)

    def first_recorded(self, log: int, size: int, since: datetime) -> int:
        """The position of the first event recorded at `since` or later, as far as the log's clock runs forward."""
        low, high = 0, size
        while low < high:
            middle = (low + high) // 2
            [line] = self.lines(log, middle, middle + 1)
            if recorded_at(line) < since:
                low = middle + 1
            else:
                high = middle
        return low + 1

    def subtree(self, log: int, size: int, start: int, level: int) -> bytes:
        """The root of the complete sub-tree of 2^level leaves that begins there, in a tree of that size.

        A tile holds 256 neighbours of every eighth level (C2SP tlog-tiles); levels between are worked out.
        """
        tile_level, rest = divmod(level, HEIGHT)
        index, first = divmod(start >> HEIGHT * tile_level, WIDTH)
        width = min(WIDTH, (size >> HEIGHT * tile_level) - index * WIDTH)
        tile = self._tile(log, tile_level, index, width)
        return full_root(entries(tile)[first : first + (1 << rest)])

    def _read_tile(self, log: int, level: int, index: int, width: int) -> bytes:
        partial = f".p/{width}" if width < WIDTH else ""
        path = f"/v1/audit/tile/{level}/{tile_path(index)}{partial}"
        tile = self._client.get(path, params={"log": log}).raise_for_status().content
        if len(tile) != width * HASH_BYTES:
            raise OperatorError(f"The tile {path} of log {log} has {len(tile)} bytes, not {width * HASH_BYTES}.")
        return tile

    def _lines(self, path: str, parameters: dict[str, Any]) -> Iterator[bytes]:
        with self._client.stream("GET", path, params=parameters) as answer:
            answer.raise_for_status()
            rest = b""
            for block in answer.iter_bytes():
                *whole, rest = (rest + block).split(b"\n")
                yield from whole


def recorded_at(line: bytes) -> datetime:
    """When a line of the log was recorded."""
    return datetime.fromisoformat(orjson.loads(line)["recorded_at"])


def tile_path(index: int) -> str:
    """Three digits at a time, all but the last marked.

    >>> tile_path(7), tile_path(1_234_067)
    ('007', 'x001/x234/067')
    """
    path = f"{index % 1000:03}"
    while index := index // 1000:
        path = f"x{index % 1000:03}/{path}"
    return path
