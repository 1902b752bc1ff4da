"""Which names a repeated command is compared with."""

from hashlib import sha256

import pytest

from contracts.events import AccountOpened, TaskClosed
from contracts.requisites import Requisites
from services.ledger.writing.personal_data import names_agree, set_apart
from services.ledger.writing.submissions import Submission
from tests.ledger.commands import closing, opening
from tests.ledger.vocabulary import close, given, no_account, open_account


def recorded(by: str) -> TaskClosed:
    """A closing that this person confirmed, as the domain decides it."""
    (event,) = given().when(close("T-1")).latest
    assert isinstance(event, TaskClosed)
    return event.model_copy(update={"confirmed_by": by})


@pytest.mark.parametrize(("by", "agree"), [("Анна", True), ("Вера", False), (None, False)])
def test_names_that_old_events_hold_themselves_are_compared_as_they_are(by: str | None, agree: bool):
    command = closing("a").model_copy(update={"confirmed_by": by})
    assert names_agree(command, [recorded("Анна")], {}) is agree


def test_a_text_in_the_form_of_a_commitment_is_no_commitment_to_itself():
    event, (kept,) = set_apart(recorded("Анна"))
    command = closing("a").model_copy(update={"confirmed_by": kept.commitment})
    assert not names_agree(command, [event], {kept.commitment: kept.salt})


async def test_an_opening_that_an_earlier_version_recorded_with_its_signatory_is_repeated_as_it_was():
    """It took the fingerprint with the name, which the event holds itself."""
    requisites = Requisites(signatory_name="Анна")
    (event,) = no_account().when(open_account(requisites=requisites)).latest
    assert isinstance(event, AccountOpened)
    command = opening("a").model_copy(update={"customer_requisites": requisites})
    before = sha256(command.model_dump_json().encode()).digest()
    for name, same in (("Анна", True), ("Вера", False)):
        named = command.model_copy(update={"customer_requisites": Requisites(signatory_name=name)})
        assert Submission.of(named, "k", "local").has_fingerprint(before) is same
        assert names_agree(named, [event], {}) is same
    assert Submission.of(command, "k", "local").fingerprint != before
