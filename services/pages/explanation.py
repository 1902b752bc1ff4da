"""A route's refusal in the language of the person: what is wrong, at which field, and what would fit."""

import re
from types import SimpleNamespace

from markupsafe import Markup

from contracts.problem_types import CATALOGUE
from contracts.problems import InvalidField, Problem
from services.documents.numerals import Lang
from services.pages.problem_words import PROBLEMS, REMEDIES

_GIVEN = re.compile(r"[^ ]+ \((?P<given>[^()]*)\): ")
"""How a refused command's detail begins: with its field, and what was given in it."""

_KNOWN = tuple(
    (re.compile("(.*?)".join(map(re.escape, english.split("{}"))), re.IGNORECASE), russian)
    for english, russian in REMEDIES.items()
)


def what_is_wrong(problem: Problem, lang: Lang) -> str:
    """One sentence or two, with the figure that was given; the English of the route where no other words are known."""
    known = PROBLEMS.get(problem.slug)
    if lang == "en" or known is None:
        return problem.detail if lang == "en" else in_english(problem.detail)
    given = _GIVEN.match(problem.detail)
    said = f"{known.title} {known.remedy}"
    return f"{given['given']}: {said}" if given else said


def title_of(problem: Problem, lang: Lang) -> str:
    """What kind of problem it is."""
    known = PROBLEMS.get(problem.slug)
    return known.title if lang == "ru" and known else problem.title


def remedy_of(problem: Problem, field: InvalidField, lang: Lang) -> str:
    """What would fit into a field."""
    kind, known = CATALOGUE.get(problem.slug), PROBLEMS.get(problem.slug)
    if lang == "en":
        return field.remedy
    if kind and known and field.remedy == kind.remedy:
        return known.remedy
    return remedy_in_russian(field.remedy) or in_english(field.remedy)


def remedy_in_russian(remedy: str) -> str | None:
    """None for a remedy that has no Russian words."""
    for english, russian in _KNOWN:
        if found := english.fullmatch(remedy):
            return russian.format(*found.groups())
    return None


def label_of(field: str, say: SimpleNamespace) -> str:
    """What the pages call a field; its own name where no page has it."""
    if found := re.fullmatch(r"line (\d+)", field):
        return say.field_line.format(number=found[1])
    name = re.sub(r"^(body|path|query|header)\.", "", field)
    parts = [part for part in name.split(".") if not part.isdecimal()] or [name]
    words = vars(say)
    asked = (f"field_{'_'.join(parts)}", f"field_{parts[-1]}", f"terms_{parts[-1]}")
    return next((words[each] for each in asked if each in words), name)


def lines_of(problem: Problem, lang: Lang, say: SimpleNamespace) -> list[str]:
    """Each field that does not fit with what would; the whole problem where it is about no field."""
    fields = problem.fields
    if not fields or (len(fields) == 1 and problem.slug != "invalid-request"):
        return [what_is_wrong(problem, lang)]
    return [Markup("{}: {}").format(label_of(each.field, say), remedy_of(problem, each, lang)) for each in fields]


def in_english(text: str) -> Markup:
    """A text of a route on a page of another language, so that it is read out as what it is."""
    return Markup('<span lang="en">{}</span>').format(text)
