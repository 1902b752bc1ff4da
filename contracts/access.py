"""Who may do what, in the words that callers, operators and auditors see."""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from contracts.quantities import AccountId, Instant

KEY_PREFIX = "hb1_"
"""How every key begins, so that one is known wherever it turns up."""


class Right(StrEnum):
    """What a request needs."""

    TASKS = "tasks"
    MONEY = "money"
    MONTHS = "months"
    BALANCES = "balances"
    DOCUMENTS = "documents"
    ALL_ACCOUNTS = "all-accounts"
    EVIDENCE = "evidence"
    LOG = "log"
    PERSONAL = "personal"
    ERASURE = "erasure"
    TERMS = "terms"
    ACCESS = "access"
    OPERATE = "operate"


class Role(StrEnum):
    """What a principal is given."""

    RECORDER = "recorder"
    FINANCE = "finance"
    MANAGER = "manager"
    AUDITOR = "auditor"
    READER = "reader"
    CUSTOMER = "customer"
    ADMIN = "admin"
    FOLLOWER = "follower"
    """Of the program's own parts that follow the log."""


KEY_ID_FORM = r"^[a-z2-7]{16}$"
KeyId = Annotated[str, StringConstraints(pattern=KEY_ID_FORM)]
KeyName = Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]
CREDENTIAL_FORM = rf"^{KEY_PREFIX}([a-z2-7]{{16}})_([A-Za-z0-9_-]{{43}})$"
GivenCredential = Annotated[str, StringConstraints(pattern=CREDENTIAL_FORM)]
"""A key's id and its secret, 256 random bits, as its maker has chosen them: who sends it twice makes one key."""
Accounts = Annotated[frozenset[AccountId], Field(min_length=1, max_length=1000)]


class Part(BaseModel):
    """A piece of what is published about access."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class KeyRequest(Part):
    """A key to be made. Without `accounts` it is for all of them; without `ends_at` it has no end."""

    name: KeyName
    roles: Annotated[frozenset[Role], Field(min_length=1)]
    accounts: Accounts | None = None
    ends_at: Instant | None = None
    credential: Annotated[GivenCredential | None, Field(repr=False)] = None


class KeyView(Part):
    """A key as it is listed: never with its secret. `name` is absent where it was erased."""

    key_id: KeyId
    name: str | None
    roles: frozenset[Role]
    accounts: frozenset[AccountId] | None
    ends_at: Instant | None
    made_at: Instant
    made_by: str
    revoked_at: Instant | None = None


class RotationRequest(Part):
    """How long the earlier secrets of a key go on working, in minutes; a day without it."""

    overlap_minutes: Annotated[int, Field(ge=0, le=30 * 24 * 60)] = 24 * 60
    credential: Annotated[GivenCredential | None, Field(repr=False)] = None


class KeyList(Part):
    """Keys, the newest first."""

    keys: tuple[KeyView, ...]


class MadeKey(KeyView):
    """A key as it is shown once, when it is made or rotated."""

    credential: str


class Me(Part):
    """The principal of a request, and what it may do. `accounts` is absent where that is every account."""

    principal: str
    kind: str
    name: str | None
    roles: tuple[Role, ...]
    rights: tuple[Right, ...]
    accounts: tuple[AccountId, ...] | None
    ends_at: Instant | None


class AccessDecision(Part):
    """Whether a principal may do something, and the reason in one sentence."""

    principal: str
    right: Right
    account: AccountId | None
    allowed: bool
    reason: str
