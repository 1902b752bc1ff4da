"""Check a Hourbook audit export, offline, trusting nobody.

    python -I verify.py [EXPORT] [--key FILE] [--checkpoint FILE] [--receipt FILE] [--as-of INSTANT] [--known-at ...]

Needs Python 3.11 or newer and the package `cryptography`; nothing of Hourbook's is imported. It was written from the
rulebook and FORMAT.md, not from the program that makes the log: where the two disagree, one is wrong, and you learn it.

What is checked, section by section of this file:

1. The folder:    every file is the one that the manifest names.
2. Signed notes:  checkpoints and keys are signed (Ed25519), by keys you hold or, if you hold none, by the export's.
3. The tree:      the lines of the log, hashed (RFC 6962), make the very roots that were signed, and those you kept.
4. The lines:     no byte of a line is outside its hash; names are those that events hold commitments to.
5. Quantities:    months, days, money: the small rules of the rulebook.
6. The books:     each account is worked out again, each event by its edition of the rules: lots, draws, debts, expiry,
                  returns, corrections, refunds, plans, months.
7. The balance:   of any instant, as known at any other.
8. Side by side:  lines, tree and checkpoints of a log, read together; positions and versions have no gaps; the seals of
                  appends say which events the ledger itself gave to its database.
9. Receipts:      what a customer keeps is genuine by itself, whatever else is shown.
10. Entitlement:  by the log of access, whoever recorded an event was entitled to when it was recorded.
11. The report, and the command line.

Not checked: whether off-hours work lay outside working hours (rule 5.4 needs a production calendar).

Exit code 0: everything holds. 1: there are findings, each with file, line, position, what was expected and what is
there. 2: the question could not be understood, or something is needed first.
"""

import argparse
import base64
import copy
import gzip
import hashlib
import json
import re
import sys
import tarfile
import tempfile
import zlib
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:
    print("verify.py needs the package cryptography: python -m pip install cryptography", file=sys.stderr)
    sys.exit(2)
if sys.version_info < (3, 11):  # noqa: UP036 - an auditor may have another than the ledger
    print("verify.py needs Python 3.11 or newer", file=sys.stderr)
    sys.exit(2)

FORMAT = "hourbook audit export 1"


class Wrong(Exception):
    """Something is not as it has to be."""

    def __init__(self, what: str, expected: object, found: object) -> None:
        super().__init__(f"{what}: expected {expected}, found {found}")


def same(what: str, expected: object, found: object) -> None:
    """Raise Wrong unless the two are equal."""
    if expected != found:
        raise Wrong(what, expected, found)


class Findings:
    """What is wrong, and where."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def add(self, where: str, why: Exception | str) -> None:
        said = str(why) if isinstance(why, Wrong | str) else f"cannot be read ({type(why).__name__}: {why})"
        self.said.append(f"{where}: {said}")


UNREADABLE = (
    ValueError, LookupError, TypeError, AttributeError, ArithmeticError, OSError, EOFError, RecursionError, MemoryError,
    zlib.error, tarfile.TarError,
)  # fmt: skip
"""What reading something that is not in its form comes to."""

DOCUMENT_BYTES_MAX = 16 << 20
LINE_BYTES_MAX = 64 << 20
UNPACKED_TIMES_MAX = 20
"""What is in an archive is compressed already: more times its size is no export."""


def read_json(text: str | bytes) -> Any:
    """JSON in which nothing can be read in two ways: each name once in its object, whole numbers only."""
    return json.loads(text, object_pairs_hook=once_each, parse_float=not_whole, parse_constant=not_whole)


YES_OR_NO = (
    "automatic", "carry_over", "forfeited", "only_difference", "reclaimed", "released", "sandbox", "settlement",
    "warranty",
)  # fmt: skip


def once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice in one object")
    for name, value in pairs:
        if type(value) is (int if name in YES_OR_NO else bool):
            raise ValueError(f"{name} is {value}: true and false are no numbers")
    return found


def not_whole(text: str) -> Any:
    raise ValueError(f"{text} is no whole number")


def document(folder: Path, name: str) -> Any:
    """A JSON file of the export."""
    if (size := (folder / name).stat().st_size) > DOCUMENT_BYTES_MAX:
        raise Wrong(f"bytes of {name}", f"at most {DOCUMENT_BYTES_MAX}", size)
    return read_json((folder / name).read_text("utf-8"))


# 1. The folder -----------------------------------------------------------------------------------------------------


def unpacked(export: Path, into: Path) -> Path:
    """The folder of an export. An archive has one folder of plain files, each name once, and is no bomb."""
    if export.is_dir():
        return export
    left = export.stat().st_size * UNPACKED_TIMES_MAX + DOCUMENT_BYTES_MAX
    with tarfile.open(export) as archive:
        root = None
        for member in archive:
            folder, _, name = member.name.rpartition("/")
            if root is None and member.isdir():
                root = member.name
                continue
            root = folder if root is None else root
            if not (member.isfile() and folder == root and re.fullmatch(PLAIN_NAME, name)):
                raise Wrong("what the archive holds", "one folder, and plain files in it", member.name)
            left -= member.size
            if left < 0:
                raise Wrong("the archive unpacked", f"at most {UNPACKED_TIMES_MAX} times as large", "more")
            with archive.extractfile(member) as content, (into / name).open("xb") as file:  # type: ignore[union-attr]
                while block := content.read(1 << 20):
                    file.write(block)
    return into


PLAIN_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"
KNOWN_FILES = re.compile(
    r"keys\.json|terms\.json|events\.schema\.json|(?:AUDITORS|FORMAT|RULEBOOK)\.md|verify\.py"
    r"|(?:log|personal)-(?:\d+|access)\.ndjson\.gz|log-(?:\d+|access)\.(?:tree|checkpoints|seals)\.gz"
)


def check_files(folder: Path, findings: Findings) -> dict[str, Any]:
    """The manifest, after comparing every file with it: present, of that size, with that SHA-256, and no other."""
    manifest = document(folder, "manifest.json")
    text = (folder / "manifest.json").read_text("utf-8")
    same("manifest, written in its one form", json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", text)
    same("format", FORMAT, manifest["format"])
    covers = manifest["covers"]
    what = "account" if covers["account_id"] else "range" if covers["from"] or covers["to"] else "log"
    same("what it covers", what, covers["what"])
    listed = {entry["name"]: (entry["bytes"], entry["sha256"]) for entry in manifest["files"]}
    same("files in the manifest, each once", len(listed), len(manifest["files"]))
    present = {file.name: file for file in folder.iterdir() if file.name != "manifest.json"}
    for name in sorted(listed.keys() | present.keys()):
        if name not in listed:
            findings.add(name, "is in the folder, but not in the manifest")
        elif not KNOWN_FILES.fullmatch(name):
            findings.add(name, "is no file of an export")
        elif name not in present:
            findings.add(name, "is in the manifest, but not in the folder")
        elif present[name].is_symlink() or not present[name].is_file():
            findings.add(name, "is no plain file")
        elif name == "verify.py" and present[name].samefile(__file__):
            continue  # an auditor's own, in place of the export's
        elif (there := (present[name].stat().st_size, sha256_of(present[name]))) != listed[name]:
            findings.add(name, Wrong("bytes and SHA-256", listed[name], there))
    return manifest


def sha256_of(file: Path) -> str:
    """In hexadecimal."""
    digest = hashlib.sha256()
    with file.open("rb") as content:
        while block := content.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def lines_of(folder: Path, name: str, findings: Findings) -> Iterator[tuple[int, bytes]]:
    """The numbered lines of a compressed file, each of which ends in a line feed."""
    number = 0
    try:
        with gzip.open(folder / name) as file:
            while line := file.readline(LINE_BYTES_MAX):
                number += 1
                if not line.endswith(b"\n"):
                    findings.add(f"{name}, line {number}", "is cut off, or longer than any line of a log")
                    if len(line) == LINE_BYTES_MAX:
                        return
                yield number, line.rstrip(b"\n")
    except UNREADABLE as failure:
        findings.add(f"{name}, after line {number}", failure)


# 2. Signed notes (C2SP signed-note and tlog-checkpoint) --------------------------------------------------------------


@dataclass
class Note:
    """A text, and who says so: (name, key id, signature)."""

    text: str
    signatures: list[tuple[str, bytes, bytes]]

    @staticmethod
    def parse(note: str) -> "Note":
        text, blank, below = note.rpartition("\n\n")
        if not blank or not below.endswith("\n"):
            raise ValueError("not a signed note")
        signatures = []
        for line in below[:-1].split("\n"):
            dash, name, encoded = line.split(" ")
            same("the mark before a signature", "\u2014", dash)
            blob = from_base64(encoded)
            signatures.append((name, blob[:4], blob[4:]))
        return Note(text + "\n", signatures)

    def signed_by(self, public_key: bytes, name: str) -> bool:
        """Whether that key signed it; a signature in the key's name that does not fit is Wrong."""
        for signer, key_id, signature in self.signatures:
            if (signer, key_id) == (name, key_id_of(name, public_key)):
                try:
                    Ed25519PublicKey.from_public_bytes(public_key).verify(signature, self.text.encode())
                except InvalidSignature:
                    raise Wrong("the signature", f"one by the key {key_id.hex()}", "one that does not fit") from None
                return True
        return False


def from_base64(text: str) -> bytes:
    """Decoded; only the one canonical spelling is accepted, so that no bit of it is free."""
    decoded = base64.b64decode(text, validate=True)
    same("base64 in its one form", base64.b64encode(decoded).decode(), text)
    return decoded


def from_hex(text: str) -> bytes:
    """A hash, in the one form in which proofs have it."""
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        raise ValueError(f"{text!r} is no hash of 64 digits")
    return bytes.fromhex(text)


def key_id_of(name: str, public_key: bytes) -> bytes:
    """Four bytes that say which key of a name it is; 01 stands for Ed25519."""
    return hashlib.sha256(name.encode() + b"\n\x01" + public_key).digest()[:4]


@dataclass
class Statement:
    """What a checkpoint states beside its tree: so many logs, those begun by then, so many versions of the terms."""

    BEGINNINGS = ("logs ", "begun", "terms ")
    FORM = re.compile(
        r"logs ([1-9][0-9]{0,3})\nbegun((?: (?:access|0|[1-9][0-9]{0,3}))*)\nterms ([1-9][0-9]{0,5}) ([0-9a-f]{64})"
    )
    logs: int
    begun: set[int]
    versions: int
    terms_hash: str

    @staticmethod
    def parse(lines: list[str]) -> "Statement | None":
        if not lines:
            return None
        if not (found := Statement.FORM.fullmatch("\n".join(lines))):
            raise ValueError(f"no number of logs, logs that have begun, and hash of terms: {lines}")
        begun = {ACCESS_LOG if name == "access" else int(name) for name in found[2].split()}
        return Statement(int(found[1]), begun, int(found[3]), found[4])


@dataclass
class Checkpoint:
    """What was signed: the log of that origin had so many events, and this root. `held`: by you, from before."""

    where: str
    origin: str
    size: int
    root: bytes
    note: Note
    held: bool
    clock: datetime | None = None
    time: datetime | None = None
    stated: Statement | None = None
    seals: tuple[int, str] | None = None  # how many keys of seals there were, and the hash of their notes

    @staticmethod
    def parse(where: str, text: str, *, held: bool) -> "Checkpoint":
        note = Note.parse(text)
        origin, size, root, *further = note.text.split("\n")
        clock, made_at = (
            next((instant(line.removeprefix(name)) for line in further if line.startswith(name)), None)
            for name in ("clock ", "time ")
        )
        stated = Statement.parse([line for line in further if line.startswith(Statement.BEGINNINGS)])
        if not re.fullmatch(r"0|[1-9][0-9]{0,18}", size):
            raise ValueError(f"{size!r} is not a number of events")
        sealed = [line for line in further if line.startswith("seals ")]
        if sealed and not (form := re.fullmatch(r"seals ([1-9][0-9]{0,5}) ([0-9a-f]{64})", "\n".join(sealed))):
            raise ValueError(f"no number of keys of seals, and hash of their notes: {sealed}")
        seals = (int(form[1]), form[2]) if sealed else None
        return Checkpoint(where, origin, int(size), from_base64(root), note, held, clock, made_at, stated, seals)


@dataclass
class Keys:
    """The ledger's keys by number, and which of them are trusted."""

    ledger_id: str
    public: dict[int, bytes]
    trusted: set[int]
    why: str
    newest: tuple[int, datetime] | None = None  # of those you hold: its number, and when it was made

    def check(self, checkpoint: Checkpoint, not_before: int) -> int:
        """The number of the key that signed it, which never goes back (pass the one of the checkpoint before)."""
        log, _ = log_and_epoch(checkpoint.origin)
        if log != f"hourbook/{self.ledger_id}/access":
            same("the origin", f"hourbook/{self.ledger_id}/log/", re.sub(r"\d+$", "", log))
        number = next((n for n, key in self.public.items() if checkpoint.note.signed_by(key, checkpoint.origin)), None)
        if number is None:
            raise Wrong("a signature", f"one by a key of the ledger ({len(self.public)} known)", "none")
        if number < not_before:
            raise Wrong("the number of the signing key", f"{not_before} or later", number)
        if self.newest and not checkpoint.held and number < self.newest[0]:
            newest, made_at = self.newest
            if (checkpoint.time or made_at) >= made_at:
                raise Wrong("the key that signs", f"{newest}, which you hold, or a later one", f"the retired {number}")
        return number


def read_keys(where: str, ledger_id: str, notes: list[str], held: list[bytes], findings: Findings) -> Keys:
    """A ledger's keys by their notes. Trusted: those you hold, or else the first; and each announced by one before it.

    Each that you hold has to be there, and none older than the newest of them signs once that one has been made.
    """
    name = f"hourbook/{ledger_id}/keys"
    keys = Keys(ledger_id, {}, set(), "you hold them, or they were announced by one you hold")
    for number, text in enumerate(notes, 1):
        try:
            note = Note.parse(text)
            said = note.text.split("\n")
            key = from_base64(said[2])
            same("name and number in the note", [name, str(number)], said[:2])
            same("signed by itself", True, note.signed_by(key, name))
            announced = number - 1 in keys.trusted and note.signed_by(keys.public[number - 1], name)
            keys.public[number] = key
            if announced or key in held or (not held and number == 1):
                keys.trusted.add(number)
            if key in held:
                keys.newest = (number, instant(said[3].removeprefix("time ")))
        except (*UNREADABLE, Wrong) as failure:
            findings.add(f"{where}, key {number}", failure)
    for key in held:
        if key not in keys.public.values():
            findings.add(where, f"a key that you hold is not among the ledger's: {base64.b64encode(key).decode()}")
    if not held:
        keys.why = "they are in the export: compare them with what the ledger's operator has published"
    return keys


def keys_of_export(folder: Path, held: list[bytes], findings: Findings) -> Keys:
    """Those of keys.json, which says their numbers and bytes beside their notes."""
    said = document(folder, "keys.json")
    keys = read_keys("keys.json", said["ledger_id"], [entry["note"] for entry in said["keys"]], held, findings)
    for number, entry in enumerate(said["keys"], 1):
        try:
            beside = (entry["number"], from_base64(entry["public_key"]))
            same("number and bytes beside the note", (number, keys.public.get(number)), beside)
        except (*UNREADABLE, Wrong) as failure:
            findings.add(f"keys.json, key {number}", failure)
    return keys


