"""The names beside the log are the ones that were recorded, or were erased on record."""

from pathlib import Path

import pytest

from services.ledger.audit.cursor import Cursor
from services.ledger.audit.verification import verify
from services.ledger.event_store.commitments import commitment, commitments_in, stands_for
from services.ledger.event_store.store import EventStore
from services.ledger.writing.personal_data import commit
from tests.ledger.audit.tampering import as_superuser
from tests.ledger.event_store.events import event

SALT = bytes.fromhex("00112233445566778899aabbccddeeff")
FIRST_FORM = "sha256:2eb0b7008573b5fb18ac1f07b9ba88729c2126721fc1f305e38392edb8ebb6a9"
FORMAT = Path(__file__).parents[3] / "services" / "auditing" / "handed_out" / "FORMAT.md"


def test_a_commitment_of_either_form_stands_for_one_salt_and_text():
    assert all(example in FORMAT.read_text(encoding="utf-8") for example in (FIRST_FORM, commitment(SALT, "Anna")))
    for made in (FIRST_FORM, commitment(SALT, "Anna")):
        assert stands_for(made, SALT, "Anna")
        for salt, text in ((SALT, "Anne"), (SALT + b"A", "nna"), (SALT[:-1], "Anna"), (b"", "Anna"), (SALT, "")):
            assert not stands_for(made, salt, text)


def test_bytes_cannot_move_from_a_name_to_the_salt():
    salted = commit("client@example.com")
    assert commitment(salted.salt, "client@example.com") != commitment(salted.salt + b"client@", "example.com")
    for form in (salted.commitment, FIRST_FORM):
        assert not stands_for(form, SALT + b"client@", "example.com")


def test_a_text_that_looks_like_a_commitment_is_none_where_no_name_stands():
    data = f'{{"title":"{FIRST_FORM}","confirmed_by":null,"time_entries":[{{"performer":"Anna"}}]}}'
    assert commitments_in("TaskClosed", data) == set()
    assert commitments_in("TaskClosed", data.replace('"Anna"', f'"{FIRST_FORM}"')) == {FIRST_FORM}
    named = f'{{"customer_requisites":{{"address":"{FIRST_FORM}","signatory_name":"%s"}}}}'
    assert commitments_in("AccountOpened", named % "Anna") == set()
    assert commitments_in("CustomerChanged", named % FIRST_FORM) == {FIRST_FORM}
    assert commitments_in("CustomerChanged", f'{{"customer_requisites":null,"customer_name":"{FIRST_FORM}"}}') == set()
    assert commitments_in("WorkSuspended", f'{{"confirmed_by":"{FIRST_FORM}"}}') == set()


@pytest.fixture
async def named(store: EventStore) -> EventStore:
    """A log with names beside its events."""
    for number, name in enumerate(["Anna", "Boris", "Vera"]):
        kept = commit(name)
        closed = event(f"a-{number}", 1, f"k-{number}", data=f'{{"confirmed_by":"{kept.commitment}"}}')
        await store.append(0, [closed._replace(personal=(kept,))], {})
    return store


async def faults(store: EventStore) -> list[str]:
    found, _ = await verify(store.readers, 1, Cursor(), full=True)
    assert found[0].log_is_sound, "the log itself is as it was"
    return found[0].faults


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("UPDATE ledger.personal SET text = 'Eva' WHERE position = 2", "beside event 2 is not the one"),
        ("UPDATE ledger.personal SET salt = salt || 'A', text = substr(text, 2) WHERE position = 1", "is not the one"),
        ("UPDATE ledger.personal SET salt = '' WHERE position = 3", "beside event 3 is not the one"),
        ("DELETE FROM ledger.personal WHERE position = 2", "event 2 holds a commitment to is gone"),
        ("UPDATE ledger.personal SET position = 4 WHERE position = 3", "event 3 holds a commitment to is gone"),
        ("UPDATE ledger.personal SET commitment = commitment || '0' WHERE position = 3", "no commitment to it"),
        ("INSERT INTO ledger.personal SELECT log_id, position, 'x', salt, text FROM ledger.personal", "no commitment"),
    ],
)
async def test_a_name_that_was_changed_added_or_deleted_is_found(
    named: EventStore, database_url: str, statement: str, fault: str
):
    assert await faults(named) == []
    await as_superuser(database_url, statement)
    assert fault in str(await faults(named))


async def test_a_name_that_was_erased_on_record_accuses_nobody(named: EventStore, database_url: str):
    await named.personal.erase(0, "a-1", None, "withdrawn")
    assert await faults(named) == []
    await as_superuser(database_url, "UPDATE ledger.erasure SET account_id = 'a-2'")
    assert "event 2 holds a commitment to is gone" in str(await faults(named))
