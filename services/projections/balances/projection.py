"""From a batch of events to rows: a few statements for hundreds of events."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from asyncpg import Connection

from contracts.events import (
    AccountOpened,
    PackagePurchased,
    Reversal,
    TaskCorrected,
    TaskReopened,
    WarrantyMarked,
    WorkResumed,
    WorkSuspended,
)
from services.projections.balances.changes import Change
from services.projections.balances.customers import change_customers
from services.projections.balances.holders import Tenure, holders
from services.projections.balances.movements import OWED, week_number
from services.projections.balances.plans import project_plans
from services.projections.balances.search import grams, searched
from services.projections.balances.totals import ADD_TO_DAYS, moved_by_day
from services.projections.following.logged import CannotApply, Logged, as_said, of_types
from services.projections.rows import Row, copy, insert

ACCOUNT = ("account_id", "customer_name", "contract_number")
CUSTOMER = ("account_id", "opened_at", "contract_date", "requisites", "folded", "grams")
LOT = (
    "account_id", "lot_id", "plan", "size_minutes", "price_kopecks", "agreed", "starts_at", "package_ends_at",
    "ends_at",
)  # fmt: skip
MOVEMENT = (
    "account_id", "position", "recorded_at", "event_id", "type", "ordinal", "lot_id", "minutes", "effective_at",
    "amount_kopecks", "task_id", "closure",
)  # fmt: skip
TENURE = ("account_id", "position", "recorded_at", "ordinal", "kind", "subject_id", "package_id", "ends_at")
SUSPENSION = ("account_id", "position", "recorded_at", "effective_at", "suspended")

MOVE_LOTS = """
    UPDATE lot SET remaining_minutes = remaining_minutes + moved.minutes,
                   unbooked_kopecks = unbooked_kopecks + moved.amount_kopecks
    FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[]) AS moved (account_id, lot_id, minutes,
                                                                              amount_kopecks)
    WHERE lot.account_id = moved.account_id AND lot.lot_id = moved.lot_id
"""

# Whoever records something about an account has recorded everything due by then (rule 7.1), so the hours that count
# are those that end later.
MOVE_ACCOUNTS = """
    UPDATE account SET owed_minutes = account.owed_minutes + moved.owed_minutes, position = moved.position,
        (held_minutes, next_expiry_at) = (
            SELECT coalesce(sum(remaining_minutes), 0)::bigint, coalesce(min(ends_at), 'infinity')
            FROM lot
            WHERE lot.account_id = account.account_id AND remaining_minutes > 0 AND ends_at > moved.recorded_at
        )
    FROM unnest($1::text[], $2::timestamptz[], $3::bigint[], $4::bigint[])
        AS moved (account_id, recorded_at, position, owed_minutes)
    WHERE account.account_id = moved.account_id
"""

SUSPEND = """
    UPDATE account SET suspended = changed.suspended
    FROM unnest($1::text[], $2::boolean[]) AS changed (account_id, suspended)
    WHERE account.account_id = changed.account_id
"""

ADD_TO_WEEKS = """
    INSERT INTO week_movement AS known (account_id, week, lot_id, minutes)
    SELECT * FROM unnest($1::text[], $2::integer[], $3::text[], $4::bigint[])
    ON CONFLICT (account_id, week, lot_id) DO UPDATE SET minutes = known.minutes + excluded.minutes
"""

TENURES_OF = """
    SELECT account_id, kind, subject_id, package_id, ends_at FROM tenure
    WHERE account_id = ANY($1::text[]) ORDER BY account_id, position, ordinal
"""

END_LOTS = """
    UPDATE lot SET ends_at = known.ends_at
    FROM unnest($1::text[], $2::text[], $3::timestamptz[]) AS known (account_id, lot_id, ends_at)
    WHERE lot.account_id = known.account_id AND lot.lot_id = known.lot_id AND lot.ends_at <> known.ends_at
