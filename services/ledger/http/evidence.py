"""The routes of evidence: keys, checkpoints, proofs, tiles and receipts."""

import re
from base64 import b64encode
from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import PlainTextResponse, Response
from pydantic import Field

from contracts.access import Right
from contracts.audit import (
    CheckpointLine,
    ConsistencyProof,
    EventProof,
    InclusionProof,
    LogVerification,
    PublishedKey,
    PublishedKeys,
    Receipt,
    SealLine,
)
from contracts.problems import InvalidField
from contracts.quantities import AccountId, IdempotencyKey
from services.access.needs import needs
from services.ledger.audit.keys import PublicKey, published
from services.ledger.audit.merkle import HASH_BYTES, WIDTH, NoSuchProof
from services.ledger.audit.seal_keys import published as seals_published
from services.ledger.audit.seal_keys import seals_of
from services.ledger.audit.tree import StoredTree
from services.ledger.domain.refusals import AccountNotFound
from services.ledger.event_store.identity import ledger_id_of
from services.ledger.event_store.stored_event import StoredEvent
from services.ledger.http.bulk import NDJSON
from services.ledger.http.log import AnyLog, Parameters, Position
from services.ledger.http.log_feed import require_log
from services.ledger.http.requests import LedgerOf
from services.ledger.running import Ledger
from services.process.openapi import lines_of, problems
from services.process.problem_responses import InvalidRequest, ProblemError

router = APIRouter(prefix="/v1", tags=["audit"])

OF_LOG = problems("not-found", "ledger-unavailable")
OF_RECEIPT = problems("account-not-found", "not-found", "checkpoint-behind", "ledger-unavailable")

CHECKPOINTS_MAX = 1000
SEALS_MAX = 1000
TilePath = Annotated[str, Path(max_length=100)]
TILE_PATH = re.compile(r"([0-9]{1,2})/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([0-9]{1,3}))?")

VERIFICATIONS = """
    SELECT log_id AS log, size, verified_at, full_at, log_is_sound, faults FROM ledger.verification ORDER BY log_id
"""

Hashes = tuple[str, ...]


class OfLog(Parameters):
    """Of which log; -1 is the log of access."""

    log: AnyLog = 0


class AfterSize(OfLog):
    """Which checkpoints: those larger than `after`."""

    after: Position = 0
    limit: Annotated[int, Field(ge=1, le=CHECKPOINTS_MAX)] = CHECKPOINTS_MAX


class AfterPosition(OfLog):
    """Which seals: those of appends that end after a position."""

    after: Position = 0
    limit: Annotated[int, Field(ge=1, le=SEALS_MAX)] = SEALS_MAX


class InTree(OfLog):
    """Which event, in the tree of which size."""

    position: Position
    size: Position


class BetweenTrees(OfLog):
    """From the tree of which size to that of which other."""

    old: Annotated[Position, Field(alias="from")]
    new: Annotated[Position, Field(alias="to")]


class OfCommand(Parameters):
    """Which command."""

    idempotency_key: IdempotencyKey


def tree_of(ledger: Ledger, log_id: int) -> StoredTree:
    """The tree of a log; a problem for a log that there is not."""
    require_log(ledger, log_id)
    return StoredTree(ledger.store.readers, log_id)


def in_hex(path: list[bytes]) -> Hashes:
    return tuple(hash_.hex() for hash_ in path)


@router.get("/audit/keys", openapi_extra=problems("ledger-unavailable"))
@needs(Right.EVIDENCE)
async def list_audit_keys(ledger: LedgerOf) -> PublishedKeys:
    """The public keys that sign checkpoints, or have signed them."""
    database = ledger.store.readers
    ledger_id, notes = await ledger_id_of(database), await published(database)
    keys = (PublicKey.read(note, ledger_id) for _, note in notes)
    views = (PublishedKey(number=k.number, public_key=b64encode(k.raw).decode(), note=k.note) for k in keys)
    return PublishedKeys(ledger_id=ledger_id, keys=tuple(views), seals=tuple(await seals_published(database)))


@router.get("/audit/verifications", openapi_extra=problems("ledger-unavailable"))
@needs(Right.LOG)
async def list_verifications(ledger: LedgerOf) -> tuple[LogVerification, ...]:
    """What the auditor's process found last in each log: how far it is good, when that was, and what is wrong."""
    rows = await ledger.store.readers.rows(VERIFICATIONS)
    return tuple(LogVerification.model_validate(dict(row)) for row in rows)


@router.get("/audit/checkpoint", response_class=PlainTextResponse, openapi_extra=OF_LOG)
@needs(Right.EVIDENCE)
async def get_checkpoint(ledger: LedgerOf, asked: Annotated[OfLog, Query()]) -> str:
    """The newest checkpoint, a signed note (C2SP tlog-checkpoint), with the lines of the witnesses that cosigned it."""
    tree = tree_of(ledger, asked.log)
    latest = await tree.latest()
    if latest is None:
        raise ProblemError("not-found", "No checkpoint has been made yet: an empty log has none.")
    return latest.note + await tree.cosignatures(latest.size)


@router.get(
    "/audit/checkpoints",
    response_class=Response,
    responses={200: {"content": {NDJSON: lines_of("A CheckpointLine a line.")}}},
    openapi_extra=OF_LOG,
)
@needs(Right.EVIDENCE)
async def list_checkpoints(ledger: LedgerOf, asked: Annotated[AfterSize, Query()]) -> Response:
    """Checkpoints, NDJSON, the smallest first."""
    page = await tree_of(ledger, asked.log).page(asked.after, asked.limit)
    lines = (CheckpointLine(log=asked.log, size=size, note=note).model_dump_json() + "\n" for size, note in page)
    return Response("".join(lines), media_type=NDJSON)