@dataclass
class Restore:
    """The database was put back to an earlier state: the epoch that began then, and for each log, by its name, how many
    events it kept, how many were known, and the size and root that were signed of it last."""

    FORM = re.compile(r"([^\n]+)\n([1-9][0-9]{0,8})\nafter ([1-9][0-9]{0,8})\ntime ([^\n]+)((?:\nlog [^\n]+)+)\n")
    LOG = re.compile(r"log (access|[0-9]{1,4}) kept ([0-9]{1,19}) of ([0-9]{1,19}) signed ([0-9]{1,19}) ([0-9a-f]{64})")
    epoch: int
    time: str
    logs: dict[str, tuple[int, int, int, bytes]]

    @staticmethod
    def parse(text: str, keys: Keys, after: int) -> "Restore":
        """Wrong unless a key of the ledger has signed it, and it begins an epoch after that one."""
        note, name = Note.parse(text), f"hourbook/{keys.ledger_id}/restores"
        if not (form := Restore.FORM.fullmatch(note.text)):
            raise ValueError("no note of a restore")
        same("the name of a restore", name, form[1])
        same("signed by a key of the ledger", True, any(note.signed_by(key, name) for key in keys.public.values()))
        lines = [Restore.LOG.fullmatch(line) for line in form[5].strip("\n").split("\n")]
        logs = {one[1]: (int(one[2]), int(one[3]), int(one[4]), bytes.fromhex(one[5])) for one in lines if one}
        same("a line for each log, in its one form", len(lines), len(logs))
        same("epochs that follow one another", True, after <= int(form[3]) < int(form[2]))
        return Restore(int(form[2]), form[4], logs)

    def lost(self, log: str) -> int:
        """How many events of that log are gone, as far as the record knows."""
        kept, known, size, _ = self.logs[log]
        return max(kept, known, size) - kept

    def said(self, log: str) -> str:
        return f"the ledger was restored to {self.logs[log][0]} at {self.time}; {self.lost(log)} events were lost"

    def gives_up(self, log: str, size: int, root: bytes) -> bool:
        """Whether what was signed at that size is declared to be lost."""
        kept, _, last, last_root = self.logs.get(log, (size, 0, 0, b""))
        return kept < size and (size < last or (size, root) == (last, last_root))


def restores_of_export(folder: Path, keys: Keys, findings: Findings) -> list[Restore]:
    """All that the log of access records; that it does is checked where its lines are."""
    name, found = "log-access.ndjson.gz", list[Restore]()
    if not (folder / name).exists():
        return found
    for number, text in lines_of(folder, name, findings):
        if b'"LedgerRestored"' not in text:
            continue
        try:
            line = read_json(text)
            if line["type"] == "LedgerRestored":
                found.append(Restore.parse(line["data"]["note"], keys, found[-1].epoch if found else 1))
                same("the epoch beside the note", found[-1].epoch, line["data"]["epoch"])
                same("who is restored", "ledger", line["account_id"])
        except (*UNREADABLE, Wrong) as failure:
            findings.add(f"{name}, line {number}", failure)
    return found


def log_and_epoch(origin: str) -> tuple[str, int]:
    """A log's own name, and in which epoch a checkpoint of that origin was signed."""
    form = re.fullmatch(r"(.*)/epoch/([1-9][0-9]{0,8})", origin)
    return (form[1], int(form[2])) if form else (origin, 1)


# 3. The tree (RFC 6962) ----------------------------------------------------------------------------------------------


class Tree:
    """A Merkle tree that grows from left to right. It keeps the roots of its complete sub-trees, the largest first."""

    def __init__(self) -> None:
        self.size = 0
        self.complete: list[tuple[int, bytes]] = []

    def append(self, leaves: int, node: bytes) -> None:
        """Add a leaf, or the root of a complete sub-tree of 2, 4, 8 … leaves where one begins."""
        if leaves < 1 or leaves & (leaves - 1) or self.size % leaves:
            raise ValueError(f"no sub-tree of {leaves} leaves begins after {self.size}")
        self.size += leaves
        while self.complete and self.complete[-1][0] == leaves:
            node = node_hash(self.complete.pop()[1], node)
            leaves *= 2
        self.complete.append((leaves, node))

    def root(self) -> bytes:
        """The root of all leaves so far."""
        if not self.complete:
            return hashlib.sha256().digest()
        *rest, (_, root) = self.complete
        for _, left in reversed(rest):
            root = node_hash(left, root)
        return root


def node_hash(left: bytes, right: bytes) -> bytes:
    """Of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def leaf_hash(log: int, line: "Line", position: int) -> bytes:
    """Of an event at that position: every field, its length before it, in the order of FORMAT.md."""
    return hashlib.sha256(b"\x00" + joined(*fields_of(log, line, position))).digest()


def sealed_hash(log: int, line: "Line", seal: bytes, offset: int) -> bytes:
    """What a seal covers of the event so many behind its first: its hash from the place on, or at no place."""
    if place := seal[96:]:
        return leaf_hash(log, line, int.from_bytes(place, "big") + offset)
    return hashlib.sha256(joined(*fields_of(log, line))).digest()


def fields_of(log: int, line: "Line", *position: int) -> tuple[object, ...]:
    """What is hashed of an event."""
    microseconds = (line.recorded_at - EPOCH) // timedelta(microseconds=1)
    form = f"hourbook event 2 {line.actor}" if line.actor else "hourbook event 1"
    return (
        form, log, *position, line.account_id, line.version, line.event_id, line.command_id,
        line.type, line.schema_version, microseconds, line.payload, line.fingerprint,
    )  # fmt: skip


def joined(*fields: object) -> bytes:
    """Each field after its length."""
    contents = [value if isinstance(value, bytes) else str(value).encode() for value in fields]
    return b"".join([len(content).to_bytes(4, "big") + content for content in contents])


# 4. The lines --------------------------------------------------------------------------------------------------------

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)  # noqa: UP017
ENVELOPE = {
    "position": int, "event_id": str, "account_id": str, "version": int, "command_id": str, "fingerprint": str,
    "type": str, "schema_version": int, "recorded_at": str,
}  # fmt: skip
ACTOR_FORM = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass
class Line:
    """One event of the log. `payload` is its exact text, `data` what that says; a `fingerprint` opens a command.

    `actor` is who gave the command, empty of events that were recorded before actors were.
    """

    position: int
    event_id: str
    account_id: str
    version: int
    command_id: str
    fingerprint: str
    type: str
    schema_version: int
    recorded_at: datetime
    actor: str
    payload: bytes
    data: dict[str, Any]

    @staticmethod
    def parse(text: bytes) -> "Line":
        """Strictly: what is put together again from the values must be the text, so that no byte of it is free."""
        envelope, mark, rest = text.partition(b',"data":')
        if not mark or not rest.endswith(b"}"):
            raise ValueError("not a line of the log")
        values = read_json(envelope + b"}")
        if values["fingerprint"] is None:
            values["fingerprint"] = ""
        actor = values.pop("actor", "")
        same("fields", list(ENVELOPE), list(values))
        for name, kind in ENVELOPE.items():
            same(f"kind of {name}", kind, type(values[name]))
        said = {**values, "fingerprint": values["fingerprint"] or None}
        if actor != "":
            if not isinstance(actor, str) or not ACTOR_FORM.fullmatch(actor):
                raise ValueError("the actor has another form than an id")
            said["actor"] = actor
        written = json.dumps(said, separators=(",", ":"))
        same("the line in its one form", written[:-1].encode(), envelope)
        stated = values.pop("recorded_at")
        recorded_at = instant(stated)
        same("recorded_at in its one form", written_instant(recorded_at), stated)
        return Line(**values, actor=actor, recorded_at=recorded_at, payload=rest[:-1], data=read_json(rest[:-1]))


def instant(text: str) -> datetime:
    """An RFC 3339 timestamp with an offset, in UTC."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text!r} has no offset")
    return at.astimezone(timezone.utc)  # noqa: UP017


def written_instant(at: datetime) -> str:
    """As the log writes it."""
    return at.isoformat().replace("+00:00", "Z")


COMMITMENT = re.compile(r"sha256(-2)?:[0-9a-f]{64}")
SALT = re.compile(r"[0-9a-f]{32}")


def committed(form: str, salt: bytes, name: bytes) -> str:
    """The commitment to a name, in the form that another one has."""
    if form.startswith("sha256:"):
        return f"sha256:{hashlib.sha256(salt + name).hexdigest()}"
    parts = b"".join(len(part).to_bytes(4, "big") + part for part in (b"hourbook name 2", salt, name))
    return f"sha256-2:{hashlib.sha256(parts).hexdigest()}"


NAMED_IN_ACCOUNTS = ("TaskClosed", "TaskCorrected")
NAMED_IN_ACCESS = ("KeyMade", "PersonAdmitted")
NAMED_AS_CUSTOMER = ("AccountOpened", "CustomerChanged")
NAMING = (*NAMED_IN_ACCOUNTS, *NAMED_AS_CUSTOMER, *NAMED_IN_ACCESS)


class PersonalData:
    """The names that are shown, and how many are not: erased, or withheld from this export.

    They stand in the order of the events, so that nothing has to be kept. `recorded`: names of old events, for ever.
    """

    def __init__(self, folder: Path, name: str, findings: Findings) -> None:
        self.name = name
        self.findings = findings
        self.shown = self.hidden = self.recorded = 0
        self.texts = self.read(folder) if (folder / name).exists() else iter(())
        self.next = next(self.texts, None)

    def read(self, folder: Path) -> Iterator[tuple[int, str, str]]:
        """Position, commitment, and where; each text is compared with its commitment."""
        before = (0, "")
        for number, text in lines_of(folder, self.name, self.findings):
            where = f"{self.name}, line {number}"
            try:
                said = read_json(text)
                written = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
                same("the line in its one form", (written, ["position", "commitment", "salt", "text"]), (text, [*said]))
                position, commitment = said["position"], said["commitment"]
                same("in order of position and commitment", True, before < (position, commitment))
                same("a salt of 16 bytes", True, SALT.fullmatch(said["salt"]) is not None)
                salt, name = bytes.fromhex(said["salt"]), said["text"].encode()
                same("the commitment to salt and text", commitment, committed(commitment, salt, name))
                before = (position, commitment)
            except (*UNREADABLE, Wrong) as failure:
                self.findings.add(where, failure)
                continue
            yield position, commitment, where

    def of(self, line: "Line") -> None:
        """What is shown of an event has to be in it."""
        if line.type in NAMED_IN_ACCESS:
            names = [line.data["name"]]
        elif line.type in NAMED_AS_CUSTOMER:
            names = [(line.data.get("customer_requisites") or {}).get("signatory_name")]
        else:
            entries = line.data.get("time_entries") or []
            names = [line.data["confirmed_by"], *(entry["performer"] for entry in entries)]
        held = {name for name in names if name and COMMITMENT.fullmatch(name)}
        self.recorded += len({name for name in names if name} - held)
        shown = self.upto(line.position, held)
        self.shown += shown
        self.hidden += len(held) - shown

    def upto(self, position: int, held: set[str]) -> int:
        """How many texts there are at that position; one without an event that holds its commitment is a finding."""
        shown = 0
        while self.next and self.next[0] <= position:
            at, commitment, where = self.next
            if (at, commitment in held) == (position, True):
                shown += 1
            else:
                self.findings.add(where, Wrong("a commitment in the event at its position", commitment, "none"))
            self.next = next(self.texts, None)
        return shown

    def end(self) -> str:
        """No line follows; the sum of it."""
        while self.next:
            self.upto(self.next[0], set())
        return f"{self.shown} names shown, {self.hidden} erased or withheld, {self.recorded} recorded in the log itself"


# 5. Quantities (rules 1 to 4) ---------------------------------------------------------------------------------------


def seller_zone() -> tzinfo:
    """Moscow time; without a time zone database UTC+3, which is right since 26 October 2014."""
    try:
        return ZoneInfo("Europe/Moscow")
    except ZoneInfoNotFoundError:
        return timezone(timedelta(hours=3))


MOSCOW = seller_zone()


def midnight(day: date) -> datetime:
    """The first instant of a day at the seller's."""
    return datetime.combine(day, time(), MOSCOW).astimezone(timezone.utc)  # noqa: UP017


def day_of(at: datetime) -> date:
    """The seller's day at that instant (rule 2.2)."""
    return at.astimezone(MOSCOW).date()


def month_of(at: datetime) -> str:
    """The seller's month, such as 2026-07."""
    return f"{day_of(at):%Y-%m}"


def month_later(month: str, by: int) -> str:
    """So many months later."""
    months = int(month[:4]) * 12 + int(month[5:]) - 1 + by
    return f"{months // 12:04}-{months % 12 + 1:02}"


def end_of_package(bought_at: datetime, months: int) -> datetime:
    """Rule 3.2: 00:00 of the day after (day of purchase + months), the day clamped to the month's length."""
    bought = day_of(bought_at)
    year, month = map(int, month_later(f"{bought:%Y-%m}", months).split("-"))
    last = date(year, month, min(bought.day, monthrange(year, month)[1]))
    return midnight(last + timedelta(days=1))


def rounded(value: Fraction) -> int:
    """Half to even (rule 1.2)."""
    return round(value)


