"""Every kind of tampering open to somebody who owns the database, but not the key: each changes something."""

import random
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import orjson
from asyncpg import Connection

from services.ledger.audit.merkle import edge_of

Mutation = Callable[[Connection, random.Random, int], Awaitable[object]]
"""Changes something of the log's first so many events."""

REHASH = """
    UPDATE ledger.event SET hash = ledger.leaf_hash(log_id, position, account_id, version, event_id, command_id, type,
        schema_version, recorded_at, data::text, fingerprint, actor)
"""
COLUMNS = (
    "log_id", "position", "account_id", "version", "event_id", "command_id", "fingerprint", "type", "schema_version",
    "recorded_at", "data", "actor", "hash", "seal",
)  # fmt: skip
WIDTHS = {"log_id": 31, "position": 63, "version": 31, "schema_version": 15}


def flip(column: str) -> Mutation:
    """One bit of one column of one event."""

    async def flip_bit(connection: Connection, chance: random.Random, covered: int) -> None:
        position = chance.randint(1, covered)
        where = f"WHERE log_id = 0 AND position = {position}"
        if column in WIDTHS:
            bit = chance.randrange(WIDTHS[column])
            kind = {"position": "bigint", "schema_version": "smallint"}.get(column, "integer")
            await connection.execute(f"UPDATE ledger.event SET {column} = {column} # (1::{kind} << {bit}) {where}")
        elif column == "recorded_at":
            await _flip_time(connection, 1 << chance.randrange(61), where)
        else:
            value = await connection.fetchval(f"SELECT {column} FROM ledger.event {where}")
            await connection.execute(f"UPDATE ledger.event SET {column} = $1 {where}", _flipped(value, column, chance))

    return flip_bit


async def _flip_time(connection: Connection, bit: int, where: str) -> None:
    """PostgreSQL keeps microseconds since 2000; far bits lead to years that Python does not have."""
    start = "'2000-01-01T00:00:00Z'::timestamptz"
    micros = await connection.fetchval(
        f"SELECT (extract(epoch FROM recorded_at - {start}) * 1000000)::bigint FROM ledger.event {where}"
    )
    days, rest = divmod(micros ^ bit, 86_400_000_000)
    await connection.execute(
        f"UPDATE ledger.event SET recorded_at = {start} + make_interval(days => $1)"
        f" + ($2::text || ' microseconds')::interval {where}",
        days,
        str(rest),
    )


def _flipped(value: Any, column: str, chance: random.Random) -> Any:
    """Any one bit that leaves something PostgreSQL can hold; where there was nothing, there is something."""
    if isinstance(value, UUID):
        return UUID(int=value.int ^ (1 << chance.randrange(128)))
    if value is None and column == "actor":
        return chance.choice(["local", "key-somebody"])
    if value is None:
        return chance.choice([b"", b"\0", chance.randbytes(32)])
    raw = value.encode() if isinstance(value, str) else value
    while True:
        bit = chance.randrange(8 * len(raw))
        changed = (int.from_bytes(raw, "big") ^ (1 << bit)).to_bytes(len(raw), "big")
        if isinstance(value, bytes):
            return changed
        try:
            text = changed.decode()
            if column == "data":
                orjson.loads(changed)
        except ValueError:
            continue
        if "\0" not in text:
            return text


async def delete(connection: Connection, chance: random.Random, covered: int) -> None:
    await connection.execute("DELETE FROM ledger.event WHERE position = $1", chance.randint(1, covered))


async def delete_and_close_the_gap(connection: Connection, chance: random.Random, covered: int) -> None:
    position = chance.randint(1, covered)
    account, version = await connection.fetchrow(
        "DELETE FROM ledger.event WHERE position = $1 RETURNING account_id, version", position
    )
    await connection.execute("UPDATE ledger.event SET position = position - 1 WHERE position > $1", position)
    await connection.execute(
        "UPDATE ledger.event SET version = version - 1 WHERE account_id = $1 AND version > $2", account, version
    )
    await connection.execute(REHASH)


async def insert(connection: Connection, chance: random.Random, covered: int) -> None:
    """A new event among the old ones, everything after it renumbered and hashed anew."""
    position = chance.randint(1, covered)
    await connection.execute("UPDATE ledger.event SET position = position + 1 WHERE position >= $1", position)
    await connection.execute(
        """
        INSERT INTO ledger.event SELECT log_id, $1::bigint, 'intruder', 1, gen_random_uuid(), 'k-intruder', '\\x00',
            type, schema_version, recorded_at, data, hash FROM ledger.event WHERE position = $1::bigint + 1
        """,
        position,
    )
    await connection.execute(REHASH)


