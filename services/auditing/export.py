"""An export for auditors: what a signed checkpoint covers, and everything needed to check it offline.

Written file by file to disk, from streams, so that a log of any length needs the same memory.
"""

import json
import tempfile
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

import contracts
from contracts.access_events import TermsPublished
from contracts.placement import ACCESS_LOG, log_name
from contracts.quantities import POSITION_MAX
from services.access.caller import Caller
from services.auditing.export_folder import Folder, archived
from services.auditing.export_seals import seals
from services.auditing.ledger_over_http import ANSWER_SECONDS_MAX, AuditSource
from services.process.operator_error import OperatorError

FORMAT = "hourbook audit export 1"
SHIPPED = Path(__file__).with_name("handed_out")
SHIPPED_FILES = (
    SHIPPED / "AUDITORS.md",
    SHIPPED / "FORMAT.md",
    SHIPPED / "RULEBOOK.md",
    SHIPPED / "verify.py",
    Path(contracts.__file__).parent / "schemas" / "events.schema.json",
)
CLOCKS_DIFFER = timedelta(minutes=5)


@dataclass(frozen=True)
class Wanted:
    """What is exported: everything, one account, or what was recorded in [since, before).

    `personal`: with what is personal and not erased.
    `cuts`: sizes of the tree at which the auditor holds a checkpoint; its root can be worked out from the export.
    """

    account_id: str | None = None
    since: datetime | None = None
    before: datetime | None = None
    cuts: tuple[int, ...] = ()
    personal: bool = True

    def covers(self) -> dict[str, Any]:
        """As the manifest says it."""
        dated = self.since or self.before
        what = "account" if self.account_id else "range" if dated else "log"
        since, before = (at.isoformat() if at else None for at in (self.since, self.before))
        return {"what": what, "account_id": self.account_id, "from": since, "to": before}


class Signed(NamedTuple):
    """A log as its checkpoint signs it."""

    log: int
    size: int
    note: str


class Part(NamedTuple):
    """The lines of a log that are exported, by position. Those of a range have a neighbour on either side."""

    lines: Iterable[bytes]
    personal: Iterable[bytes]
    first: int
    last: int
    holds: Callable[[int, int], bool]
    """Whether one of the leaves [start, end) is among them."""


def export(caller: Caller, output: Path, wanted: Wanted, console: Console) -> int:
    """Write the export to a folder, or to a file when its name ends in .tar.gz; returns how many events it has."""
    if output.exists():
        raise OperatorError(f"{output} is there already. Give the export a name of its own.")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with (
        caller.client(ANSWER_SECONDS_MAX) as client,
        tempfile.TemporaryDirectory(prefix=f".{output.name}.", dir=output.parent) as place,
        Progress(*columns, console=console) as progress,
    ):
        folder = Folder(Path(place) / output.name.removesuffix(".tar.gz"), progress)
        events = _write(AuditSource(client), folder, wanted)
        if output.name.endswith(".tar.gz"):
            archived(folder.path).rename(output)
        else:
            folder.path.rename(output)
    return events


def _write(source: AuditSource, folder: Folder, wanted: Wanted) -> int:
    """Every file, the manifest last."""
    keys = source.document("/v1/audit/keys")
    folder.document("keys.json", keys)
    for file in SHIPPED_FILES:
        folder.copy(file)
    entries: list[dict[str, int]] = []
    events = 0
    for signed in signed_logs(source, wanted):
        part = part_of(source, signed, wanted)
        whole = wanted.covers()["what"] == "log"
        notes = source.checkpoints(signed.log, signed.size) if whole else [signed.note]
        count = min(part.last + 1, signed.size) - max(part.first - 1, 1) + 1 if not wanted.account_id else None
        events += folder.lines(f"log-{signed.log}.ndjson.gz", part.lines, count)
        _write_evidence(source, folder, wanted, signed, part, notes)
        entries.append({"log": signed.log, "size": signed.size, "first": part.first, "last": part.last})
    said = {"format": FORMAT, "ledger_id": keys["ledger_id"], "covers": wanted.covers(), "logs": entries}
    folder.manifest(said | _write_access(source, folder, wanted))
    return events


def _write_access(source: AuditSource, folder: Folder, wanted: Wanted) -> dict[str, Any]:
    """The log of access, whole whatever is exported, and read last: who was entitled is known before the events are."""
    known = sum(1 for _ in source.access_lines(POSITION_MAX))
    if not known:
        folder.document("terms.json", source.document("/v1/terms"))
        return {}
    note = source.checkpoint_of(ACCESS_LOG, known)
    signed = Signed(ACCESS_LOG, size_of(note), note)
    part = Part(
        source.access_lines(signed.size),
        source.personal_lines(ACCESS_LOG, 0, signed.size),
        1,
        signed.size,
        lambda start, end: start < end,
    )
    folder.document("terms.json", {"versions": list(_published(source, signed.size))})
    folder.lines("log-access.ndjson.gz", part.lines, signed.size)
    _write_evidence(source, folder, wanted, signed, part, source.checkpoints(ACCESS_LOG, signed.size))
    return {"access": {"log": ACCESS_LOG, "size": signed.size, "first": 1, "last": signed.size}}


