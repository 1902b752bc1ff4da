"""Hands every checkpoint to outsiders, so that the operator cannot take one back. No witness ever stops the ledger."""

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import httpx

from contracts.placement import log_name
from services.ledger.audit.tree import StoredCheckpoint, StoredTree
from services.ledger.event_store.database import Database, LedgerUnavailable
from services.ledger.settings import Settings
from services.process.outages import outlasting

logger = logging.getLogger(__name__)

EVERY_SECONDS = 0.5
RETRY_SECONDS = 2.0
ANSWER_SECONDS_MAX = 10
PAGE_CHECKPOINTS = 100
OUTAGES = (OSError, httpx.HTTPError, httpx.InvalidURL, LedgerUnavailable)
NOTE_MEDIA_TYPE = "text/plain; charset=utf-8"

_TOLD = "SELECT size FROM ledger.witness WHERE log_id = $1 AND witness = $2"
_TELL = """
    INSERT INTO ledger.witness (log_id, witness, size) VALUES ($1, $2, $3)
    ON CONFLICT (log_id, witness) DO UPDATE SET size = greatest(witness.size, excluded.size)
"""


class Witness(Protocol):
    """Somebody who keeps checkpoints; may be told one twice."""

    @property
    def name(self) -> str:
        """By which it is known what it has been told."""
        ...

    async def keep(self, log_id: int, checkpoint: StoredCheckpoint) -> None:
        """Return once it has it; OSError or HTTPError if it does not."""
        ...


@dataclass(frozen=True)
class FileWitness:
    """A file that only grows, perhaps on somebody else's disk."""

    file: Path

    @property
    def name(self) -> str:
        return f"file {self.file}"

    async def keep(self, log_id: int, checkpoint: StoredCheckpoint) -> None:
        """Notes one after another: each ends with a signature line and an empty one."""
        await asyncio.to_thread(self._append, checkpoint.note)

    def _append(self, note: str) -> None:
        with self.file.open("a", encoding="utf-8") as opened:
            opened.write(f"{note}\n")


@dataclass(frozen=True)
class HttpWitness:
    """An address that takes every note by POST, or by PUT under `<url>/<log>/<size>`, as object stores do."""

    method: str
    url: str
    authorization: str | None

    @property
    def name(self) -> str:
        return f"{self.method} {self.url}"

    async def keep(self, log_id: int, checkpoint: StoredCheckpoint) -> None:
        """Any answer but a 2xx is a failure."""
        url = f"{self.url.rstrip('/')}/{log_name(log_id)}/{checkpoint.size}" if self.method == "PUT" else self.url
        headers = {"Content-Type": NOTE_MEDIA_TYPE}
        if self.authorization:
            headers["Authorization"] = self.authorization
        async with httpx.AsyncClient(timeout=ANSWER_SECONDS_MAX) as client:
            answer = await client.request(self.method, url, content=checkpoint.note.encode(), headers=headers)
        answer.raise_for_status()


def witnesses(settings: Settings) -> Iterator[Witness]:
    """Those that the operator has named."""
    if settings.witness_file:
        yield FileWitness(settings.witness_file)
    for method, url in (("PUT", settings.witness_put_url), ("POST", settings.witness_post_url)):
        if url:
            yield HttpWitness(method, url, settings.witness_authorization)


async def keep_telling(witness: Witness, database: Database, log_id: int) -> None:
    """Hand every checkpoint on, in order, from where it was left, until cancelled; again and again after an outage."""

    async def hand_on() -> None:
        tree = StoredTree(database, log_id)
        while True:
            told = await database.value(_TOLD, log_id, witness.name) or 0
            for checkpoint in await tree.page(told, PAGE_CHECKPOINTS):
                await witness.keep(log_id, checkpoint)
                await database.value(_TELL, log_id, witness.name, checkpoint.size)
            await asyncio.sleep(EVERY_SECONDS)

    await outlasting(OUTAGES, hand_on, f"The witness {witness.name}", logger, RETRY_SECONDS)
