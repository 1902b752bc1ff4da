"""A command is given in three steps: the form is filled in, what would be recorded is said, and it is recorded."""

import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, Generic, NamedTuple, TypeVar

from markupsafe import Markup
from starlette.responses import Response

from contracts.problems import Problem
from contracts.quantities import ID_FORM
from contracts.read_models import AccountView
from contracts.terms import TermsVersion
from services.pages.api import ApiProblem
from services.pages.commands.effects import effects_of
from services.pages.commands.fields import Field, Misfit, filled_lines, nested
from services.pages.commands.filling import known_values
from services.pages.commands.forms import FORMS, OPENING, Form
from services.pages.commands.told import told_of
from services.pages.errors import NothingHere, RightMissing
from services.pages.explanation import remedy_of, title_of, what_is_wrong
from services.pages.present import present
from services.pages.visit import Visit

_ID = re.compile(ID_FORM)
_OF_ENTRY = re.compile(r"time_entries[.\[](\d+)\b")
UNKNOWN = 401
"""The status of an answer to somebody whose session has ended: the login is next, and not the form."""

Wrong = Mapping[str, str]
"""By field, what would fit; under an empty name what is of no field."""


Sent = TypeVar("Sent")


class Answered(NamedTuple, Generic[Sent]):
    """What a route answered to a form, and how the form was filled in. `is_tried`: nothing is recorded."""

    answer: Sent
    is_tried: bool
    values: Mapping[str, str]
    key: str


async def show_commands(visit: Visit) -> Response:
    """What this person may record for the customer."""
    account = await _account(visit)
    forms = [form for form in FORMS.values() if visit.may(form.right)]
    return visit.html("commands/commands.html", account=account, forms=forms)


async def show_command(visit: Visit) -> Response:
    """The form, with what is known already and what the address says filled in."""
    form, account = _form(visit), await _account(visit)
    values = await known_values(visit, form, account) | {
        field.name: asked for field in form.fields if (asked := visit.asked(field.name))
    }
    return await filled_in(visit, form, account, values, visit.new_key())


async def receive_command(visit: Visit) -> Response:
    """What was filled in is tried, or recorded; what is refused goes back to the field at fault."""
    form, account = _form(visit), await _account(visit)
    found = await answered(visit, form, account, "record", partial(_sent, visit, form, account))
    if isinstance(found, Response):
        return found
    if not found.is_tried:
        return await _recorded(visit, found.answer)
    effects = effects_of(found.answer, account, visit)
    told = await told_of(visit, form, account, found.answer)
    shown = {"values": found.values, "key": found.key, "effects": effects, "told": told}
    return visit.html("commands/tried.html", form=form, account=account, **shown)


async def answered(
    visit: Visit, form: Form, account: AccountView | None, last_step: str, send: Callable[..., Awaitable[Sent]]
) -> Answered[Sent] | Response:
    """What the route answers to a form that fits; the form again where it is to be changed, or something is refused.

    `send` is called with what is given by field, the form's key, and whether it `is_tried`.
    """
    texts = {field.name: visit.form_text(field.name) for field in form.fields}
    values = {name: text for name, text in texts.items() if text is not None}
    key, step = visit.form_text("key") or visit.new_key(), visit.form_text("step")
    if step == "change":
        return await filled_in(visit, form, account, values, key)
    given, wrong = _given_in(form, texts, visit)
    if wrong:
        return await filled_in(visit, form, account, values, key, wrong)
    is_tried = step != last_step
    try:
        return Answered(await send(given, key, is_tried=is_tried), is_tried, values, key)
    except ApiProblem as refused:
        if refused.problem.status == UNKNOWN or refused.problem.status >= 500:
            raise
        return await filled_in(visit, form, account, values, key, problem=refused.problem)


def _form(visit: Visit) -> Form:
    form = FORMS.get(visit.named("command")) if "command" in visit.request.path_params else OPENING
    if form is None:
        raise NothingHere
    if not visit.may(form.right):
        raise RightMissing(form.right)
    return form


