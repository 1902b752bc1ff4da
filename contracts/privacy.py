"""What is personal: texts that stand beside the log, where events hold commitments to them, until they are erased."""

from pydantic import BaseModel, ConfigDict

from contracts.commands import Body
from contracts.quantities import AccountId, GivenReason, Name


class PersonalText(BaseModel):
    """A text about a person, the commitment to it in the event at that position, and the salt it was made with."""

    model_config = ConfigDict(frozen=True)

    position: int
    commitment: str
    salt: str
    text: str


class ErasureBody(Body):
    """Why it is erased, in words that name nobody. `person`: only this very text, not all of the account."""

    reason: GivenReason
    person: Name | None = None


class Erased(BaseModel):
    """How many texts were erased."""

    model_config = ConfigDict(frozen=True)

    account_id: AccountId
    erased: int
