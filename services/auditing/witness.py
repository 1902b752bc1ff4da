"""A witness of another company's ledger (C2SP tlog-witness): it cosigns what follows all that it has cosigned before.

It needs nothing of the ledger but its keys. The state of each log is a file, written before the answer.
"""

import asyncio
import re
from base64 import b64decode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from services.ledger.audit.checkpoints import Checkpoint
from services.ledger.audit.cosignatures import VerifierKey, cosigned
from services.ledger.audit.key_files import read_or_make
from services.ledger.audit.merkle import HASH_BYTES, is_consistent
from services.ledger.audit.notes import NotANote, Note
from services.process.file_replacement import replace_file

BODY_BYTES_MAX = 1 << 16
PROOF_LINES_MAX = 63
SIZE_MEDIA_TYPE = "text/x.tlog.size"
_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})")
_ORIGIN = re.compile(r"hourbook/([0-9a-f-]{36})/log/-?[0-9]{1,9}(?:/epoch/[1-9][0-9]{0,8})?")


class Submitted(NamedTuple):
    """What was asked to be cosigned."""

    old: int
    proof: Sequence[bytes]
    note: Note
    said: Checkpoint

    @staticmethod
    def parse(body: bytes) -> "Submitted":
        """ValueError for anything else."""
        head, blank, checkpoint = body.decode().partition("\n\n")
        first, *lines = head.split("\n")
        old = _OLD.fullmatch(first)
        if not (blank and old) or len(lines) > PROOF_LINES_MAX:
            raise ValueError("begin with the line `old <size>` and at most 63 lines of proof, then an empty line")
        proof = [b64decode(line, validate=True) for line in lines]
        if any(len(hash_) != HASH_BYTES for hash_ in proof):
            raise ValueError("a line of the proof is a hash in base64")
        note = Note.parse(checkpoint)
        said = Checkpoint.read(note)
        if int(old[1]) > said.size:
            raise ValueError("the old size is larger than the checkpoint's")
        return Submitted(int(old[1]), proof, note, said)


@dataclass(frozen=True)
class Witness:
    """What cosigns, for the ledgers whose keys it has been given."""

    folder: Path
    name: str
    key: Ed25519PrivateKey
    ledgers: dict[str, tuple[bytes, ...]]
    """The public keys of each ledger by its id."""
    alone: asyncio.Lock

    @staticmethod
    def in_folder(folder: Path, name: str, keys: Iterable[Path]) -> "Witness":
        """With the key in the folder, which is made if there is none."""
        ledgers: dict[str, tuple[bytes, ...]] = {}
        for file in keys:
            document = orjson.loads(file.read_bytes())
            ledgers[document["ledger_id"]] = tuple(b64decode(key["public_key"]) for key in document["keys"])
        return Witness(folder, name, read_or_make(folder / "witness.pem"), ledgers, asyncio.Lock())

    @property
    def verifier_key(self) -> VerifierKey:
        """What the operator of a ledger is given, to know this witness's cosignatures by."""
        return VerifierKey(self.name, self.key.public_key().public_bytes_raw())

    async def add_checkpoint(self, request: Request) -> Response:
        """Cosign, or say why not, as tlog-witness has it."""
        body = await request.body()
        try:
            submitted = Submitted.parse(body if len(body) <= BODY_BYTES_MAX else b"")
        except (ValueError, NotANote) as malformed:
            return PlainTextResponse(f"{malformed}\n", 400)
        origin = submitted.said.origin
        ledger = _ORIGIN.fullmatch(origin)
        if ledger is None or ledger[1] not in self.ledgers:
            return PlainTextResponse("this log is not witnessed here\n", 404)
        if not any(submitted.note.signed_by(origin, key) for key in self.ledgers[ledger[1]]):
            return PlainTextResponse("no key of this ledger has signed the checkpoint\n", 403)
        async with self.alone:
            return await asyncio.to_thread(self._judge, submitted)

    def _judge(self, submitted: Submitted) -> Response:
        size, root = self._known(submitted.said.origin)
        said = submitted.said
        if submitted.old != size:
            return Response(f"{size}\n", 409, media_type=SIZE_MEDIA_TYPE)
        if said.size == size and said.root != root:
            return Response(f"{size}\n", 409, media_type=SIZE_MEDIA_TYPE)
        follows = not submitted.proof if size == 0 else is_consistent(size, said.size, root, said.root, submitted.proof)
        if not follows:
            return PlainTextResponse(f"it does not follow the checkpoint of size {size} that was cosigned\n", 422)
        state = {"origin": said.origin, "size": said.size, "root": said.root.hex()}
        replace_file(self._file(said.origin), orjson.dumps(state, option=orjson.OPT_INDENT_2))
        return PlainTextResponse(cosigned(submitted.note.text, self.name, self.key, datetime.now(UTC)))

    def _known(self, origin: str) -> tuple[int, bytes]:
        """The size and root that were cosigned last; a file that cannot be read stops the witness for that log."""
        file = self._file(origin)
        if not file.exists():
            return 0, b""
        state = orjson.loads(file.read_bytes())
        return state["size"], bytes.fromhex(state["root"])

    def _file(self, origin: str) -> Path:
        return self.folder / f"log-{sha256(origin.encode()).hexdigest()[:16]}.json"


def application(witness: Witness) -> Starlette:
    """The witness over HTTP."""
    return Starlette(routes=[Route("/add-checkpoint", witness.add_checkpoint, methods=["POST"])])
