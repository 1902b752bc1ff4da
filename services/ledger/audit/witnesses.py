"""Hands every checkpoint to outsiders, so that the operator cannot take one back. No witness ever stops the ledger."""

import asyncio
import logging
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Protocol

import httpx
from pydantic import TypeAdapter, ValidationError

from contracts.placement import log_name
from services.ledger.audit.cosignatures import VerifierKey
from services.ledger.audit.hindrances import Hindrances
from services.ledger.audit.notes import NotANote
from services.ledger.audit.tree import StoredCheckpoint, StoredTree
from services.ledger.event_store.database import Database, LedgerUnavailable
from services.ledger.settings import Settings
from services.process.file_replacement import replace_file
from services.process.operator_error import OperatorError
from services.process.outside import OutsideUrl, outside_client, without_secrets
from services.process.stopping import stopping

logger = logging.getLogger(__name__)

EVERY_SECONDS = 0.5
RETRY_SECONDS = 2.0
BEHIND_SECONDS_MAX = 60.0
PAGE_CHECKPOINTS = 100
NOTE_MEDIA_TYPE = "text/plain; charset=utf-8"

_DELIVERED = "SELECT size FROM ledger.witness WHERE log_id = $1 AND witness = $2"
_TELL = """
    INSERT INTO ledger.witness (log_id, witness, size) VALUES ($1, $2, $3)
    ON CONFLICT (log_id, witness) DO UPDATE SET size = greatest(witness.size, excluded.size)
"""
_COSIGNED = "INSERT INTO ledger.cosignature VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING"


class Witness(Protocol):
    """Somebody who keeps checkpoints; one may be delivered twice."""

    @property
    def name(self) -> str:
        """By which it is known what was delivered to it."""
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


_URL: TypeAdapter[str] = TypeAdapter(OutsideUrl)


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
        async with outside_client() as client:
            answer = await client.request(self.method, url, content=checkpoint.note.encode(), headers=headers)
        answer.raise_for_status()


@dataclass(frozen=True)
class Cosigner:
    """A witness that speaks C2SP tlog-witness: it judges each checkpoint by the last it has cosigned, and cosigns."""

    url: str
    key: VerifierKey

    @property
    def name(self) -> str:
        return self.key.name

    async def cosign(self, tree: StoredTree, checkpoint: StoredCheckpoint, old: int) -> tuple[int, str | None]:
        """The size that it has cosigned by now, and its line below this checkpoint, if it has cosigned that."""
        proof = await tree.consistency(old, checkpoint.size) if 0 < old < checkpoint.size else []
        lines = "".join(f"{b64encode(hash_).decode()}\n" for hash_ in proof)
        async with outside_client() as client:
            body = f"old {old}\n{lines}\n{checkpoint.note}".encode()
            answer = await client.post(f"{self.url.rstrip('/')}/add-checkpoint", content=body)
        if answer.status_code == httpx.codes.CONFLICT and answer.text.strip().isdecimal():
            return int(answer.text), None
        line = self.key.line_in(checkpoint.note, answer.raise_for_status().text)
        if line is None:
            raise NotCosigned(f"{self.name} has answered without a cosignature of its key")
        return checkpoint.size, line


class NotCosigned(Exception):
    """A witness does not cosign: it has cosigned something else, or another key answers for it."""


OUTAGES = (OSError, httpx.HTTPError, httpx.InvalidURL, LedgerUnavailable, NotCosigned, LookupError, ValueError)
"""What keeps a checkpoint from a witness; the last two where the tree has lost what a proof is made of."""


def witnesses(settings: Settings) -> Iterator[Witness]:
    """Those that the operator has named."""
    if settings.witness_file:
        yield FileWitness(settings.witness_file)
    for method, url in (("PUT", settings.witness_put_url), ("POST", settings.witness_post_url)):
        if url:
            yield HttpWitness(method, url, settings.witness_authorization)


def cosigners(file: Path | None) -> Iterator[Cosigner]:
    """Those in a file, a line each: an address, and the witness's key."""
    for line in file.read_text(encoding="utf-8").splitlines() if file else ():
        if line.strip() and not line.startswith("#"):
            url, _, key = line.strip().partition(" ")
            try:
                yield Cosigner(_URL.validate_python(url), VerifierKey.parse(key))
            except ValidationError as misfit:
                wrong = misfit.errors()[0]["msg"].removeprefix("Value error, ")
                raise OperatorError(f"{file}: the address {without_secrets(url)} {wrong}.") from misfit
            except NotANote as malformed:
                raise OperatorError(
                    f"{file}: give a line `<address> <key>` for each witness; {malformed}."
                ) from malformed


