"""Changes to receipts: what a forger, a broken disk or a careless program would make of a true one."""

import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterator
from hashlib import sha256
from random import Random
from typing import Any

from tests.auditing.paper_log import LEDGER_ID, Signer

Change = Callable[[str, Random], str]
STRANGER = Signer.of(1, b"a stranger's")
NUMBERS = ("0", "-1", "1.0", "1e0", "01", "true", "null", "9007199254740993", "99999999999999999999", '"1"', "NaN")


def edited(change: Callable[[dict[str, Any], Random], None]) -> Change:
    """A change to what a receipt says, written down anew."""

    def write(text: str, random: Random) -> str:
        said = json.loads(text)
        change(said, random)
        return json.dumps(said)

    write.__name__ = change.__name__
    return write


def places(said: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value in it."""
    if way:
        yield way
    for name, value in said.items() if isinstance(said, dict) else enumerate(said) if isinstance(said, list) else ():
        yield from places(value, (*way, name))


def any_place(said: Any, random: Random) -> tuple[Any, Any]:
    """What holds some value, and by which name or number."""
    way = random.choice(list(places(said)))
    for name in way[:-1]:
        said = said[name]
    return said, way[-1]


def signed_anew(note: str, signer: Signer) -> str:
    """The same text with a signature of another."""
    text = note.rpartition("\n\n")[0] + "\n"
    return f"{text}\n{signer.signature(text.partition(chr(10))[0], text)}"


def other_text(text: str, random: Random) -> str:
    """One character more, less, or other."""
    at = random.randrange(len(text) + 1)
    return text[:at] + random.choice('0aZ+ \n\r\t"\\\u2028é') + text[at + random.randint(0, 1) :]


@edited
def a_field(said: dict[str, Any], random: Random) -> None:
    holder, name = any_place(said, random)
    value = holder[name]
    if isinstance(value, str):
        holder[name] = other_text(value, random)
    elif isinstance(value, int):
        holder[name] = random.choice([value + 1, value - 1, -value, value * 2**53, str(value), None])
    else:
        holder[name] = random.choice([None, [], {}, "", 0, value and [value]])


@edited
def without_a_field(said: dict[str, Any], random: Random) -> None:
    holder, name = any_place(said, random)
    del holder[name]


@edited
def fields_exchanged(said: dict[str, Any], random: Random) -> None:
    (one, a), (other, b) = any_place(said, random), any_place(said, random)
    one[a], other[b] = other[b], one[a]


@edited
def something_twice(said: dict[str, Any], random: Random) -> None:
    holder = said[random.choice(["lines", "proofs", "keys"])]
    holder.insert(random.randint(0, len(holder)), random.choice(holder))


@edited
def paths_exchanged(said: dict[str, Any], random: Random) -> None:
    path = random.choice(said["proofs"])["path"]
    a, b = random.sample(range(len(path)), 2)
    path[a], path[b] = path[b], path[a]


@edited
def an_event_changed(said: dict[str, Any], random: Random) -> None:
    index = random.randrange(len(said["lines"]))
    said["lines"][index] = other_text(said["lines"][index], random)


@edited
def a_number_of_an_event(said: dict[str, Any], random: Random) -> None:
    index = random.randrange(len(said["lines"]))
    found = random.choice(list(re.finditer(r"(?<=[:,\[])-?[0-9]+(?=[,}\]])", said["lines"][index])))
    line = said["lines"][index]
    number = random.choice([str(int(found[0]) + random.choice((1, -1, 10, 2**53))), f"{found[0]}.0", f"0{found[0]}"])
    said["lines"][index] = line[: found.start()] + number + line[found.end() :]


@edited
def an_event_written_anew(said: dict[str, Any], random: Random) -> None:
    """The same values in other bytes: the hash is that of the bytes."""
    index = random.randrange(len(said["lines"]))
    line = said["lines"][index]
    rewritten = (
        line.replace(",", ", ", 1),
        f"{line} ",
        json.dumps(json.loads(line)),
        re.sub(r'"([a-z])([a-z_]+)":', lambda name: f'"\\u{ord(name[1]):04x}{name[2]}":', line, count=1),
        re.sub(r'(?<="effective_at":")20', r"\\u00320", line) if "effective_at" in line else f"\ufeff{line}",
        line.replace('Z"', '+00:00"', 1),
    )
    said["lines"][index] = random.choice([each for each in rewritten if each != line])


@edited
def a_line_of_the_checkpoint(said: dict[str, Any], random: Random) -> None:
    lines = said["checkpoint"].split("\n")
    at = random.choice([0, 1, 2, 3, 5])
    lines[at] = random.choice(
        [other_text(lines[at], random), "", lines[at] + "\r", lines[random.choice([0, 1, 2])] + "0"]
    )
    said["checkpoint"] = "\n".join(lines)


@edited
def signed_by_a_stranger(said: dict[str, Any], random: Random) -> None:
    said["checkpoint"] = signed_anew(said["checkpoint"], STRANGER)


@edited
def a_stranger_under_the_keys_name(said: dict[str, Any], random: Random) -> None:
    """The stranger's signature beside the id of a key of the ledger."""
    text, _, _ = said["checkpoint"].rpartition("\n\n")
    origin, key = text.partition("\n")[0], Signer.of(len(said["keys"]))
    key_id = sha256(origin.encode() + b"\n\x01" + key.public).digest()[:4]
    blob = b64encode(key_id + STRANGER.key.sign(f"{text}\n".encode())).decode()
    said["checkpoint"] = f"{text}\n\n\u2014 {origin} {blob}\n"


@edited
def another_key_in_the_list(said: dict[str, Any], random: Random) -> None:
    number = random.randrange(len(said["keys"]))
    stranger = Signer.of(number + 1, b"a stranger's")
    said["keys"][number] = stranger.announcement(Signer.of(number) if number else None)


@edited
def a_key_that_nobody_announced(said: dict[str, Any], random: Random) -> None:
    """By a key behind those of the ledger, which none of them announced."""
    stranger = Signer.of(len(said["keys"]) + 1, b"a stranger's")
    said["keys"].append(stranger.announcement(None))
    said["checkpoint"] = signed_anew(said["checkpoint"], stranger)


@edited
def of_another_ledger(said: dict[str, Any], random: Random) -> None:
    what = random.choice(["checkpoint", "keys"])
    other = LEDGER_ID.replace("5", "6", 1)
    texts = said[what] if isinstance(said[what], list) else [said[what]]
    changed = [text.replace(LEDGER_ID, other) for text in texts]
    said[what] = changed if what == "keys" else changed[0]


def bits(text: str, random: Random) -> str:
    """One bit of the file."""
    raw = bytearray(text.encode())
    raw[random.randrange(len(raw))] ^= 1 << random.randrange(8)
    return raw.decode("utf-8", "surrogateescape")


def truncated(text: str, random: Random) -> str:
    return text[: random.randrange(len(text))]


def a_piece_missing(text: str, random: Random) -> str:
    start = random.randrange(len(text) - 1)
    return text[:start] + text[start + random.randint(1, 40) :]


def a_name_twice(text: str, random: Random) -> str:
    """Two readers could take two different values."""
    name = random.choice(["log", "account_id", "command_id", "lines", "proofs", "checkpoint", "keys", "position"])
    mark = f'"{name}": '
    value = random.choice(["0", '"x"', "[]", json.dumps(json.loads(text).get(name))])
    return text.replace(mark, f"{mark}{value}, {mark}", 1)


def a_number_written_otherwise(text: str, random: Random) -> str:
    found = random.choice(list(re.finditer(r'"(?:log|position)": (\d+)', text)))
    return text[: found.start(1)] + random.choice(NUMBERS) + text[found.end(1) :]


def something_behind(text: str, random: Random) -> str:
    return text + random.choice(["{}", "x", "\0", "]", ", 1", "\u00a0"])


CHANGES: tuple[Change, ...] = (
    a_field, without_a_field, fields_exchanged, something_twice, paths_exchanged, an_event_changed,
    a_number_of_an_event, an_event_written_anew, a_line_of_the_checkpoint, signed_by_a_stranger,
    a_stranger_under_the_keys_name, another_key_in_the_list, a_key_that_nobody_announced,
    of_another_ledger, bits, truncated, a_piece_missing, a_name_twice, a_number_written_otherwise, something_behind,
)  # fmt: skip


def spaced(text: str, random: Random) -> str:
    return json.dumps(json.loads(text), indent=random.randint(0, 3)) + "\r\n\t "


def escaped(text: str, random: Random) -> str:
    """Characters of strings written as escapes, in the receipt around the events."""
    return text.replace("\\u2014", "—") if random.random() < 0.5 else re.sub(r'"log"', '"\\\\u006cog"', text)


def reordered(text: str, random: Random) -> str:
    members = list(json.loads(text).items())
    random.shuffle(members)
    return json.dumps(dict(members))


def one_more_member(text: str, random: Random) -> str:
    return json.dumps(json.loads(text) | {"remark": random.choice(["kept", None, 12345678901234567890, ["x"]])})


@edited
def one_more_witness(said: dict[str, Any], random: Random) -> None:
    name = f"witness-{random.randint(1, 9)}.example.org"
    said["checkpoint"] += STRANGER.signature(name, said["checkpoint"])


@edited
def a_key_behind_the_signer(said: dict[str, Any], random: Random) -> None:
    """A later key, announced by its predecessor: it is not the one that signed."""
    number = len(said["keys"])
    said["keys"].append(Signer.of(number + 1).announcement(Signer.of(number)))


NEUTRAL: tuple[Change, ...] = (spaced, escaped, reordered, one_more_member, one_more_witness, a_key_behind_the_signer)
"""They change nothing of the meaning: a receipt stays true."""


def meaning(text: str) -> Any:
    """What a receipt claims: not how it is written down, what others signed, or what stands behind the key that did."""
    said = json.loads(text)
    note = said["checkpoint"]
    signed = note.rpartition("\n\n")[0]
    signer = next(n for n in range(1, len(said["keys"]) + 1) if note.startswith(signed_anew(note, Signer.of(n))))
    notes = [note.rpartition("\n\n")[0] for note in said["keys"][:signer]]
    proofs = [(proof["position"], proof["path"]) for proof in said["proofs"]]
    return said["log"], said["account_id"], said["command_id"], said["lines"], proofs, signed, notes
