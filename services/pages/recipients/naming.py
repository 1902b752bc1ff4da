"""The list of recipients as a form: the one in force today is shown, and a new one is named from a day on."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, get_args

from markupsafe import Markup
from starlette.responses import Response

from contracts.problems import Problem
from contracts.quantities import SELLER_ZONE
from contracts.read_models import AccountView
from contracts.sending import RECIPIENTS_MAX, DocumentKind, DocumentLang, ListedRecipient, Recipient, Recipients
from services.pages.api import ApiProblem
from services.pages.explanation import label_of, remedy_of
from services.pages.present import present
from services.pages.visit import Visit

EMPTY_ROWS = 3
KINDS: tuple[DocumentKind, ...] = get_args(DocumentKind)
LANGS: tuple[DocumentLang, ...] = get_args(DocumentLang)
USUAL: frozenset[DocumentKind] = Recipient.model_fields["kinds"].default
_AT_FAULT = re.compile(r"recipients[.\[](\d+)\b.*")


class Row(NamedTuple):
    """A row of the form as it was filled in; `wrong`: what would fit."""

    address: str = ""
    kinds: Sequence[str] = tuple(sorted(USUAL))
    lang: str = "ru"
    wrong: str | None = None


async def show_recipients(visit: Visit) -> Response:
    """Who gets what today, as a form, and every list there was."""
    found = await _named(visit)
    rows = [_row(each) for each in found.in_force]
    today = (await present(visit)).astimezone(SELLER_ZONE).date()
    return await _page(visit, found, rows, today.isoformat())


async def receive_recipients(visit: Visit) -> Response:
    """Name the list that the form holds; what is refused goes back to the row at fault."""
    rows = [row for number in range(RECIPIENTS_MAX) if (row := _filled_in(visit, number)).address]
    since = visit.form_text("effective_on") or ""
    body = {
        "effective_on": since,
        "recipients": [{"address": row.address, "kinds": row.kinds, "lang": row.lang} for row in rows],
    }
    path = f"/v1/accounts/{visit.named('account_id')}/recipients"
    try:
        await visit.api.send(path, body, method="PUT")
    except ApiProblem as refused:
        if refused.problem.status != 422:
            raise
        at_rows, above = _wrong(visit, refused.problem)
        rows = [row._replace(wrong=at_rows.get(number)) for number, row in enumerate(rows)]
        return await _page(visit, await _named(visit), rows, since, above)
    return visit.go_to(f"/customers/{visit.named('account_id')}/recipients?saved=1")


async def _named(visit: Visit) -> Recipients:
    return await visit.api.get(Recipients, f"/v1/accounts/{visit.named('account_id')}/recipients")


async def _page(
    visit: Visit, found: Recipients, rows: Sequence[Row], since: str, wrong: Sequence[str] | None = None
) -> Response:
    account = await visit.api.get(AccountView, f"/v1/accounts/{visit.named('account_id')}")
    shown = [*rows, *[Row()] * min(EMPTY_ROWS, RECIPIENTS_MAX - len(rows))]
    return visit.html(
        "recipients/recipients.html",
        200 if wrong is None else 422,
        account=account,
        rows=shown,
        since=since,
        lists=found.lists,
        wrong=wrong,
        kinds=KINDS,
        langs=LANGS,
        saved=visit.asked("saved") == "1",
    )


def _row(recipient: ListedRecipient) -> Row:
    return Row(recipient.address or "", recipient.kinds, recipient.lang)


def _filled_in(visit: Visit, number: int) -> Row:
    kinds = [str(each) for each in visit.form.getlist(f"kinds.{number}")]
    return Row(visit.form_text(f"address.{number}") or "", kinds, visit.form_text(f"lang.{number}") or "ru")


def _wrong(visit: Visit, problem: Problem) -> tuple[Mapping[int, str], list[str]]:
    """Each remedy at its row, and those of no row."""
    at_rows: dict[int, Any] = {}
    above: list[str] = []
    for each in problem.fields:
        name = each.field.removeprefix("body.")
        if found := _AT_FAULT.fullmatch(name):
            at_rows.setdefault(int(found[1]), remedy_of(problem, each, visit.lang))
        else:
            above.append(Markup("{}: {}").format(label_of(name, visit.say), remedy_of(problem, each, visit.lang)))
    return at_rows, above
