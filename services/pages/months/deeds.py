"""Closing and sending for several customers: first what would come of it, in words, then the deed, once."""

import asyncio
from collections.abc import Iterable
from typing import Any, NamedTuple

import orjson
from markupsafe import Markup
from starlette.responses import Response

from contracts.problems import Problem
from contracts.sending import PlannedMessage, PlannedSending
from services.pages.api import ApiProblem
from services.pages.explanation import in_english
from services.pages.months.overview import named_month
from services.pages.months.state import Row, rows_of
from services.pages.visit import Visit

ASKED_AT_ONCE = 8


class Effect(NamedTuple):
    """What a deed would do, or has not done, for a customer; `reason`: why nothing."""

    account_id: str
    customer: str
    lines: tuple[str, ...] = ()
    reason: str | None = None


async def receive_month(visit: Visit) -> Response:
    """A form of the month's page, or of the page that asked whether that is meant."""
    month, deed = named_month(visit), visit.form_text("deed")
    rows = {row.month.account_id: row for row in await rows_of(visit, month)}
    chosen = [rows[each] for each in map(str, visit.form.getlist("account")) if each in rows]
    if visit.form_text("key"):
        return await (_send if deed == "send" else _close)(visit, month, chosen)
    if visit.form_text("all"):
        chosen = [row for row in rows.values() if row.month.closed == (deed == "send") and not row.sent]
    effects = await (_would_send if deed == "send" else _would_close)(visit, month, chosen)
    return _ask(visit, month, "send" if deed == "send" else "close", effects)


def _ask(visit: Visit, month: str, deed: str, effects: Iterable[Effect], *, result: bool = False) -> Response:
    effects = list(effects)
    return visit.html(
        "months/confirm.html",
        month=month,
        deed=deed,
        effects=effects,
        doable=[each for each in effects if each.reason is None],
        key=visit.new_key(),
        result=result,
    )


async def _would_close(visit: Visit, month: str, chosen: list[Row]) -> list[Effect]:
    turn = asyncio.Semaphore(ASKED_AT_ONCE)

    async def effect(row: Row) -> Effect:
        path = f"/v1/accounts/{row.month.account_id}/months/{month}/close"
        try:
            async with turn:
                await visit.api.send(path, {}, key=visit.new_key(), dry_run="true")
        except ApiProblem as refused:
            return _of(row, reason=_said(visit, refused.problem))
        figures = f"{visit.show.time(row.month.charged_minutes)}, {visit.show.money(row.month.amount_kopecks)}"
        return _of(row, f"{visit.say.months_will_close}: {figures}")

    return list(await asyncio.gather(*map(effect, chosen)))


async def _close(visit: Visit, month: str, chosen: list[Row]) -> Response:
    """Each with a key of this form's, so that it is closed once however often the form is sent."""
    key = visit.form_text("key")
    lines = [
        {"command": "CloseMonth", "account_id": row.month.account_id, "month": month,
         "idempotency_key": f"{key}-{row.month.account_id}"[:128]}
        for row in chosen
    ]  # fmt: skip
    headers = {"Content-Type": "application/x-ndjson"}
    answer = await visit.api.ask("POST", "/v1/commands", content=b"\n".join(map(orjson.dumps, lines)), headers=headers)
    answers: list[dict[str, Any]] = list(map(orjson.loads, answer.content.splitlines()))
    refused = [
        _of(row, reason=_said(visit, Problem.model_validate(said)))
        for row, said in zip(chosen, answers, strict=True)
        if said["status"] != 201
    ]
    if refused:
        return _ask(visit, month, "close", refused, result=True)
    position = max((said["position"] for said in answers), default=0)
    return visit.go_to(f"/months/{month}?closed={len(answers)}&position={position}")


async def _would_send(visit: Visit, month: str, chosen: list[Row]) -> list[Effect]:
    if not chosen:
        return []
    rows = {row.month.account_id: row for row in chosen}
    answer = await visit.api.send(f"/v1/months/{month}/sending", {"accounts": list(rows)}, dry_run="true")
    return [
        _planned(visit, rows[each["account_id"]], PlannedSending.model_validate(each)) for each in answer["planned"]
    ]


def _planned(visit: Visit, row: Row, planned: PlannedSending) -> Effect:
    def line(message: PlannedMessage) -> str:
        kinds = ", ".join(vars(visit.say)[f"months_kind_{kind}"] for kind in message.kinds)
        again = f" ({visit.say.months_again})" if message.again else ""
        return f"{message.address} {visit.say.months_will_send.format(kinds=kinds)}{again}"

    lines = list(map(line, planned.messages))
    reason = _reason(visit, planned)
    return _of(row, *lines, *filter(None, [reason])) if lines else _of(row, reason=reason or _state(visit, planned))


def _reason(visit: Visit, planned: PlannedSending) -> str | None:
    return planned.reason and (planned.reason if visit.lang == "en" else in_english(planned.reason))


def _state(visit: Visit, planned: PlannedSending) -> str:
    return vars(visit.say).get(f"months_request_{planned.state}", visit.say.months_message_sent)


async def _send(visit: Visit, month: str, chosen: list[Row]) -> Response:
    """To request it twice sends nothing twice."""
    body = {"accounts": [row.month.account_id for row in chosen]}
    answer = await visit.api.send(f"/v1/months/{month}/sending", body)
    return visit.go_to(f"/months/{month}?requested={len(answer['accounts'])}")


def _said(visit: Visit, problem: Problem) -> str:
    return Markup("; ").join(visit.lines_of(problem))


def _of(row: Row, *lines: str, reason: str | None = None) -> Effect:
    return Effect(row.month.account_id, row.month.customer_name, lines, reason)
