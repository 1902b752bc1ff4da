"""The auditor's pages: the log in words, a balance step by step, who had access, and what is signed."""

import asyncio
from datetime import datetime, time
from itertools import pairwise
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from contracts.access import Right
from contracts.events import EVENT_TYPES
from contracts.quantities import SELLER_ZONE
from contracts.read_models import BalanceView
from services.pages.audit.log import Asked, access_facts, account_events, events_of
from services.pages.audit.signed import signed_logs
from services.pages.audit.telling import facts_of, rows_of
from services.pages.audit.words import WORDS
from services.pages.page import Page
from services.pages.visit import Visit

STEPS = 20


async def show_log(visit: Visit) -> Response:
    """A page of the log, or of one account, in words."""
    asked = Asked(visit.number("log"), visit.number("after"), visit.asked_id("account"), _type(visit), visit.day("on"))
    events, after = await events_of(visit.api, asked)
    return visit.html(
        "audit/audit.html", asked=asked, rows=list(rows_of(visit, events)), types=list(EVENT_TYPES),
        signed=await signed_logs(visit.api) if visit.may(Right.EVIDENCE) else [], next=_question(visit, after),
    )  # fmt: skip


async def show_replay(visit: Visit) -> Response:
    """A balance as it came to be known, an event a step, from the events alone."""
    account_id = visit.asked_id("account")
    if account_id is None:
        return visit.go_to("/audit")
    day, known_at, after = visit.day("as_of"), visit.asked("known_at"), visit.number("after")
    as_of = datetime.combine(day, time.max, SELLER_ZONE).isoformat() if day else None
    replay = f"/v1/accounts/{account_id}/replay"
    result, events = await asyncio.gather(
        visit.api.get(BalanceView, replay, as_of=as_of, known_at=known_at), account_events(visit.api, account_id)
    )
    known = [event for event in events if event.position and event.position <= result.position]
    shown = [event for event in known if event.position and event.position > after][:STEPS]
    before = [event.position for event in known if event.position and event.position <= after][-1:]
    instant = result.as_of.isoformat()
    places = [*before, *(event.position for event in shown)]
    views = await asyncio.gather(
        *(visit.api.get(BalanceView, replay, as_of=instant, known_at=str(place)) for place in places)
    )
    balances = [*([] if before else [0]), *(view.balance_minutes for view in views)]
    wanted = frozenset(event.position for event in shown if event.position)
    steps = list(zip(rows_of(visit, known, wanted), pairwise(balances), strict=True))
    more = shown[-1].position if shown and shown[-1].position != known[-1].position else None
    return visit.html(
        "audit/replay.html", account_id=account_id, day=day, known_at=known_at, result=result, steps=steps,
        next=_question(visit, more),
    )  # fmt: skip


async def show_access_history(visit: Visit) -> Response:
    """What is remembered of access, in words."""
    lines = await access_facts(visit.api, visit.number("after"))
    facts = list(facts_of(visit, lines[:STEPS]))
    more = facts[-1].position if len(lines) > STEPS else None
    return visit.html("audit/access.html", facts=facts, next=_question(visit, more))


def _question(visit: Visit, after: int | None) -> str | None:
    """The same question for what stands behind a position; None where nothing does."""
    if after is None:
        return None
    rest = {name: value for name, value in visit.request.query_params.items() if name != "after" and value}
    return urlencode({**rest, "after": after})


def _type(visit: Visit) -> str | None:
    return next((name for name in EVENT_TYPES if name == visit.asked("type")), None)


_AUDITOR: dict[str, Any] = {"right": Right.LOG, "whole": True}
PAGES = (
    Page("/audit", show=show_log, menu="menu_audit", **_AUDITOR),
    Page("/audit/replay", show=show_replay, **_AUDITOR),
    Page("/audit/access", show=show_access_history, **_AUDITOR),
)

__all__ = ["PAGES", "WORDS"]
