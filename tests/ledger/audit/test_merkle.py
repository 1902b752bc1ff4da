"""The tree is that of RFC 6962: published vectors, and another implementation both ways."""

import random
from functools import cache
from hashlib import sha256
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import InmemoryTree, verify_consistency, verify_inclusion
from pymerkle.proof import ConsistencyProof, InclusionProof

from services.ledger.audit.merkle import (
    WIDTH,
    Frontier,
    NoSuchProof,
    Tiles,
    consistency_ranges,
    edge_of,
    grown,
    inclusion_ranges,
    is_consistent,
    root_from_inclusion,
    tiles_of,
)
from services.process.leaf import leaf_hash

# The reference tree of the Certificate Transparency project: its leaves, and the root after each.
LEAVES = [
    bytes.fromhex(leaf)
    for leaf in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSION = {
    (0, 1): [],
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (1, 5): [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
CONSISTENCY = {
    (1, 1): [],
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}  # fmt: skip

LARGE = 70_000  # a tree with three levels of tiles


def tiles(leaves: list[bytes], *steps: int) -> Tiles:
    """The tree over these leaf hashes, grown in so many steps."""
    made: dict[tuple[int, int], bytes] = {}
    for size, until in pairwise([0, *steps, len(leaves)]):
        made |= grown(size, {each: made[each] for each in edge_of(size)}, leaves[size:until])
    return Tiles(made)


def inclusion(tree: Tiles, leaf: int, size: int) -> list[bytes]:
    return [tree.root(each) for each in inclusion_ranges(leaf, size)]


def consistency(tree: Tiles, old: int, new: int) -> list[bytes]:
    return [tree.root(each) for each in consistency_ranges(old, new)]


@pytest.fixture(scope="module")
def reference() -> Tiles:
    return tiles([leaf_hash(leaf) for leaf in LEAVES])


@cache
def large() -> Tiles:
    """No fixture, for Hypothesis would print it."""
    return tiles([leaf_hash(b"%d" % n) for n in range(LARGE)], 1, 255, 256, 60_000)


def test_the_published_roots(reference: Tiles):
    frontier = Frontier()
    assert frontier.root() == reference.root((0, 0)) == sha256(b"").digest()
    for size, root in enumerate(ROOTS, 1):
        frontier.push(leaf_hash(LEAVES[size - 1]))
        assert frontier.root().hex() == reference.root((0, size)).hex() == root


@pytest.mark.parametrize(("asked", "path"), INCLUSION.items())
def test_the_published_inclusion_proofs(reference: Tiles, asked: tuple[int, int], path: list[str]):
    leaf, size = asked
    assert [each.hex() for each in inclusion(reference, *asked)] == path
    proof = [bytes.fromhex(each) for each in path]
    assert root_from_inclusion(leaf, size, leaf_hash(LEAVES[leaf]), proof) == bytes.fromhex(ROOTS[size - 1])


@pytest.mark.parametrize(("asked", "path"), CONSISTENCY.items())
def test_the_published_consistency_proofs(reference: Tiles, asked: tuple[int, int], path: list[str]):
    roots = [bytes.fromhex(ROOTS[size - 1]) for size in asked]
    assert [each.hex() for each in consistency(reference, *asked)] == path
    assert is_consistent(*asked, *roots, [bytes.fromhex(each) for each in path])


SIZES = st.integers(1, 600) | st.integers(1, LARGE) | st.sampled_from([WIDTH, WIDTH**2, WIDTH**2 + 1])
PAIRS = SIZES.flatmap(lambda size: st.tuples(st.integers(1, size), st.just(size)))
"""A leaf, counted from 1, or an earlier size; and a size."""


@cache
def the_other() -> InmemoryTree:
    """The same large tree, by another implementation."""
    tree = InmemoryTree()
    for number in range(LARGE):
        tree.append_entry(b"%d" % number)
    return tree


@given(pair=PAIRS)
def test_inclusion_proofs_verify_with_the_other_implementation_and_its_proofs_with_ours(pair: tuple[int, int]):
    leaf, size = pair[0] - 1, pair[1]
    tree, other = large(), the_other()
    theirs = other.prove_inclusion(leaf + 1, size)
    base, root = leaf_hash(b"%d" % leaf), tree.root((0, size))
    path = inclusion(tree, leaf, size)
    ours = InclusionProof("sha256", True, size, leaf + 1, theirs.rule, [base, *path])
    verify_inclusion(base, root, ours, index=leaf + 1, size=size)
    assert root_from_inclusion(leaf, size, base, theirs.path[1:]) == other.get_root(size) == root


@given(pair=PAIRS.filter(lambda pair: pair[0] % 2 == 1 and pair[0] < pair[1]))
def test_consistency_proofs_verify_with_the_other_implementation_and_its_proofs_with_ours(pair: tuple[int, int]):
    """It tells the first two hashes in another order, and goes down to a leaf: of an odd size RFC 6962 does too."""
    old, new = pair
    tree, other = large(), the_other()
    theirs = other.prove_consistency(old, new)
    roots = tree.root((0, old)), tree.root((0, new))
    path = consistency(tree, old, new)
    last, sibling = (roots[0], path[0]) if old == 1 else path[:2]  # RFC 6962 leaves out a root that is a node
    ours = [sibling, last, *path[1 if old == 1 else 2 :]]
    proof = ConsistencyProof("sha256", True, new, old, theirs.rule, theirs.subset, ours)
    verify_consistency(*roots, proof, prior_size=old, later_size=new)
    sibling, last, *rest = theirs.path
    assert is_consistent(old, new, *roots, [*([] if old == 1 else [last]), sibling, *rest])


@given(data=st.data())
def test_no_proof_survives_a_change(data: st.DataObject):
    tree, new = large(), data.draw(st.integers(2, LARGE))
    old = data.draw(st.integers(1, new - 1))
    base, roots = leaf_hash(b"%d" % old), (tree.root((0, old)), tree.root((0, new)))
    for path, holds in (
        (inclusion(tree, old, new), lambda path: root_from_inclusion(old, new, base, path) == roots[1]),
        (consistency(tree, old, new), lambda path: is_consistent(old, new, *roots, path)),
    ):
        assert holds(path)
        at = data.draw(st.integers(0, len(path) - 1))
        bit = data.draw(st.integers(0, 255))
        flipped = (int.from_bytes(path[at], "big") ^ (1 << bit)).to_bytes(32, "big")
        assert not holds([*path[:at], flipped, *path[at + 1 :]])
        assert not holds(path[:-1])
        assert not holds([*path, path[0]])


def test_a_tree_grown_in_any_steps_is_the_same():
    leaves = [leaf_hash(b"%d" % n) for n in range(1000)]
    chance = random.Random(6962)
    for _ in range(20):
        steps = sorted(chance.sample(range(1, 1000), chance.randrange(1, 12)))
        assert tiles(leaves, *steps) == tiles(leaves)


def test_a_proof_from_a_million_leaves_rests_on_a_handful_of_tiles():
    million = 1_000_000
    inclusions = [len(tiles_of(inclusion_ranges(leaf, million))) for leaf in range(0, million, 997)]
    consistencies = [len(tiles_of(consistency_ranges(old, million))) for old in range(1, million, 997)]
    assert max(inclusions + consistencies) <= 6


@pytest.mark.parametrize("asked", [(0, 0), (3, 3), (-1, 3)])
def test_a_leaf_that_there_is_not_has_no_proof(asked: tuple[int, int]):
    with pytest.raises(NoSuchProof):
        inclusion_ranges(*asked)
    assert root_from_inclusion(*asked, b"", []) is None


@pytest.mark.parametrize("asked", [(0, 3), (4, 3)])
def test_sizes_that_do_not_follow_each_other_have_no_proof(asked: tuple[int, int]):
    with pytest.raises(NoSuchProof):
        consistency_ranges(*asked)
    assert not is_consistent(*asked, b"", b"", [])