@router.get(
    "/audit/seals",
    response_class=Response,
    responses={200: {"content": {NDJSON: lines_of("A SealLine a line.")}}},
    openapi_extra=OF_LOG,
)
@needs(Right.LOG)
async def list_seals(ledger: LedgerOf, asked: Annotated[AfterPosition, Query()]) -> Response:
    """The seals of the appends that end after a position, NDJSON, in order; none of what was appended without."""
    require_log(ledger, asked.log)
    page = await seals_of(ledger.store.readers, asked.log, asked.after, asked.limit)
    lines = (SealLine(log=asked.log, first=each.first, last=each.last, seal=each.seal.hex()) for each in page)
    return Response("".join(f"{line.model_dump_json()}\n" for line in lines), media_type=NDJSON)


@router.get("/audit/proof/inclusion", openapi_extra=OF_LOG)
@needs(Right.EVIDENCE)
async def get_inclusion_proof(ledger: LedgerOf, asked: Annotated[InTree, Query()]) -> InclusionProof:
    """The proof that an event is in a tree."""
    try:
        path = await tree_of(ledger, asked.log).inclusion(asked.position, asked.size)
    except NoSuchProof as impossible:
        raise InvalidRequest(InvalidField(field="position", remedy=f"{impossible}")) from impossible
    return InclusionProof(log=asked.log, position=asked.position, size=asked.size, path=in_hex(path))


@router.get("/audit/proof/consistency", openapi_extra=OF_LOG)
@needs(Right.EVIDENCE)
async def get_consistency_proof(ledger: LedgerOf, asked: Annotated[BetweenTrees, Query()]) -> ConsistencyProof:
    """The proof that one tree begins with another."""
    try:
        path = await tree_of(ledger, asked.log).consistency(asked.old, asked.new)
    except NoSuchProof as impossible:
        raise InvalidRequest(InvalidField(field="from", remedy=f"{impossible}")) from impossible
    return ConsistencyProof(log=asked.log, from_size=asked.old, to_size=asked.new, path=in_hex(path))


@router.get(
    "/audit/tile/{path:path}",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}},
    openapi_extra=OF_LOG,
)
@needs(Right.LOG)
async def get_tile(
    path: Annotated[str, Path(max_length=100)], ledger: LedgerOf, asked: Annotated[OfLog, Query()]
) -> Response:
    """A tile of the tree, by its path in C2SP tlog-tiles: `<level>/<index>[.p/<width>]`."""
    form = TILE_PATH.fullmatch(path)
    if form is None:
        remedy = "give a level and an index such as 0/x001/234, and .p/<width> of a tile that is not full"
        raise InvalidRequest(InvalidField(field="path", remedy=remedy))
    level, index, width = int(form[1]), int(re.sub("[x/]", "", form[2])[:18]), int(form[3] or WIDTH)
    tree = tree_of(ledger, asked.log)
    found = (await tree.tiles([(level, index)])).hashes.get((level, index), b"")
    if not 0 < width * HASH_BYTES <= len(found):
        raise ProblemError("not-found", f"The tree has no such tile yet: {path}.")
    return Response(found[: width * HASH_BYTES], media_type="application/octet-stream")


@router.get("/accounts/{account_id}/receipts/{version}", openapi_extra=OF_RECEIPT)
@needs(Right.EVIDENCE)
async def get_receipt_of_version(
    account_id: AccountId, version: Annotated[int, Field(ge=1, lt=2**31)], ledger: LedgerOf
) -> Receipt:
    """The receipt of the command that led to this version of the account."""
    log_id = ledger.log_of(account_id)
    page = await ledger.store.account_page(log_id, account_id, version - 1, 1)
    if not page:
        raise AccountNotFound(f"{account_id}, version {version}")
    return await _receipt(ledger, log_id, account_id, page[0].command_id)


@router.get("/accounts/{account_id}/receipts", openapi_extra=OF_RECEIPT)
@needs(Right.EVIDENCE)
async def get_receipt_of_command(
    account_id: AccountId, ledger: LedgerOf, asked: Annotated[OfCommand, Query()]
) -> Receipt:
    """The receipt of a command, by its idempotency key."""
    return await _receipt(ledger, ledger.log_of(account_id), account_id, asked.idempotency_key)


async def _receipt(ledger: Ledger, log_id: int, account_id: str, command_id: str) -> Receipt:
    key = (account_id, command_id)
    known = await ledger.store.commands(log_id, [key])
    if key not in known:
        raise ProblemError("not-found", "No command with this key was recorded on this account.")
    events = (await ledger.store.events_of(log_id, known.values()))[key]
    tree = StoredTree(ledger.store.readers, log_id)
    checkpoint = await tree.covering(_position(events[-1]))
    if checkpoint is None:
        detail = "The command is recorded, but no checkpoint covers it yet. One is made every second: try again."
        raise ProblemError("checkpoint-behind", detail, headers={"Retry-After": "1"})
    paths = [in_hex(await tree.inclusion(_position(event), checkpoint.size)) for event in events]
    return Receipt(
        log=log_id,
        account_id=account_id,
        command_id=command_id,
        lines=tuple(event.line(event.position) for event in events),
        proofs=tuple(EventProof(position=_position(e), path=path) for e, path in zip(events, paths, strict=True)),
        checkpoint=checkpoint.note,
        keys=tuple(note for _, note in await published(ledger.store.readers)),
    )


def _position(event: StoredEvent) -> int:
    assert event.position is not None
    return event.position