async def insert_aside(connection: Connection, chance: random.Random, covered: int) -> None:
    """A copy of an event where no walk from position to position comes across it."""
    place = chance.choice(
        ["log_id, -position", "log_id, 0", "log_id, position", "log_id + 1, position", "-1, position"]
    )
    await connection.execute(
        f"INSERT INTO ledger.event SELECT {place}, account_id, version, event_id, command_id, fingerprint, type, "
        "schema_version, recorded_at, data, hash FROM ledger.event WHERE position = $1",
        chance.randint(1, covered),
    )


async def swap(connection: Connection, chance: random.Random, covered: int) -> None:
    await _swap(connection, chance, covered)


async def swap_and_hash_anew(connection: Connection, chance: random.Random, covered: int) -> None:
    await _swap(connection, chance, covered)
    await connection.execute(REHASH)


async def _swap(connection: Connection, chance: random.Random, covered: int) -> None:
    one, other = chance.sample(range(1, covered + 1), 2)
    await connection.execute(
        "UPDATE ledger.event SET position = $1::bigint + $2 - position WHERE position IN ($1, $2)", one, other
    )


async def renumber(connection: Connection, chance: random.Random, covered: int) -> None:
    """The events of the log, or the versions of an account, count on by one from somewhere."""
    if chance.random() < 0.5:
        statement = "UPDATE ledger.event SET position = position + 1 WHERE position >= $1"
        await connection.execute(statement, chance.randint(1, covered))
    else:
        account = await connection.fetchval(
            "SELECT account_id FROM ledger.event WHERE position = $1", chance.randint(1, covered)
        )
        await connection.execute("UPDATE ledger.event SET version = version + 1 WHERE account_id = $1", account)
    if chance.random() < 0.5:
        await connection.execute(REHASH)


async def move_an_effective_date(connection: Connection, chance: random.Random, covered: int) -> None:
    position = chance.randint(1, covered)
    done = await connection.execute(
        """UPDATE ledger.event SET data = regexp_replace(data::text, '"effective_at":"20', '"effective_at":"19')::json
        WHERE position = $1""",
        position,
    )
    assert done == "UPDATE 1"
    if chance.random() < 0.5:
        await connection.execute(REHASH)


async def rewrite_the_tail(connection: Connection, chance: random.Random, covered: int) -> None:
    """Another history from somewhere on, hashed anew; the checkpoints stay."""
    await _another_tail(connection, chance.randint(1, covered))


async def rewrite_the_tail_and_have_it_signed(connection: Connection, chance: random.Random, covered: int) -> None:
    """The same, and tree and checkpoints are cut off before it: the ledger, which has the key, signs them anew."""
    position = chance.randint(1, covered)
    await _another_tail(connection, position)
    await _cut_tree(connection, position - 1)


async def _another_tail(connection: Connection, position: int) -> None:
    await connection.execute("UPDATE ledger.event SET command_id = command_id || '+' WHERE position >= $1", position)
    await connection.execute(REHASH)


async def restore_an_older_backup(connection: Connection, chance: random.Random, covered: int) -> None:
    """Everything as it was when there were fewer events, whether or not the log has gone on from there."""
    kept = chance.randint(1, covered - 1)
    await connection.execute("DELETE FROM ledger.event WHERE position > $1", kept)
    await _cut_tree(connection, kept)
    if chance.random() < 0.5:
        await connection.execute(
            """INSERT INTO ledger.event SELECT log_id, position + $1::bigint, 'later-' || position, 1,
            gen_random_uuid(), 'later ' || position, '\\x01', type, schema_version, recorded_at, data, hash
            FROM ledger.event""",
            kept,
        )
        await connection.execute(REHASH)


async def truncate_the_log(connection: Connection, chance: random.Random, covered: int) -> None:
    if chance.random() < 0.5:
        await connection.execute("TRUNCATE ledger.event")
    else:
        await connection.execute("DELETE FROM ledger.event WHERE position > $1", chance.randint(0, covered - 1))
    if chance.random() < 0.3:
        await connection.execute("TRUNCATE ledger.checkpoint, ledger.tile")


