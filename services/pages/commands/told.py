"""Who is told of what a command would record: whoever gets alerts, whoever follows the log, and by mail."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from contracts.access import Right
from contracts.alerts import ForeseenAlerts
from contracts.read_models import AccountView
from contracts.sending import Recipients
from services.pages.api import ApiProblem
from services.pages.commands.forms import Form
from services.pages.visit import Visit

CANNOT_SAY = frozenset({404, 422, 503})
"""The read models do not know yet what the ledger does, or do not answer."""


class Told(NamedTuple):
    """`alerts`: a sentence each; None where it cannot be said now. `letters`: who gets what, after what `mail` says."""

    alerts: tuple[str, ...] | None
    to_webhooks: bool
    events: int
    mail: str
    letters: tuple[str, ...] = ()


async def told_of(visit: Visit, form: Form, account: AccountView | None, answer: Mapping[str, Any]) -> Told:
    """By a dry run's answer."""
    foreseen = await _foreseen(visit, account, answer)
    changes = foreseen.alerts if foreseen else ()
    words = vars(visit.say)
    sentences = [
        words[f"told_{each.type.removeprefix('alert.')}"].format(text=getattr(each.text, visit.lang))
        for each in changes
    ]
    mail, letters = await _mail(visit, form, account)
    return Told(
        alerts=tuple(dict.fromkeys(sentences)) if foreseen else None,
        to_webhooks=any(each.type != "alert.updated" for each in changes),
        events=len(answer["events"]),
        mail=mail,
        letters=letters,
    )


async def _foreseen(visit: Visit, account: AccountView | None, answer: Mapping[str, Any]) -> ForeseenAlerts | None:
    """Of an account that is only being opened, nothing."""
    if account is None:
        return ForeseenAlerts(account_id=answer["account_id"], alerts=())
    try:
        found = await visit.api.send(f"/v1/accounts/{account.account_id}/alerts/foreseen", answer)
    except ApiProblem as refused:
        if refused.problem.status not in CANNOT_SAY:
            raise
        return None
    return ForeseenAlerts.model_validate(found)


async def _mail(visit: Visit, form: Form, account: AccountView | None) -> tuple[str, tuple[str, ...]]:
    """Documents are sent of months that are closed, and nothing else is."""
    say = visit.say
    if form.name != "close-month" or account is None or not visit.may(Right.MONEY):
        return say.told_no_mail, ()
    found = await visit.api.get(Recipients, f"/v1/accounts/{account.account_id}/recipients")
    if not found.can_be_sent:
        return say.told_no_mail_server, ()
    letters = tuple(
        f"{each.address}: {', '.join(vars(say)[f'months_kind_{kind}'] for kind in each.kinds)}"
        for each in found.in_force if each.address
    )  # fmt: skip
    if not letters:
        return say.told_no_recipients, ()
    if found.sent_after_days is None:
        return say.told_mail_on_request, letters
    return say.told_mail_by_itself.format(days=found.sent_after_days), letters
