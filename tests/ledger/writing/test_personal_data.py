"""Which names a repeated command is compared with."""

from hashlib import sha256

import pytest

from contracts.commands import CorrectTask
from contracts.events import AccountOpened, TaskClosed, TaskCorrected
from contracts.requisites import Requisites
from services.ledger.event_store.commitments import commitments_in
from services.ledger.writing.personal_data import names_agree, set_apart
from services.ledger.writing.submissions import Submission
from tests.ledger.commands import closing, opening
from tests.ledger.vocabulary import close, correct, given, no_account, open_account


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


async def test_a_correction_names_people_as_a_closing_does():
    entries = [("2026-03-05 10:00", 60)]
    story = given(close("T-1", on="2026-03-05 12:00"))
    story.when(correct("T-1", on="2026-03-05 12:00", recorded="2026-03-06", entries=entries))
    (event,) = story.latest
    command = story.command
    assert isinstance(event, TaskCorrected)
    assert isinstance(command, CorrectTask)
    apart, (kept,) = set_apart(event)
    assert isinstance(apart, TaskCorrected)
    assert apart.time_entries
    assert [entry.performer for entry in apart.time_entries] == [kept.commitment]
    assert commitments_in("TaskCorrected", apart.model_dump_json()) == {kept.commitment}
    other = command.model_copy(
        update={"time_entries": tuple(each.model_copy(update={"performer": "Вера"}) for each in command.time_entries)}
    )
    salts = {kept.commitment: kept.salt}
    assert (names_agree(command, [apart], salts), names_agree(other, [apart], salts)) == (True, False)
    fingerprints = {Submission.of(one, "k", "local").fingerprint for one in (command, other)}
    assert len(fingerprints) == 1, "a name can be erased, so no fingerprint counts it"


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
