"""What is remembered of access itself, and of the terms: in a log of its own, hashed and signed like every log.

From it alone an auditor can tell whether the actor of an event was entitled when the event was recorded.
"""

from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from contracts.access import Role
from contracts.quantities import COMMITMENT_FORM, AccountId, Instant, Reason
from contracts.terms import TermsVersion

Commitment = Annotated[str, Field(pattern=COMMITMENT_FORM)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class AccessEvent(BaseModel):
    """A fact about who may do what. Its subject, a principal's id, stands in the envelope, as does the actor."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    schema_version: ClassVar[int] = 1


class DoorOpened(AccessEvent):
    """The ledger was started without a door: from then on the principal `local` may do everything.

    In a `sandbox` time is a test clock, so that the order of times says nothing of who was entitled.
    """

    sandbox: bool = False


class DoorClosed(AccessEvent):
    """The ledger was started with its door closed: from then on `local` may do nothing."""

    sandbox: bool = False


class KeyMade(AccessEvent):
    """A key was made. `accounts` is absent where it is for all of them, `ends_at` where it has no end.

    `name`: a commitment; the text stands beside the log, and can be erased.
    """

    name: Commitment
    roles: tuple[Role, ...]
    accounts: tuple[AccountId, ...] | None
    ends_at: Instant | None
    secret_sha256: Sha256


class KeyRotated(AccessEvent):
    """A key has another secret; the earlier ones work until `overlap_ends_at`."""

    secret_sha256: Sha256
    overlap_ends_at: Instant


class KeyRevoked(AccessEvent):
    """A key ended before its time."""

    reason: Reason


class PersonAdmitted(AccessEvent):
    """A token of the issuer gave a person these roles and accounts; recorded when they are not those recorded last.

    `name`: a commitment, as of a key; absent where the token has none.
    """

    name: Commitment | None
    roles: tuple[Role, ...]
    accounts: tuple[AccountId, ...] | None


class NamesErased(AccessEvent):
    """Names of people were erased from an account, or the name of an actor."""

    account_id: AccountId | None
    erased: int
    reason: Reason


class NamesRead(AccessEvent):
    """An auditor read names of people."""

    account_id: AccountId | None


class ExportMade(AccessEvent):
    """The log, or a part of it, was exported for an audit."""

    account_id: AccountId | None


class TermsPublished(AccessEvent):
    """A version of the terms was published (rule 3.4); its subject is `terms`.

    Those that the ledger began with are published first; each one after them is in force later than all before it, and
    at least an hour after it was published.
    """

    version: TermsVersion


class LedgerRestored(AccessEvent):
    """An epoch began because the database was restored to an earlier state; its subject is `ledger`.

    `note`, signed by the key of checkpoints, says what each log kept, and what was signed of it last (FORMAT.md).
    """

    epoch: Annotated[int, Field(ge=2)]
    note: str


ACCESS_EVENTS: dict[str, type[AccessEvent]] = {
    each.__name__: each
    for each in (
        DoorOpened, DoorClosed, KeyMade, KeyRotated, KeyRevoked, PersonAdmitted, NamesErased, NamesRead, ExportMade,
        TermsPublished, LedgerRestored,
    )
}  # fmt: skip
"""By the name under which each is recorded."""
