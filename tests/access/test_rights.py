"""The table of rights, and how far a principal and the keys it makes may go."""

from datetime import UTC, datetime
from itertools import product

import pytest

from contracts.access import Right, Role
from services.access.principals import LOCAL, SYSTEM, Principal, exceeds, refusal
from services.access.rights import OVER_ALL_ACCOUNTS, RIGHTS_OF

TABLE = """
tasks         recorder manager
money         finance
months        finance
balances      recorder finance manager auditor reader customer follower
documents     finance manager auditor reader customer
all-accounts  finance manager auditor reader
evidence      recorder finance manager auditor reader customer
log           auditor follower
personal      finance auditor customer follower
erasure       admin
terms         admin
access        admin
operate       admin
"""


def principal(*roles: Role, accounts: set[str] | None = None, ends_at: datetime | None = None) -> Principal:
    scope = None if accounts is None else frozenset(accounts)
    return Principal.with_roles("key-a", "key", frozenset(roles), scope, ends_at=ends_at)


def test_the_table_is_as_it_was_agreed():
    agreed = {tuple(line.split()) for line in TABLE.strip().splitlines()}
    built = {(right, *(role for role in Role if right in RIGHTS_OF[role])) for right in Right}
    assert built == agreed


@pytest.mark.parametrize(("role", "right"), list(product(Role, Right)))
def test_a_role_may_what_its_rights_say_and_nothing_else(role: Role, right: Right):
    scoped = principal(role, accounts={"oka"})
    assert (refusal(scoped, right, "oka") is None) == (right in RIGHTS_OF[role])


@pytest.mark.parametrize(("role", "right"), list(product(Role, Right)))
def test_nobody_is_the_customer_of_every_account(role: Role, right: Right):
    everywhere = principal(Role.CUSTOMER, role)
    allowed = role != Role.CUSTOMER and right in RIGHTS_OF[role]
    assert (refusal(everywhere, right, "oka") is None) == allowed


def test_a_scope_ends_at_its_accounts():
    scoped = principal(*Role, accounts={"oka"})
    assert refusal(scoped, Right.TASKS, "oka") is None
    assert "not in the scope" in (refusal(scoped, Right.TASKS, "kama") or "")
    assert {right for right in Right if refusal(scoped, right, None)} == OVER_ALL_ACCOUNTS


def test_local_may_everything_and_the_parts_only_what_they_need():
    assert not [right for right in Right if refusal(LOCAL, right, "oka")]
    assert {name: set(part.rights) for name, part in SYSTEM.items()} == {
        "scheduler": set(), "relay": set(), "worker": {"log", "personal"}, "auditor": {"log", "evidence"},
        "operator": set(Right),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (principal(Role.FINANCE), "roles"),
        (principal(Role.ADMIN, Role.AUDITOR), "roles"),
        (principal(Role.RECORDER), "accounts"),
        (principal(Role.RECORDER, accounts={"oka", "kama"}), "accounts"),
        (principal(Role.RECORDER, accounts={"oka"}), "ends_at"),
        (principal(Role.RECORDER, accounts={"oka"}, ends_at=datetime(2028, 1, 1, tzinfo=UTC)), "ends_at"),
    ],
)
def test_nobody_makes_a_key_with_more_than_its_own(wanted: Principal, field: str):
    maker = principal(Role.ADMIN, Role.RECORDER, accounts={"oka"}, ends_at=datetime(2027, 1, 1, tzinfo=UTC))
    assert (exceeds(wanted, maker) or "").startswith(field)


def test_a_key_with_as_much_or_less_can_be_made():
    ends_at = datetime(2027, 1, 1, tzinfo=UTC)
    maker = principal(Role.ADMIN, Role.RECORDER, accounts={"oka"}, ends_at=ends_at)
    assert exceeds(principal(Role.RECORDER, accounts={"oka"}, ends_at=ends_at), maker) is None
    assert exceeds(maker, maker) is None
