"""A principal: who gives a command or asks a question, and how far that goes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from contracts.access import Right, Role
from services.access.rights import (
    CLOSED_MONTHS_ONLY,
    OF_LISTED_ACCOUNTS_ONLY,
    OVER_ALL_ACCOUNTS,
    READING_IS_RECORDED,
    RIGHTS_OF,
    rights_of,
)

Kind = Literal["key", "person", "system", "local"]


@dataclass(frozen=True, slots=True)
class Principal:
    """An opaque id, roles, and the accounts they are for: None is every account.

    `id` is what events keep of it (rule 17.1); `name` is for people, and stands in no event.
    """

    id: str
    kind: Kind
    roles: frozenset[Role]
    rights: frozenset[Right]
    accounts: frozenset[str] | None = None
    name: str | None = None
    ends_at: datetime | None = None

    @classmethod
    def with_roles(
        cls,
        id: str,  # noqa: A002 - the field's name
        kind: Kind,
        roles: frozenset[Role],
        accounts: frozenset[str] | None = None,
        name: str | None = None,
        ends_at: datetime | None = None,
    ) -> "Principal":
        """A principal whose rights are those of its roles; some give none without a list of accounts."""
        effective = roles if accounts is not None else roles - OF_LISTED_ACCOUNTS_ONLY
        return cls(id, kind, roles, rights_of(effective), accounts, name, ends_at)

    @property
    def sees_open_months(self) -> bool:
        """Whether documents of open months are shown to it too."""
        return self.kind == "local" or any(
            Right.DOCUMENTS in RIGHTS_OF[role] for role in self.roles - CLOSED_MONTHS_ONLY
        )

    def is_on_record(self, right: Right) -> bool:
        """Whether what it reads by that right is recorded: where it has the right as an auditor, and as nobody else."""
        recorded = self.roles & READING_IS_RECORDED
        return right in rights_of(recorded) and right not in rights_of(self.roles - recorded)

    @property
    def operates(self) -> bool:
        """Whether it is told why something does not work: such sentences name servers, accounts and contents."""
        return refusal(self, Right.OPERATE, None) is None

    def sees(self, account_id: str) -> bool:
        """Whether the account is in its scope; another one is to it what an unknown one is."""
        return self.accounts is None or account_id in self.accounts

    def scope_within(self, account_id: str | None) -> frozenset[str] | None:
        """What a list shows that is asked for one account, or for all: nothing of an account that it does not see."""
        if account_id is None:
            return self.accounts
        return frozenset({account_id}) if self.sees(account_id) else frozenset()


LOCAL = Principal("local", "local", frozenset(Role), frozenset(Right), name="local")
"""Every caller where there is no door, on loopback alone."""

SYSTEM: dict[str, Principal] = {
    part: Principal(f"system-{part}", "system", frozenset(), rights, name=part)
    for part, rights in {
        "scheduler": frozenset[Right](),
        "relay": frozenset[Right](),
        "worker": frozenset({Right.LOG, Right.PERSONAL}),  # who signs, for documents
        "auditor": frozenset({Right.LOG, Right.EVIDENCE}),
        "operator": frozenset(Right),
    }.items()
}
"""The program's own parts, each with no more rights than it needs; `operator` is who starts it on its database."""


def refusal(principal: Principal, right: Right, account_id: str | None) -> str | None:
    """Why this principal may not do this, in a sentence; None where it may."""
    if right not in principal.rights:
        roles = ", ".join(sorted(principal.roles)) or "none"
        return f"The right {right} is missing: it is in none of the roles of {principal.id} ({roles})."
    if principal.accounts is None:
        return None
    if account_id is None and right in OVER_ALL_ACCOUNTS:
        return f"The right {right} needs every account in the scope, and {principal.id} has a list of accounts."
    if account_id is not None and account_id not in principal.accounts:
        return f"The account {account_id} is not in the scope of {principal.id}."
    return None


def exceeds(wanted: Principal, maker: Principal) -> str | None:
    """What a key would have beyond its maker: a field's name and the reason; None where it has nothing more."""
    if wanted.accounts is None and wanted.roles <= OF_LISTED_ACCOUNTS_ONLY:
        return "accounts: name the customer's accounts, for the role gives nothing without them"
    if more := wanted.rights - maker.rights:
        return f"roles: they have rights that you have not: {', '.join(sorted(more))}"
    if maker.accounts is not None and (wanted.accounts is None or not wanted.accounts <= maker.accounts):
        return "accounts: name only accounts that are in your own scope"
    if maker.ends_at is not None and (wanted.ends_at is None or wanted.ends_at > maker.ends_at):
        return f"ends_at: not later than your own end, {maker.ends_at.isoformat()}"
    return None
