"""An event's hash covers every column, and is the same wherever it is worked out."""

import random
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import orjson
import pytest

from contracts.envelope import RecordedEvent
from services.auditing.handed_out import verify
from services.ledger.event_store.identity import origin
from services.ledger.event_store.leaf import hash_of, leaf_of
from services.ledger.event_store.seals import BEGINNING, digest_of
from services.ledger.event_store.store import EventStore
from services.ledger.event_store.stored_event import StoredEvent
from tests.ledger.event_store.events import event

EXAMPLE = StoredEvent(
    position=1,
    account_id="a",
    version=1,
    event_id="00000000-0000-4000-8000-000000000001",
    command_id="k",
    fingerprint=b"\xff",
    type="WorkResumed",
    schema_version=1,
    recorded_at=datetime(1970, 1, 1, 0, 0, 1, 2, tzinfo=UTC),
    data="{}",
)
PAGE = Path(verify.__file__).with_name("FORMAT.md").read_text(encoding="utf-8")

ALPHABET = 'aZ09-_ "\\{}:,\u00e9\u0416\u2028\U0001f4d2'


def any_event(chance: random.Random) -> StoredEvent:
    """Anything the columns can hold."""
    text = ["".join(chance.choices(ALPHABET, k=chance.randrange(1, 60))) for _ in range(4)]
    return StoredEvent(
        position=chance.randrange(1, 2 ** chance.randrange(1, 63)),
        account_id=text[0],
        version=chance.randrange(1, 2**31),
        event_id=str(UUID(int=chance.getrandbits(128))),
        command_id=text[1],
        fingerprint=chance.choice([None, chance.randbytes(chance.randrange(1, 40))]),
        type=text[2],
        schema_version=chance.randrange(1, 2**15),
        recorded_at=datetime(1900, 1, 1, tzinfo=UTC)
        + timedelta(microseconds=chance.randrange(600 * 365 * 86400 * 10**6)),
        data=text[3] * chance.choice([1, 100]),
        actor=chance.choice([None, "local", f"key-{chance.randrange(10**9)}"]),
    )


def test_the_example_of_the_page_comes_out_as_it_says():
    (data,) = re.findall(r"^```\n(00000010 [\s\S]+?)```", PAGE, re.MULTILINE)
    assert leaf_of(0, EXAMPLE).data(1) == bytes.fromhex(data)
    assert f"`{hash_of(0, EXAMPLE).hex()}`" in PAGE
    content = leaf_of(0, EXAMPLE).content_hash()
    assert f"`{content.hex()}`" in PAGE
    log = origin(str(UUID(int=(4 << 76) + (8 << 60))), 0)
    for form, covered in ((1, content), (2, hash_of(0, EXAMPLE))):
        assert f"`{digest_of(form, log, BEGINNING, covered).hex()}`" in PAGE
    assert f"{len(leaf_of(0, EXAMPLE).data(1))} bytes" in PAGE


@pytest.mark.parametrize(
    "change",
    [
        {"position": 2}, {"account_id": "b"}, {"version": 2}, {"event_id": "00000000-0000-4000-8000-000000000002"},
        {"command_id": "l"}, {"fingerprint": b"\xfe"}, {"fingerprint": None}, {"type": "WorkResumes"},
        {"schema_version": 2}, {"recorded_at": EXAMPLE.recorded_at.replace(microsecond=3)}, {"data": "{ }"},
        {"actor": "local"},
    ],
    ids=str,
)  # fmt: skip
def test_any_other_column_is_another_leaf(change: dict[str, object]):
    assert hash_of(0, EXAMPLE._replace(**change)) != hash_of(0, EXAMPLE) != hash_of(1, EXAMPLE)


HASHES = """
    SELECT ledger.leaf_hash(3, p, account, version, id, command, type, schema, at, data, fingerprint, actor) AS hash
    FROM unnest($1::bigint[], $2::text[], $3::integer[], $4::uuid[], $5::text[], $6::bytea[], $7::text[],
        $8::smallint[], $9::timestamptz[], $10::text[], $11::text[])
    AS e (p, account, version, id, command, fingerprint, type, schema, at, data, actor)
"""


async def test_postgresql_and_python_make_the_same_hash(store: EventStore):
    chance = random.Random(6962)
    events = [any_event(chance) for _ in range(500)]
    columns = zip(*(event[:11] for event in events), strict=True)
    rows = await store.readers.rows(HASHES, *columns)
    assert [row["hash"] for row in rows] == [hash_of(3, event) for event in events]


async def test_every_event_is_appended_with_its_hash(store: EventStore):
    await store.append(2, [event("a", 1, "k1", data='{"b": 1}'), event("a", 2, "k1", first=False)], {})
    await store.append(2, [event("a", 3, 'k\\"2')], {})
    rows = await store.readers.rows("SELECT hash FROM ledger.event WHERE log_id = 2 ORDER BY position")
    assert [row["hash"] for row in rows] == [hash_of(2, each) for each in await store.page(2, 0, 10)]


async def test_a_line_of_the_log_says_all_that_its_leaf_covers(store: EventStore):
    await store.append(
        0, [event("a", 1, 'k"\\ё"data":', data='{"data":"}"}'), event("a", 2, "k", first=False, actor="local")], {}
    )
    for stored in await store.page(0, 0, 10):
        line = stored.line(stored.position)
        read = orjson.loads(line)
        fingerprint = read["fingerprint"]
        told = StoredEvent(
            **{name: read[name] for name in ("position", "account_id", "version", "event_id", "command_id", "type")},
            fingerprint=fingerprint and bytes.fromhex(fingerprint),
            schema_version=read["schema_version"],
            recorded_at=datetime.fromisoformat(read["recorded_at"]),
            data=line.partition('"data":')[2][:-1],
            actor=read.get("actor"),
        )
        assert told == stored
        assert RecordedEvent.model_validate_json(line).command_id == stored.command_id
