"""The Merkle tree of RFC 6962, kept in tiles as in C2SP tlog-tiles; pure.

A tile holds up to 256 hashes of one level; the hash of a full tile's top is one entry of the tile level above. Leaves
count from 0: the event at position p is leaf p - 1.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

HASH_BYTES = 32
HEIGHT = 8
WIDTH = 1 << HEIGHT
EMPTY_ROOT = sha256(b"").digest()

Range = tuple[int, int]
"""Leaves from the first up to, and without, the second."""

TileId = tuple[int, int]
"""The level of a tile, and its index on that level."""


class NoSuchProof(ValueError):
    """A proof was asked of leaves or sizes that the tree does not have."""


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return sha256(b"\x01" + left + right).digest()


def full_root(hashes: Sequence[bytes]) -> bytes:
    """The root of a subtree without gaps, from its 2, 4, 8 … entries."""
    while len(hashes) > 1:
        hashes = [node_hash(*pair) for pair in zip(hashes[::2], hashes[1::2], strict=True)]
    return hashes[0]


def subtrees(leaves: Range) -> Iterator[TileId]:
    """The largest full subtrees that make up a range, from the left: the level of each, and its index there."""
    start, end = leaves
    while start < end:
        level = (end - start).bit_length() - 1
        if start:
            level = min(level, (start & -start).bit_length() - 1)
        yield level, start >> level
        start += 1 << level


def _split(leaves: Range) -> int:
    """Where the left child of a node ends: after the largest power of two of leaves that leaves some over."""
    start, end = leaves
    return start + (1 << ((end - start - 1).bit_length() - 1))


def inclusion_ranges(leaf: int, size: int) -> list[Range]:
    """The ranges whose roots prove that a leaf is in the tree of that size, from the leaf up; NoSuchProof."""
    if not 0 <= leaf < size:
        raise NoSuchProof(f"a tree of {size} leaves has no leaf {leaf}")
    path: list[Range] = []
    start, end = 0, size
    while end - start > 1:
        middle = _split((start, end))
        path.append((middle, end) if leaf < middle else (start, middle))
        start, end = (start, middle) if leaf < middle else (middle, end)
    return path[::-1]


def consistency_ranges(old: int, new: int) -> list[Range]:
    """The ranges whose roots prove that the tree of one size begins with the tree of another; NoSuchProof."""
    if not 0 < old <= new:
        raise NoSuchProof(f"no tree of {new} leaves begins with one of {old}")
    path: list[Range] = []
    start, end = 0, new
    while old != end:
        middle = _split((start, end))
        path.append((middle, end) if old <= middle else (start, middle))
        start, end = (start, middle) if old <= middle else (middle, end)
    return (path if start == 0 else [*path, (start, end)])[::-1]


def tiles_of(ranges: Iterable[Range]) -> set[TileId]:
    """The tiles that the roots of these ranges are worked out from."""
    return {
        (level // HEIGHT, index >> (HEIGHT - level % HEIGHT))
        for leaves in ranges
        for level, index in subtrees(leaves)
    }  # fmt: skip


@dataclass(frozen=True)
class Tiles:
    """Some tiles of a tree, enough for what is asked of them."""

    hashes: Mapping[TileId, bytes]

    def root(self, leaves: Range) -> bytes:
        """The root over a range that is a node of the tree: all of it, or a range of a proof."""
        roots = [self._subtree(level, index) for level, index in subtrees(leaves)]
        if not roots:
            return EMPTY_ROOT
        root = roots.pop()
        while roots:
            root = node_hash(roots.pop(), root)
        return root

    def lead_to(self, size: int, root: bytes) -> bool:
        """Whether these tiles, whatever is in them or missing, are those of the tree with that root."""
        try:
            return self.root((0, size)) == root
        except (KeyError, IndexError, ValueError):
            return False

    def _subtree(self, level: int, index: int) -> bytes:
        above, within = divmod(level, HEIGHT)
        tile = self.hashes[above, index >> (HEIGHT - within)]
        first = (index << within) % WIDTH
        return full_root(entries(tile)[first : first + (1 << within)])


def entries(tile: bytes) -> list[bytes]:
    """The hashes of a tile."""
    return [tile[at : at + HASH_BYTES] for at in range(0, len(tile), HASH_BYTES)]


def edge_of(size: int) -> set[TileId]:
    """The tiles that grow next: the last of each level, where it is not full."""
    return {
        (level, size >> (HEIGHT * (level + 1)))
        for level in range(size.bit_length() // HEIGHT + 1)
        if (size >> (HEIGHT * level)) % WIDTH
    }


def grown(size: int, edge: Mapping[TileId, bytes], leaves: Sequence[bytes]) -> dict[TileId, bytes]:
    """The tiles that change when these leaf hashes follow a tree of that size, whose last tiles are `edge`."""
    changed: dict[TileId, bytes] = {}
    level, count, new = 0, size, list(leaves)
    while new:
        index, kept = divmod(count, WIDTH)
        hashes = entries(edge[level, index])[:kept] if kept else []
        assert len(hashes) == kept, f"tile {index} of level {level} has lost hashes"
        hashes += new
        full = [hashes[at : at + WIDTH] for at in range(0, len(hashes), WIDTH)]
        changed |= {(level, index + n): b"".join(tile) for n, tile in enumerate(full)}
        new = [full_root(tile) for tile in full if len(tile) == WIDTH]
        level, count = level + 1, index
    return changed


@dataclass
class Frontier:
    """A tree that only grows, as the roots of its full subtrees: enough to know its root at every size."""

    size: int = 0
    roots: list[bytes] = field(default_factory=list)

    def push(self, leaf: bytes) -> None:
        """Append a leaf hash."""
        count = self.size
        while count & 1:
            leaf = node_hash(self.roots.pop(), leaf)
            count >>= 1
        self.roots.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """The root of the tree as it is now."""
        if not self.roots:
            return EMPTY_ROOT
        *left, root = self.roots
        for hash_ in reversed(left):
            root = node_hash(hash_, root)
        return root


def root_from_inclusion(leaf: int, size: int, hash_: bytes, path: Sequence[bytes]) -> bytes | None:
    """The root of the tree that holds this leaf hash, by this proof; None for a proof that cannot be one."""
    if not 0 <= leaf < size or len(path) != len(inclusion_ranges(leaf, size)):
        return None
    for (start, _), other in zip(inclusion_ranges(leaf, size), path, strict=True):
        hash_ = node_hash(hash_, other) if start > leaf else node_hash(other, hash_)
    return hash_


def is_consistent(old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether the proof shows that the tree with the new root begins with the tree with the old one."""
    if not 0 < old <= new:
        return False
    ranges = consistency_ranges(old, new)
    if len(ranges) != len(path):
        return False
    if not ranges:
        return old == new and old_root == new_root
    hashes = list(path)
    if ranges[0][1] != old:  # the old tree is a node of the new one, so its root need not be stated
        hashes, ranges = [old_root, *hashes], [(0, old), *ranges]
    before = after = hashes[0]
    for (start, _), other in zip(ranges[1:], hashes[1:], strict=True):
        if start >= old:
            after = node_hash(after, other)
        else:
            before, after = node_hash(other, before), node_hash(other, after)
    return (before, after) == (old_root, new_root)
