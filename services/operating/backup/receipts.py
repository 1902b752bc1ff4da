"""Receipts that were given out: what a restored log still has to say, line by line."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from random import sample

from pydantic import ValidationError

from contracts.audit import Receipt
from contracts.placement import log_name
from services.ledger.event_store.store import EventStore
from services.operating.backup.kept_checkpoints import Kept, kept_of_note
from services.process.operator_error import OperatorError

SAMPLED_MAX = 100


@dataclass(frozen=True)
class KeptReceipt:
    """One, and the file that it is in."""

    file: Path
    receipt: Receipt

    @property
    def checkpoint(self) -> Kept:
        """The signed checkpoint that it came with."""
        return kept_of_note(self.file, self.receipt.checkpoint)


def sampled(files: Iterable[Path]) -> list[KeptReceipt]:
    """Some of these files, or of those in these folders; OperatorError for one that is no receipt."""
    found = [each for file in files for each in (sorted(file.glob("*.json")) if file.is_dir() else [file])]
    return [_read(file) for file in sample(found, min(len(found), SAMPLED_MAX))]


def _read(file: Path) -> KeptReceipt:
    try:
        return KeptReceipt(file, Receipt.model_validate_json(file.read_bytes()))
    except ValidationError as malformed:
        raise OperatorError(f"{file} is no receipt: {malformed.error_count()} fields do not fit.") from malformed


async def receipt_faults(store: EventStore, receipts: Iterable[KeptReceipt]) -> list[str]:
    """A sentence for each line of a receipt that the log does not have at its position."""
    return [
        f"The receipt {each.file} says otherwise than log {log_name(each.receipt.log)} at position {proof.position}."
        for each in receipts
        for line, proof in zip(each.receipt.lines, each.receipt.proofs, strict=True)
        if await _line_at(store, each.receipt.log, proof.position) != line
    ]


async def _line_at(store: EventStore, log_id: int, position: int) -> str | None:
    page = await store.page(log_id, position - 1, 1)
    return page[0].line(page[0].position) if page else None
