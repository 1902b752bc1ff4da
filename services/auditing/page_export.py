"""An export that is a page: one HTML file that verifies the log it carries, and replays balances, with no network."""

import base64
import gzip
import json
import re
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from services import pages
from services.access.caller import Caller
from services.auditing.export import Part, Signed, Wanted, part_of, pieces_of, signed_logs
from services.auditing.ledger_over_http import ANSWER_SECONDS_MAX, AuditSource
from services.process.file_replacement import replace_file
from services.process.operator_error import OperatorError

EVENTS_MAX = 50_000
"""More would make a page that browsers are slow to open; an export for verify.py has no such bound."""

OFFLINE = Path(__file__).with_name("offline")
STATIC = Path(*pages.__path__) / "static"
STYLES = (STATIC / "style.css", STATIC / "proofs" / "proofs.css", OFFLINE / "page.css")

_IMPORT = re.compile(r'^import \{[^}]*\} from "(\.[^"]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=async |function |class |const )", re.MULTILINE)


def export_page(caller: Caller, output: Path, account_id: str | None, console: Console) -> int:
    """Write the page; returns how many events it holds. Names that can be erased are not in it."""
    if output.exists():
        raise OperatorError(f"{output} is there already. Give the page a name of its own.")
    with caller.client(ANSWER_SECONDS_MAX) as client, Progress(console=console) as progress:
        source = AuditSource(client)
        keys = source.document("/v1/audit/keys")
        wanted = Wanted(account_id, personal=False)
        logs = [(signed, part_of(source, signed, wanted)) for signed in signed_logs(source, wanted)]
        events = 0
        parts: list[str] = []
        for signed, part in logs:
            lines = at_most(progress.track(part.lines, description=f"log {signed.log}"), EVENTS_MAX - events)
            events += len(lines)
            parts.append(packed(f"log-{signed.log}", lines))
            parts += _tree(source, signed, part) if account_id else []
        ledger = {
            "ledger_id": keys["ledger_id"],
            "keys": [key["note"] for key in keys["keys"]],
            "logs": [{"log": signed.log, "checkpoint": signed.note} for signed, _ in logs],
        }
        replace_file(output, page(ledger, parts).encode())
    return events


def at_most(lines: Iterable[bytes], count: int) -> list[bytes]:
    """The lines; OperatorError where there are more."""
    found: list[bytes] = []
    for line in lines:
        found.append(line)
        if len(found) > count:
            raise OperatorError(
                f"A page holds {EVENTS_MAX} events at most, and there are more. Name one account with --account, "
                "or take `hourbook audit export`, which has no bound."
            )
    return found


def _tree(source: AuditSource, signed: Signed, part: Part) -> list[str]:
    pieces = (json.dumps(piece).encode() for piece in pieces_of(source, signed, part))
    return [packed(f"tree-{signed.log}", list(pieces))]


def packed(name: str, lines: list[bytes]) -> str:
    """Lines as an element that no browser runs: base64, so that nothing in them can be taken for HTML."""
    packed = gzip.compress(b"".join(line + b"\n" for line in lines), 9, mtime=0)
    return f'<script type="application/gzip" id="{name}">{base64.b64encode(packed).decode()}</script>'


def page(ledger: dict[str, Any], parts: list[str]) -> str:
    """The file. Its policy lets it run its own script and style, and reach nothing."""
    style = "\n".join(file.read_text("utf-8") for file in STYLES)
    script = script_of(OFFLINE / "page.js")
    values = {
        "style": style,
        "style_hash": _hash(style),
        "script": script,
        "script_hash": _hash(script),
        "ledger": json.dumps(ledger).replace("<", "\\u003c"),
        "parts": "\n".join(parts),
    }
    template = (OFFLINE / "page.html").read_text("utf-8")
    return re.sub(r"\{(\w+)\}", lambda name: values[name[1]], template)


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}"


def script_of(entry: Path) -> str:
    """A module and all that it imports as one script: a file that is opened from disk may import nothing.

    Names are those of the modules, so no two of them may give one name to two things.
    """
    return "\n".join(_module(file) for file in _in_order(entry.resolve(), []))


def _in_order(module: Path, before: list[Path]) -> list[Path]:
    """The module behind what it imports, each once."""
    if module not in before:
        for name in _imported(module):
            _in_order(name, before)
        before.append(module)
    return before


def _imported(module: Path) -> Iterator[Path]:
    for name in _IMPORT.findall(module.read_text("utf-8")):
        yield (module.parent / name).resolve()


def _module(module: Path) -> str:
    return _EXPORT.sub("", _IMPORT.sub("", module.read_text("utf-8")))
