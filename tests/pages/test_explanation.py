"""What routes refuse is said in the person's language: every problem, every remedy, every field of a form."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from markupsafe import Markup

import contracts
from contracts.problem_types import BILLING, CATALOGUE, DOOR, NOT_FOUND, NOT_RECORDABLE, STATE_OF_THE_ACCOUNT
from contracts.problems import InvalidField, problem
from services.ledger.domain.refusals import PaymentExceedsDebt
from services.ledger.http.problems import problem_of
from services.pages.catalogue import WORDS
from services.pages.commands.forms import FORMS, OPENING
from services.pages.explanation import label_of, lines_of, remedy_in_russian, what_is_wrong
from services.pages.invoices.issuing import FORMS as INVOICES
from services.pages.problem_words import PROBLEMS

OF_FORMS = ("commands", "invoices", "payments", "quantities", "requisites", "sending", "terms")
CYRILLIC = frozenset("абвгдеёжзийклмнопрстуфхцчшщъыьэюя")


def remedies() -> Iterator[str]:
    """What the contracts of the forms say would fit, with a word for each figure in it."""
    for name in OF_FORMS:
        file = Path(contracts.__file__).with_name(f"{name}.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "ValueError":
                yield said_by(node.args[0])


def said_by(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=str()):
            return node.value
        case ast.JoinedStr():
            return "".join(said_by(each) for each in node.values)
        case _:
            return "figure"


def test_every_problem_that_a_form_can_meet_has_russian_words():
    assert {kind.slug for kind in (*NOT_FOUND, *DOOR, *STATE_OF_THE_ACCOUNT, *BILLING, *NOT_RECORDABLE)} <= set(
        PROBLEMS
    )
    assert PROBLEMS.keys() <= CATALOGUE.keys()
    for slug, said in PROBLEMS.items():
        assert all(CYRILLIC & set(each.lower()) and each.endswith(".") for each in said), slug


@pytest.mark.parametrize("remedy", sorted({*remedies()} - {"figure: figure"}))
def test_every_remedy_of_a_field_has_russian_words(remedy: str):
    assert remedy_in_russian(remedy), remedy


def test_every_field_of_a_form_is_called_the_same_where_it_is_refused():
    for lang in ("ru", "en"):
        for form in (*FORMS.values(), OPENING, *INVOICES.values()):
            for field in form.fields:
                assert label_of(f"body.{field.name}", WORDS[lang]) == vars(WORDS[lang])[field.word]


def test_a_refusal_says_the_figure_that_was_refused():
    refused = problem_of(PaymentExceedsDebt(91))
    assert refused
    assert what_is_wrong(refused, "ru").startswith("91: Оплачено больше минут, чем в долге.")
    assert what_is_wrong(refused, "en") == refused.detail
    assert lines_of(refused, "ru", WORDS["ru"]) == [what_is_wrong(refused, "ru")]


def test_fields_that_do_not_fit_are_named_each_with_what_would():
    fields = (
        InvalidField(field="body.reason", remedy="String should have at most 1000 characters"),
        InvalidField(field="body.elsewhere", remedy="<nobody has translated this>"),
    )
    said = lines_of(problem("invalid-request", "…", fields), "ru", WORDS["ru"])
    assert said == ["Причина: не больше 1000 знаков", Markup(
        'elsewhere: <span lang="en">&lt;nobody has translated this&gt;</span>'
    )]  # fmt: skip
    assert lines_of(problem("invalid-request", "…", fields), "en", WORDS["en"])[0].startswith("Reason: String")