def _published(source: AuditSource, size: int) -> Iterator[Any]:
    """The terms that so much of the log of access publishes: what is published meanwhile is in neither."""
    for line in source.access_lines(size):
        if (fact := orjson.loads(line))["type"] == TermsPublished.__name__:
            yield fact["data"]["version"]


def _write_evidence(
    source: AuditSource, folder: Folder, wanted: Wanted, signed: Signed, part: Part, notes: Iterable[str]
) -> None:
    """What belongs to the lines of a log: names, the tree, and checkpoints."""
    name = log_name(signed.log)
    if wanted.personal:
        folder.lines(f"personal-{name}.ndjson.gz", part.personal, None)
    folder.lines(f"log-{name}.tree.gz", _as_json(pieces_of(source, signed, part, wanted.cuts)), None)
    folder.lines(f"log-{name}.checkpoints.gz", _as_json({"note": note} for note in notes), None)
    contiguous = wanted.account_id is None or signed.log == ACCESS_LOG
    sealed = seals(source, signed.log, signed.size, part.holds, contiguous=contiguous)
    folder.lines(f"log-{name}.seals.gz", _as_json(sealed), None)


def size_of(checkpoint: str) -> int:
    """How many events a signed note covers."""
    _, size, *_ = checkpoint.split("\n")
    return int(size)


def signed_logs(source: AuditSource, wanted: Wanted) -> Iterator[Signed]:
    """The logs that are exported; one in which nothing was ever recorded has nothing to export."""
    notes: dict[int, str] = {}
    logs = [source.log_of(wanted.account_id)] if wanted.account_id else _begun(source) or [0]
    while more := [log for log in logs if log not in notes]:
        notes |= {log: source.latest_checkpoint(log) for log in more}
        logs = logs if wanted.account_id else _begun(source)  # another may have, and these name it already
    for log, note in sorted(notes.items()):
        yield Signed(log, size_of(note), note)


def _begun(source: AuditSource) -> list[int]:
    return [log for log, head in source.heads().items() if head]


def part_of(source: AuditSource, signed: Signed, wanted: Wanted) -> Part:
    """The lines of a log that are wanted."""
    if wanted.account_id:
        leaves = [_position(line) - 1 for line in source.account_lines(wanted.account_id)]
        leaves = leaves[: bisect_left(leaves, signed.size)]
        return Part(
            islice(source.account_lines(wanted.account_id), len(leaves)),
            source.personal_lines_of(wanted.account_id, signed.size) if wanted.personal else (),
            leaves[0] + 1, leaves[-1] + 1,
            lambda start, end: bisect_left(leaves, start) < bisect_left(leaves, end),
        )  # fmt: skip
    first, last = _between(source, signed, wanted.since, wanted.before)
    after, until = max(first - 2, 0), min(last + 1, signed.size)
    lines, personal = source.lines(signed.log, after, until), source.personal_lines(signed.log, after, until)
    return Part(lines, personal, first, last, lambda start, end: start < last + 1 and first - 2 < end)


def _between(source: AuditSource, signed: Signed, since: datetime | None, before: datetime | None) -> tuple[int, int]:
    """The first and the last position recorded in [since, before); last < first when there is none.

    Several processes record in turn, and their clocks differ: so a few minutes more are taken on either side.
    """
    first = source.first_recorded(signed.log, signed.size, since - CLOCKS_DIFFER) if since else 1
    after = source.first_recorded(signed.log, signed.size, before + CLOCKS_DIFFER) if before else signed.size + 1
    return first, after - 1


def _position(line: bytes) -> int:
    return orjson.loads(line)["position"]


def pieces_of(source: AuditSource, signed: Signed, part: Part, cuts: tuple[int, ...] = ()) -> Iterator[dict[str, Any]]:
    """The tree from left to right: a leaf for each exported line, and in place of the others the largest complete
    sub-trees that hold none of them and are not cut in two."""

    def pieces(start: int, level: int) -> Iterator[dict[str, Any]]:
        end = start + (1 << level)
        if level and (part.holds(start, end) or any(start < cut < end for cut in cuts)):
            yield from pieces(start, level - 1)
            yield from pieces(start + (1 << level - 1), level - 1)
        else:
            node = source.subtree(signed.log, signed.size, start, level)
            yield {"start": start, "leaves": 1 << level, "hash": node.hex()}

    start = 0
    for level in reversed(range(signed.size.bit_length())):
        if signed.size >> level & 1:
            yield from pieces(start, level)
            start += 1 << level


def _as_json(values: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    return (json.dumps(value).encode() for value in values)