async def replace_a_checkpoint(connection: Connection, chance: random.Random, covered: int) -> None:
    """One that the last verification has seen, or one since, by something else or by nothing."""
    notes = dict(await connection.fetch("SELECT size, note FROM ledger.checkpoint"))
    size, other = chance.sample(sorted(notes), 2)
    raw = bytearray(notes[size].encode())
    at = chance.randrange(len(raw))
    raw[at] = 65 + (raw[at] + 1) % 26
    changed = chance.choice([notes[other], raw.decode(errors="replace"), "nothing", notes[size].partition("— ")[0]])
    await connection.execute("UPDATE ledger.checkpoint SET note = $2 WHERE size = $1", size, changed)


async def delete_a_known_checkpoint(connection: Connection, chance: random.Random, covered: int) -> None:
    """The one that was verified last."""
    await connection.execute("DELETE FROM ledger.checkpoint WHERE size >= (SELECT size FROM known)")


async def change_a_tile(connection: Connection, chance: random.Random, covered: int) -> None:
    level, index, hashes = await connection.fetchrow(
        "SELECT level, index, hashes FROM ledger.tile ORDER BY level, index OFFSET $1 LIMIT 1",
        chance.randrange(await connection.fetchval("SELECT count(*) FROM ledger.tile")),
    )
    changed = _flipped(hashes, "hashes", chance) if chance.random() < 0.8 else hashes[:-32]
    await connection.execute(
        "UPDATE ledger.tile SET hashes = $3 WHERE level = $1 AND index = $2", level, index, changed
    )


async def delete_a_tile(connection: Connection, chance: random.Random, covered: int) -> None:
    await connection.execute("DELETE FROM ledger.tile WHERE level = 0 AND index = $1", (covered - 1) // 256)


async def replace_a_key(connection: Connection, chance: random.Random, covered: int) -> None:
    statement = chance.choice(
        [
            "UPDATE ledger.audit_key SET note = replace(note, 'time 2', 'time 1')",
            "DELETE FROM ledger.audit_key",
            "UPDATE ledger.audit_key SET number = 2",
            "INSERT INTO ledger.audit_key SELECT 2, note FROM ledger.audit_key",
            "UPDATE ledger.audit_key SET note = (SELECT min(note) FROM ledger.checkpoint)",
        ]
    )
    await connection.execute(statement)


async def pass_for_another_ledger(connection: Connection, chance: random.Random, covered: int) -> None:
    await connection.execute("UPDATE ledger.identity SET ledger_id = gen_random_uuid()")


async def _cut_tree(connection: Connection, size: int) -> None:
    """Tree and checkpoints as they were at the last checkpoint of at most that size."""
    await connection.execute("DELETE FROM ledger.checkpoint WHERE size > $1", size)
    size = await connection.fetchval("SELECT coalesce(max(size), 0) FROM ledger.checkpoint")
    for level in range(3):
        index, kept = divmod(size >> (8 * level), 256)
        await connection.execute(
            "DELETE FROM ledger.tile WHERE level = $1 AND (index > $2 OR (index = $2 AND $3 = 0))", level, index, kept
        )
        await connection.execute(
            "UPDATE ledger.tile SET hashes = substr(hashes, 1, $3) WHERE level = $1 AND index = $2",
            level, index, 32 * kept,
        )  # fmt: skip
    assert {(row["level"], row["index"]) for row in await connection.fetch("SELECT level, index FROM ledger.tile")} >= {
        *edge_of(size)
    }


CUT_OFF = {"rewrite_the_tail_and_have_it_signed", "restore_an_older_backup", "truncate_the_log"}
"""After these nothing in the database tells of what was there: only a checkpoint kept elsewhere does."""

KINDS: dict[str, Mutation] = {f"flip {column}": flip(column) for column in COLUMNS} | {
    mutation.__name__: mutation
    for mutation in (
        delete, delete_and_close_the_gap, insert, insert_aside, swap, swap_and_hash_anew, renumber,
        move_an_effective_date, rewrite_the_tail, rewrite_the_tail_and_have_it_signed, restore_an_older_backup,
        truncate_the_log,
        replace_a_checkpoint, delete_a_known_checkpoint, change_a_tile, delete_a_tile, replace_a_key,
        pass_for_another_ledger,
    )
}  # fmt: skip
