"""What somebody does who owns the database and recomputes all that can be recomputed in it; the files beside it stay.

Each attack changes something of the sample's ledger and then hides what it can.
"""

from collections.abc import Awaitable, Callable
from random import Random
from typing import NamedTuple

from asyncpg import Connection

from services.ledger.event_store.store import EventStore
from services.projections.catalogue import PROJECTIONS
from tests.auditing.projected import SAMPLE_END, project
from tests.auditing.table_changes import change_value, columns, delete_row, lift_limits, repeat_row, rows
from tests.ledger.audit.mutations import REHASH
from tests.ledger.roles import EVERY


class Target(NamedTuple):
    """A ledger's database, by a connection that may do everything there."""

    url: str
    logs: int
    owner: Connection


Attack = Callable[[Target, Random], Awaitable[None]]


async def a_value_of_a_read_model(target: Target, chance: Random) -> None:
    await lift_limits(target.owner)
    column = chance.choice(await columns(target.owner))
    await change_value(target.owner, column, chance.choice(await rows(target.owner, column.table)))


async def a_row_less_of_a_read_model(target: Target, chance: Random) -> None:
    await lift_limits(target.owner)
    await delete_row(target.owner, chance.choice(await rows(target.owner, await _table(target, chance))))


async def a_row_more_of_a_read_model(target: Target, chance: Random) -> None:
    await lift_limits(target.owner)
    await repeat_row(target.owner, chance.choice(await rows(target.owner, await _table(target, chance))))


async def money_everywhere_in_the_reports(target: Target, chance: Random) -> None:
    """Entries and totals agree, and no hash is there to differ from."""
    times = chance.choice([2, 3, 10])
    for table in ("report_entry", "report_total"):
        await target.owner.execute(f"UPDATE projections.{table} SET amount_kopecks = amount_kopecks * {times}")
    await target.owner.execute(
        "DELETE FROM projections.report_frozen; UPDATE projections.report_month SET closed = false"
    )


async def an_event_and_all_that_is_made_of_it(target: Target, chance: Random) -> None:
    """Minutes of a closing are others; hashes, tree and read models are worked out anew, and signed by the ledger."""
    log_id, position = await _event(target, chance, "type = 'TaskClosed' AND data::text LIKE '%\"worked_minutes\":%'")
    await _guards_down(target)
    await target.owner.execute(
        """UPDATE ledger.event SET data = regexp_replace(data::text, '"worked_minutes":', '"worked_minutes":1')::json
        WHERE (log_id, position) = ($1, $2)""",
        log_id,
        position,
    )
    await _hide(target)


async def an_event_less(target: Target, chance: Random) -> None:
    """The last one of a log was never recorded."""
    log_id, _ = await _event(target, chance, "true")
    await _guards_down(target)
    await target.owner.execute(
        """DELETE FROM ledger.event WHERE log_id = $1
        AND position = (SELECT max(position) FROM ledger.event WHERE log_id = $1)""",
        log_id,
    )
    await _hide(target)


async def an_event_more(target: Target, chance: Random) -> None:
    """One more suspension at the end of a log, dated as the last event is, and sealed with another append's seal."""
    log_id, _ = await _event(target, chance, "true")
    await _guards_down(target)
    await target.owner.execute(
        """INSERT INTO ledger.event (log_id, position, account_id, version, event_id, command_id, fingerprint, type,
            schema_version, recorded_at, data, actor, seal, hash)
        SELECT log_id, position + 1, account_id, version + 1, gen_random_uuid(), 'forged', '\\x01', 'WorkSuspended', 1,
            recorded_at, json_build_object('effective_at', '2026-08-31T00:00:00Z', 'booking_month', '2026-08',
            'reason', '?', 'balance_minutes', -1), actor, seal, hash
        FROM ledger.event WHERE log_id = $1 ORDER BY position DESC LIMIT 1""",
        log_id,
    )
    await target.owner.execute(REHASH)


async def a_name(target: Target, chance: Random) -> None:
    """Another signatory, or none, with no erasure on record."""
    change = chance.choice(
        ["UPDATE ledger.personal SET text = text || '!'", "UPDATE ledger.personal SET salt = sha256(salt)",
         "DELETE FROM ledger.personal", "UPDATE ledger.personal SET position = position + 1"]
    )  # fmt: skip
    places = await target.owner.fetch("SELECT ctid::text AS at FROM ledger.personal")
    await target.owner.execute(f"{change} WHERE ctid = '{chance.choice(places)['at']}'")