class Terms:
    """The price lists, all versions (rule 3.1), as terms.json has them and the log of access publishes them."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.published = 0
        self.first_published: datetime | None = None
        self.versions = sorted(document["versions"], key=lambda version: instant(version["in_force_from"]))
        self.hashes = [bytes(32)]
        for version in self.versions:
            text = json.dumps(version, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
            self.hashes.append(hashlib.sha256(self.hashes[-1] + text.encode()).digest())

    def at(self, when: datetime) -> dict[str, Any]:
        """The version in force then; the first one for any time before it."""
        in_force = [version for version in self.versions if instant(version["in_force_from"]) <= when]
        return in_force[-1] if in_force else self.versions[0]

    def publish(self, version: dict[str, Any], now: datetime, *, sandbox: bool = False) -> None:
        """The next version, in the log: an hour ahead, but for those that the first append records (rule 3.4).

        In a sandbox time is a test clock, and nothing follows from it.
        """
        self.first_published = self.first_published or now
        self.published += 1
        listed = self.versions[self.published - 1 : self.published]
        same(f"version {self.published} in terms.json", [version], listed)
        starts = instant(version["in_force_from"])
        if not sandbox and now > self.first_published and starts < now + NOTICE_OF_TERMS - CLOCKS_DIFFER:
            raise Wrong("in force from", f"{now + NOTICE_OF_TERMS} or later, an hour ahead (rule 3.4)", starts)
        if self.published > 1:
            before = instant(self.versions[self.published - 2]["in_force_from"])
            same("in force later than the version before", True, before < starts)

    def end(self, findings: Findings) -> None:
        """Once terms are in the log, all are."""
        for version in self.versions[self.published :] if self.published else []:
            findings.add("terms.json", f"has the version {version['name']}, which the log of access does not publish")


NOTICE_OF_TERMS = timedelta(hours=1)


# 6. The books (rules 3 to 10 and 14 to 16) --------------------------------------------------------------------------


@dataclass
class Lot:
    """Hours bought together. `ends`: of the packages that have held it, one after another; `left` may be forfeited.

    A compensation is `made_up_for` a closing: its task, and its number.
    """

    lot_id: str
    starts_at: datetime
    size: int
    price: int
    package_id: str
    ends: list[datetime]
    left: int
    booked: int = 0
    expired: bool = False
    refunded: bool = False
    made_up_for: tuple[str, int] = ("", 0)
    moves: list[tuple[datetime, int]] = field(default_factory=list)

    def take(self, at: datetime, minutes: int, kopecks: int) -> None:
        """Minutes and money leave it; negative: they come back."""
        self.left -= minutes
        self.booked += kopecks
        self.moves.append((at, -minutes))
        if not 0 <= self.left <= self.size:
            raise Wrong(f"minutes left in lot {self.lot_id}", f"0 to {self.size}", self.left)

    def gives(self, minutes: int, at: datetime, edition: int) -> "Took":
        """What a closing takes that is given so many: with its money (rule 4.4), released if forfeited (rule 6.1)."""
        money = rounded(Fraction(self.price * (self.size - self.left + minutes), self.size)) - self.booked
        if edition > 1:
            money = max(0, min(money, self.price - self.booked))
        return Took(self.lot_id, minutes, money, self.expired, at)

    def share(self) -> tuple[str, int, int]:
        """What is left, with the money not yet booked for it."""
        return (self.lot_id, self.left, self.price - self.booked)

    def priority(self, at: datetime) -> tuple[datetime, datetime, str]:
        """Rule 6.2: the end of the package that held it then, its start, its id."""
        return (min(end for end in self.ends if at < end), self.starts_at, self.lot_id)


@dataclass
class Package:
    """A purchase, or a compensation (rule 8.2). `order` is the order of recording."""

    package_id: str
    starts_at: datetime
    ends_at: datetime
    takes_over: bool
    order: int
    expired: bool = False

    def due(self) -> tuple[datetime, datetime, str]:
        """Packages expire in this order (rule 7.1)."""
        return (self.ends_at, self.starts_at, self.package_id)


@dataclass
class Took:
    """Minutes that a closing took from a lot, by a draw or by a settlement of its debt; of no lot: paid in money."""

    lot_id: str
    minutes: int
    kopecks: int
    released: bool
    at: datetime
    settlement: bool = False
    own: bool = False  # what made up for an earlier closing of the task (rule 6.2)
    hour_price: int | None = None  # of a payment in money

    @staticmethod
    def drawn(data: dict[str, Any], at: datetime) -> "Took":
        """A draw, as an event that takes effect then states it; one on an own compensation has its own instant."""
        own = data.get("effective_at") is not None
        since = instant(data["effective_at"]) if own else at
        return Took(data["lot_id"], data["minutes"], data["amount_kopecks"], data["released"], since, own=own)


NO_LOT = ""


@dataclass
class Closing:
    """A closing that stands: what it took from lots and what was paid for it, in order; and what is still owed.

    `order` is its place among debts of the same instant; `given_at` when it would have counted without rule 2.1.
    """

    number: int
    at: datetime
    order: int
    worked: int
    charged: int
    owed: int = 0
    took: list[Took] = field(default_factory=list)
    given_at: datetime | None = None
    marked: bool = False

    def paid(self) -> tuple[int, int]:
        """Minutes and kopecks of the payments in money."""
        payments = [took for took in self.took if took.lot_id == NO_LOT]
        return sum(took.minutes for took in payments), sum(took.kopecks for took in payments)

    def money(self) -> int:
        """Kopecks of all that it took."""
        return sum(took.kopecks for took in self.took)


@dataclass
class Command:
    """How far one command has come in the order of rule 11.1."""

    trigger: datetime | None = None  # when its fact took effect
    reclaims: list[str] = field(default_factory=list)  # packages whose forfeited hours are taken over next
    reopened: tuple[str, Closing] | None = None  # a closing whose hours have gone on: a correction of it may follow
    expiring: bool = False  # what is due is being recorded
    resumed: bool = False  # nothing follows


@dataclass
class Report:
    """What a month has booked: the change of the balance, and worked, charged minutes and kopecks of each closing."""

    balance: int = 0
    lines: dict[tuple[str, int], tuple[int, ...]] = field(default_factory=dict)


class Months:
    """The months of an account: closed or open, and what each has booked (rules 10.1 to 10.3)."""

    def __init__(self, account_id: str) -> None:
        self.account_id = account_id
        self.closed_through = ""
        self.closes: list[tuple[str, int, int]] = []
        self.documents: list[tuple[str, int, int, str, tuple[int, ...]]] = []
        self.reports: dict[str, Report] = {}

    def booking(self, at: datetime) -> str:
        """The month of that instant, or the first open one (rule 10.1)."""
        month = month_of(at)
        return month_later(self.closed_through, 1) if self.closed_through and month <= self.closed_through else month

    def book(self, month: str, change: int, figures: list[tuple[str, int, int, int, int]]) -> None:
        """An event has changed the balance by so much, and has added figures to closings."""
        report = self.reports.setdefault(month, Report())
        report.balance += change
        for task_id, closure, *numbers in figures:
            so_far = report.lines.get((task_id, closure), (0, 0, 0))
            report.lines[task_id, closure] = tuple(map(sum, zip(so_far, numbers, strict=True)))

    def close(self, data: dict[str, Any], version: int, position: int) -> None:
        """It was closed, with every earlier one that was open: their reports are frozen."""
        month = data["month"]
        same("a month not closed before", True, month > self.closed_through)
        if data.get("account_version") is not None:
            names = ("month", "opening_balance_minutes", "closing_balance_minutes", "report_hash")
            reports = [tuple(report[name] for name in names) for report in data["reports"]]
            same("the reports that are frozen", self.frozen(month), reports)
            self.documents += [(*report, self.sums(report[0])) for report in reports]
            same("account_version: events before this one", version - 1, data["account_version"])
        self.closed_through = month
        self.closes.append((month, version, position))

    def sums(self, month: str) -> tuple[int, ...]:
        """Worked and charged minutes and kopecks of all closings in the report of a month."""
        lines = self.reports.get(month, Report()).lines.values()
        return tuple(sum(line[number] for line in lines) for number in range(3))

    def frozen(self, month: str) -> list[tuple[str, int, int, str]]:
        """Month, opening and closing balance and hash of each report that the closing of this month freezes."""
        balance, found = 0, []
        for name in sorted({*self.reports, month}):
            report = self.reports.get(name, Report())
            opening, balance = balance, balance + report.balance
            if self.closed_through < name <= month:
                text = f"hourbook-report 1\naccount {self.account_id}\nmonth {name}\n"
                text += f"opening {opening}\nclosing {balance}\n"
                lines = (" ".join(map(str, (*closing, *report.lines[closing]))) for closing in sorted(report.lines))
                text += "".join(f"{line}\n" for line in lines)
                found.append((name, opening, balance, hashlib.sha256(text.encode()).hexdigest()))
        return found


class Book:
    """One account, worked out again from its events; whatever does not follow from the rules is Wrong.

    Each event is judged by the edition of the rules by which it was decided.
    """

    def __init__(self, account_id: str, terms: Terms) -> None:
        self.account_id = account_id
        self.terms = terms
        self.last: Line | None = None
        self.version = 0
        self.edition = 1
        self.lots: dict[str, Lot] = {}
        self.packages: dict[str, Package] = {}
        self.running: set[str] = set()
        self.closings: dict[str, Closing] = {}
        self.times_closed: dict[str, int] = {}
        self.warranty: set[str] = set()
        self.planned: set[str] = set()
        self.in_debt: set[str] = set()
        self.owed_moves: list[tuple[datetime, int]] = []
        self.just_carried: dict[str, str] = {}
        self.suspended = False
        self.months = Months(account_id)
        self.balance_before = 0
        self.command = Command()

    # What holds for every event.

    def read(self, line: Line) -> None:
        """One event more."""
        same(f"version of account {self.account_id}", self.version + 1, line.version)
        if self.last and line.recorded_at < self.last.recorded_at:
            raise Wrong("recorded_at", f"{self.last.recorded_at} or later", line.recorded_at)
        if line.fingerprint:
            self.check_command_ends()
            self.command = Command()
        else:
            same("the command it belongs to", self.last and (self.last.command_id, self.last.recorded_at),
                 (line.command_id, line.recorded_at))  # fmt: skip
        edition = edition_of(line)
        if not line.fingerprint:
            same("the edition of the rules, by which all of a command is decided", self.edition, edition)
        self.edition = edition
        self.version, self.last = line.version, line
        same("the event that opens an account", line.version == 1, line.type == "AccountOpened")
        at = instant(line.data["effective_at"])
        if at > line.recorded_at:
            raise Wrong("effective_at", f"{line.recorded_at} or earlier", at)
        same("booking_month (rule 10.1)", self.months.booking(at), line.data["booking_month"])
        types = [kind for kind in READERS if self.edition > 1 or kind not in SINCE_THE_SECOND_EDITION]
        if line.type not in types:
            raise Wrong("the type of event", f"one of {', '.join(types)}", line.type)
        self.check_turn(line.type, line.data, at, line.recorded_at)
        READERS[line.type](self, line.data, at, line.recorded_at)
        self.report(line.type, line.data)

    def check_turn(self, kind: str, data: dict[str, Any], at: datetime, now: datetime) -> None:
        """Rule 11.1: what is due, one fact, reclaimed hours, debt and what is due by turns, resuming."""
        command = self.command
        same("an event after work has resumed by itself", False, command.resumed)
        if self.just_carried:
            (package_id,) = self.just_carried
            same("what follows hours that were carried", ("PackageExpired", package_id), (kind, data.get("package_id")))
        reclaimed = kind == "HoursCarriedOver" and data["reclaimed"]
        if command.reclaims or reclaimed:
            expected = command.reclaims.pop(0) if command.reclaims else None
            same("hours reclaimed now (rule 7.4)", expected, data["from_package_id"] if reclaimed else None)
        elif kind in ("HoursCarriedOver", "PackageExpired"):
            if command.trigger and not command.expiring:
                same("debt that is settled before anything expires (rule 11.1)", None, self.next_settlement())
            command.expiring = True
        elif kind == "DebtSettled":
            if command.expiring:
                self.check_nothing_due(now)
            command.expiring, command.reopened = False, None
        else:
            self.check_fact(kind, data, at, now)

    def check_fact(self, kind: str, data: dict[str, Any], at: datetime, now: datetime) -> None:
        """Rule 11.1: what is due comes first, then the one fact of a command; or work resumes by itself, at its end."""
        command = self.command
        self.check_nothing_due(now)
        command.expiring = False
        if kind == "WorkResumed" and data["automatic"]:
            same("debt that is settled before work resumes (rule 11.1)", None, self.next_settlement())
            command.resumed = True
        elif kind != "TaskCorrected" or not command.reopened:
            same("a fact before this one: a command has one", None, command.trigger)
            command.trigger = now if kind == "CustomerChanged" else at

    def check_nothing_due(self, now: datetime) -> None:
        """Rule 7.1: whatever is due has expired."""
        for package_id in self.running:
            if self.packages[package_id].ends_at <= now:
                raise Wrong(f"package {package_id} expired (rule 7.1)", f"by {now}", "not yet")

    def check_command_ends(self) -> None:
        """Rule 11.1: a command leaves nothing undone that was due, could settle debt, or let work resume."""
        if not self.last:
            return
        same("packages whose hours were carried, but which have not expired", {}, self.just_carried)
        same("packages whose hours are to be reclaimed (rules 7.4, 8.1)", [], self.command.reclaims)
        self.check_nothing_due(self.last.recorded_at)
        for task_id, debt in self.debts():
            if payable := [lot.lot_id for lot in self.with_hours() if debt.at < lot.ends[-1]]:
                raise Wrong(f"debt of task {task_id} (rule 6.4)", f"settled by {payable}", f"{debt.owed} minutes owed")
        if self.suspended and self.balance_now() > 0:
            raise Wrong("suspended (rule 9.2)", "not with a positive balance", self.balance_now())

    def with_hours(self) -> list[Lot]:
        """Lots with something left, forfeited or not."""
        return [lot for lot in self.lots.values() if lot.left]

    def debts(self) -> list[tuple[str, Closing]]:
        """Closings with something owed, the oldest first (rule 6.4)."""
        owing = [(task_id, self.closings[task_id]) for task_id in self.in_debt]
        return sorted(owing, key=lambda owed: (owed[1].at, owed[1].order))

    def balance_now(self) -> int:
        """Rule 4.2: what is left in lots that have not expired, less what is owed."""
        owed = sum(closing.owed for _, closing in self.debts())
        return sum(lot.left for lot in self.lots.values() if not lot.expired) - owed

    def owe(self, task_id: str, at: datetime, minutes: int) -> None:
        """The debt of a closing grows, or shrinks."""
        closing = self.closings[task_id]
        closing.owed += minutes
        self.owed_moves.append((at, minutes))
        if closing.owed < 0:
            raise Wrong(f"minutes owed for task {task_id}", "0 or more", closing.owed)
        (self.in_debt.add if closing.owed else self.in_debt.discard)(task_id)

    # The account and its customer (rules 4.1 and 16).

    def opened(self, data: dict[str, Any], at: datetime, now: datetime) -> None:
        """The account of a contract."""
        same("effective_at", now, at)

    def customer_changed(self, data: dict[str, Any], at: datetime, now: datetime) -> None:
        """From a day on, today or earlier, not in a closed month (rule 16.1)."""
        day = date.fromisoformat(data["effective_on"])
        same("effective_at: when that day begins", midnight(day), at)
        same("a month that is open (rule 16.1)", True, f"{day:%Y-%m}" > self.months.closed_through)
        names = ("customer_name", "contract_number", "contract_date", "customer_requisites")
        same("something that is changed", True, any(data.get(name) is not None for name in names))

    # Packages: bought, carried over, expired, refunded (rules 3, 7 and 14).

    def purchased(self, data: dict[str, Any], at: datetime, now: datetime) -> None:
        """A lot opens, at the price in force or as agreed (rule 3), and the package may succeed others (rule 7.2)."""
        in_force = self.terms.at(at)
        plan = in_force["plans"][data["plan"]]
        same("something agreed for it alone, by the first edition", True, self.edition > 1 or not data.get("agreed"))
        expected = bought(plan, data.get("agreed"), at)
        found = (data["minutes"], data["price_kopecks"], instant(data["ends_at"]))
        same("minutes, price and end (rule 3)", expected, found)
        same("terms and price of an hour (rule 3)", (in_force["name"], plan["hour_price_kopecks"]),
             (data["terms_version"], data["hour_price_kopecks"]))  # fmt: skip
        there = [package for package in self.packages.values() if package.starts_at <= at < package.ends_at]
        before = [self.successor(package) for package in there]
        package_id = data["package_id"]
        same("an id that is not the ledger's own (rule 3.3)", False, package_id.startswith("compensation-"))
        minutes, price, ends_at = expected
        self.add_package(package_id, at, ends_at, minutes, price, data["carry_over"])
        succeeds = [one.package_id for one, heir in zip(there, before, strict=True) if self.successor(one) != heir]
        same("the packages it succeeds (rule 7.2)", sorted(succeeds), sorted(data["succeeds"]))
        same("its successor", self.successor(self.packages[package_id]), data["successor_package_id"])
        warned = (minutes * in_force["low_balance_percent"] // 100, in_force["expiring_days"])
        if data.get("low_balance_minutes") is not None:
            same("when the customer is warned (rule 13)", warned, (data["low_balance_minutes"], data["expiring_days"]))
        orphans = [one for one, heir in zip(there, before, strict=True) if one.package_id in succeeds and heir is None]
        self.command.reclaims = self.in_turn(orphans)

    def in_turn(self, packages: list[Package]) -> list[str]:
        """Those that have forfeited hours, in the order in which these are reclaimed (rule 7.4)."""
        forfeited = [one for one in packages if self.left_in(one.package_id, forfeited=True)]
        return [one.package_id for one in sorted(forfeited, key=Package.due)]

    def add_package(self, package_id: str, at: datetime, ends_at: datetime, size: int, price: int, takes: bool) -> Lot:
        """A package opens with a lot of the same id."""
        same(f"package {package_id}", "a new one", "there already" if package_id in self.packages else "a new one")
        self.packages[package_id] = Package(package_id, at, ends_at, takes, self.version)
        self.running.add(package_id)
        self.lots[package_id] = Lot(package_id, at, size, price, package_id, [ends_at], size, moves=[(at, size)])
        return self.lots[package_id]

    def successor(self, package: Package) -> str | None:
        """Rule 7.2: the first bought after it and before its end, willing to take over, with a later end."""
        heirs = [
            other
            for other in self.packages.values()
            if other.takes_over
            and not self.lots[other.package_id].refunded
            and (other.starts_at, other.order) > (package.starts_at, package.order)
            and other.starts_at < package.ends_at < other.ends_at
        ]
        first = min(heirs, key=lambda other: (other.starts_at, other.order), default=None)
        return first.package_id if first else None

    def left_in(self, package_id: str, *, forfeited: bool) -> list[Lot]:
        """Lots in the hands of a package that have something left."""
        return [lot for lot in self.with_hours() if lot.package_id == package_id and lot.expired == forfeited]

    def carried(self, data: dict[str, Any], at: datetime, now: datetime) -> None:
        """Everything left goes to the successor and takes its end; reclaimed: what had been forfeited (rule 7.4)."""
        former, heir = self.packages[data["from_package_id"]], self.packages[data["to_package_id"]]
        same("the successor", self.successor(former), heir.package_id)
        same("effective_at and ends_at", (former.ends_at, heir.ends_at), (at, instant(data["ends_at"])))
        lots = self.left_in(former.package_id, forfeited=data["reclaimed"])
        same("what was left and is carried", sorted(lot.share() for lot in lots), shares(data))
        same("minutes carried", sum(lot.left for lot in lots), data["minutes"])
        same("a package with hours to carry", True, bool(lots) and former.expired == data["reclaimed"])
        for lot in lots:
            lot.package_id, lot.expired = heir.package_id, False
            lot.ends.append(heir.ends_at)
        heir.expired = False
        self.running.add(heir.package_id)
        if not data["reclaimed"]:
            self.just_carried[former.package_id] = heir.package_id

    def expired(self, data: dict[str, Any], at: datetime, now: datetime) -> None:
        """In order, at its end; without a successor everything left is forfeited (rules 7.1, 7.2)."""
        due = [one for one in map(self.packages.__getitem__, self.running) if one.ends_at <= now]
        first = min(due, key=Package.due, default=None)
        same("the package that is due (rule 7.1)", first and first.package_id, data["package_id"])
        package = self.packages[data["package_id"]]
        same("effective_at", package.ends_at, at)
        left = self.left_in(package.package_id, forfeited=False)
        same("carried_to: where they went with the event before", self.just_carried.pop(package.package_id, None),
             data["carried_to"])  # fmt: skip
        if left:
            same("a successor that should have had the hours (rule 7.2)", None, self.successor(package))
        same("what was left and is forfeited", sorted(lot.share() for lot in left), shares(data))
        same("minutes forfeited", sum(lot.left for lot in left), data["forfeited_minutes"])
        same("money forfeited", sum(lot.share()[2] for lot in left), data["forfeited_amount_kopecks"])
        package.expired = True
        self.running.discard(package.package_id)
        for lot in self.lots.values():
            lot.expired |= lot.package_id == package.package_id

    def refunded(self, data: dict[str, Any], at: datetime, now: datetime) -> None:
        """What is left in a lot is given back in money, or kept; the lot has ended, and succeeds nobody (rule 14)."""
        same("effective_at", now, at)
        lot = self.lots[data["lot_id"]]
        same("a lot with something left", (False, False, True), (lot.expired, lot.refunded, lot.left > 0))
        same("the package that holds it, and what is left", (lot.package_id, lot.left),
             (data["package_id"], data["refunded_minutes"]))  # fmt: skip
        money, kept = data["refunded_kopecks"], data["retained_kopecks"]
        same("money refunded and retained, together (rule 14.2)", lot.price - lot.booked, money + kept)
        same("neither of them less than nothing", True, money >= 0 and kept >= 0)
        succeeded = [one for one in self.packages.values() if self.successor(one) == lot.lot_id]
        lot.take(now, lot.left, 0)
        lot.refunded = True
        expected = [(one.package_id, self.successor(one)) for one in sorted(succeeded, key=Package.due)]
        found = [(one["package_id"], one["successor_package_id"]) for one in data["succeeded"]]
        same("those it would have succeeded, and who does (rule 14.3)", expected, found)

    # Tasks: planned, closed, owed, settled, paid (rules 5, 6 and 15).

    def task_planned(self, data: dict[str, Any], at: datetime, now: datetime) -> None:
        """What a task that is not closed is expected to take, by the terms in force (rule 15)."""
        task_id, in_force, warranty = data["task_id"], self.terms.at(now), data["task_id"] in self.warranty
        same("effective_at, and a task that is not closed", (now, False), (at, task_id in self.closings))
        k = Fraction(in_force["coefficients"]["warranty" if warranty else data["category"]])
        same("terms, K and warranty (rule 15.2)", (in_force["name"], k, warranty),
             (data["terms_version"], Fraction(data["coefficient"]), data["warranty"]))  # fmt: skip
        estimated = data["estimated_minutes"]
        same("an estimate in quanta (rule 15.1)", True, estimated > 0 and estimated % in_force["quantum_minutes"] == 0)
        same("planned = estimated \u00d7 K (rule 15.2)", k * estimated, data["planned_minutes"])
        self.planned.add(task_id)

    def plan_dropped(self, data: dict[str, Any], at: datetime, now: datetime) -> None:
        """Only what is planned (rule 15.1)."""
        same("effective_at, and a plan", (now, True), (at, data["task_id"] in self.planned))
        self.planned.discard(data["task_id"])

    def closed(self, data: dict[str, Any], at: datetime, now: datetime) -> None:
        """Charged at K, drawn on the lots valid then in their order, the rest owed (rules 5.2, 6.1 to 6.3)."""
        task_id = data["task_id"]
        same(f"task {task_id} closed already", False, task_id in self.closings)
        same("effective_at (rule 5.1)", min(given_at(data), now), at)
        self.check_closing(data, at, now)
        self.draw(self.new_closing(data, at), data, data["charged_minutes"])

    def new_closing(self, data: dict[str, Any], at: datetime) -> Closing:
        """The closing that an event states, which has taken nothing yet; it ends the plan of its task (rule 15.1)."""
        task_id, number = data["task_id"], data["closure"]
        same(f"number of the closing of task {task_id} (rule 5.5)", self.times_closed.get(task_id, 0) + 1, number)
        self.times_closed[task_id] = number
        self.planned.discard(task_id)
        worked, charged = data["worked_minutes"], data["charged_minutes"]
        closing = Closing(number, at, self.version, worked, charged, given_at=given_at(data))
        self.closings[task_id] = closing
        return closing

    def check_closing(self, data: dict[str, Any], at: datetime, now: datetime) -> None:
        """What a closing has to show of itself (rule 5), and what it is charged for (rule 1.1)."""
        self.check_times(data, at, now)
        in_force = self.terms.at(min(instant(data["started_at"]), at) if data["started_at"] else at)
        warranty = data["task_id"] in self.warranty
        k = Fraction(in_force["coefficients"]["warranty" if warranty else data["category"]])
        same("terms, K and warranty (rule 5)", (in_force["name"], k, warranty),
             (data["terms_version"], Fraction(data["coefficient"]), data["warranty"]))  # fmt: skip
        worked = data["worked_minutes"]
        same("charged = worked \u00d7 K (rule 1.1)", k * worked, data["charged_minutes"])
        same("worked time in quanta (rule 1.1)", True, worked > 0 and worked % in_force["quantum_minutes"] == 0)
        if data["time_entries"] is not None:
            same("time entries add up (rule 5.4)", worked, sum(entry["minutes"] for entry in data["time_entries"]))
        if data.get("evidence"):
            quanta = quanta_of(data["evidence"], 60 * in_force["quantum_minutes"])
            same(
                "worked time by its evidence (rule 5.9)",
                True,
                not quanta or worked // in_force["quantum_minutes"] in quanta,
            )

    def check_times(self, data: dict[str, Any], at: datetime, now: datetime) -> None:
        """Closed, confirmed, begun and agreed to in their order (rules 5.1, 5.3 and 5.8)."""
        confirmed, started = instant(data["confirmed_at"]), data["started_at"] and instant(data["started_at"])
        same("confirmed after it was closed (rule 5.1)", True, instant(data["closed_at"]) <= confirmed)
        same("confirmed by now, as far as clocks differ (rule 2.1)", True, confirmed <= now + CLOCKS_DIFFER)
        if started:
            same("started before it was closed (rule 5.3)", True, started <= instant(data["closed_at"]))
        for consent, categories in CONSENTS.items():
            if data["category"] in categories:
                given = data[consent] and started and instant(data[consent]) <= started
                same(f"{consent}, before the work started (rule 5.3)", True, bool(given))
        kind, agreed = data.get("kind", "work"), data.get("package_use_agreed_at")
        same("kind of work", True, kind == "work" or (kind == "specification" and self.edition > 1))
        if kind == "specification":
            same("a specification that was agreed to (rule 5.8)", True, bool(agreed) and instant(agreed) <= at)

    def draw(self, closing: Closing, data: dict[str, Any], needed: int) -> None:
        """The closing takes what lots give for so many minutes more, and owes the rest (rules 6.1 to 6.3)."""
        task_id = data["task_id"]
        took, owed = self.drawn(task_id, needed, closing.at)
        same("draws (rules 4.4, 6.1, 6.2)", took, [Took.drawn(draw, closing.at) for draw in data["draws"]])
        same("owed = charged - drawn (rule 6.3)", owed, data["owed_minutes"])
        for part in took:
            self.lots[part.lot_id].take(part.at, part.minutes, part.kopecks)
        closing.took += took
        self.owe(task_id, closing.at, owed)

    def drawn(self, task_id: str, needed: int, at: datetime) -> tuple[list[Took], int]:
        """What the lots that may pay then give, in their order, and what they cannot."""
        took: list[Took] = []
        own = self.own_compensations(task_id, at)
        for lot in [*own, *(lot for lot in self.valid(at) if lot not in own)]:
            if needed:
                part = lot.gives(min(needed, lot.left), max(at, lot.starts_at), self.edition)
                took.append(replace(part, own=lot in own))
                needed -= part.minutes
        return took, needed

    def valid(self, at: datetime) -> list[Lot]:
        """Lots with something left that were valid at that instant, the earliest to end first (rules 6.1, 6.2)."""
        lots = [lot for lot in self.with_hours() if lot.starts_at <= at < lot.ends[-1]]
        return sorted(lots, key=lambda lot: lot.priority(at))

    def own_compensations(self, task_id: str, at: datetime) -> list[Lot]:
        """What made up for earlier closings of the task, the latest first (rule 6.2).

        By the first edition they had no precedence.
        """
        lots = [lot for lot in self.with_hours() if self.edition > 1 and lot.made_up_for[0] == task_id]
        valid = [lot for lot in lots if max(at, lot.starts_at) < lot.ends[-1]]
        return sorted(valid, key=lambda lot: lot.made_up_for[1], reverse=True)

    def next_settlement(self) -> tuple[str, int, Took] | None:
        """Rule 6.4: the oldest debt, and what is taken for it: of the lot whose hours were there first, from then on.

        No younger debt can be settled where the oldest cannot: a lot that ends after the younger ends after the oldest.
        """
        if not self.in_debt or self.command.trigger is None:
            return None
        task_id, debt = self.debts()[0]
        since = max(debt.at, self.command.trigger)
        offers = [(max(since, lot.starts_at), lot) for lot in self.with_hours() if since < lot.ends[-1]]
        if not offers:
            return None
        at, lot = min(offers, key=lambda offer: (offer[0], offer[1].priority(offer[0])))
        return (task_id, debt.number, replace(lot.gives(min(debt.owed, lot.left), at, self.edition), settlement=True))

    def settled(self, data: dict[str, Any], at: datetime, now: datetime) -> None:
        """Owed minutes are paid by the first hours that were there after the debt arose (rule 6.4)."""
        task_id, lot_id, minutes = data["task_id"], data["lot_id"], data["minutes"]
        took = Took(lot_id, minutes, data["amount_kopecks"], data["released"], at, settlement=True)
        same("the debt, when it is paid, and by which lot (rules 4.4, 6.4)", self.next_settlement(),
             (task_id, data["closure"], took))  # fmt: skip
        self.lots[lot_id].take(at, minutes, took.kopecks)
        self.closings[task_id].took.append(took)
        self.owe(task_id, at, -minutes)

    def paid(self, data: dict[str, Any], at: datetime, now: datetime) -> None:
        """Owed minutes are paid with money, the oldest first, at the price of debt (rule 6.5)."""
        in_force = self.terms.at(instant(data["paid_at"]))
        price = in_force["debt_hour_price_kopecks"]
        same("terms and price of debt", (in_force["name"], price), (data["terms_version"], data["hour_price_kopecks"]))
        left, latest, expected = data["minutes"], instant(data["paid_at"]), []
        for task_id, debt in self.debts():
            if minutes := min(left, debt.owed):
                expected.append((task_id, debt.number, minutes, self.price_of_debt(debt, minutes, price)))
                left, latest = left - minutes, max(latest, debt.at)
        names = ("task_id", "closure", "minutes", "amount_kopecks")
        same("payments (rule 6.5)", expected, [tuple(payment[name] for name in names) for payment in data["payments"]])
        same("minutes beyond the debt", 0, left)
        same("money paid", sum(payment[3] for payment in expected), data["amount_kopecks"])
        same("effective_at", latest, at)
        for task_id, _, minutes, kopecks in expected:
            self.closings[task_id].took.append(Took(NO_LOT, minutes, kopecks, False, at, hour_price=price))
            self.owe(task_id, at, -minutes)

    def price_of_debt(self, debt: Closing, minutes: int, price: int) -> int:
        """Kopecks of so many minutes; by the second edition many payments of a closing cost what one costs."""
        if self.edition == 1:
            return rounded(Fraction(minutes * price, 60))
        before, kopecks = debt.paid()
        return max(0, rounded(Fraction((before + minutes) * price, 60)) - kopecks)

    # Taking back (rules 8.1 to 8.5).

    def taken_back(self, data: dict[str, Any], at: datetime, now: datetime) -> None:
        """What can go back does, the rest becomes a compensation; what is owed is cancelled (rule 8)."""
        task_id = data["task_id"]
        closing = self.closings.get(task_id) or Closing(0, now, 0, 0, 0)
        marked = self.last is not None and self.last.type == "WarrantyMarked"
        if marked:
            same("marked as warranty before (rule 8.5)", False, task_id in self.warranty)
        else:
            same("a closing to reopen", True, task_id in self.closings)
        undone = (closing.number or None, 0 if marked else closing.worked, closing.charged)
        names = ("closure", "worked_minutes", "charged_minutes")
        same("closing, worked and charged minutes", undone, tuple(data[name] for name in names))
        same("effective_at (rule 8.4)", closing.at, at)
        self.undo(task_id, closing, closing.took, closing.owed, data, now)
        self.command.reclaims = self.going_on(data)
        self.command.expiring = bool(self.command.reclaims)
        if marked:
            self.warranty.add(task_id)
            closing.charged, closing.took, closing.marked = 0, [], True
        else:
            self.command.reopened = (task_id, closing) if self.command.reclaims else None
            del self.closings[task_id]

    def undo(
        self, task_id: str, closing: Closing, parts: list[Took], owed: int, data: dict[str, Any], now: datetime
    ) -> None:
        """So much of what a closing took, and of what it owes, is taken back (rules 8.1 and 8.2)."""
        lost = [took for took in parts if self.is_lost(took)]
        back = [took for took in parts if took not in lost]
        expected = [(t.lot_id, t.minutes, t.kopecks, t.at, t.settlement, self.lots[t.lot_id].expired) for t in back]
        same("what goes back (rule 8.1)", sorted(expected), sorted(map(returned_of, data["returned"])))
        same("what was owed and is cancelled (rule 8.1)", owed, data["cancelled_owed_minutes"])
        made_up = (sum(took.minutes for took in lost), sum(took.kopecks for took in lost)) if lost else None
        self.check_compensation((task_id, closing.number), made_up, data["compensation"], now)
        if owed:
            self.owe(task_id, closing.at, -owed)
        for took in back:
            self.lots[took.lot_id].take(took.at, -took.minutes, -took.kopecks)
            if took.settlement:
                self.owed_moves += [(took.at, took.minutes), (closing.at, -took.minutes)]

    def is_lost(self, took: Took) -> bool:
        """Whether it cannot go back: it was money, or its lot was refunded, or has expired since (rules 8.2, 14.3)."""
        if took.lot_id == NO_LOT or self.lots[took.lot_id].refunded:
            return True
        return self.lots[took.lot_id].expired and not took.released

    def going_on(self, data: dict[str, Any]) -> list[str]:
        """Packages to whose forfeitures hours have come back, and that have a successor by now (rule 8.1)."""
        if self.edition == 1:
            return []
        names = {self.lots[part["lot_id"]].package_id for part in data["returned"] if part["forfeited"]}
        return self.in_turn([self.packages[name] for name in names if self.successor(self.packages[name])])

    def check_compensation(
        self, made_up_for: tuple[str, int], lost: tuple[int, int] | None, given: dict[str, Any] | None, now: datetime
    ) -> None:
        """Rule 8.2: minutes and money that cannot go back, as a package from now on."""
        if lost is None:
            return same("compensation", None, given)
        package_id = "compensation-{}-{}".format(*made_up_for)
        ends = [
            package.ends_at
            for package in self.packages.values()
            if now < package.ends_at and not self.lots[package.package_id].refunded
        ]
        ends_at = max([midnight(day_of(now) + timedelta(days=self.terms.at(now)["compensation_days"] + 1)), *ends])
        given = given or {}
        found = tuple(given.get(name) for name in ("package_id", "minutes", "amount_kopecks"))
        same("compensation (rule 8.2)", (package_id, *lost), found)
        same("its validity", (now, ends_at), (instant(given["starts_at"]), instant(given["ends_at"])))
        self.add_package(package_id, now, ends_at, *lost, takes=False).made_up_for = made_up_for
        return None

    # Correction (rule 8.6).

    def corrected(self, data: dict[str, Any], at: datetime, now: datetime) -> None:
        """A closing as it should have been: only the difference moves, or all is taken back and drawn anew."""
        task_id, given = data["task_id"], given_at(data)
        same(f"a closing of task {task_id} to correct", True, task_id in self.closings or bool(self.command.reopened))
        reopened = self.command.reopened
        if reopened:
            same("the task that was reopened for it", reopened[0], task_id)
        old = reopened[1] if reopened else self.closings[task_id]
        expected = old.at if given == old.given_at else min(given, now)
        same("effective_at (rule 8.6)", (expected, old.at), (at, instant(data["corrected_effective_at"])))
        alike = at == old.at and not old.marked
        same("whether only the difference moves", alike, data["only_difference"])
        self.command.trigger = min(old.at, at)
        self.check_closing(data, at, now)
        self.check_old_line(old, data, gone=bool(reopened))
        if alike:
            same("a reopening before it: only the difference moves", None, reopened)
            self.correct_difference(old, data, now)
        else:
            self.correct_whole(old, data, at, now, gone=bool(reopened))
        same("money of the new line (rule 10.3)", self.closings[task_id].money(), data["amount_kopecks"])
        self.command.reopened = None

    def check_old_line(self, old: Closing, data: dict[str, Any], *, gone: bool) -> None:
        """What is taken out of the report (rules 8.6, 10.3), unless a reopening has taken it out just before."""
        names = ("closure", "booking_month", "worked_minutes", "charged_minutes", "amount_kopecks")
        figures = (0, 0, 0) if gone else (old.worked, old.charged, old.money())
        expected = (old.number, self.months.booking(old.at), *figures)
        same("the line that is taken back", expected, tuple(data[f"corrected_{name}"] for name in names))

    def correct_difference(self, old: Closing, data: dict[str, Any], now: datetime) -> None:
        """At the same instant: what is too much is cancelled, then given back; what is too little is drawn."""
        task_id = data["task_id"]
        too_much = max(0, old.charged - data["charged_minutes"])
        cancelled = min(too_much, old.owed)
        kept, back = split(old.took, too_much - cancelled)
        self.undo(task_id, old, back, cancelled, data, now)
        self.command.reclaims = self.going_on(data)
        self.command.expiring = bool(self.command.reclaims)
        new = self.new_closing(data, old.at)
        new.took, new.owed, new.order = kept, old.owed, old.order
        same("what it takes over", ([*map(stays, kept)], new.owed),
             (taken_over(data), data["taken_over_owed_minutes"]))  # fmt: skip
        self.draw(new, data, data["charged_minutes"] - sum(took.minutes for took in kept) - new.owed)

    def correct_whole(self, old: Closing, data: dict[str, Any], at: datetime, now: datetime, *, gone: bool) -> None:
        """At another instant: the old closing is taken back, and the new one closes by its own facts.

        Where hours went on to a successor, a reopening has taken it back before: nothing is drawn until they have.
        """
        if gone:
            nothing: dict[str, Any] = {"returned": [], "cancelled_owed_minutes": 0, "compensation": None}
            same("what a reopening took back before", nothing, {name: data[name] for name in nothing})
        else:
            self.undo(data["task_id"], old, old.took, old.owed, data, now)
            same("hours that go on to a successor before anything is drawn (rule 8.1)", [], self.going_on(data))
        same("what it takes over", ([], 0), (taken_over(data), data["taken_over_owed_minutes"]))
        self.draw(self.new_closing(data, at), data, data["charged_minutes"])

    # Suspension and months (rules 9 and 10).

    def work_suspended(self, data: dict[str, Any], at: datetime, now: datetime) -> None:
        """Only while the balance is negative (rule 9.1)."""
        same("suspended, effective_at, balance", (False, now, self.balance_now()),
             (self.suspended, at, data["balance_minutes"]))  # fmt: skip
        same("a negative balance", True, self.balance_now() < 0)
        self.suspended = True

    def work_resumed(self, data: dict[str, Any], at: datetime, now: datetime) -> None:
        """By itself when the balance is positive, or at the seller's will (rule 9.2)."""
        same("suspended, effective_at, balance", (True, now, self.balance_now()),
             (self.suspended, at, data["balance_minutes"]))  # fmt: skip
        same("a positive balance where work resumes by itself", True, self.balance_now() > 0 or not data["automatic"])
        self.suspended = False

    def month_closed(self, data: dict[str, Any], at: datetime, now: datetime) -> None:
        """Once it is over, and with it every earlier one (rule 10.1)."""
        same("effective_at", now, at)
        same("a month that is over", True, data["month"] < month_of(now))
        self.months.close(data, self.version, self.last.position if self.last else 0)

    def month_reopened(self, data: dict[str, Any], at: datetime, now: datetime) -> None:
        """Only the last closed one (rule 10.2)."""
        same("effective_at and month", (now, self.months.closed_through), (at, data["month"]))
        self.months.closed_through = month_later(data["month"], -1)

    def report(self, kind: str, data: dict[str, Any]) -> None:
        """What the event adds to the reports of the months in which it is booked (rules 10.1 to 10.3)."""
        change, self.balance_before = self.balance_now() - self.balance_before, self.balance_now()
        figures, month = figures_of(kind, data), data["booking_month"]
        if kind == "TaskCorrected":
            given_back, old_line, *figures = balance_given_back(data), *figures
            self.months.book(data["corrected_booking_month"], given_back, [old_line])
            change -= given_back
        if figures or change or kind == "HoursCarriedOver":
            self.months.book(month, change, figures)

    # 7. The balance.

    def balance(self, as_of: datetime) -> tuple[int, int]:
        """Held and owed minutes at that instant: movements effective by then, in lots that end later (rule 12)."""
        held = sum(
            minutes
            for lot in self.lots.values()
            if as_of < self.end_of(lot)
            for at, minutes in lot.moves
            if at <= as_of
        )
        return held, sum(minutes for at, minutes in self.owed_moves if at <= as_of)

    def end_of(self, lot: Lot) -> datetime:
        """When its hours end, as if what is due had been recorded: carried from successor to successor (rule 7.5)."""
        package = self.packages[lot.package_id]
        if lot.expired:
            return lot.ends[-1]
        while heir := self.successor(package):
            package = self.packages[heir]
        return package.ends_at