async def keep_delivering(witness: Witness, database: Database, log_id: int, memory: Path) -> None:
    """Hand every checkpoint on, in order, from where it was left, until cancelled; again and again after an outage.

    Where it was left is in a file: who owns the database could say that a witness has them all.
    """
    tree, file = StoredTree(database, log_id), _memory_of(memory, witness.name, log_id)

    async def hand_on() -> None:
        size, epoch = await _delivered(database, file, log_id, witness.name)
        latest = await tree.latest()
        after = size if latest is None or latest.epoch <= epoch else 0  # sizes begin anew after a restore
        while page := await tree.page(after, PAGE_CHECKPOINTS):
            for checkpoint in page:
                after = checkpoint.size
                if checkpoint.epoch == epoch and after <= size:
                    continue
                await witness.keep(log_id, checkpoint)
                size, epoch = after, checkpoint.epoch
                await asyncio.to_thread(replace_file, file, f"{size} {epoch}\n")
                await database.value(_TELL, log_id, witness.name, size)

    await _keep_up(hand_on, witness.name, database, log_id)


async def keep_cosigned(cosigner: Cosigner, database: Database, log_id: int) -> None:
    """Let a witness cosign the newest checkpoint, until cancelled; it says itself how far it has come."""
    tree, known, epoch = StoredTree(database, log_id), 0, 1

    async def hand_on() -> None:
        nonlocal known, epoch
        latest = await tree.latest()
        if latest and latest.epoch != epoch:
            known, epoch = 0, latest.epoch  # a log of another name to the witness
        if latest is None or latest.size == known:
            return
        for _ in range(2):  # the first answer may be how far it has come
            old, known = known, 0
            if old > latest.size:
                raise NotCosigned(f"{cosigner.name} has cosigned {old} events of log {log_id}, which has {latest.size}")
            known, line = await cosigner.cosign(tree, latest, old)
            if line:
                await database.value(_COSIGNED, log_id, latest.size, cosigner.name, line)
                await database.value(_TELL, log_id, cosigner.name, latest.size)
                return
        raise NotCosigned(f"{cosigner.name} has cosigned another past of log {log_id} than it has now")

    await _keep_up(hand_on, cosigner.name, database, log_id)


async def _keep_up(hand_on: Callable[[], Awaitable[None]], name: str, database: Database, log_id: int) -> None:
    """Do it twice a second; where it fails for long, health and metrics hear of it."""
    shown = without_secrets(name)
    hindrances, clock = Hindrances(database, f"The witness {shown}"), asyncio.get_running_loop().time
    succeeded_at, logged = clock(), ""
    while not stopping():
        pause = EVERY_SECONDS
        try:
            await hand_on()
            succeeded_at, logged = clock(), ""
            await hindrances.say([log_id], {})
        except OUTAGES as outage:
            pause = RETRY_SECONDS
            said = without_secrets(repr(outage))
            if logged != said:
                logger.warning("the witness %s has not taken a checkpoint of log %s: %s", shown, log_id, said)
            logged = said
            if isinstance(outage, NotCosigned) or clock() - succeeded_at > BEHIND_SECONDS_MAX:
                await hindrances.say([log_id], {log_id: f"it falls behind: {said}"})
        await asyncio.sleep(pause)


async def _delivered(database: Database, file: Path, log_id: int, name: str) -> tuple[int, int]:
    """Up to which size, and in which epoch.

    What the database says counts only before there is a file, and only as far as the log goes.
    """
    with suppress(FileNotFoundError, ValueError):
        size, *epoch = (await asyncio.to_thread(file.read_text, encoding="ascii")).split()
        return int(size), int(*epoch or [1])
    latest = await StoredTree(database, log_id).latest()
    delivered = await database.value(_DELIVERED, log_id, name) or 0
    return (delivered, latest.epoch) if latest and delivered <= latest.size else (0, 1)


def _memory_of(folder: Path, name: str, log_id: int) -> Path:
    return folder / f"witness-{sha256(name.encode()).hexdigest()[:12]}-{log_id}.txt"
