"""Questions about one account: its balance at any instant as known at any other, its curve, its statement."""

from datetime import UTC, datetime
from typing import NamedTuple

from asyncpg import Connection, Record

from contracts.quantities import decimal_hours
from contracts.read_models import BalanceStep, BalanceView, LotView, StatementLine
from services.projections.balances.holders import Tenure, holder_at, holders

KnownAt = datetime | int | None
"""A log position, an instant of recording, or everything."""

END_OF_TIME = datetime(9999, 1, 1, tzinfo=UTC)
LAST_POSITION = 2**63 - 1

# What is left now is kept in the rows of lots and accounts; at any other time, or as known at any other time, it is
# the sum of the movements. Both are one statement, so that all of an answer rests on one state of the tables.
BALANCE_NOW = """
    SELECT account.owed_minutes, account.suspended, 0::bigint AS known_position,
        ARRAY(SELECT ROW(kind, subject_id, package_id, ends_at) FROM tenure
              WHERE account_id = $1 ORDER BY position, ordinal) AS tenures,
        ARRAY(SELECT ROW(lot_id, plan, size_minutes, price_kopecks, starts_at, remaining_minutes) FROM lot
              WHERE account_id = $1 AND remaining_minutes > 0) AS lots
    FROM account WHERE account_id = $1
"""

BALANCE_AS_OF = """
    WITH known AS (
        SELECT lot_id, sum(minutes)::bigint AS minutes FROM movement
        WHERE account_id = $1 AND effective_at <= $2 AND position <= $3 AND recorded_at <= $4
        GROUP BY lot_id
    )
    SELECT
        coalesce((SELECT minutes FROM known WHERE lot_id IS NULL), 0) AS owed_minutes,
        coalesce((SELECT suspended FROM suspension
                  WHERE account_id = $1 AND effective_at <= $2 AND position <= $3 AND recorded_at <= $4
                  ORDER BY position DESC LIMIT 1), false) AS suspended,
        greatest((SELECT max(position) FROM movement
                  WHERE account_id = $1 AND position <= $3 AND recorded_at <= $4),
                 (SELECT max(position) FROM tenure
                  WHERE account_id = $1 AND position <= $3 AND recorded_at <= $4), 0) AS known_position,
        ARRAY(SELECT ROW(kind, subject_id, package_id, ends_at) FROM tenure
              WHERE account_id = $1 AND position <= $3 AND recorded_at <= $4 ORDER BY position, ordinal) AS tenures,
        ARRAY(SELECT ROW(lot_id, plan, size_minutes, price_kopecks, starts_at, known.minutes)
              FROM lot JOIN known USING (lot_id) WHERE account_id = $1 AND known.minutes > 0) AS lots
    FROM account WHERE account_id = $1
"""
