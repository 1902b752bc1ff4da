"""What there is to read about each problem: its title, its status and what the caller can do about it."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel

from contracts.problem_types import CATALOGUE, ProblemType
from contracts.problems import PROBLEM_TYPE_PREFIX
from services.process.openapi import problems
from services.process.problem_responses import ProblemError


class ProblemPage(BaseModel):
    """One type of problem."""

    type: str
    status: int
    title: str
    remedy: str


router = APIRouter(prefix="/problems", tags=["problems"])


@router.get("")
async def list_problems() -> tuple[ProblemPage, ...]:
    """Every problem that this service can answer."""
    return tuple(map(_page, CATALOGUE.values()))


@router.get("/{slug}", openapi_extra=problems("not-found"))
async def get_problem(slug: Annotated[str, Path(pattern=r"^[a-z0-9-]{1,64}$")]) -> ProblemPage:
    """What a problem means and what to do about it, by the last part of its `type`."""
    if slug not in CATALOGUE:
        raise ProblemError("not-found", f"There is no problem {slug}. GET /problems lists all of them.")
    return _page(CATALOGUE[slug])


def _page(kind: ProblemType) -> ProblemPage:
    return ProblemPage(type=PROBLEM_TYPE_PREFIX + kind.slug, status=kind.status, title=kind.title, remedy=kind.remedy)
