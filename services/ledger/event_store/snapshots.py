"""States of accounts as bytes: a cache that saves folding a long history, and is never more than that.

Where appends are sealed, each state has a code by the key of seals: what was put there past the ledger is passed over.
"""

import asyncio
import io
import logging
import pickle
import zlib
from collections.abc import Collection
from datetime import datetime
from functools import cache
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path
from typing import Any

import asyncpg
import immutables

import contracts.events
import services.ledger.domain
from services.ledger.domain.account import Account
from services.ledger.event_store.database import Database
from services.ledger.event_store.known_account import KnownAccount
from services.ledger.event_store.seals import CODE_BYTES, Sealer
from services.ledger.event_store.stored_event import rfc3339

logger = logging.getLogger(__name__)

COMPRESSION = 1

_READ = """
    SELECT account_id, version, recorded_at, event_id::text, state FROM ledger.snapshot
    WHERE log_id = $1 AND account_id = ANY ($2) AND program = $3 AND event_id IS NOT NULL
"""
# One that stands at an event which is not in the log, as after a restore, is no later one.
_KEEP = """
    INSERT INTO ledger.snapshot (log_id, account_id, program, version, recorded_at, event_id, state)
    SELECT $1, $2::text, $3::text, $4::integer, $5::timestamptz, $6::uuid, $7::bytea WHERE NOT EXISTS (
        SELECT 1 FROM ledger.snapshot AS later
        JOIN ledger.event AS e ON e.log_id = $1 AND e.account_id = later.account_id AND e.version = later.version
            AND e.event_id = later.event_id
        WHERE later.log_id = $1 AND later.account_id = $2 AND later.program = $3 AND later.version > $4
    )
    ON CONFLICT (log_id, account_id) DO UPDATE SET
        program = excluded.program, version = excluded.version, recorded_at = excluded.recorded_at,
        event_id = excluded.event_id, state = excluded.state
"""


class Snapshots:
    """The snapshots of one log. Whatever is wrong with them is logged, and costs no more than reading a history."""

    def __init__(self, database: Database, log_id: int, sealer: Sealer | None = None) -> None:
        self._database = database
        self._log_id = log_id
        self._sealer = sealer

    async def read(self, account_ids: Collection[str]) -> dict[str, KnownAccount]:
        """Those that this program has made and can read; whether the log has their events, the caller finds out."""
        try:
            rows = await self._database.rows(_READ, self._log_id, list(account_ids), self._program())
        except asyncpg.PostgresError as failure:
            logger.warning("the snapshots of log %s cannot be read: %r", self._log_id, failure)
            return {}
        return {known.account.account_id: known for row in rows if (known := self._known(row))}

    def _known(self, row: asyncpg.Record) -> KnownAccount | None:
        try:
            account = unpacked(self._own(row))
            assert (account.account_id, account.version) == (row["account_id"], row["version"]), "it is another account"
        except Exception as failure:  # noqa: BLE001 - bytes of a cache may be anything; the log has the account
            logger.warning("the snapshot of account %s cannot be read: %r", row["account_id"], failure)
            return None
        return KnownAccount(account, row["recorded_at"], row["event_id"])

    def _program(self) -> str:
        """The key is part of it: what another key vouches for is as old as what another program has made."""
        return f"{program()} {self._sealer.key_number}" if self._sealer else program()

    def _own(self, row: asyncpg.Record) -> bytes:
        """The state in a row, which has its code before it where appends are sealed."""
        if self._sealer is None:
            return row["state"]
        code, state = row["state"][:CODE_BYTES], row["state"][CODE_BYTES:]
        place = (row["account_id"], row["version"], row["recorded_at"], row["event_id"])
        if not compare_digest(code, self._code(*place, state)):
            raise ValueError("no process of this ledger has kept it")
        return state

    def _code(self, account_id: str, version: int, recorded_at: datetime, event_id: str | None, state: bytes) -> bytes:
        if self._sealer is None:
            return b""
        said = (self._program(), account_id, f"{version}", rfc3339(recorded_at), f"{event_id}")
        return self._sealer.code(self._log_id, *(part.encode() for part in said), state)

    async def keep(self, known: KnownAccount) -> None:
        """Keep it, unless a later one of this program is kept; one that cannot be written is passed over."""
        account = known.account
        try:
            state = await asyncio.to_thread(packed, account)
            place = (account.version, known.recorded_at, known.event_id)
            coded = self._code(account.account_id, *place, state) + state
            await self._database.value(_KEEP, self._log_id, account.account_id, self._program(), *place, coded)
        except Exception as failure:  # noqa: BLE001 - a snapshot that is missing costs time only
            logger.warning("no snapshot of account %s can be written: %r", account.account_id, failure)


@cache
def program() -> str:
    """Identifies the program that made a snapshot: any change of the domain or the events is another program."""
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
