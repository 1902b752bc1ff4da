"""A log on paper: random histories written down, hashed, signed and exported by code that shares none with the ledger.

Plain and slow on purpose: trees are worked out from the definition in RFC 6962, section 2.1.
"""

import base64
import gzip
import json
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contracts.access_events import AccessEvent
from contracts.events import Event
from contracts.placement import ACCESS_LOG, log_name
from services.auditing.handed_out import verify
from tests.ledger.vocabulary import ACCOUNT_ID, TERMS_FILE, buy, close, given, reopen, time_passes

LEDGER_ID = "5f0c6f3e-7a51-4c3b-9a44-0d3a3c3f2b10"
ORIGIN = f"hourbook/{LEDGER_ID}/log/0"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
AUDIT = Path(verify.__file__).parent


@dataclass(frozen=True)
class Row:
    """One event as it is stored."""

    position: int
    event_id: str
    account_id: str
    version: int
    command_id: str
    fingerprint: str
    type: str
    schema_version: int
    recorded_at: datetime
    data: str
    actor: str = ""

    def line(self) -> bytes:
        """As the log publishes it."""
        fingerprint = f'"{self.fingerprint}"' if self.fingerprint else "null"
        actor = f'"actor":"{self.actor}",' if self.actor else ""
        return (
            f'{{"position":{self.position},"event_id":"{self.event_id}","account_id":"{self.account_id}",'
            f'"version":{self.version},"command_id":{json.dumps(self.command_id)},"fingerprint":{fingerprint},'
            f'"type":"{self.type}","schema_version":{self.schema_version},'
            f'"recorded_at":"{self.recorded_at.isoformat().replace("+00:00", "Z")}",{actor}"data":{self.data}}}'
        ).encode()

    def leaf(self, log: int = 0) -> bytes:
        """Its leaf hash in a log."""
        micros = (self.recorded_at - EPOCH) // timedelta(microseconds=1)
        form = f"hourbook event 2 {self.actor}" if self.actor else "hourbook event 1"
        fields = [
            form, log, self.position, self.account_id, self.version, self.event_id, self.command_id,
            self.type, self.schema_version, micros, self.data, self.fingerprint,
        ]  # fmt: skip
        encoded = [str(value).encode() for value in fields]
        return sha256(b"\0" + b"".join(len(value).to_bytes(4, "big") + value for value in encoded)).digest()


def root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962, section 2.1."""
    if not leaves:
        return sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\1" + root(leaves[:split]) + root(leaves[split:])).digest()


def path(leaves: list[bytes], index: int) -> list[str]:
    """PATH of RFC 6962, section 2.1.1, in hexadecimal."""
    if len(leaves) == 1:
        return []
    split = 1 << (len(leaves) - 1).bit_length() - 1
    if index < split:
        return [*path(leaves[:split], index), root(leaves[split:]).hex()]
    return [*path(leaves[split:], index - split), root(leaves[:split]).hex()]


@dataclass(frozen=True)
class Signer:
    """A key of the ledger."""

    number: int
    key: Ed25519PrivateKey

    @staticmethod
    def of(number: int, seed: bytes = b"the operator's") -> "Signer":
        """Always the same for a seed and a number."""
        return Signer(number, Ed25519PrivateKey.from_private_bytes(sha256(seed + bytes([number])).digest()))

    @property
    def public(self) -> bytes:
        return self.key.public_key().public_bytes_raw()

    def signature(self, name: str, text: str) -> str:
        """A line below a note."""
        key_id = sha256(name.encode() + b"\n\x01" + self.public).digest()[:4]
        return f"\u2014 {name} {base64.b64encode(key_id + self.key.sign(text.encode())).decode()}\n"

    def checkpoint(self, leaves: list[bytes], clock: datetime, stated: str = "", origin: str = ORIGIN) -> str:
        """What the log's first events are, how far the clock had come, and further lines, signed."""
        text = f"{origin}\n{len(leaves)}\n{base64.b64encode(root(leaves)).decode()}\ntime 2026-11-25T10:00:00Z\n"
        text += f"clock {clock.isoformat().replace('+00:00', 'Z')}\n{stated}"
        return f"{text}\n{self.signature(origin, text)}"

    def announcement(self, before: "Signer | None") -> str:
        """The note that publishes it."""
        name = f"hourbook/{LEDGER_ID}/keys"
        text = f"{name}\n{self.number}\n{base64.b64encode(self.public).decode()}\ntime 2026-11-25T10:00:00Z\n"
        earlier = before.signature(name, text) if before else ""
        return f"{text}\n{earlier}{self.signature(name, text)}"