async def a_checkpoint(target: Target, chance: Random) -> None:
    await _guards_down(target)
    change = chance.choice(
        ["DELETE FROM ledger.checkpoint", "UPDATE ledger.checkpoint SET note = replace(note, '1', '2')"]
    )
    await target.owner.execute(f"{change} WHERE log_id = {chance.randrange(target.logs)}")


async def a_tile(target: Target, chance: Random) -> None:
    await target.owner.execute(
        "UPDATE ledger.tile SET hashes = set_byte(hashes, 0, 255 - get_byte(hashes, 0)) WHERE log_id = $1",
        chance.randrange(target.logs),
    )


async def another_schema(target: Target, chance: Random) -> None:
    statement = chance.choice(
        ["CREATE RULE quiet AS ON INSERT TO ledger.erasure DO INSTEAD NOTHING", "CREATE VIEW ledger.extra AS SELECT 1",
         "CREATE OR REPLACE VIEW reporting.debts AS {} OFFSET 1",
         "ALTER TABLE projections.lot ENABLE ROW LEVEL SECURITY"]
    )  # fmt: skip
    query = await target.owner.fetchval("SELECT pg_get_viewdef('reporting.debts'::regclass)")
    await target.owner.execute(statement.format(query.strip(" ;")))


async def another_place_of_a_projection(target: Target, chance: Random) -> None:
    change = chance.choice(
        ["position = position + 1", "event_id = 'other'", "hash = repeat('0', 64)", "version = version + 1"]
    )
    await target.owner.execute(f"UPDATE projections.tracking SET {change} WHERE projection = $1", _projection(chance))


async def when_packages_are_due(target: Target, chance: Random) -> None:
    """The scheduler comes late; whoever records or reads has what is due by then happen first (rules 7.1, 7.5)."""
    await target.owner.execute("INSERT INTO ledger.due SELECT 0, 'nobody', now()")


async def what_the_auditor_has_said(target: Target, chance: Random) -> None:
    """It remembers in its file."""
    await target.owner.execute("DELETE FROM ledger.verification; DELETE FROM ledger.hindrance")


HARMLESS: dict[Attack, str] = {
    when_packages_are_due: "nothing but when the scheduler looks follows from it: log and read models are as they were",
    what_the_auditor_has_said: "the auditor goes by its file: log and read models are as they were",
}
"""What no audit names, and why nothing that anybody is shown is another: log and read models are the same."""

ATTACKS: tuple[Attack, ...] = (
    a_value_of_a_read_model, a_row_less_of_a_read_model, a_row_more_of_a_read_model, money_everywhere_in_the_reports,
    an_event_and_all_that_is_made_of_it, an_event_less, an_event_more, a_name, a_checkpoint, a_tile, another_schema,
    another_place_of_a_projection, *HARMLESS,
)  # fmt: skip


async def _table(target: Target, chance: Random) -> str:
    return chance.choice(await columns(target.owner)).table


def _projection(chance: Random) -> str:
    return chance.choice(PROJECTIONS).name


async def _event(target: Target, chance: Random, condition: str) -> tuple[int, int]:
    places = await target.owner.fetch(f"SELECT log_id, position FROM ledger.event WHERE log_id >= 0 AND {condition}")
    return tuple(chance.choice(places))


async def _guards_down(target: Target) -> None:
    tables = await target.owner.fetch(
        "SELECT DISTINCT tgrelid::regclass::text AS name FROM pg_trigger WHERE NOT tgisinternal"
    )
    for row in tables:
        await target.owner.execute(f"ALTER TABLE {row['name']} DISABLE TRIGGER ALL")


async def _hide(target: Target) -> None:
    """Hashes are worked out anew, checkpoints and tiles are gone, and read models are made of the log as it is now."""
    await target.owner.execute(REHASH)
    await target.owner.execute("DELETE FROM ledger.checkpoint; DELETE FROM ledger.tile")
    for projection in PROJECTIONS:
        await target.owner.execute(
            f"DROP TABLE {', '.join(f'projections.{name}' for name in projection.tables)} CASCADE"
        )
    await target.owner.execute("DELETE FROM projections.tracking; DELETE FROM projections.halted_account")
    async with EventStore.connected(target.url, target.logs, role=EVERY) as store:
        await project(target.url, store, target.logs, SAMPLE_END)


async def guards_up(target: Target) -> None:
    """Nothing shows of how it was done."""
    tables = await target.owner.fetch(
        """SELECT c.oid::regclass::text AS name, tgname FROM pg_trigger JOIN pg_class AS c ON c.oid = tgrelid
        WHERE NOT tgisinternal AND tgenabled = 'D'"""
    )
    for row in tables:
        await target.owner.execute(f"ALTER TABLE {row['name']} ENABLE ALWAYS TRIGGER {row['tgname']}")
