"""Erasures that a restored database does not know of: found in a later state of it and in the journal, made again."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import asyncpg
import orjson

from services.process.erasure_journal import entries

_OF_LEDGER = """
    SELECT jsonb_build_object('of', 'ledger', 'log_id', log_id, 'account_id', account_id, 'erased_at', erased_at,
        'reason', reason, 'commitments', commitments)::text FROM ledger.erasure
"""
_OF_BILLING = """
    SELECT jsonb_build_object('of', 'billing', 'address_id', address_id, 'erased_at', erased_at, 'erased_by', erased_by,
        'erased_for', erased_for)::text FROM billing.address WHERE erased_at IS NOT NULL
"""
_HAS_BILLING = "SELECT to_regclass('billing.address') IS NOT NULL"
_ERASE_NAMES = """
    WITH given AS (SELECT * FROM jsonb_to_record($1::jsonb)
        AS entry (log_id integer, account_id text, erased_at timestamptz, reason text, commitments text[])),
    erased AS (
        DELETE FROM ledger.personal AS p USING given
        WHERE p.log_id = given.log_id AND p.commitment = ANY (given.commitments) RETURNING p.commitment
    ),
    recorded AS (
        INSERT INTO ledger.erasure (log_id, account_id, erased_at, reason, commitments)
        SELECT log_id, account_id, erased_at, reason, (SELECT array_agg(commitment) FROM erased) FROM given
        WHERE EXISTS (SELECT FROM erased) ON CONFLICT DO NOTHING
    )
    SELECT count(*) FROM erased
"""
_ERASE_ADDRESS = """
    WITH given AS (SELECT * FROM jsonb_to_record($1::jsonb)
        AS entry (address_id uuid, erased_at timestamptz, erased_by text, erased_for text)),
    erased AS (
        UPDATE billing.address AS a
        SET address = NULL, erased_at = given.erased_at, erased_by = given.erased_by, erased_for = given.erased_for
        FROM given WHERE a.address_id = given.address_id AND a.address IS NOT NULL RETURNING 1
    )
    SELECT count(*) FROM erased
"""

Erasure = dict[str, Any]


async def recorded(connection: asyncpg.Connection) -> list[Erasure]:
    """All that a database knows of."""
    rows = await connection.fetch(_OF_LEDGER)
    if await connection.fetchval(_HAS_BILLING):
        rows += await connection.fetch(_OF_BILLING)
    return [orjson.loads(row[0]) for row in rows]


def journaled(*files: Path) -> list[Erasure]:
    """Those in the journals of data folders, as far as there are any."""
    return [orjson.loads(entry) for file in files for entry in entries(file)]


async def erase_again(connection: asyncpg.Connection, known: Iterable[Erasure]) -> int:
    """Make them in this database; how many texts and addresses were there. Nothing of them is left in its files."""
    erased = 0
    has_billing = await connection.fetchval(_HAS_BILLING)
    for each in known:
        if each["of"] == "ledger":
            erased += await connection.fetchval(_ERASE_NAMES, orjson.dumps(each).decode())
        elif has_billing:
            erased += await connection.fetchval(_ERASE_ADDRESS, orjson.dumps(each).decode())
    if erased:
        await connection.execute("VACUUM (FULL) ledger.personal")
        if has_billing:
            await connection.execute("VACUUM (FULL) billing.address")
    return erased
