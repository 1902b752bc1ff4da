"""Ways to tamper with a log and with an export of it. Each changes something, or says that there is nothing to change.

`Random` decides; an operator who tampers holds the ledger's key and signs anew, anybody else does not.
"""

import base64
import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random

from tests.auditing.paper_log import Paper, Row, Signer, compressed, lines_in, manifest

NUMBERS = (
    "minutes", "amount_kopecks", "charged_minutes", "owed_minutes", "price_kopecks", "cancelled_owed_minutes",
    "forfeited_minutes", "forfeited_amount_kopecks", "planned_minutes", "refunded_minutes", "refunded_kopecks",
    "retained_kopecks", "corrected_worked_minutes", "corrected_charged_minutes", "corrected_amount_kopecks",
    "taken_over_owed_minutes",
)  # fmt: skip


class NothingToTamperWith(Exception):
    """This history gives no opportunity."""


def flip(text: bytes, random: Random) -> bytes:
    """One bit is another."""
    at = random.randrange(len(text))
    return text[:at] + bytes([text[at] ^ 1 << random.randrange(8)]) + text[at + 1 :]


# By whoever owns the database: rows are changed, and all that follows from them is worked out and signed anew.


def change_number(paper: Paper, random: Random) -> Paper:
    """Minutes or money in a payload are others."""
    return _in_a_payload(paper, random, lambda data: _numbers(data, random))


def move_effect(paper: Paper, random: Random) -> Paper:
    """An event counts from another instant, by some seconds or months."""

    def moved(data: dict) -> None:
        at = data["effective_at"]
        data["effective_at"] = (
            f"{int(at[:4]) - 1}{at[4:]}" if random.random() < 0.5 else f"{at[:17]}{(int(at[17]) + 1) % 6}{at[18:]}"
        )

    return _in_a_payload(paper, random, moved)


def move_recording(paper: Paper, random: Random) -> Paper:
    """An event was recorded a little earlier."""
    index = random.randrange(len(paper.rows))
    return _with(paper, index, recorded_at=paper.rows[index].recorded_at - timedelta(microseconds=1))


def change_field(paper: Paper, random: Random) -> Paper:
    """A column beside the payload is another."""
    index = random.randrange(len(paper.rows))
    row = paper.rows[index]
    changes = {
        "event_id": row.event_id[:-1] + ("0" if row.event_id[-1] != "0" else "1"),
        "account_id": row.account_id + "x",
        "command_id": row.command_id + "x",
        "fingerprint": "" if row.fingerprint else "00" * 32,
        "type": "TaskClosed" if row.type != "TaskClosed" else "DebtSettled",
        "schema_version": row.schema_version + 1,
        "version": row.version + 1,
    }
    name = random.choice(sorted(changes))
    return _with(paper, index, **{name: changes[name]})


def respell_payload(paper: Paper, random: Random) -> Paper:
    """The same payload in other bytes."""
    index = random.randrange(len(paper.rows))
    return _with(paper, index, data=paper.rows[index].data.replace('":', '": ', 1))


def delete_row(paper: Paper, random: Random) -> Paper:
    """An event is gone, and those behind it close the gap."""
    rows = list(paper.rows)
    if len(rows) < 2:
        raise NothingToTamperWith  # a log without events is not exported
    gone = rows.pop(random.randrange(len(rows)))
    rows = [
        replace(row, version=row.version - 1) if (row.account_id, row.version > gone.version) == (gone.account_id, True)
        else row
        for row in rows
    ]  # fmt: skip
    return _renumbered(paper, rows)


def insert_row(paper: Paper, random: Random) -> Paper:
    """An event stands there twice, the second time with an id of its own."""
    rows = list(paper.rows)
    index = random.randrange(len(rows))
    twice = replace(rows[index], event_id="00000000-0000-4000-8000-000000000000", version=rows[index].version + 1)
    later = [
        replace(row, version=row.version + 1) if row.account_id == twice.account_id else row
        for row in rows[index + 1 :]
    ]
    return _renumbered(paper, [*rows[: index + 1], twice, *later])


