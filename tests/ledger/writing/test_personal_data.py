"""Which names a repeated command is compared with."""

import pytest

from contracts.events import TaskClosed
from services.ledger.writing.personal_data import names_agree, set_apart
from tests.ledger.commands import closing
from tests.ledger.vocabulary import close, given


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
