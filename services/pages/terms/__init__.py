"""Price lists: all of them by date, and a new one, which is published once it was seen what it would have changed."""

from typing import Any

from pydantic import BaseModel
from starlette.responses import Response

from contracts.access import Right
from contracts.terms import EffectOfTerms, TermsVersion
from services.pages.api import ApiProblem
from services.pages.page import Page
from services.pages.present import present
from services.pages.terms.drafts import CHARGED, OF_PLAN, PLAIN, Texts, rows_of, texts_of, version_of
from services.pages.terms.words import WORDS
from services.pages.visit import Visit

__all__ = ("PAGES", "WORDS")

ACCOUNTS_SHOWN = 200
UNFIT = 422


class Versions(BaseModel):
    """What the route answers: all versions, the earliest first."""

    versions: tuple[TermsVersion, ...]


async def show_terms(visit: Visit) -> Response:
    """All price lists, and the form for the next one, filled in with the last."""
    return await _page(visit)


async def change_terms(visit: Visit) -> Response:
    """Say what the price list would have changed, or publish it, as the form says."""
    texts = {name: value for name, value in visit.form.items() if isinstance(value, str) and name != "form_token"}
    misfits: list[str] = []
    version = version_of(texts, lambda name, misfit: misfits.append(_named(visit, name, str(misfit))))
    if misfits:
        return await _page(visit, texts, UNFIT, misfits=misfits)
    publish = visit.form_text("deed") == "publish"
    try:
        answer = await visit.api.send("/v1/terms", version, dry_run=None if publish else True)
    except ApiProblem as refused:
        if refused.problem.status != UNFIT:
            raise
        return await _page(visit, texts, UNFIT, misfits=visit.lines_of(refused.problem))
    return visit.go_to("/terms") if publish else await _page(visit, texts, effect=EffectOfTerms.model_validate(answer))


def _named(visit: Visit, field: str, misfit: str) -> str:
    return f"{getattr(visit.say, f'terms_{field}')}: {getattr(visit.say, misfit)}"


async def _page(visit: Visit, texts: Texts | None = None, status: int = 200, **shown: Any) -> Response:
    versions = (await visit.api.get(Versions, "/v1/terms")).versions
    texts = texts_of(versions[-1]) if texts is None else texts
    now = await present(visit)
    begun = [version for version in versions if version.in_force_from <= now]
    return visit.html(
        "terms/terms.html", status, versions=versions[::-1], present=begun[-1] if begun else None, texts=texts,
        plain=PLAIN, of_plan=OF_PLAN, charged=CHARGED, rows=rows_of(texts), accounts_shown=ACCOUNTS_SHOWN,
        **{"misfits": (), "effect": None, **shown},
    )  # fmt: skip


PAGES = (
    Page("/terms", show=show_terms, receive=change_terms, right=Right.TERMS, whole=True, menu="menu_terms"),
)  # fmt: skip