def swap_rows(paper: Paper, random: Random) -> Paper:
    """Two events have changed places."""
    rows = list(paper.rows)
    if len(rows) < 2:
        raise NothingToTamperWith
    one, other = random.sample(range(len(rows)), 2)
    rows[one], rows[other] = rows[other], rows[one]
    return _renumbered(paper, rows)


def cut_tail(paper: Paper, random: Random) -> Paper:
    """The last commands were never recorded: an older backup."""
    if len(paper.sizes) < 2:
        raise NothingToTamperWith
    older = deepcopy(paper)
    older.sizes = paper.sizes[: random.randrange(1, len(paper.sizes))]
    older.rows = paper.rows[: older.sizes[-1]]
    return older


def rewrite_tail(paper: Paper, random: Random) -> Paper:
    """An older backup, on which something else happened since."""
    older = cut_tail(paper, random)
    last = paper.rows[len(older.rows)]
    older.rows.append(replace(last, event_id="00000000-0000-4000-8000-000000000000"))
    older.rows += paper.rows[len(older.rows) :]
    older.sizes = list(paper.sizes)
    return older


IN_THE_DATABASE: tuple[Callable[[Paper, Random], Paper], ...] = (
    change_number, move_effect, move_recording, change_field, respell_payload, delete_row, insert_row, swap_rows,
    cut_tail, rewrite_tail,
)  # fmt: skip


def _with(paper: Paper, index: int, **changes: object) -> Paper:
    other = deepcopy(paper)
    other.rows[index] = replace(other.rows[index], **changes)
    return other


def _renumbered(paper: Paper, rows: list[Row]) -> Paper:
    """Positions without gaps, signed at the same sizes as far as the log reaches, and at its end."""
    other = deepcopy(paper)
    other.rows = [replace(row, position=number) for number, row in enumerate(rows, 1)]
    other.sizes = sorted({*(size for size in paper.sizes if size < len(rows)), len(rows)})
    return other


def _in_a_payload(paper: Paper, random: Random, change: Callable[[dict], None]) -> Paper:
    index = random.randrange(len(paper.rows))
    data = json.loads(paper.rows[index].data)
    before = deepcopy(data)
    change(data)
    if data == before:
        raise NothingToTamperWith
    return _with(paper, index, data=json.dumps(data, ensure_ascii=False, separators=(",", ":")))


def _numbers(data: dict, random: Random) -> None:
    parts = [
        data,
        *(part for value in data.values() if isinstance(value, list) for part in value if isinstance(part, dict)),
    ]
    found = [(part, name) for part in parts for name in NUMBERS if name in part]
    if found:
        part, name = random.choice(found)
        part[name] += random.choice((-10, -1, 1, 10))


# By whoever has the export in his hands: files of one of its logs are changed, and the manifest is made to fit.


def _of_a_log(folder: Path, random: Random, suffix: str) -> Path:
    """Such a file of one of the logs of accounts."""
    return random.choice(sorted(folder.glob(f"log-[0-9]*{suffix}")))


def flip_in_a_line(folder: Path, random: Random) -> None:
    """One bit anywhere in a line of the log."""
    _change_lines(_of_a_log(folder, random, ".ndjson.gz"), lambda line: flip(line, random), random)


def flip_in_the_tree(folder: Path, random: Random) -> None:
    """One bit anywhere in the hashes."""
    _change_lines(_of_a_log(folder, random, ".tree.gz"), lambda line: flip(line, random), random)


def flip_in_a_checkpoint(folder: Path, random: Random) -> None:
    """One bit anywhere in a signed note."""
    _change_lines(_of_a_log(folder, random, ".checkpoints.gz"), lambda line: flip(line, random), random)


def flip_in_any_file(folder: Path, random: Random) -> None:
    """One bit anywhere; the manifest, if it is not the file itself, still says what was there."""
    file = random.choice(sorted(folder.iterdir()))
    file.write_bytes(flip(file.read_bytes(), random))


def drop_a_line(folder: Path, random: Random) -> None:
    """A line is gone."""
    _change_line_list(_of_a_log(folder, random, ".ndjson.gz"), lambda lines: lines.pop(random.randrange(len(lines))))


def repeat_a_line(folder: Path, random: Random) -> None:
    """A line stands there twice."""
    _change_line_list(_of_a_log(folder, random, ".ndjson.gz"), lambda lines: lines.insert(0, random.choice(lines)))


