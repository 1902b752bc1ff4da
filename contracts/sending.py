"""A month's documents on their way to the customer: who gets what, which bytes were sent, and what came of it."""

import re
from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

from contracts.commands import Body
from contracts.quantities import AccountId, CalendarDate, GivenDay, GivenReason, Instant, Month
from contracts.read_models import ReadModel

RECIPIENTS_MAX = 20
ADDRESS_LENGTH_MAX = 254
_LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"{_LOCAL}@({_LABEL}\.)+{_LABEL}")

DocumentKind = Literal["report", "act", "upd"]
"""`upd`: the act as XML by the tax service's format 5.03; it has no language but Russian."""

DocumentLang = Literal["ru", "en"]
SHA256_FORM = r"^[0-9a-f]{64}$"
Sha256 = Annotated[str, StringConstraints(pattern=SHA256_FORM)]


def _email(given: str) -> str:
    """The address, its domain in small letters, so that one mailbox is one recipient."""
    local, _, domain = given.rpartition("@")
    if len(given) > ADDRESS_LENGTH_MAX or len(local) > 64 or not _ADDRESS.fullmatch(given):
        raise ValueError(
            "give an e-mail address in ASCII, such as office@example.com; a domain of other letters as Punycode"
        )
    return f"{local}@{domain.lower()}"


EmailAddress = Annotated[str, AfterValidator(_email), WithJsonSchema({"type": "string", "format": "email"})]


class Recipient(Body):
    """Where documents of these kinds go, in one language."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    address: EmailAddress
    kinds: Annotated[frozenset[DocumentKind], Field(min_length=1)] = frozenset({"report", "act"})
    lang: DocumentLang = "ru"


def _each_once(recipients: tuple[Recipient, ...]) -> tuple[Recipient, ...]:
    if len({each.address for each in recipients}) < len(recipients):
        raise ValueError("name each address once, with all kinds of documents that it gets")
    return recipients


class RecipientsBody(Body):
    """Who gets an account's documents from that day on, instead of all who did before; nobody where there are none."""

    effective_on: GivenDay
    recipients: Annotated[tuple[Recipient, ...], Field(max_length=RECIPIENTS_MAX), AfterValidator(_each_once)]


class ListedRecipient(ReadModel):
    """A recipient as it stands in a list; `address` is absent once it was erased."""

    address: str | None
    kinds: tuple[DocumentKind, ...]
    lang: DocumentLang


class RecipientList(ReadModel):
    """Who gets an account's documents from a day on, and who said so when."""

    effective_on: date
    recorded_at: Instant
    actor: str
    recipients: tuple[ListedRecipient, ...]


class Recipients(ReadModel):
    """Who gets an account's documents today, when by themselves, and every list there was, the newest first."""

    account_id: AccountId
    in_force: tuple[ListedRecipient, ...]
    lists: tuple[RecipientList, ...]
    can_be_sent: bool = False
    sent_after_days: int | None = None


class AddressErasureBody(Body):
    """Which address is erased from all of an account's lists, and why, in words that name nobody."""

    address: EmailAddress
    reason: GivenReason


class AddressErased(ReadModel):
    """How many addresses were erased."""

    account_id: AccountId
    erased: int


class SendingBody(Body):
    """Whose documents are sent; those of all accounts where none are named."""

    accounts: Annotated[frozenset[AccountId], Field(min_length=1, max_length=10_000)] | None = None


MessageState = Literal["prepared", "waiting", "handed-over", "sent", "refused", "failed"]
"""`prepared`: not tried yet. `waiting`: tried in vain, and tried again at `next_attempt_at`. `handed-over`: the mail
server was given the message, and its answer is not known. `sent`: it took the message. `refused`: it will not take it.
`failed`: given up after three days of trying."""

Mark = Literal["signed", "returned", "unsigned"]
"""`signed`: the customer's signature is there. `returned`: sent back without it. `unsigned`: a mark was wrong."""


class SentDocument(ReadModel):
    """A document that was prepared for sending: GET /v1/documents/{sha256} answers its bytes, for ever."""

    sha256: Sha256
    kind: DocumentKind
    lang: DocumentLang
    revision: int
    name: str
    mark: Mark | None = None
    marked_on: date | None = None
    marked_by: str | None = None


class Message(ReadModel):
    """A message to one recipient. `address` is shown with the right `money`, until it is erased.

    `unanswered`: how often the mail server was given the message without an answer that reached Hourbook, as when a
    connection breaks. It is then sent again under the same Message-ID, so that the recipient may have it twice.
    """

    message_id: UUID
    address: str | None
    lang: DocumentLang
    revision: int
    documents: tuple[Sha256, ...]
    state: MessageState
    attempts: int
    unanswered: int
    prepared_at: Instant
    changed_at: Instant
    next_attempt_at: Instant | None
    answer: str | None


RequestState = Literal["requested", "prepared", "nothing-new", "not-closed", "no-recipients", "not-possible"]
"""`requested`: the sender has not come to it yet. `nothing-new`: everybody has been sent everything already."""


class AccountSending(ReadModel):
    """Where the documents of one account's month are: what was asked for last, and every message and document.

    `reason`: why nothing was prepared, or why a document was left out.
    """

    account_id: AccountId
    state: RequestState | None
    reason: str | None
    requested_at: Instant | None
    requested_by: str | None
    messages: tuple[Message, ...]
    documents: tuple[SentDocument, ...]


class MonthSending(ReadModel):
    """Where the documents of a month are, for the accounts of which any was asked for; a page, by account."""

    month: Month
    accounts: tuple[AccountSending, ...]
    next_cursor: str | None


class PlannedMessage(ReadModel):
    """A message that would be prepared. `again`: it stands since an earlier time, and is tried once more."""

    address: str
    lang: DocumentLang
    kinds: tuple[DocumentKind, ...]
    again: bool = False


class PlannedSending(ReadModel):
    """What sending would do for an account; `reason`: why nothing, or why a document is left out."""

    account_id: AccountId
    state: RequestState
    reason: str | None
    messages: tuple[PlannedMessage, ...]


class SendingRequested(ReadModel):
    """For whom the documents of the month were requested. A dry run says what would be sent in `planned`."""

    month: Month
    accounts: tuple[AccountId, ...]
    planned: tuple[PlannedSending, ...] = ()


class MarkBody(Body):
    """What became of a document, and on which day."""

    mark: Mark
    marked_on: CalendarDate
