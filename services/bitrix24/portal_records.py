"""What the portal tells of tasks: the task itself, its entries of time, the changes of its status, comments, people.

The portal writes numbers as strings, an empty object as a list, and every instant with the offset of whoever asks.
"""

import hashlib
from typing import Annotated, Any, Literal, TypeVar

import orjson
from pydantic import (
    AliasPath,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
)

from services.bitrix24.portal import WrongAnswer


def _number(given: Any) -> Any:
    """A whole number, also where it comes as a string; never a truth value, which Python takes for one."""
    if isinstance(given, str) and given.isascii() and given.isdecimal():
        return int(given)
    if isinstance(given, bool) or not isinstance(given, int):
        raise ValueError("is no whole number")  # noqa: TRY004  pydantic wants this one
    return given


def _absent(given: Any) -> Any:
    """Nothing, where the portal writes an empty text."""
    return None if given in ("", None) else given


def _written(given: Any) -> Any:
    """A text; an absent one is empty."""
    return given or ""


def _tags(given: Any) -> Any:
    """The titles of tags: an object by id, or an empty list."""
    if isinstance(given, dict):
        return tuple(each.get("title") if isinstance(each, dict) else each for each in given.values())
    return given or ()


Number = Annotated[int, BeforeValidator(_number), Field(ge=0)]
Given = TypeVar("Given")
OrAbsent = Annotated[Given | None, BeforeValidator(_absent)]


class Told(BaseModel):
    """A part of an answer; what is not asked for is ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class PortalTask(BaseModel):
    """A task as a list of the portal has it; fields of the portal's own are kept as they come."""

    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)

    id: Number
    title: str
    status: Number
    group_id: Annotated[Number, Field(alias="groupId")]
    created_by: Annotated[Number, Field(alias="createdBy")]
    responsible_id: Annotated[Number, Field(alias="responsibleId")]
    created_at: Annotated[AwareDatetime, Field(alias="createdDate")]
    changed_at: Annotated[AwareDatetime, Field(alias="changedDate")]
    closed_at: Annotated[OrAbsent[AwareDatetime], Field(alias="closedDate")] = None
    deadline: OrAbsent[AwareDatetime] = None
    estimate_seconds: Annotated[OrAbsent[Number], Field(alias="timeEstimate")] = None
    logged_seconds: Annotated[OrAbsent[Number], Field(alias="timeSpentInLogs")] = None
    tags: Annotated[tuple[str, ...], BeforeValidator(_tags)] = ()

    def own(self, field: str) -> Any:
        """The value of a field of the portal's own, by the name that settings use: UF_AUTO_17."""
        return (self.model_extra or {}).get(camel(field))


class Elapsed(Told):
    """An entry of time. Where it was written later, its beginning stands in CREATED_DATE, the writing in DATE_START."""

    id: Annotated[Number, Field(alias="ID")]
    user_id: Annotated[Number, Field(alias="USER_ID")]
    seconds: Annotated[Number, Field(alias="SECONDS")]
    start: Annotated[AwareDatetime, Field(alias="CREATED_DATE")]
    written_at: Annotated[OrAbsent[AwareDatetime], Field(alias="DATE_START")] = None

    @property
    def written_late_seconds(self) -> int:
        """How long after its end it was written; 0 for one that was measured."""
        late = (self.written_at - self.start).total_seconds() - self.seconds if self.written_at else 0
        return max(0, round(late))


class Change(Told):
    """A change of a task's status: from which to which, by whom."""

    id: Number
    at: Annotated[AwareDatetime, Field(alias="createdDate")]
    field: str
    before: Annotated[OrAbsent[str], Field(validation_alias=AliasPath("value", "from"))] = None
    after: Annotated[OrAbsent[str], Field(validation_alias=AliasPath("value", "to"))] = None
    user_id: Annotated[Number, Field(validation_alias=AliasPath("user", "id"))]


class Person(Told):
    """Somebody of the portal; an extranet user is of another company."""

    id: Annotated[Number, Field(alias="ID")]
    first_name: Annotated[str | None, Field(alias="NAME")] = None
    last_name: Annotated[str | None, Field(alias="LAST_NAME")] = None
    type: Annotated[str | None, Field(alias="USER_TYPE")] = None
    departments: Annotated[tuple[Number, ...] | Literal[False], Field(alias="UF_DEPARTMENT")] = ()

    @property
    def name(self) -> str:
        """The name as people write it; the number where there is none."""
        return " ".join(filter(None, (self.first_name, self.last_name))) or f"№ {self.id}"


class Comment(Told):
    """What somebody wrote in a task, and when."""

    id: Annotated[Number, Field(alias="ID")]
    author_id: Annotated[Number, Field(alias="AUTHOR_ID")]
    at: Annotated[AwareDatetime, Field(alias="POST_DATE")]
    text: Annotated[str, BeforeValidator(_written), Field(alias="POST_MESSAGE")] = ""


class Work(BaseModel):
    """A task with what was worked on it, and how its status has changed, the last change first.

    `comments`: the earliest first, where a consent can stand in them.
    """

    model_config = ConfigDict(frozen=True)

    task: PortalTask
    entries: tuple[Elapsed, ...]
    changes: tuple[Change, ...]
    comments: tuple[Comment, ...] = ()

    @property
    def seconds(self) -> int:
        """All that was worked."""
        return sum(entry.seconds for entry in self.entries)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the entries in order of their ids, as hex: another one means other entries."""
        told = [[e.id, e.user_id, e.seconds, e.start.timestamp()] for e in sorted(self.entries, key=lambda e: e.id)]
        return hashlib.sha256(orjson.dumps(told)).hexdigest()


def camel(field: str) -> str:
    """The name of a field in answers: UF_AUTO_17 is ufAuto17 there."""
    first, *others = field.lower().split("_")
    return first + "".join(part.capitalize() for part in others)


def read_as(method: str, shape: type[Given], told: Any) -> Given:
    """A part of an answer in the shape that it has to have; WrongAnswer says what does not fit."""
    try:
        return TypeAdapter(shape).validate_python(told)
    except ValidationError as misfit:
        wrong = misfit.errors()[0]
        raise WrongAnswer(f"{method}: {'.'.join(map(str, wrong['loc']))}: {wrong['msg']}") from None
