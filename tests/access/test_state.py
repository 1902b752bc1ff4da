"""What the log of access says, folded: keys, people and the door."""

from datetime import UTC, datetime, timedelta

import pytest

from contracts.access import Role
from contracts.access_events import (
    ACCESS_EVENTS,
    AccessEvent,
    DoorClosed,
    DoorOpened,
    ExportMade,
    KeyMade,
    KeyRevoked,
    KeyRotated,
)
from services.access.keys import Credential, principal_id
from services.access.principals import Principal
from services.access.state import AccessState, Fact, admission

NOW = datetime(2026, 11, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
NAME = f"sha256:{'0' * 64}"


def folded(*happened: tuple[str, AccessEvent]) -> AccessState:
    state = AccessState()
    for number, (subject, event) in enumerate(happened, 1):
        state = state.after(Fact(number, subject, "local", NOW, event))
    return state


def made(credential: Credential, *roles: Role) -> tuple[str, AccessEvent]:
    usual = {"name": NAME, "accounts": ("oka",), "ends_at": None}
    return subject(credential), KeyMade(roles=roles or (Role.READER,), secret_sha256=credential.hash.hex(), **usual)


def subject(credential: Credential) -> str:
    return principal_id(credential.key_id)


def test_a_key_that_was_made_works_until_it_is_revoked():
    credential = Credential.make()
    state = folded(made(credential))
    assert state.refusal(credential, NOW) is None
    assert state.keys[credential.key_id].principal.accounts == {"oka"}
    revoked = state.after(Fact(2, subject(credential), "local", NOW, KeyRevoked(reason="lost")))
    assert "revoked" in (revoked.refusal(credential, NOW) or "")


def test_a_rotated_key_has_both_secrets_for_a_while():
    first = Credential.make()
    second = Credential.make(first.key_id)
    rotation = KeyRotated(secret_sha256=second.hash.hex(), overlap_ends_at=NOW + HOUR)
    state = folded(made(first), (subject(first), rotation))
    assert [state.refusal(each, NOW) for each in (first, second)] == [None, None]
    assert state.refusal(first, NOW + HOUR)


def test_an_unknown_key_and_a_wrong_secret_are_refused_alike():
    credential = Credential.make()
    state = folded(made(credential))
    wrong = Credential(credential.key_id, Credential.make().secret)
    assert state.refusal(wrong, NOW) == state.refusal(Credential.make(), NOW)


def test_the_door_is_as_it_was_left():
    assert AccessState().door is None
    assert folded(("local", DoorOpened())).door == DoorOpened()
    assert folded(("local", DoorOpened()), ("local", DoorClosed(sandbox=True))).door == DoorClosed(sandbox=True)


def test_a_person_is_recorded_again_when_the_token_says_something_else():
    anna = Principal.with_roles("person-anna", "person", frozenset({Role.FINANCE}))
    state = folded((anna.id, admission(anna, NAME)))
    assert state.admits(anna)
    assert not AccessState().admits(anna)
    for changed in (frozenset({Role.READER}), frozenset({Role.FINANCE, Role.ADMIN})):
        assert not state.admits(Principal.with_roles(anna.id, "person", changed))
    assert not state.admits(Principal.with_roles(anna.id, "person", anna.roles, frozenset({"oka"})))


def test_what_is_only_remembered_changes_nothing_but_the_position():
    assert folded(("person-anna", ExportMade(account_id=None))) == AccessState(position=1)


def test_a_gap_is_seen():
    with pytest.raises(AssertionError):
        AccessState().after(Fact(2, "local", "local", NOW, DoorOpened()))


@pytest.mark.parametrize("name", ACCESS_EVENTS)
def test_every_event_has_one_name_and_a_version(name: str):
    assert ACCESS_EVENTS[name].__name__ == name
    assert ACCESS_EVENTS[name].schema_version == 1
