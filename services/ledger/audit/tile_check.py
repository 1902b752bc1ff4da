"""The stored tiles of a log's tree, held against its leaves."""

from collections.abc import Mapping, Sequence

from services.ledger.audit.findings import Findings
from services.ledger.audit.merkle import Frontier, TileId, edge_of, grown
from services.ledger.audit.tree import StoredTree


class TileCheck:
    """Compares the stored tiles with those that follow from the leaves."""

    def __init__(self, tree: StoredTree, size: int, findings: Findings) -> None:
        self._tree = tree
        self._size = size
        self._findings = findings
        self._edge: Mapping[TileId, bytes] | None = None

    async def begin(self, frontier: Frontier) -> None:
        """From a tree that was verified before: its last tiles are good if they lead to its root."""
        edge = await self._tree.tiles(edge_of(frontier.size))
        if edge.lead_to(frontier.size, frontier.root()):
            self._edge = edge.hashes
        else:
            self._findings.fault(f"the tiles up to {frontier.size} are not what they were")

    async def follow(self, size: int, leaves: Sequence[bytes]) -> None:
        """The tiles over these leaves, as far as checkpoints have come."""
        covered = leaves[: max(0, self._size - size)]
        if self._edge is None or not covered:
            return
        made = grown(size, self._edge, covered)
        stored = (await self._tree.tiles(made)).hashes
        for (level, index), hashes in made.items():
            if stored.get((level, index), b"")[: len(hashes)] != hashes:
                self._findings.fault(f"tile {index} of level {level} is not that of its events")
        known = {**self._edge, **made}
        self._edge = {tile: known[tile] for tile in edge_of(size + len(covered))}
