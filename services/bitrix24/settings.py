"""What the connector is told of a portal: a TOML file of the seller's, judged whole before anything is asked."""

import re
import tomllib
from datetime import date, datetime, time
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from contracts.events import Category, Rounding
from contracts.quantities import GIVEN_EARLIEST, GIVEN_LATEST, SELLER_ZONE, AccountId, TaskId
from services.process.outside import require_safe
from services.process.settings import File

Change = Literal["correct", "reopen", "move", "delete"]
"""What was charged and has changed in the portal since, that the connector may put right by itself."""

PORT_MAX = 65535
_WEBHOOK = re.compile(r"https?://[^\s/?#@:]+(?::(?P<port>[0-9]{1,5}))?(?:/[\w.~-]+)*/rest/[0-9]+/[\w-]+/?", re.ASCII)

OwnField = Annotated[str, Field(pattern=r"^UF_[A-Z0-9_]+$")]


def _webhook(given: str) -> str:
    """The address as the portal shows it, with the slash at its end. A secret: what is wrong is said without it."""
    found = _WEBHOOK.fullmatch(given)
    if not found or int(found["port"] or 0) > PORT_MAX:
        raise ValueError("is no inbound webhook: copy its address, https://…/rest/<user>/<secret>/")
    return require_safe(given if given.endswith("/") else f"{given}/")


def _pages(given: str) -> str:
    """The address of Hourbook's pages, without a slash at its end."""
    if not re.match(r"https?://[^/\s]", given):
        raise ValueError("is no address of Hourbook's pages: give one such as https://hours.example")
    return given.rstrip("/")


def _pattern(given: str) -> str:
    try:
        re.compile(given)
    except re.error as unreadable:
        raise ValueError(f"is no regular expression: {unreadable}") from None
    return given


Pattern = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_pattern)]


class ConnectorSettings(BaseSettings):
    """Where the settings of a connector are."""

    model_config = SettingsConfigDict(frozen=True, populate_by_name=True)

    file: File | None = Field(default=None, validation_alias="HOURBOOK_BITRIX24_FILE")


class Section(BaseModel):
    """A part of the file; a name that it does not know is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Categories(Section):
    """How a task's category is found: by a field of the portal's own, then by a tag; else it is regular."""

    field: OwnField | None = None
    values: dict[str, Category] = {}
    tags: dict[str, Category] = {}

    @model_validator(mode="after")
    def _of_a_field(self) -> Self:
        if bool(self.field) != bool(self.values):
            raise ValueError("give field and values together, or neither of them")
        return self


class Consents(Section):
    """Where it stands when the customer agreed: in a date field, or in a comment of the customer's that has a pattern.

    Patterns are regular expressions, found in any case of letters.
    """

    urgency_field: OwnField | None = None
    off_hours_field: OwnField | None = None
    urgency_comment: Pattern | None = None
    off_hours_comment: Pattern | None = None


class AnswerSettings(Section):
    """In which language, and with links to which pages of Hourbook, a comment says what a task cost."""

    url: Annotated[str, AfterValidator(_pages)]
    language: Literal["ru", "en"] = "ru"


class Customers(Section):
    """Who is the customer's: people of other companies, and those of these departments."""

    extranet: bool = True
    departments: frozenset[int] = frozenset()


def _groups(given: Any) -> Any:
    """The keys of a TOML table are texts; groups have numbers."""
    if not isinstance(given, dict):
        return given
    groups = {int(key) if str(key).isdecimal() else key: value for key, value in given.items()}
    if len(groups) < len(given):
        raise ValueError("a group is named twice: leave it to one account")
    return groups


class Connector(Section):
    """Everything the connector is told."""

    webhook: Annotated[str, AfterValidator(_webhook), AfterValidator(SecretStr)]
    since: Annotated[date, Field(ge=GIVEN_EARLIEST.date(), lt=GIVEN_LATEST.date())]
    accounts: Annotated[dict[Annotated[int, Field(ge=1)], AccountId], BeforeValidator(_groups), Field(min_length=1)]
    task_prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{0,20}$")] = "B24-"
    rounding: Rounding = "task"
    categories: Categories = Categories()
    consents: Consents = Consents()
    customers: Customers = Customers()
    apply: frozenset[Change] = frozenset()
    plans: bool = True
    answers: AnswerSettings | None = None

    @property
    def began_at(self) -> datetime:
        """From when on confirmed tasks are the connector's; what was confirmed before is somebody else's."""
        return datetime.combine(self.since, time(), SELLER_ZONE)

    @property
    def account_ids(self) -> list[AccountId]:
        """The accounts of all groups, in order."""
        return sorted(set(self.accounts.values()))

    def task_id(self, number: int) -> TaskId:
        """The ledger's id of a task of the portal."""
        return f"{self.task_prefix}{number}"

    def number(self, task_id: TaskId) -> int | None:
        """The portal's number of a task of the ledger; None for one that somebody else has recorded."""
        digits = task_id.removeprefix(self.task_prefix)
        ours = task_id.startswith(self.task_prefix) and digits.isascii() and digits.isdecimal()
        return int(digits) if ours else None

    @property
    def own_fields(self) -> tuple[str, ...]:
        """The fields of the portal's own that are read."""
        named = (self.categories.field, self.consents.urgency_field, self.consents.off_hours_field)
        return tuple(dict.fromkeys(filter(None, named)))


def connector(file: Path) -> Connector:
    """What a file says; `webhook_file` names another one, beside it, that has the secret alone."""
    told = tomllib.loads(file.read_text(encoding="utf-8"))
    if "webhook" not in told and isinstance(secret := told.pop("webhook_file", None), str):
        told["webhook"] = (file.parent / secret).read_text(encoding="utf-8").strip()
    return Connector.model_validate(told)
