"""Keys: their form, their proof, their rotation and their end."""

from datetime import UTC, datetime, timedelta

import pytest

from contracts.access import Role
from services.access.keys import Credential, Key, KeySecret

NOW = datetime(2026, 11, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def key(credential: Credential, **given: object) -> Key:
    usual = {
        "key_id": credential.key_id, "roles": frozenset({Role.RECORDER}), "accounts": None,
        "ends_at": None, "made_at": NOW, "made_by": "local", "secrets": (KeySecret(credential.hash),),
    }  # fmt: skip
    return Key(**(usual | given))


def test_a_credential_is_read_as_it_was_shown():
    made = Credential.make()
    assert Credential.parse(str(made)) == made
    assert len(made.secret) == 43
    assert made.secret not in repr(made)


@pytest.mark.parametrize("text", ["", "hb1", "hb1_a_b", "HB1_" + "a" * 16 + "_" + "b" * 43, "hb2_x", "hb1_" + "a" * 70])
def test_another_form_is_no_credential(text: str):
    assert Credential.parse(text) is None


def test_a_key_is_proven_by_its_own_secret_alone():
    made, other = Credential.make(), Credential.make()
    assert key(made).refusal(made, NOW) is None
    assert "another" in (key(made).refusal(Credential(made.key_id, other.secret), NOW) or "")


def test_both_secrets_work_until_the_overlap_ends():
    first = Credential.make()
    second = Credential.make(first.key_id)
    rotated = key(first).rotated(second.hash, NOW + HOUR)
    assert [rotated.refusal(each, NOW) for each in (first, second)] == [None, None]
    assert "rotated" in (rotated.refusal(first, NOW + HOUR) or "")
    assert rotated.refusal(second, NOW + HOUR) is None


def test_a_second_rotation_prolongs_no_overlap():
    first, second, third = (Credential.make("a" * 16) for _ in range(3))
    rotated = key(first).rotated(second.hash, NOW + HOUR).rotated(third.hash, NOW + 5 * HOUR)
    assert rotated.refusal(first, NOW + HOUR)
    assert rotated.refusal(second, NOW + 4 * HOUR) is None


def test_a_revoked_or_ended_key_is_none():
    made = Credential.make()
    assert "revoked" in (key(made, revoked_at=NOW).refusal(made, NOW) or "")
    assert "ended" in (key(made, ends_at=NOW).refusal(made, NOW) or "")
    assert key(made, ends_at=NOW).refusal(made, NOW - HOUR) is None


def test_what_is_wrong_never_repeats_the_secret():
    made = Credential.make()
    for wrong in (key(made, revoked_at=NOW), key(made, ends_at=NOW), key(Credential.make())):
        assert made.secret not in (wrong.refusal(made, NOW) or "")