def swap_lines(folder: Path, random: Random) -> None:
    """Two lines have changed places."""

    def swapped(lines: list[bytes]) -> None:
        if len(lines) < 2:
            raise NothingToTamperWith
        one, other = random.sample(range(len(lines)), 2)
        lines[one], lines[other] = lines[other], lines[one]

    _change_line_list(_of_a_log(folder, random, ".ndjson.gz"), swapped)


def cut_off_bytes(folder: Path, random: Random) -> None:
    """The compressed file ends too early."""
    file = _of_a_log(folder, random, ".ndjson.gz")
    file.write_bytes(file.read_bytes()[: -random.randrange(1, 40)])
    manifest(folder)


def drop_the_last_checkpoint(folder: Path, random: Random) -> None:
    """The end of the log is signed by nobody."""
    _change_line_list(_of_a_log(folder, random, ".checkpoints.gz"), lambda lines: lines.pop())


def sign_with_another_key(folder: Path, random: Random) -> None:
    """The last checkpoint is right, but signed by a stranger."""

    def signed(lines: list[bytes]) -> None:
        text = json.loads(lines[-1])["note"].partition("\n\n")[0] + "\n"
        stranger = Signer.of(1, b"a stranger's")
        lines[-1] = json.dumps({"note": f"{text}\n{stranger.signature(text.splitlines()[0], text)}"}).encode()

    _change_line_list(_of_a_log(folder, random, ".checkpoints.gz"), signed)


def replace_the_key(folder: Path, random: Random) -> None:
    """keys.json names a stranger's key, announced by himself."""
    keys = json.loads((folder / "keys.json").read_text("utf-8"))
    stranger = Signer.of(1, b"a stranger's")
    public_key = base64.b64encode(stranger.public).decode()
    keys["keys"][0] = {"number": 1, "public_key": public_key, "note": stranger.announcement(None)}
    (folder / "keys.json").write_text(json.dumps(keys), "utf-8")
    manifest(folder)


def leave_out_an_end(folder: Path, random: Random) -> None:
    """The first or the last lines are gone, and the manifest says that the log begins or ends there."""
    file = _of_a_log(folder, random, ".ndjson.gz")
    lines = lines_in(file)
    if len(lines) < 2:
        raise NothingToTamperWith
    at = random.randrange(1, len(lines))
    lines = random.choice((lines[at:], lines[:at]))
    compressed(file, lines)
    said = json.loads((folder / "manifest.json").read_text("utf-8"))
    (entry,) = (each for each in said["logs"] if f"log-{each['log']}.ndjson.gz" == file.name)
    entry |= {"first": json.loads(lines[0])["position"], "last": json.loads(lines[-1])["position"]}
    manifest(folder, said)


def name_no_log(folder: Path, random: Random) -> None:
    """The manifest speaks of no log at all."""
    manifest(folder, json.loads((folder / "manifest.json").read_text("utf-8")) | {"logs": []})


IN_THE_EXPORT: tuple[Callable[[Path, Random], None], ...] = (
    flip_in_a_line, flip_in_the_tree, flip_in_a_checkpoint, flip_in_any_file, drop_a_line, repeat_a_line, swap_lines,
    cut_off_bytes, drop_the_last_checkpoint, sign_with_another_key, replace_the_key,
    leave_out_an_end, name_no_log,
)  # fmt: skip

IN_A_PART = (
    flip_in_a_line, flip_in_the_tree, flip_in_a_checkpoint, repeat_a_line, swap_lines,
    sign_with_another_key, replace_the_key, name_no_log,
)  # fmt: skip
"""What an export of one account or of some days shows too: of the others, only receipts and later exports tell."""


def _change_line_list(file: Path, change: Callable[[list[bytes]], object]) -> None:
    lines = lines_in(file)
    change(lines)
    compressed(file, lines)
    manifest(file.parent)


def _change_lines(file: Path, change: Callable[[bytes], bytes], random: Random) -> None:
    def one_changed(lines: list[bytes]) -> None:
        index = random.randrange(len(lines))
        lines[index] = change(lines[index])

    _change_line_list(file, one_changed)