@dataclass
class Paper:
    """A log: its rows, the sizes at which it was signed, and the keys."""

    rows: list[Row] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    signers: list[Signer] = field(default_factory=lambda: [Signer.of(1)])
    signed_after: timedelta = timedelta()
    log: int = 0
    access: "Paper | None" = None
    terms: str = field(default_factory=lambda: terms_document())  # noqa: PLW0108 - it is defined below
    stated: str | None = None

    @property
    def leaves(self) -> list[bytes]:
        return [row.leaf(self.log) for row in self.rows]

    def write(self, account_id: str, events: Sequence[Event | AccessEvent], at: datetime, actor: str = "") -> None:
        """One command's events follow, and are signed."""
        version = sum(row.account_id == account_id for row in self.rows)
        command_id = f'key-"{len(self.rows)}\\'
        for number, event in enumerate(events):
            position = len(self.rows) + 1
            row = Row(
                position=position,
                event_id=str(uuid5(NAMESPACE_URL, f"{account_id} {position}")),
                account_id=account_id,
                version=version + number + 1,
                command_id=command_id,
                fingerprint="" if number else sha256(command_id.encode()).hexdigest(),
                type=type(event).__name__,
                schema_version=event.schema_version,
                recorded_at=at.astimezone(UTC),
                data=event.model_dump_json(),
                actor=actor,
            )
            self.rows.append(row)
        self.sizes.append(len(self.rows))

    def checkpoint(self, size: int) -> str:
        """The signed note of a size."""
        clock = max(row.recorded_at for row in self.rows[:size]) + self.signed_after
        stated = self.statement() if self.stated is None else self.stated
        origin = f"hourbook/{LEDGER_ID}/access" if self.log == ACCESS_LOG else ORIGIN
        return self.signers[-1].checkpoint(self.leaves[:size], clock, stated, origin)

    def statement(self, logs: int = 1, begun: tuple[int, ...] = (0,)) -> str:
        """How many logs there are, those that have begun, and a hash over the price lists."""
        digest, versions = bytes(32), json.loads(self.terms)["versions"]
        for version in versions:
            text = json.dumps(version, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
            digest = sha256(digest + text.encode()).digest()
        return f"logs {logs}\nbegun {' '.join(map(str, begun))}\nterms {len(versions)} {digest.hex()}\n"

    def receipt(self, row: Row) -> str:
        """What the customer keeps of the command that began with this event."""
        rows = [other for other in self.rows if other.command_id == row.command_id]
        said = {
            "log": 0,
            "account_id": row.account_id,
            "command_id": row.command_id,
            "lines": [one.line().decode() for one in rows],
            "proofs": [{"position": one.position, "path": path(self.leaves, one.position - 1)} for one in rows],
            "checkpoint": self.checkpoint(len(self.rows)),
            "keys": [key["note"] for key in json.loads(self.keys_document())["keys"]],
        }
        return json.dumps(said)

    def export(self, folder: Path) -> Path:
        """The whole log."""
        leaves = self.leaves
        pieces = [{"start": n, "leaves": 1, "hash": leaf.hex()} for n, leaf in enumerate(leaves)]
        return self.export_part(
            folder, self.rows, pieces, {"what": "log", "account_id": None, "from": None, "to": None}
        )

    def export_account(self, folder: Path, account_id: str, cuts: tuple[int, ...] = ()) -> Path:
        """One account's rows, and the hashes of what lies between them."""
        rows = [row for row in self.rows if row.account_id == account_id]
        covers = {"what": "account", "account_id": account_id, "from": None, "to": None}
        return self.export_part(folder, rows, self.pieces({row.position - 1 for row in rows}, cuts), covers)

    def export_range(self, folder: Path, since: datetime, before: datetime, cuts: tuple[int, ...] = ()) -> Path:
        """What was recorded in [since, before), and a neighbour on either side; a log in order of recording."""
        inside = [row.position for row in self.rows if since <= row.recorded_at < before]
        rows = [row for row in self.rows if inside[0] - 1 <= row.position <= inside[-1] + 1]
        covers = {"what": "range", "account_id": None, "from": since.isoformat(), "to": before.isoformat()}
        pieces = self.pieces({row.position - 1 for row in rows}, cuts)
        return self.export_part(folder, rows, pieces, covers, (inside[0], inside[-1]))

    def pieces(self, wanted: set[int], cuts: tuple[int, ...]) -> list[dict[str, Any]]:
        """Leaves where they are wanted; elsewhere complete sub-trees, as large as they can be between cuts."""
        leaves, start, found = self.leaves, 0, []
        while start < len(leaves):
            sizes = [
                size
                for size in (1 << k for k in range(20))
                if start % size == 0
                and start + size <= len(leaves)
                and not any(start <= leaf < start + size for leaf in wanted)
                and not any(start < cut < start + size for cut in cuts)
            ]
            size = max(sizes, default=1)
            found.append({"start": start, "leaves": size, "hash": root(leaves[start : start + size]).hex()})
            start += size
        return found

    def export_part(
        self,
        folder: Path,
        rows: list[Row],
        pieces: list[dict[str, Any]],
        covers: dict[str, Any],
        span: tuple[int, int] | None = None,
    ) -> Path:
        """Some rows, and the tree in these pieces."""
        folder.mkdir(parents=True, exist_ok=True)
        first, last = span or ((rows[0].position, rows[-1].position) if rows else (1, 0))
        self.write_files(folder, rows, pieces)
        (folder / "terms.json").write_text(self.terms, "utf-8")
        (folder / "keys.json").write_text(self.keys_document(), "utf-8")
        log = {"log": 0, "size": len(self.rows), "first": first, "last": last}
        said = {"format": verify.FORMAT, "ledger_id": LEDGER_ID, "covers": covers, "logs": [log]}
        if self.access:
            size = len(self.access.rows)
            self.access.write_files(folder, self.access.rows, self.access.pieces(set(range(size)), ()))
            said["access"] = {"log": ACCESS_LOG, "size": size, "first": 1, "last": size}
        manifest(folder, said)
        return folder

    def write_files(self, folder: Path, rows: list[Row], pieces: list[dict[str, Any]]) -> None:
        """The lines, the tree and the checkpoints."""
        name = log_name(self.log)
        notes = [json.dumps({"note": self.checkpoint(size)}) for size in self.sizes]
        compressed(folder / f"log-{name}.ndjson.gz", [row.line() for row in rows])
        compressed(folder / f"log-{name}.tree.gz", [json.dumps(piece).encode() for piece in pieces])
        compressed(folder / f"log-{name}.checkpoints.gz", [note.encode() for note in notes])

    def keys_document(self) -> str:
        """As the ledger publishes them."""
        befores = [None, *self.signers]
        keys = [
            {
                "number": signer.number,
                "public_key": base64.b64encode(signer.public).decode(),
                "note": signer.announcement(before),
            }
            for signer, before in zip(self.signers, befores, strict=False)
        ]
        return json.dumps({"ledger_id": LEDGER_ID, "keys": keys})


def compressed(file: Path, lines: list[bytes]) -> None:
    """A line each."""
    file.write_bytes(gzip.compress(b"".join(line + b"\n" for line in lines), 1, mtime=0))


def lines_in(file: Path) -> list[bytes]:
    """What `compressed` wrote."""
    return gzip.decompress(file.read_bytes()).splitlines()


def manifest(folder: Path, said: dict[str, Any] | None = None) -> None:
    """List what is in the folder, saying the same of it as before."""
    file = folder / "manifest.json"
    said = said or json.loads(file.read_text("utf-8"))
    files = [
        {"name": one.name, "bytes": one.stat().st_size, "sha256": sha256(one.read_bytes()).hexdigest()}
        for one in sorted(folder.iterdir())
        if one != file
    ]
    file.write_text(json.dumps({**said, "files": files}, ensure_ascii=False, indent=1) + "\n", "utf-8")


def terms_document() -> str:
    """The price lists, in the form in which the ledger tells them."""
    versions = tomllib.loads(TERMS_FILE.read_text("utf-8"))["version"]
    for version in versions:
        version["in_force_from"] = version["in_force_from"].isoformat()
        version["plans"] = {plan["name"]: plan for plan in version["plans"]}
    return json.dumps({"versions": versions})


def written_down(stories: dict[str, list[tuple[tuple[Event, ...], datetime]]]) -> Paper:
    """Accounts side by side in one log, in order of recording."""
    paper = Paper()
    commands = [(at, account_id, events) for account_id, told in stories.items() for events, at in told if events]
    for at, account_id, events in sorted(commands, key=lambda command: command[:2]):
        paper.write(account_id, events, at)
    return paper


def small_paper() -> Paper:
    """An account with debt, a settlement and an expiry, some commands of several events among them."""
    paper, story = Paper(), given()
    paper.write(ACCOUNT_ID, story.latest, story.now)
    for step in (
        close("T-1", worked=60),
        buy("spring", on="2024-03-01"),
        close("T-2", worked=60, on="2024-03-02"),
        reopen("T-2", on="2024-03-03"),
        time_passes("2024-07-01"),
    ):
        story.when(step)
        paper.write(ACCOUNT_ID, story.latest, story.now)
    return paper