def edition_of(line: Line) -> int:
    """By which edition of the rules an event was decided; those that do not say were by the first."""
    edition = line.data.get("rules_edition", 1)
    if edition not in EDITIONS:
        raise Wrong("the edition of the rules", " or ".join(map(str, EDITIONS)), edition)
    return edition


EDITIONS = (1, 2)
PROCESSES_OVERLAP_MAX = timedelta(hours=1)
"""While a program is being replaced by its next version, some of its processes follow the older rules."""


def given_at(data: dict[str, Any]) -> datetime:
    """When a closing would count, wherever that lies: the later of closed and confirmed (rule 5.1)."""
    return max(instant(data["closed_at"]), instant(data["confirmed_at"]))


def quanta_of(evidence: dict[str, Any], quantum: int) -> range | None:
    """How many quanta of so many seconds an evidence can make by its rounding; None where it names none (rule 5.9)."""
    seconds, up = evidence["raw_seconds"], -(-evidence["raw_seconds"] // quantum)
    match evidence.get("rounding"):
        case None:
            return None
        case "task":
            return range(up, up + 1)
        case "nearest":
            nearest = max((2 * seconds + quantum) // (2 * quantum), min(seconds, 1))
            return range(nearest, nearest + 1)
        case "entry":
            return range(up, (seconds + evidence["entries"] * (quantum - 1)) // quantum + 1)
        case other:
            raise Wrong("rounding", "task, entry or nearest", other)


def bought(plan: dict[str, Any], agreed: dict[str, Any] | None, at: datetime) -> tuple[int, int, datetime]:
    """Minutes, price and end of a purchase: what was agreed (rule 3.3), and else the plan's."""
    minutes, price, ends_at = plan["minutes"], plan["price_kopecks"], end_of_package(at, plan["validity_months"])
    if agreed is None:
        return minutes, price, ends_at
    named = {name: agreed[name] for name in ("minutes", "price_kopecks", "ends_on") if agreed.get(name) is not None}
    same("something that was agreed, and why (rule 3.3)", True, bool(named and agreed["reason"]))
    if "minutes" in named:
        minutes, price = named["minutes"], rounded(Fraction(named["minutes"] * plan["hour_price_kopecks"], 60))
        same("minutes that were agreed (rule 3.3)", True, minutes > 0)
    if "price_kopecks" in named:
        price = named["price_kopecks"]
        same("a price of 0 or more (rule 3.3)", True, price >= 0)
    if "ends_on" in named:
        last = date.fromisoformat(named["ends_on"])
        same("a last day not before the purchase (rule 3.3)", True, day_of(at) <= last)
        ends_at = midnight(last + timedelta(days=1))
    return minutes, price, ends_at


def split(took: list[Took], too_much: int) -> tuple[list[Took], list[Took]]:
    """What a closing keeps, and what goes back: the last recorded first, of a part its money in proportion (8.6)."""
    kept, back = [*took], []
    while too_much:
        part = kept.pop()
        gone = min(too_much, part.minutes)
        rest = part.minutes - gone
        money = rounded(Fraction(part.kopecks * rest, part.minutes))
        back.append(replace(part, minutes=gone, kopecks=part.kopecks - money))
        if rest:
            kept.append(replace(part, minutes=rest, kopecks=money))
        too_much -= gone
    return kept, back


def taken_over(data: dict[str, Any]) -> list[tuple[Any, ...]]:
    """What a correction states of the old closing's draws, settlements and payments that stay, as `stays` says it."""
    names = ("lot_id", "minutes", "amount_kopecks", "released", "settlement", "hour_price_kopecks")
    return [(instant(part["effective_at"]), *(part[name] for name in names)) for part in data["taken_over"]]


def stays(took: Took) -> tuple[Any, ...]:
    """What is taken over from an old closing (rule 8.6)."""
    lot_id = None if took.lot_id == NO_LOT else took.lot_id
    return (took.at, lot_id, took.minutes, took.kopecks, took.released, took.settlement, took.hour_price)


def balance_given_back(data: dict[str, Any]) -> int:
    """Minutes by which what was taken back for a correction raises the balance."""
    returned = sum(part["minutes"] for part in data["returned"] if not part["forfeited"])
    return returned + data["cancelled_owed_minutes"] + (data["compensation"] or {"minutes": 0})["minutes"]


def figures_of(kind: str, data: dict[str, Any]) -> list[tuple[str, int, int, int, int]]:
    """Task, closing, worked and charged minutes, kopecks that an event adds to a report (rule 10.3).

    Of a correction, the line that is taken back comes first.
    """
    task_id, closure = data.get("task_id", ""), data.get("closure") or 0
    if kind == "TaskClosed":
        kopecks = sum(draw["amount_kopecks"] for draw in data["draws"])
        return [(task_id, closure, data["worked_minutes"], data["charged_minutes"], kopecks)]
    if kind == "TaskCorrected":
        names = ("closure", "worked_minutes", "charged_minutes", "amount_kopecks")
        old, *numbers = (data[f"corrected_{name}"] for name in names)
        return [(task_id, old, *(-number for number in numbers)), (task_id, *(data[name] for name in names))]
    if kind == "DebtSettled":
        return [(task_id, closure, 0, 0, data["amount_kopecks"])]
    if kind == "DebtPaid":
        return [(paid["task_id"], paid["closure"], 0, 0, paid["amount_kopecks"]) for paid in data["payments"]]
    if kind in ("WarrantyMarked", "TaskReopened") and closure:
        given_back = [*data["returned"], *([data["compensation"]] if data["compensation"] else [])]
        kopecks = sum(part["amount_kopecks"] for part in given_back)
        return [(task_id, closure, -data["worked_minutes"], -data["charged_minutes"], -kopecks)]
    return []


CLOCKS_DIFFER = timedelta(minutes=5)
CONSENTS = {
    "urgency_agreed_at": ("urgent", "urgent_off_hours"),
    "off_hours_requested_at": ("off_hours", "urgent_off_hours"),
}


def shares(data: dict[str, Any]) -> list[tuple[str, int, int]]:
    """Shares of lots, as `Lot.share` says them."""
    return sorted((share["lot_id"], share["minutes"], share["amount_kopecks"]) for share in data["lots"])


def returned_of(data: dict[str, Any]) -> tuple[str, int, int, datetime, bool, bool]:
    """A draw or settlement that went back."""
    return (
        data["lot_id"], data["minutes"], data["amount_kopecks"], instant(data["effective_at"]), data["settlement"],
        data["forfeited"],
    )  # fmt: skip


READERS = {
    "AccountOpened": Book.opened,
    "CustomerChanged": Book.customer_changed,
    "PackagePurchased": Book.purchased,
    "HoursCarriedOver": Book.carried,
    "PackageExpired": Book.expired,
    "PackageRefunded": Book.refunded,
    "TaskPlanned": Book.task_planned,
    "PlanDropped": Book.plan_dropped,
    "TaskClosed": Book.closed,
    "TaskCorrected": Book.corrected,
    "DebtSettled": Book.settled,
    "DebtPaid": Book.paid,
    "WarrantyMarked": Book.taken_back,
    "TaskReopened": Book.taken_back,
    "WorkSuspended": Book.work_suspended,
    "WorkResumed": Book.work_resumed,
    "MonthClosed": Book.month_closed,
    "MonthReopened": Book.month_reopened,
}
SINCE_THE_SECOND_EDITION = {"CustomerChanged", "PackageRefunded", "TaskPlanned", "PlanDropped", "TaskCorrected"}


# 8. Side by side ----------------------------------------------------------------------------------------------------


@dataclass
class Asked:
    """What the auditor asks, and what he holds beside the export."""

    as_of: list[datetime]
    known_at: int | datetime | None
    account: str | None
    kept: list[Checkpoint]
    receipts: dict[tuple[str, int], tuple[str, bytes]]
    fresh: int | None = None


class Accounts:
    """The books of all accounts, and each as it was known at the instant asked."""

    def __init__(self, terms: Terms, known_at: int | datetime | None, findings: Findings) -> None:
        self.terms = terms
        self.known_at = known_at
        self.findings = findings
        self.books: dict[str, Book] = {}
        self.known: dict[str, Book] = {}
        self.wrong: set[str] = set()
        self.latest = EPOCH

    def read(self, where: str, line: Line) -> None:
        """One event more. After a finding an account's sums mean nothing, and the rest of it is not judged."""
        self.latest = max(self.latest, line.recorded_at)
        if line.account_id not in self.books:
            self.books[line.account_id] = Book(line.account_id, self.terms)
        book = self.books[line.account_id]
        if line.account_id not in self.known and not self.is_known(line):
            self.known[line.account_id] = copy.deepcopy(book)
        if line.account_id not in self.wrong:
            self.judge(where, line.account_id, lambda: book.read(line))

    def is_known(self, line: Line) -> bool:
        """Whether it was recorded by the instant, or up to the position, that was asked for."""
        if isinstance(self.known_at, datetime):
            return line.recorded_at <= self.known_at
        return self.known_at is None or line.position <= self.known_at

    def end(self, where: str) -> None:
        """Nothing follows: what the last commands left undone."""
        for account_id, book in self.books.items():
            if account_id not in self.wrong:
                self.judge(f"{where}, at its end", account_id, book.check_command_ends)

    def judge(self, where: str, account_id: str, check: Any) -> None:
        try:
            check()
        except (*UNREADABLE, Wrong) as failure:
            self.wrong.add(account_id)
            self.findings.add(f"{where}, account {account_id}", failure)


class Statements:
    """What all the checkpoints state, held against the terms and against each other."""

    def __init__(self, terms: Terms, seal_keys: "list[SealKey]", restores: list[Restore], findings: Findings) -> None:
        self.terms = terms
        self.seal_keys = seal_keys
        self.restores = restores
        self.findings = findings
        self.logs: int | None = None
        self.begun: set[int] = set()
        self.versions = 0

    def hold(self, checkpoint: Checkpoint) -> None:
        """One that is signed."""
        if checkpoint.seals:
            keys = self.seal_keys[: checkpoint.seals[0]]
            found = (len(keys), hashlib.sha256("".join(key.text for key in keys).encode()).hexdigest())
            if found != checkpoint.seals:
                what = "keys of seals, and the hash of their notes"
                self.findings.add(checkpoint.where, Wrong(what, checkpoint.seals, found))
        if (stated := checkpoint.stated) is None:
            return
        self.logs = self.logs or stated.logs
        log, _ = log_and_epoch(checkpoint.origin)
        if not log.endswith("/access"):  # which is exported last: another log may have begun meanwhile
            self.begun |= stated.begun
        self.versions = max(self.versions, stated.versions)
        hashes = [node.hex() for node in self.terms.hashes[stated.versions : stated.versions + 1]]
        if hashes != [stated.terms_hash]:
            what = f"the hash of the first {stated.versions} versions in terms.json"
            self.findings.add(
                checkpoint.where, Wrong(what, stated.terms_hash, hashes[0] if hashes else "fewer versions")
            )
        if stated.logs != self.logs:
            self.findings.add(checkpoint.where, Wrong("how many logs there are", self.logs, stated.logs))

    def end(self, shown: set[int], *, everything: bool) -> None:
        """All logs were read: those that are shown are the ledger's, and of everything none is left out.

        That of access is in every export.
        """
        if self.logs is None:
            print("how many logs there are, and the price lists, no checkpoint states: hold a checkpoint of each log")
            return
        for log in sorted(shown - {ACCESS_LOG, *range(self.logs)}):
            self.findings.add("manifest.json", Wrong("a log", f"0 to {self.logs - 1}", log))
        for log in sorted((self.begun if everything else self.begun & {ACCESS_LOG}) - shown):
            name = "access" if log == ACCESS_LOG else log
            self.findings.add("manifest.json", f"log {name} is left out, and something in it was signed")
        for log in sorted(set(range(self.logs)) - shown - self.begun) if everything else ():
            print(f"log {log}: nothing in it was signed by the time of these checkpoints")
        if unsigned := self.terms.versions[self.versions :]:
            print(f"price lists that no checkpoint states yet: {', '.join(version['name'] for version in unsigned)}")


class Log:
    """One log of the export: lines, tree and checkpoints, read side by side from left to right."""

    def __init__(self, folder: Path, manifest: dict[str, Any], entry: dict[str, Any], statements: Statements) -> None:
        self.folder = folder
        self.statements = statements
        self.number = entry["log"]
        self.entry = entry
        self.findings = findings = statements.findings
        is_access = self.number == ACCESS_LOG
        self.name = "access" if is_access else str(self.number)
        self.covers = {"what": "log", "account_id": None} if is_access else manifest["covers"]
        self.origin = f"hourbook/{manifest['ledger_id']}/{'access' if is_access else f'log/{self.number}'}"
        self.file = f"log-{self.name}.ndjson.gz"
        self.personal = PersonalData(folder, f"personal-{self.name}.ndjson.gz", findings)
        self.seals = Seals(folder, self.name, self.origin, statements.seal_keys, self.covers["what"] == "log", findings)
        self.tree = Tree()
        self.events = 0
        self.checkpoints = 0
        self.inside = 0
        self.versions: dict[str, int] = {}
        self.positions: list[int] = []
        self.latest = EPOCH
        self.edition = (1, EPOCH)
        self.last: Checkpoint | None = None

    def check(self, keys: Keys, asked: Asked, accounts: Accounts, access: "Access") -> None:
        """Everything that the three files say."""
        lines = self.lines(asked, accounts, access)
        signed = self.signed(keys, asked)
        line, checkpoint, missing = next(lines, None), next(signed, None), False
        name = f"log-{self.name}.tree.gz"
        for number, text in lines_of(self.folder, name, self.findings):
            where = f"{name}, line {number}"
            try:
                piece = read_json(text)
                start, leaves, node = piece["start"], piece["leaves"], bytes.fromhex(piece["hash"])
                same("start, and bytes of the hash", (self.tree.size, 32), (start, len(node)))
                written = json.dumps({"start": start, "leaves": leaves, "hash": node.hex()})
                same("the line in its one form", written.encode(), text)
                while line and line[0].position <= start:
                    self.findings.add(line[1], Wrong("the position", f"{start + 1} or later", line[0].position))
                    line = next(lines, None)
                if line and line[0].position == start + 1 and leaves == 1:
                    node = self.leaf(line, node)
                    line, missing = next(lines, None), False
                elif self.is_missing(start, leaves) and not missing:
                    self.findings.add(self.file, f"position {start + 1} and all up to the next line are missing")
                    missing = True
                self.tree.append(leaves, node)
            except (*UNREADABLE, Wrong) as failure:
                self.findings.add(where, failure)
                break
            while checkpoint and checkpoint.size <= self.tree.size:
                self.compare(checkpoint)
                checkpoint = next(signed, None)
        while line:
            self.findings.add(line[1], Wrong("a leaf of the tree", "one for this line", "none"))
            line = next(lines, None)
        self.seals.end(self.tree.size)
        self.check_extent()
        while checkpoint:
            self.findings.add(checkpoint.where, f"covers {checkpoint.size} events, the export {self.tree.size}: "
                              "it is older, or the log has lost its tail")  # fmt: skip
            checkpoint = next(signed, None)

    def check_extent(self) -> None:
        """Whether the tree and the lines reach as far as the manifest says."""
        size, first, last = self.tree.size, *((self.positions[0], self.positions[-1]) if self.positions else (1, 0))
        if self.covers["what"] == "log":
            first, last = 1, size
        elif self.covers["what"] == "range":
            first, last = self.entry["first"], self.entry["last"]
        said = (self.entry["size"], self.entry["first"], self.entry["last"])
        if said != (size, first, last):
            expected = Wrong("size of the tree, first and last position", (size, first, last), said)
            self.findings.add("manifest.json", expected)

    def lines(self, asked: Asked, accounts: Accounts, access: "Access") -> Iterator[tuple[Line, str]]:
        """The lines that can be read, and where; each is entered into its account's book, and held against receipts."""
        for number, text in lines_of(self.folder, self.file, self.findings):
            where = f"{self.file}, line {number}"
            try:
                line = Line.parse(text)
            except (*UNREADABLE, Wrong) as failure:
                self.findings.add(where, failure)
                continue
            where += f", position {line.position}"
            self.events += 1
            self.name_people(where, line)
            self.seals.read(where, self.number, line)
            self.positions = [*self.positions[:1], line.position]
            received = self.received(asked, line.position)
            if received and received[1] != text:
                self.findings.add(where, Wrong("the line of your receipt", received[1].decode(), text.decode()))
            if self.number == ACCESS_LOG:
                access.read(where, line)
            elif self.covers["what"] == "range":
                self.alone(where, line)
            else:
                accounts.read(where, line)
            if self.number != ACCESS_LOG:
                self.follow_rules(where, line)
                access.judge(where, line)
            if self.covers["what"] == "account" and line.account_id != self.covers["account_id"]:
                self.findings.add(where, Wrong("the account", self.covers["account_id"], line.account_id))
            yield line, where

    def received(self, asked: Asked, position: int) -> tuple[str, bytes] | None:
        """What you hold a receipt of at that position, unless that is lost."""
        for origin, held in [*asked.receipts]:
            log, epoch = log_and_epoch(origin)
            if (log, held) == (self.origin, position) and not self.has_lost(epoch, position):
                return asked.receipts.pop((origin, held))
        return None

    def follow_rules(self, where: str, line: Line) -> None:
        """A log, and so an account, does not go back to older rules, once the processes of these have been replaced."""
        try:
            edition, (before, since) = edition_of(line), self.edition
            if edition > before:
                self.edition = (edition, line.recorded_at)
            elif edition < before and line.recorded_at > since + PROCESSES_OVERLAP_MAX:
                expected = f"{before}, which this log has followed since {since}"
                self.findings.add(where, Wrong("the edition of the rules", expected, edition))
        except (*UNREADABLE, Wrong) as failure:
            self.findings.add(where, failure)

    def name_people(self, where: str, line: Line) -> None:
        """Hold the names that the export shows against the event."""
        try:
            if line.type in NAMING:
                self.personal.of(line)
        except UNREADABLE as failure:
            self.findings.add(where, failure)

    def alone(self, where: str, line: Line) -> None:
        """What can be said of an event without those before the range: versions follow, and its parts add up."""
        version = self.versions.get(line.account_id, line.version - 1) + 1
        self.versions[line.account_id] = line.version
        try:
            same(f"version of account {line.account_id}", version, line.version)
            if line.type in NAMED_IN_ACCOUNTS:
                parts = [*line.data["draws"], *line.data.get("taken_over", [])]
                owed = line.data["owed_minutes"] + line.data.get("taken_over_owed_minutes", 0)
                same("charged", line.data["charged_minutes"], sum(part["minutes"] for part in parts) + owed)
                same("worked \u00d7 K", line.data["charged_minutes"],
                     line.data["worked_minutes"] * Fraction(line.data["coefficient"]))  # fmt: skip
            if line.position == self.entry["first"] - 1:
                same("recorded before the range", True, line.recorded_at < instant(self.covers["from"]))
            if line.position == self.entry["last"] + 1:
                same("recorded after the range", True, line.recorded_at >= instant(self.covers["to"]))
        except (*UNREADABLE, Wrong) as failure:
            self.findings.add(where, failure)

    def leaf(self, line: tuple[Line, str], expected: bytes) -> bytes:
        """The leaf hash of a line, compared with the one the tree was made of."""
        found = leaf_hash(self.number, line[0], line[0].position)
        if found != expected:
            self.findings.add(line[1], Wrong("leaf hash", expected.hex(), found.hex()))
        if line[0].recorded_at < self.latest - CLOCKS_DIFFER:
            earliest = f"{self.latest - CLOCKS_DIFFER} or later, by what was recorded and signed before"
            self.findings.add(line[1], Wrong("recorded_at", earliest, line[0].recorded_at))
        self.latest = max(self.latest, line[0].recorded_at)
        return found

    def is_missing(self, start: int, leaves: int) -> bool:
        """Whether a line has to be there: all of a log, or of a range and the lines on both sides of it."""
        if self.covers["what"] != "range":
            return self.covers["what"] == "log"
        return start + leaves >= self.entry["first"] - 1 and start < min(self.entry["last"] + 1, self.entry["size"])

    def should_have(self, position: int, account_id: str) -> bool:
        """Whether the export has to show the event of that account at that position."""
        if self.covers["what"] == "account":
            return self.covers["account_id"] == account_id
        return self.covers["what"] == "log" or self.entry["first"] <= position <= self.entry["last"]

    def signed(self, keys: Keys, asked: Asked) -> Iterator[Checkpoint]:
        """The checkpoints of the export and those you kept of this log, by size; only those that are signed."""
        name, key, epoch = f"log-{self.name}.checkpoints.gz", 1, 1
        own = [one for one in asked.kept if log_and_epoch(one.origin)[0] == self.origin]
        kept = sorted((one for one in own if not self.is_lost(one)), key=lambda one: one.size)
        latest: tuple[int, int] = (-1, 0)
        self.last = None
        for number, text in lines_of(self.folder, name, self.findings):
            where = f"{name}, line {number}"
            try:
                checkpoint = Checkpoint.parse(where, read_json(text)["note"], held=False)
                same("the line in its one form", json.dumps({"note": read_json(text)["note"]}).encode(), text)
                epoch = self.check_epoch(checkpoint, epoch)
                same("a size that has grown", True, checkpoint.size > latest[0])
                key = keys.check(checkpoint, key)
            except (*UNREADABLE, Wrong) as failure:
                self.findings.add(where, failure)
                continue
            latest, self.last = (checkpoint.size, key), checkpoint
            while kept and kept[0].size <= checkpoint.size:
                yield from self.kept(kept.pop(0), keys)
            self.checkpoints += 1
            yield checkpoint
        while kept:
            yield from self.kept(kept.pop(0), keys)
        if latest[0] != self.entry["size"] or latest[1] not in keys.trusted:
            expected = f"one of size {self.entry['size']}, signed by a trusted key"
            found = f"one of size {latest[0]}, signed by key {latest[1]}"
            self.findings.add(name, Wrong("the last checkpoint", expected, found))

    def check_epoch(self, checkpoint: Checkpoint, before: int) -> int:
        """The epoch of a checkpoint: a restore has begun it, none after that has lost it, and it does not go back."""
        log, epoch = log_and_epoch(checkpoint.origin)
        same("the origin", self.origin, log)
        begun = [1, *(restore.epoch for restore in self.statements.restores)]
        same("an epoch that a restore has begun, and no earlier one", True, before <= epoch in begun)
        if ends := [end for end in self.bounds(epoch) if end < checkpoint.size]:
            raise Wrong("the size, of an epoch before a restore", f"{min(ends)} at most", checkpoint.size)
        return epoch

    def bounds(self, epoch: int) -> list[int]:
        """What each restore after an epoch has kept of this log."""
        later = [each for each in self.statements.restores if each.epoch > epoch]
        return [each.logs[self.name][0] for each in later if self.name in each.logs]

    def is_lost(self, checkpoint: Checkpoint) -> bool:
        """Whether what you kept covers events that a restore has lost, and its record declares that."""
        epoch = log_and_epoch(checkpoint.origin)[1]
        if not any(end < checkpoint.size for end in self.bounds(epoch)):
            return False
        for restore in self.statements.restores:
            if restore.epoch > epoch and restore.gives_up(self.name, checkpoint.size, checkpoint.root):
                print(f"  {checkpoint.where}: {restore.said(self.name)}, and this is of the time before")
                return True
        expected = "a record of a restore that declares it lost"
        self.findings.add(checkpoint.where, Wrong(f"what was signed at size {checkpoint.size}", expected, "none"))
        return True

    def has_lost(self, epoch: int, position: int) -> "Restore | None":
        """The restore that has lost what stood at a position in an epoch."""
        later = [each for each in self.statements.restores if each.epoch > epoch and self.name in each.logs]
        return next((each for each in later if each.logs[self.name][0] < position), None)

    def last_signed(self, fresh: int | None) -> str:
        """The size and time of the last checkpoint; a finding where it is older than so many days."""
        if self.last is None:
            return "no checkpoint"
        made, now = self.last.time, datetime.now(timezone.utc)  # noqa: UP017
        if fresh is not None and (made is None or now - made > timedelta(days=fresh)):
            oldest = f"one made after {now - timedelta(days=fresh)}"
            self.findings.add(self.last.where, Wrong("the last checkpoint (--fresh)", oldest, f"one made {made}"))
        return f"last checkpoint: {self.last.size} events, made {made}"

    def kept(self, checkpoint: Checkpoint, keys: Keys) -> Iterator[Checkpoint]:
        """One that you kept: it has to be signed as well."""
        try:
            keys.check(checkpoint, 1)
        except (*UNREADABLE, Wrong) as failure:
            self.findings.add(checkpoint.where, failure)
        yield checkpoint

    def compare(self, checkpoint: Checkpoint) -> None:
        """Whether the tree has the signed root; unknown inside a part that the export leaves out."""
        self.statements.hold(checkpoint)
        self.latest = max(self.latest, checkpoint.clock or EPOCH)
        if checkpoint.size < self.tree.size:
            self.inside += 1
            if checkpoint.held:
                self.findings.add(checkpoint.where, f"cannot be compared: position {checkpoint.size} is in a gap; "
                                  "let it be exported again with --checkpoint and this file")  # fmt: skip
        elif checkpoint.root != self.tree.root():
            self.findings.add(checkpoint.where, Wrong(f"the root of the first {checkpoint.size} events",
                              checkpoint.root.hex(), self.tree.root().hex()))  # fmt: skip
        elif checkpoint.held:
            print(f"  as you kept it: the first {checkpoint.size} events are those of {checkpoint.where}")


SEAL_KEY_FORM = re.compile(
    r"([^\n]+)\n([1-9][0-9]{0,5})\n([0-9a-f]{64})\ntime [^\n]+\n(?:form (2)\n)?"
    r"((?:after (?:access|0|[1-9][0-9]{0,3}) (?:0|[1-9][0-9]{0,18})\n)+)"
)


@dataclass
class SealKey:
    """A key of seals, after which position of each log it seals, and the form of its seals."""

    form: int
    public: bytes
    after: dict[str, int]
    text: str


def seal_keys_of_export(folder: Path, keys: Keys, findings: Findings) -> list[SealKey]:
    """Those of keys.json: each signed by a trusted key of the ledger, and none seals what the one before it did."""
    found: list[SealKey] = []
    name = f"hourbook/{keys.ledger_id}/seals"
    for number, text in enumerate(document(folder, "keys.json").get("seals", ()), 1):
        try:
            note = Note.parse(text)
            if not (said := SEAL_KEY_FORM.fullmatch(note.text)):
                raise ValueError("not the note of a key of seals")
            same("name and number in the note", (name, str(number)), said.group(1, 2))
            same("signed by a trusted key", True, any(note.signed_by(keys.public[n], name) for n in keys.trusted))
            after = {log: int(position) for log, position in re.findall(r"after (\S+) (\S+)\n", said[5])}
            if found and any(position > after.get(log, -1) for log, position in found[-1].after.items()):
                raise ValueError("it seals what the key before it did")
            found.append(SealKey(int(said[4] or 1), bytes.fromhex(said[3]), after, text))
        except (*UNREADABLE, Wrong) as failure:
            findings.add(f"keys.json, key of seals {number}", failure)
    return found


class Seals:
    """The seals of a log's appends. Each covers the one before it in its chain: the last one's signature is enough.

    `whole`: of all the log; of a part it is not known what a chain begins with.
    """

    BEGINNING = bytes(32)

    def __init__(
        self, folder: Path, log: str, origin: str, keys: list[SealKey], whole: bool, findings: Findings
    ) -> None:
        self.name, self.origin, self.whole, self.findings = f"log-{log}.seals.gz", origin, whole, findings
        self.keys = [(key.after.get(log, 0), key) for key in keys]
        self.appends = self.parsed(folder) if (folder / self.name).exists() else iter(())
        self.current: tuple[str, int, int, bytes, list[bytes]] | None = None
        self.shown: dict[int, bytes] = {}
        self.chains: dict[bytes, tuple[str, bytes, bytes]] = {}
        self.sealed = self.unsealed = 0
        self.missing = False
        self.last = self.keys[0][0] if keys else 0

    def parsed(self, folder: Path) -> Iterator[tuple[str, int, int, bytes, list[bytes]]]:
        """Where, first and last position, the seal, and what it covers of events that are not in the export."""
        for number, text in lines_of(folder, self.name, self.findings):
            where = f"{self.name}, line {number}"
            try:
                said = read_json(text)
                same("the line in its one form", json.dumps(said).encode(), text)
                first, last, seal, others = (said[name] for name in ("first", "last", "seal", "others"))
                same("its names", ["first", "last", "seal", "others"], [*said])
                same("one append behind the other", True, self.last < first <= last)
                if self.whole:
                    same("the first event behind the append before", self.last + 1, first)
                parts = bytes.fromhex(seal), [bytes.fromhex(other) for other in others]
                same("in hexadecimal", [seal, *others], [parts[0].hex(), *(other.hex() for other in parts[1])])
                length = 96 if self.key(last).form == 1 else 96 + 8
                same("bytes of the seal and of hashes", (length, {32} if others else set()),
                     (len(parts[0]), {*map(len, parts[1])}))  # fmt: skip
                self.last = last
            except (*UNREADABLE, Wrong) as failure:
                self.findings.add(where, failure)
                continue
            yield where, first, last, *parts

    def key(self, last: int) -> SealKey:
        """By which an append is sealed that ends there."""
        for after, key in reversed(self.keys):
            if after < last:
                return key
        raise ValueError("no key seals what ends there")

    def read(self, where: str, log: int, line: Line) -> None:
        """One event more: it has to be in a sealed append, from where appends are sealed."""
        if not self.keys or line.position <= self.keys[0][0]:
            self.unsealed += 1
            return
        while self.current is None or self.current[2] < line.position:
            self.judge()
            self.current = next(self.appends, None)
            if self.current is None:
                break
        if self.current is None or line.position < self.current[1]:
            if not self.missing:
                self.findings.add(where, "no seal covers this event")
            self.missing = True
            return
        self.sealed, self.missing = self.sealed + 1, False
        _, first, _, seal, _ = self.current
        self.shown[line.position] = sealed_hash(log, line, seal, line.position - first)

    def judge(self) -> None:
        """The append whose events have all been read."""
        if self.current is None:
            return
        where, first, last, seal, others = self.current
        shown, self.current, self.shown = self.shown, None, {}
        if len(shown) + len(others) != last - first + 1:
            self.findings.add(where, Wrong("events of the append", last - first + 1, len(shown) + len(others)))
            return
        left = iter(others)
        contents = b"".join(shown.get(position) or next(left) for position in range(first, last + 1))
        previous, signature, key = seal[:32], seal[32:96], self.key(last)
        if previous != self.BEGINNING and self.chains.pop(previous, None) is None and self.whole:
            self.findings.add(where, "it was sealed behind an append that does not stand before it")
        digest = hashlib.sha256(joined(f"hourbook seal {key.form}", self.origin, previous, contents)).digest()
        self.chains[digest] = (where, key.public, signature)

    def end(self, size: int) -> None:
        """The last append of each chain has to be signed."""
        self.judge()
        for where, first, *_ in self.appends:
            self.findings.add(where, Wrong("an event of this append", f"one of positions 1 to {size}", first))
        for digest, (where, public, signature) in self.chains.items():
            try:
                Ed25519PublicKey.from_public_bytes(public).verify(signature, digest)
            except InvalidSignature:
                self.findings.add(where, "these events do not have the seal of the ledger")

    def said(self) -> str:
        """The sum of it."""
        if not self.keys:
            return "its appends are not sealed: who owns the database may have made some of them"
        return f"{self.sealed} events sealed by the ledger, {self.unsealed} from before it sealed"


# 9. Receipts ---------------------------------------------------------------------------------------------------------


@dataclass
class Receipt:
    """What a customer keeps of one command: its lines and their paths to the root, the checkpoint, the keys."""

    where: str
    said: dict[str, Any]
    checkpoint: Checkpoint
    lines: list[Line]

    @staticmethod
    def parse(file: Path) -> "Receipt":
        said = read_json(file.read_text("utf-8"))
        checkpoint = Checkpoint.parse(str(file), said["checkpoint"], held=True)
        return Receipt(str(file), said, checkpoint, [Line.parse(text.encode()) for text in said["lines"]])

    def check(self, held: list[bytes]) -> Keys:
        """Judge it by itself: leaf, path, root, signature and keys."""
        said, found = self.said, Findings()
        origin, _ = log_and_epoch(self.checkpoint.origin)
        ledger_id, _, log = origin.removeprefix("hourbook/").partition("/log/")
        same("the log", (int, str(said["log"])), (type(said["log"]), log))
        keys = read_keys("its keys", ledger_id, said["keys"], held, found)
        if found.said:
            raise ValueError(found.said[0])
        number = keys.check(self.checkpoint, 1)
        same("signed by a trusted key", True, number in keys.trusted)
        same("a line and a proof for each event", (True, len(self.lines)), (bool(self.lines), len(said["proofs"])))
        for number, (line, proof) in enumerate(zip(self.lines, said["proofs"], strict=True)):
            expected = (said["account_id"], said["command_id"], self.lines[0].version + number, proof["position"])
            same("account, command, version and position", expected,
                 (line.account_id, line.command_id, line.version, line.position))  # fmt: skip
            same("the fingerprint of its first event alone", not number, bool(line.fingerprint))
            path = [from_hex(node) for node in proof["path"]]
            root = root_along(
                leaf_hash(said["log"], line, line.position), line.position - 1, self.checkpoint.size, path
            )
            same(f"the root, by the path of position {line.position}", self.checkpoint.root.hex(), root.hex())
        return keys


def root_along(node: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """The root of a tree of that size in which a leaf has that path (RFC 9162, 2.1.3.2)."""
    last = size - 1
    if not 0 <= index <= last:
        raise Wrong("a position in the tree", f"1 to {size}", index + 1)
    for other in path:
        if not last:
            raise Wrong("the length of a path", "as the tree is high", "longer")
        if index & 1 or index == last:
            node = node_hash(other, node)
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            node = node_hash(node, other)
        index, last = index >> 1, last >> 1
    same("the end of a path", 0, last)
    return node


def check_receipts(receipts: list[Receipt], held: list[bytes], findings: Findings) -> list[Receipt]:
    """Print what each says by itself; returns those that hold. One that was edited says nothing of the operator."""
    genuine: list[Receipt] = []
    for receipt in receipts:
        try:
            keys = receipt.check(held)
        except (*UNREADABLE, Wrong) as failure:
            found = Findings()
            found.add("it does not hold by itself", failure)
            findings.add(receipt.where, f"this receipt was edited, or is none of this ledger's: {found.said[0]}")
            continue
        genuine.append(receipt)
        why = "you hold them, or they were announced by one you hold" if held else "they are in it: compare them"
        positions = ", ".join(str(line.position) for line in receipt.lines)
        print(f"{receipt.where}: genuine, if its keys are the operator's ({why}); events of account "
              f"{receipt.said['account_id']} at positions {positions} of log {receipt.said['log']}, signed "
              f"{receipt.checkpoint.time} by one of the keys 1 to {max(keys.public)}")  # fmt: skip
    return genuine


# 10. Entitlement (rule 17) ------------------------------------------------------------------------------------------

ACCESS_LOG = -1

RIGHTS = {
    "recorder": {"tasks", "balances", "evidence"},
    "finance": {"money", "months", "balances", "documents", "all-accounts", "evidence", "personal"},
    "manager": {"tasks", "balances", "documents", "all-accounts", "evidence"},
    "auditor": {"balances", "documents", "all-accounts", "evidence", "log", "personal"},
    "reader": {"balances", "documents", "all-accounts", "evidence"},
    "customer": {"balances", "documents", "evidence", "personal"},
    "admin": {"erasure", "terms", "access", "operate"},
    "follower": {"log", "personal", "balances"},
}
"""What each role may do."""

RIGHT_OF = {
    "AccountOpened": "money", "CustomerChanged": "money", "PackagePurchased": "money", "PackageRefunded": "money",
    "DebtPaid": "money", "WorkSuspended": "money", "WorkResumed": "money",
    "TaskClosed": "tasks", "TaskCorrected": "tasks", "WarrantyMarked": "tasks", "TaskReopened": "tasks",
    "TaskPlanned": "tasks", "PlanDropped": "tasks",
    "MonthClosed": "months", "MonthReopened": "months",
}  # fmt: skip
"""What the command needs that leads to an event; others, and work that resumes by itself, follow by themselves."""

TOKEN_LIVES_MAX = timedelta(hours=1)
"""What a token gave holds for so long, also where a later one gave something else."""

SCHEDULER = "system-scheduler"
LOCAL = "local"
OWNERS = (LOCAL, "system-operator")
"""Who starts the program on its database may make keys and publish terms, and can do so whatever is said here."""


@dataclass
class Admitted:
    """What a key has, or what a token gave a person, from an instant on; without `accounts`, for all of them."""

    since: datetime
    rights: set[str]
    accounts: set[str] | None
    until: datetime | None = None
    ended: str = ""

    @staticmethod
    def of(line: Line) -> "Admitted":
        accounts = line.data["accounts"]
        rights = set().union(*(RIGHTS[role] for role in line.data["roles"]))
        return Admitted(line.recorded_at, rights, None if accounts is None else set(accounts))

    def end(self, at: datetime, why: str) -> None:
        """It ends then, if it has not ended before."""
        if self.until is None or at < self.until:
            self.until, self.ended = at, why

    def missing(self, right: str, account_id: str | None, at: datetime) -> str | None:
        """What it lacked at that instant, as far as clocks agree; None where it lacked nothing."""
        if at < self.since - CLOCKS_DIFFER:
            return f"had nothing before {self.since}"
        if self.until and at > self.until + CLOCKS_DIFFER:
            return f"{self.ended} at {self.until}"
        if right not in self.rights:
            return f"had not the right {right}"
        if account_id is not None and self.accounts is not None and account_id not in self.accounts:
            return f"had not the account {account_id} in the scope"
        return None


@dataclass
class Commanded:
    """A command as far as its events are read: who gave it, and what it needs."""

    where: str
    line: Line
    whole: bool
    right: str | None = None


class Access:
    """What is remembered of access, and by it whether the actor of each event was entitled."""

    def __init__(self, terms: Terms, findings: Findings) -> None:
        self.terms = terms
        self.findings = findings
        self.facts = self.judged = self.without_actor = 0
        self.is_sandbox = False
        self.admitted: dict[str, list[Admitted]] = {}
        self.keys: set[str] = set()
        self.open: list[list[datetime | None]] = []  # spans in which there was no door, the last perhaps without an end
        self.versions: dict[str, int] = {}
        self.commands: dict[str, Commanded] = {}

    def read(self, where: str, line: Line) -> None:
        """One fact more; what only has to be remembered, such as an export, gives nothing."""
        self.facts += 1
        try:
            same(f"version of {line.account_id}", self.versions.get(line.account_id, 0) + 1, line.version)
            self.versions[line.account_id] = line.version
            if line.type in ("DoorOpened", "DoorClosed"):
                self.move_door(line)
            elif line.type in ("KeyMade", "KeyRotated", "KeyRevoked"):
                self.check_maker(line)
                self.change_key(line)
            elif line.type == "PersonAdmitted":
                for before in self.admitted.get(line.account_id, []):
                    before.end(line.recorded_at + TOKEN_LIVES_MAX, "was given something else, and the token had ended")
                self.admitted.setdefault(line.account_id, []).append(Admitted.of(line))
            elif line.type == "LedgerRestored":
                self.check_entitled(line, "operate")
            elif line.type == "TermsPublished":
                self.terms.publish(line.data["version"], line.recorded_at, sandbox=self.is_sandbox)
                if line.recorded_at > (self.terms.first_published or EPOCH):  # the first ones came with the program
                    self.check_entitled(line, "terms")
        except (*UNREADABLE, Wrong) as failure:
            self.findings.add(where, failure)

    def move_door(self, line: Line) -> None:
        self.is_sandbox |= line.data.get("sandbox", False)
        if self.open and self.open[-1][1] is None:
            self.open[-1][1] = line.recorded_at
        if line.type == "DoorOpened":
            self.open.append([line.recorded_at, None])

    def change_key(self, line: Line) -> None:
        key = line.account_id
        same(f"{key} made once, and before anything else", line.type != "KeyMade", key in self.keys)
        if line.type == "KeyMade":
            self.keys.add(key)
            self.admitted[key] = [Admitted.of(line)]
            if line.data["ends_at"]:
                self.admitted[key][0].end(instant(line.data["ends_at"]), "ended")
        elif line.type == "KeyRevoked":
            self.admitted[key][0].end(line.recorded_at, "was revoked")

    def check_maker(self, line: Line) -> None:
        """Who makes or changes a key has the right, and no less than the key."""
        self.check_entitled(line, "access")
        if line.type == "KeyMade" and line.actor not in OWNERS and not self.is_sandbox:
            made, makers = Admitted.of(line), self.admitted[line.actor]
            if not any(
                made.rights <= maker.rights
                and (maker.accounts is None or (made.accounts is not None and made.accounts <= maker.accounts))
                for maker in makers
            ):
                raise Wrong(f"what {line.account_id} has", f"no more than its maker {line.actor}", "more")

    def check_entitled(self, line: Line, right: str) -> None:
        """Who records a fact of access has the right to, or started the program."""
        if line.actor in OWNERS or self.is_sandbox:
            return
        if missing := self.missing(line.actor, right, None, line.recorded_at):
            raise Wrong(f"{line.type} of {line.account_id}, by", "an actor entitled to it", f"{line.actor}, {missing}")

    def missing(self, actor: str, right: str, account_id: str | None, at: datetime) -> str | None:
        """What an actor lacked at that instant; None where it lacked nothing."""
        if actor == LOCAL:
            margin = CLOCKS_DIFFER
            is_open = any(start - margin <= at and (end is None or at <= end + margin) for start, end in self.open)
            return None if is_open else "while the door was closed"
        if actor not in self.admitted:
            return "of whom nothing is known"
        reasons = [admitted.missing(right, account_id, at) for admitted in self.admitted[actor]]
        return None if None in reasons else f"which {reasons[-1]}"

    def judge(self, where: str, line: Line) -> None:
        """One event more of an account: it belongs to a command, which is judged when all of it was read."""
        self.judged += bool(line.actor)
        self.without_actor += not line.actor
        command = self.commands.get(line.account_id)
        if command is None or line.fingerprint:
            self.decide(line.account_id)
            command = self.commands[line.account_id] = Commanded(where, line, bool(line.fingerprint))
        elif line.actor != command.line.actor:
            actors = (command.line.actor or "none", line.actor or "none")
            self.findings.add(where, Wrong("the actor of one command", *actors))
        right = None if line.type == "WorkResumed" and line.data.get("automatic") else RIGHT_OF.get(line.type)
        if right and command.right is None:
            self.commands[line.account_id] = Commanded(where, line, command.whole, right)

    def decide(self, account_id: str) -> None:
        """Whether the actor of the account's last command was entitled to it."""
        command = self.commands.pop(account_id, None)
        if command is None or not command.line.actor or not self.facts or self.is_sandbox:
            return
        line, right = command.line, command.right
        if right is None and not command.whole:
            return  # of a command that began before the range
        if right is None:
            missing = None if line.actor == SCHEDULER else f"and only {SCHEDULER} records what is due by itself"
        elif line.actor == SCHEDULER:
            missing = f"which has not the right {right}"
        else:
            missing = self.missing(line.actor, right, account_id, line.recorded_at)
        if missing:
            expected = f"an actor entitled to it at {line.recorded_at}"
            self.findings.add(command.where, Wrong(f"who gave the command of {line.type} (account {account_id})",
                                                   expected, f"{line.actor}, {missing}"))  # fmt: skip

    def end(self) -> str:
        """No event follows; what was judged."""
        for account_id in [*self.commands]:
            self.decide(account_id)
        counted = f"{self.judged} events with an actor, {self.without_actor} of before there were actors"
        if not self.facts:
            return f"nothing can be said: the export has no log of access ({counted})"
        if self.is_sandbox:
            return f"not judged: in a sandbox time is a test clock ({counted})"
        return f"judged by {self.facts} facts of access: {counted}, of whom nothing can be said"


# 11. The report, and the command line ---------------------------------------------------------------------------------


def check_export(folder: Path, held: list[bytes], asked: Asked, findings: Findings) -> None:
    """Check it, and print what was checked and what was asked."""
    try:
        manifest = check_files(folder, findings)
        keys = keys_of_export(folder, held, findings)
        terms = Terms(document(folder, "terms.json"))
        same("ledger_id", manifest["ledger_id"], keys.ledger_id)
        covers = manifest["covers"]
        print(f"ledger {manifest['ledger_id']}; the export covers {' '.join(str(v) for v in covers.values() if v)}")
        print(f"keys trusted: {sorted(keys.trusted)} of {len(keys.public)}, because {keys.why}")
        accounts = Accounts(terms, asked.known_at, findings)
        access = Access(terms, findings)
        restores = restores_of_export(folder, keys, findings)
        statements = Statements(terms, seal_keys_of_export(folder, keys, findings), restores, findings)
        logs = [Log(folder, manifest, entry, statements) for entry in manifest["logs"]]
        same(
            "one log or more, each once",
            True,
            [*sorted({log.number for log in logs if log.number >= 0})] == [log.number for log in logs] != [],
        )
        if "access" in manifest:
            same("the number of the log of access", ACCESS_LOG, manifest["access"]["log"])
            logs.insert(0, Log(folder, manifest, manifest["access"], statements))
        for log in logs:
            before = len(findings.said)
            log.check(keys, asked, accounts, access)
            print(f"log {log.name}: {log.events} events of {log.tree.size}, {log.checkpoints} signed checkpoints"
                  f"{f' ({log.inside} of them inside what is left out)' if log.inside else ''}, "
                  f"{'as signed' if len(findings.said) == before else 'NOT as signed'}")  # fmt: skip
            for restore in restores:
                if log.name in restore.logs:
                    print(f"  {restore.said(log.name)} (epoch {restore.epoch} began)")
            print(f"  {log.last_signed(asked.fresh)}")
            print(f"  {log.personal.end()}")
            print(f"  {log.seals.said()}")
            if log.number == ACCESS_LOG:
                terms.end(findings)
            elif covers["what"] != "range":
                accounts.end(log.file)
        print(f"who was entitled: {access.end()}")
        check_held(logs, asked, findings)
        statements.end({log.number for log in logs}, everything=covers["what"] == "log")
        report(covers, accounts, asked, findings)
    except (*UNREADABLE, Wrong) as failure:
        findings.add("the export", failure)


def check_held(logs: list[Log], asked: Asked, findings: Findings) -> None:
    """What you hold has to be of these logs, and what you have receipts for has to be in them."""
    sizes = {log.origin: log.tree.size for log in logs}
    for checkpoint in asked.kept:
        if log_and_epoch(checkpoint.origin)[0] not in sizes:
            findings.add(checkpoint.where, Wrong("a checkpoint of", " or ".join(sizes), checkpoint.origin))
    for (origin, position), (where, text) in asked.receipts.items():
        name, epoch = log_and_epoch(origin)
        log = next((log for log in logs if log.origin == name), None)
        if log and (restore := log.has_lost(epoch, position)):
            print(f"{where}: {restore.said(log.name)}, and the one of your receipt, {position}, is among them")
        elif log and log.should_have(position, read_json(text)["account_id"]):
            findings.add(where, f"position {position} is missing from the export, of which you hold a receipt")


def report(covers: dict[str, Any], accounts: Accounts, asked: Asked, findings: Findings) -> None:
    """How far each account is complete, and the balances asked for."""
    if covers["what"] == "range":
        print("balances and sums need all of an account's history: a range of dates does not have it")
        return
    print(f"accounts: {len(accounts.books)}, of which {len(accounts.books) - len(accounts.wrong)} add up in every lot, "
          "debt and month")  # fmt: skip
    if covers["what"] == "account":
        for book in accounts.books.values():
            month, version, position = book.months.closes[-1] if book.months.closes else ("none", 0, 0)
            print(f"{book.account_id}: versions 1 to {book.version}; last month closed: {month} (version {version}, "
                  f"position {position}). Nothing up to that is missing. What came later is here as far as the "
                  "operator has shown it: your receipts, and the next month's close, tell (AUDITORS.md).")  # fmt: skip
    shown = sorted(accounts.books) if asked.account is None else [asked.account]
    print(f"{'account':<20} {'as of':<32} {'balance':>9} {'held':>9} {'owed':>9}  minutes")
    for account_id in shown:
        if account_id not in accounts.books:
            findings.add("the export", f"has no account {account_id}")
            continue
        book = accounts.known.get(account_id, accounts.books[account_id])
        for as_of in asked.as_of or [accounts.latest]:
            held, owed = book.balance(as_of)
            doubt = "  NOT to be relied on" if account_id in accounts.wrong else ""
            at = as_of.astimezone(MOSCOW).isoformat()
            print(f"{account_id:<20} {at:<32} {held - owed:>9} {held:>9} {owed:>9}{doubt}")
        if account_id in (asked.account, covers["account_id"]):
            for month, opening, closing, digest, (worked, charged, kopecks) in book.months.documents:
                print(f"  report of {month}, as it was frozen: opening {opening}, closing {closing} minutes, {digest}; "
                      f"worked {worked} and charged {charged} minutes, {kopecks} kopecks")  # fmt: skip


def arguments(given: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Check a Hourbook audit export, offline, trusting nobody.")
    parser.add_argument("export", nargs="?", type=Path,
                        help="its folder or .tar.gz; by default the folder of this file")  # fmt: skip
    parser.add_argument("--key", type=Path, action="append", default=[], metavar="FILE",
                        help="trust only the keys in that file: keys.json of an earlier export, or base64")  # fmt: skip
    parser.add_argument("--checkpoint", type=Path, action="append", default=[], metavar="FILE",
                        help="a checkpoint you kept, or log-N.checkpoints.gz of an earlier export")  # fmt: skip
    parser.add_argument("--receipt", type=Path, action="append", default=[], metavar="FILE",
                        help="a receipt you kept: judged by itself, and looked for in the export")  # fmt: skip
    parser.add_argument("--fresh", type=int, metavar="DAYS", help="the last checkpoint must not be older")
    parser.add_argument("--as-of", action="append", default=[], type=instant, metavar="INSTANT",
                        help="print balances of that instant, such as 2026-03-10T00:00:00+03:00")  # fmt: skip
    parser.add_argument("--known-at", type=lambda text: int(text) if text.isdigit() else instant(text),
                        help="by what was recorded then: an instant or a position")  # fmt: skip
    parser.add_argument("--account", help="print only this account's balances")
    return parser.parse_args(given)


def held_keys(file: Path) -> list[bytes]:
    """Every 32 bytes in base64 that stand in that file."""
    alone = r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{43}=(?![A-Za-z0-9+/=])"
    found = [base64.b64decode(text) for text in re.findall(alone, file.read_text("utf-8"))]
    if not found:
        raise ValueError(f"there is no key in {file}")
    return found


def held_checkpoints(file: Path) -> Iterator[Checkpoint]:
    """A signed note, or all those of an earlier export's log-N.checkpoints.gz."""
    if file.suffix != ".gz":
        yield Checkpoint.parse(str(file), file.read_text("utf-8"), held=True)
        return
    with gzip.open(file) as lines:
        for number, line in enumerate(lines, 1):
            yield Checkpoint.parse(f"{file}, line {number}", read_json(line)["note"], held=True)


def main(given: list[str] | None = None) -> int:
    """Check, report, and return the exit code."""
    options = arguments(given)
    findings = Findings()
    try:
        held = [key for file in options.key for key in held_keys(file)]
        kept = [checkpoint for file in options.checkpoint for checkpoint in held_checkpoints(file)]
        receipts = [Receipt.parse(file) for file in options.receipt]
    except (*UNREADABLE, Wrong) as failure:
        print(f"what you hold cannot be read: {failure}", file=sys.stderr)
        return 2
    genuine = check_receipts(receipts, held, findings)
    export = options.export or Path(__file__).parent
    if options.export or not receipts or (export / "manifest.json").exists():
        kept += [receipt.checkpoint for receipt in genuine]
        lines = {
            (receipt.checkpoint.origin, line.position): (receipt.where, text.encode())
            for receipt in genuine
            for line, text in zip(receipt.lines, receipt.said["lines"], strict=True)
        }
        asked = Asked(options.as_of, options.known_at, options.account, kept, lines, options.fresh)
        with tempfile.TemporaryDirectory() as place:
            try:
                check_export(unpacked(export, Path(place)), held, asked, findings)
            except (*UNREADABLE, Wrong) as failure:
                findings.add(str(export), failure)
    for said in findings.said[:FINDINGS_SHOWN]:
        print(f"FINDING {said}")
    if more := findings.said[FINDINGS_SHOWN:]:
        print(f"FINDING … and {len(more)} more")
    print("everything holds" if not findings.said else f"findings: {len(findings.said)}")
    return 1 if findings.said else 0


FINDINGS_SHOWN = 50

if __name__ == "__main__":
    sys.exit(main())