async def _account(visit: Visit) -> AccountView | None:
    if "account_id" not in visit.request.path_params:
        return None
    return await visit.api.get(AccountView, f"/v1/accounts/{visit.named('account_id')}")


async def filled_in(
    visit: Visit, form: Form, account: AccountView | None, values: Mapping[str, str], key: str,
    wrong: Wrong | None = None, problem: Problem | None = None,
) -> Response:  # fmt: skip
    """The form as it stands; 422 where something in it was refused."""
    if problem:
        wrong = _wrong_in(visit, form, problem)
    fields = [await _offered(field, visit) for field in form.fields]
    said = problem and (title_of if problem.fields else what_is_wrong)(problem, visit.lang)
    shown = {"fields": fields, "values": values, "key": key, "wrong": wrong or {}, "refused": said}
    status = 422 if wrong is not None else 200
    return visit.html("commands/form.html", status, form=form, account=account, **shown)


async def _offered(field: Field, visit: Visit) -> Field:
    """A field with its choices: plans are those on sale now."""
    if field.name not in {"plan", "package.plan"}:
        return field
    versions = (await visit.api.get(dict[str, list[TermsVersion]], "/v1/terms"))["versions"]
    now = await present(visit)
    in_force = [version for version in versions if version.in_force_from <= now] or versions[:1]
    return field._replace(choices=tuple(in_force[-1].plans))


def _given_in(form: Form, texts: Mapping[str, str | None], visit: Visit) -> tuple[dict[str, Any], dict[str, str]]:
    """What the command is given by field, and what cannot be read or is missing."""
    given: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for field in form.fields:
        try:
            given[field.name] = field.given(texts[field.name])
        except Misfit as misfit:
            lines = ", ".join(map(str, misfit.lines))
            wrong[field.name] = getattr(visit.say, str(misfit)).format(lines=lines)
        if field.required and field.name not in wrong and given[field.name] is None:
            wrong[field.name] = visit.say.misfit_missing
        elif field.in_path and field.name not in wrong and not _ID.fullmatch(given[field.name]):
            wrong[field.name] = visit.say.misfit_id
    return given, wrong


async def _sent(
    visit: Visit, form: Form, account: AccountView | None, given: Mapping[str, Any], key: str, *, is_tried: bool
) -> dict[str, Any]:
    in_path = {field.name: given[field.name] for field in form.fields if field.in_path}
    path = form.path.format(account_id=account.account_id if account else "", **in_path)
    body = nested((name, value) for name, value in given.items() if name not in in_path)
    asked = {"dry_run": "true"} if is_tried else {}
    if form.reason_asked:
        return await visit.api.send(path, None, method=form.method, key=key, **asked, **body)
    return await visit.api.send(path, body, method=form.method, key=key, **asked)


def _wrong_in(visit: Visit, form: Form, problem: Problem) -> dict[str, str]:
    """Each remedy at its field; those of no field of the form are said above it."""
    names = {field.name for field in form.fields}
    wrong: dict[str, str] = {}
    for each in problem.fields:
        name = each.field.removeprefix("body.").removeprefix("path.").removeprefix("query.")
        place, remedy = name if name in names else "", remedy_of(problem, each, visit.lang)
        if entry := _OF_ENTRY.match(name):
            number, _ = filled_lines(visit.form_text("time_entries") or "")[int(entry[1])]
            place, remedy = "time_entries", Markup("{}: {}").format(visit.say.field_line.format(number=number), remedy)
        wrong[place] = Markup("{}; {}").format(wrong[place], remedy) if place in wrong else remedy
    return wrong


async def _recorded(visit: Visit, answer: Mapping[str, Any]) -> Response:
    """On to the customer, once the read models know of it; they are not waited for in vain."""
    path = f"/v1/accounts/{answer['account_id']}/balance"
    with suppress(ApiProblem):
        await visit.api.ask("GET", path, headers={"Hourbook-Min-Position": str(answer["position"])})
    return visit.go_to(f"/customers/{answer['account_id']}")