"""


async def project(connection: Connection, batch: Sequence[Logged]) -> None:
    """Add what a batch of events says, in the caller's transaction.

    Raises CannotApply for an event about an account or a lot that was never opened, and asyncpg's errors for one that
    breaks conservation: a lot stays between nothing and its size.
    """
    changes = Change.of(batch)
    await copy(connection, "account", ACCOUNT, _opened_accounts(batch))
    await copy(connection, "customer", CUSTOMER, _customers(batch))
    await change_customers(connection, batch)
    await copy(connection, "lot", LOT, _opened_lots(batch))
    await _move_lots(connection, changes)
    await _hold(connection, changes)
    await _move_accounts(connection, changes)
    await insert(connection, ADD_TO_DAYS, moved_by_day(changes))
    await _suspend(connection, batch)
    await project_plans(connection, batch)


def _opened_accounts(batch: Sequence[Logged]) -> list[Row]:
    return [
        (recorded.account_id, event.customer_name, event.contract_number)
        for recorded, event in of_types(batch, AccountOpened)
    ]


def _customers(batch: Sequence[Logged]) -> list[Row]:
    rows: list[Row] = []
    for recorded, event in of_types(batch, AccountOpened):
        requisites = as_said(event.customer_requisites)
        text = searched(event.customer_name, event.contract_number)
        rows.append((recorded.account_id, event.effective_at, event.contract_date, requisites, text, grams(text)))
    return rows


def _opened_lots(batch: Sequence[Logged]) -> list[Row]:
    lots: list[Row] = []
    for recorded, event in of_types(batch, PackagePurchased, WarrantyMarked, TaskReopened, TaskCorrected):
        account_id = recorded.account_id
        match event:
            case PackagePurchased() as new:
                agreed = as_said(new.agreed)
                opened = (new.plan, new.minutes, new.price_kopecks, agreed, new.effective_at, new.ends_at, new.ends_at)
                lots.append((account_id, new.package_id, *opened))
            case Reversal(compensation=new) | TaskCorrected(compensation=new) if new:
                opened = (None, new.minutes, new.amount_kopecks, None, new.starts_at, new.ends_at, new.ends_at)
                lots.append((account_id, new.package_id, *opened))
            case _:
                pass
    return lots


async def _move_lots(connection: Connection, changes: Sequence[Change]) -> None:
    """Add the movements, and keep their sums: of each week, and of everything known in the rows of lots."""
    rows: list[Row] = []
    weeks: defaultdict[tuple[str, int, str], int] = defaultdict(int)
    lots: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for recorded, _, moved, _ in changes:
        account_id = recorded.account_id
        place = (account_id, recorded.position, recorded.recorded_at, recorded.event_id, recorded.type)
        for ordinal, movement in enumerate(moved):
            rows.append((*place, ordinal, *movement))
            lot_id, minutes, effective_at, amount_kopecks, *_ = movement
            weeks[account_id, week_number(effective_at), lot_id or ""] += minutes
            if lot_id is not OWED:
                sums = lots[account_id, lot_id]
                sums[0] += minutes
                sums[1] += amount_kopecks
    await copy(connection, "movement", MOVEMENT, rows)
    await insert(connection, ADD_TO_WEEKS, [(*week, minutes) for week, minutes in weeks.items()])
    await _update(connection, MOVE_LOTS, [(*lot, *sums) for lot, sums in lots.items()])


async def _move_accounts(connection: Connection, changes: Sequence[Change]) -> None:
    """Keep what each account holds and owes, now that its lots stand as the batch leaves them."""
    debts: defaultdict[str, int] = defaultdict(int)
    last: dict[str, tuple[datetime, int]] = {}
    for recorded, _, moved, _ in changes:
        last[recorded.account_id] = (recorded.recorded_at, recorded.position)
        debts[recorded.account_id] += sum(movement.minutes for movement in moved if movement.lot_id is OWED)
    rows = [(account_id, *at, debts[account_id]) for account_id, at in last.items()]
    await _update(connection, MOVE_ACCOUNTS, rows)


async def _update(connection: Connection, statement: str, rows: Sequence[Row]) -> None:
    """Every row must be there: a movement of something never opened would be lost from the sums."""
    if rows:
        done = await connection.execute(statement, *zip(*rows, strict=True))
        if done != f"UPDATE {len(rows)}":
            raise CannotApply(f"it is about an account or a lot that was never opened: {done} of {len(rows)}")


async def _hold(connection: Connection, changes: Sequence[Change]) -> None:
    """Add what is new about who holds what, and the ends of lots that follow from it."""
    rows = [
        (recorded.account_id, recorded.position, recorded.recorded_at, ordinal, *tenure)
        for recorded, _, _, held in changes
        for ordinal, tenure in enumerate(held)
    ]
    if not rows:
        return
    await copy(connection, "tenure", TENURE, rows)
    facts: dict[str, list[Tenure]] = {}
    for account_id, *fact in await connection.fetch(TENURES_OF, list({row[0] for row in rows})):
        facts.setdefault(account_id, []).append(Tenure(*fact))
    ends = [
        (account_id, lot_id, chain[-1].ends_at)
        for account_id, known in facts.items()
        for lot_id, chain in holders(known).items()
    ]
    await insert(connection, END_LOTS, ends)


async def _suspend(connection: Connection, batch: Sequence[Logged]) -> None:
    rows: list[Row] = []
    last: dict[str, bool] = {}
    for recorded, event in of_types(batch, WorkSuspended, WorkResumed):
        suspended = last[recorded.account_id] = isinstance(event, WorkSuspended)
        rows.append((recorded.account_id, recorded.position, recorded.recorded_at, event.effective_at, suspended))
    await copy(connection, "suspension", SUSPENSION, rows)
    await _update(connection, SUSPEND, list(last.items()))
