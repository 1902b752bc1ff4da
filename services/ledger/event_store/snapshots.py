"""States of accounts as bytes: a cache that saves folding a long history, and is never more than that."""

import asyncio
import io
import pickle
import zlib
from collections.abc import Collection
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import immutables

import contracts.events
import services.ledger.domain
from services.ledger.domain.account import Account
from services.ledger.event_store.database import Database

COMPRESSION = 1

_READ = """
    SELECT account_id, recorded_at, state FROM ledger.snapshot
    WHERE log_id = $1 AND account_id = ANY ($2) AND program = $3
"""
_KEEP = """
    INSERT INTO ledger.snapshot (log_id, account_id, program, version, recorded_at, state)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (log_id, account_id) DO UPDATE SET
        program = excluded.program, version = excluded.version, recorded_at = excluded.recorded_at,
        state = excluded.state
    WHERE snapshot.program <> excluded.program OR snapshot.version < excluded.version
"""


class Snapshot(NamedTuple):
    """An account after one of its events, and when that was recorded."""

    account: Account
    recorded_at: datetime


class Snapshots:
    """The snapshots of one log."""

    def __init__(self, database: Database, log_id: int) -> None:
        self._database = database
        self._log_id = log_id

    async def read(self, account_ids: Collection[str]) -> dict[str, Snapshot]:
        """Those that this program has made."""
        rows = await self._database.rows(_READ, self._log_id, list(account_ids), program())
        return {row["account_id"]: Snapshot(unpacked(row["state"]), row["recorded_at"]) for row in rows}

    async def keep(self, snapshot: Snapshot) -> None:
        """Keep it, unless a later one of this program is kept."""
        account = snapshot.account
        state = await asyncio.to_thread(packed, account)
        given = (account.account_id, program(), account.version, snapshot.recorded_at, state)
        await self._database.value(_KEEP, self._log_id, *given)


@cache
def program() -> str:
    """Tells the program that made a snapshot: any change of the domain or the events is another program."""
    sources = sorted(Path(services.ledger.domain.__file__).parent.glob("*.py"))
    text = b"".join(file.read_bytes() for file in [*sources, Path(contracts.events.__file__)])
    return f"{sha256(text).hexdigest()} {immutables.__version__}"


def packed(account: Account) -> bytes:
    """The account as bytes."""
    return zlib.compress(pickle.dumps(account, protocol=5), COMPRESSION)


def unpacked(state: bytes) -> Account:
    """The account that was packed; UnpicklingError for bytes that hold anything else."""
    return _Reader(io.BytesIO(zlib.decompress(state))).load()


class _Reader(pickle.Unpickler):
    """Reads what an account is made of, and nothing else: bytes from a table are no reason to run whatever they say."""

    def find_class(self, module: str, name: str) -> Any:
        of_the_domain = module.startswith("services.ledger.domain.") or module == "contracts.events"
        if (of_the_domain and name[:1].isupper()) or (module, name) in _FOREIGN:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"a snapshot holds no {module}.{name}")


_FOREIGN = {("immutables._map", "Map"), ("datetime", "datetime"), ("datetime", "timedelta"), ("datetime", "timezone")}
