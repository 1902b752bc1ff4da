"""True receipts on paper: of both samples, by logs and keys of all kinds, hashed by code that is not the program's."""

import json
from base64 import b64encode
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from itertools import cycle

from tests.auditing.paper_log import LEDGER_ID, Paper, Row, Signer, root
from tests.auditing.test_samples import SAMPLES, decided

ACTORS = ("", "key-0123456789abcdef", "person_1", "system-scheduler")
WITNESS = Signer.of(9, b"a witness's")


@cache
def history(name: str) -> Paper:
    """The log of a sample; its commands were given by several, and some of them before actors were recorded."""
    paper = Paper()
    for (account_id, now, events), actor in zip(decided(name), cycle(ACTORS), strict=False):
        paper.write(account_id, events, now, actor)
    return paper


class Tree:
    """The leaves of a log, with every sub-tree worked out once (RFC 6962, section 2.1)."""

    def __init__(self, leaves: list[bytes]) -> None:
        self.leaves = leaves
        self.known: dict[tuple[int, int], bytes] = {}

    def root(self, start: int, end: int) -> bytes:
        """Of the leaves [start, end)."""
        if end - start == 1:
            return self.leaves[start]
        if (start, end) not in self.known:
            split = split_of(start, end)
            self.known[start, end] = root([self.root(start, split), self.root(split, end)])
        return self.known[start, end]

    def path(self, index: int, start: int, end: int) -> list[str]:
        """From a leaf to the root of [start, end), in hexadecimal."""
        if end - start == 1:
            return []
        split = split_of(start, end)
        if index < split:
            return [*self.path(index, start, split), self.root(split, end).hex()]
        return [*self.path(index, split, end), self.root(start, split).hex()]

    def consistency(self, old: int, new: int) -> list[str]:
        """PROOF of RFC 6962, section 2.1.2, in hexadecimal."""
        return [] if old == new else self._consistency(old, 0, new, whole=True)

    def _consistency(self, old: int, start: int, end: int, *, whole: bool) -> list[str]:
        if old == end:
            return [] if whole else [self.root(start, end).hex()]
        split = split_of(start, end)
        if old <= split:
            return [*self._consistency(old, start, split, whole=whole), self.root(split, end).hex()]
        return [*self._consistency(old, split, end, whole=False), self.root(start, split).hex()]


def split_of(start: int, end: int) -> int:
    """Where a tree of two leaves or more is parted: the left side is as large a power of two as fits."""
    return start + (1 << (end - start - 1).bit_length() - 1)


def receipts(name: str, log: int, keys: int, signer: int, *, cosigned: bool = False) -> Iterator[str]:
    """The receipt of every command of a sample, in a log of that number, by the last checkpoint.

    `keys`: how many the ledger has had; `signer`: which of them signed; `cosigned`: by a witness too.
    """
    rows = history(name).rows
    tree = Tree([row.leaf(log) for row in rows])
    signers = [Signer.of(number) for number in range(1, keys + 1)]
    checkpoint = signed_tree(tree, log, signers[signer - 1], cosigned=cosigned)
    notes = [one.announcement(before) for one, before in zip(signers, [None, *signers], strict=False)]
    commands: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        commands[row.command_id].append(row)
    for command_id, its in commands.items():
        yield json.dumps({
            "log": log,
            "account_id": its[0].account_id,
            "command_id": command_id,
            "lines": [row.line().decode() for row in its],
            "proofs": [{"position": row.position, "path": tree.path(row.position - 1, 0, len(rows))} for row in its],
            "checkpoint": checkpoint,
            "keys": notes,
        })  # fmt: skip


def signed_tree(tree: Tree, log: int, signer: Signer, *, cosigned: bool = False) -> str:
    """The checkpoint of a whole tree."""
    origin = f"hourbook/{LEDGER_ID}/log/{log}"
    size = len(tree.leaves)
    text = f"{origin}\n{size}\n{b64encode(tree.root(0, size)).decode()}\ntime 2026-11-25T10:00:00Z\n"
    below = WITNESS.signature("witness.example.org/hours", text) if cosigned else ""
    return f"{text}\n{signer.signature(origin, text)}{below}"


@cache
def all_receipts() -> tuple[str, ...]:
    """Of both samples, in logs 0 and 3, by one key, by an old one, and by a new one; with a witness and without."""
    trade, desk = sorted(SAMPLES, reverse=True)
    return (
        *receipts(desk, log=0, keys=1, signer=1),
        *receipts(trade, log=3, keys=3, signer=3, cosigned=True),
        *receipts(trade, log=0, keys=2, signer=1),
    )
