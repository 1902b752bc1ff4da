"""Refusals and failures as callers see them: RFC 9457 problem details, each of a type in the catalogue."""

from pydantic import BaseModel, ConfigDict

from contracts.problem_types import CATALOGUE

PROBLEM_TYPE_PREFIX = "urn:hourbook:problem:"
PROBLEM_MEDIA_TYPE = "application/problem+json"


class InvalidField(BaseModel):
    """One field that does not fit, and what would."""

    model_config = ConfigDict(frozen=True)

    field: str
    remedy: str


class Problem(BaseModel):
    """RFC 9457 problem details; `type` ends in the slug. `fields` is empty where no field is at fault."""

    model_config = ConfigDict(frozen=True)

    type: str
    title: str
    status: int
    detail: str
    fields: tuple[InvalidField, ...] = ()
    instance: str | None = None
    """Which occurrence it was, for the operator: given where the fault is the service's own."""

    @property
    def slug(self) -> str:
        """The end of its type, by which programs tell problems apart."""
        return self.type.removeprefix(PROBLEM_TYPE_PREFIX)


def problem(slug: str, detail: str, fields: tuple[InvalidField, ...] = ()) -> Problem:
    """The problem of that slug; KeyError for a slug that is not in the catalogue."""
    kind = CATALOGUE[slug]
    return Problem(type=PROBLEM_TYPE_PREFIX + slug, title=kind.title, status=kind.status, detail=detail, fields=fields)
