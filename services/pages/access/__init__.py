"""Keys and roles: who has which, and making, rotating and revoking them."""

import hmac
import re
from base64 import b32encode, urlsafe_b64encode
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from starlette.responses import Response

from contracts.access import KEY_ID_FORM, KEY_PREFIX, AccessDecision, KeyList, KeyView, MadeKey, Right, Role
from contracts.quantities import SELLER_ZONE
from services.pages.access.words import WORDS
from services.pages.api import ApiProblem
from services.pages.errors import NothingHere
from services.pages.page import Page
from services.pages.visit import Visit

__all__ = ("PAGES", "WORDS")

KEYS = "/v1/access/keys"
OVERLAPS = (1440, 60, 10_080, 0)
ACCOUNTS_SHOWN = 5
UNFIT = 422
_KEY_ID = re.compile(KEY_ID_FORM)


async def show_access(visit: Visit) -> Response:
    """One key where the address names it, else all of them."""
    return await (_key_page(visit) if visit.asked("key") else _list_page(visit))


async def _list_page(visit: Visit, status: int = 200, **shown: Any) -> Response:
    """All keys, the form for another one, and why somebody may do something or may not."""
    keys = (await visit.api.get(KeyList, KEYS)).keys
    why = {"decision": None, "misfits": (), **shown}
    if visit.asked("principal"):
        try:
            why["decision"] = await visit.api.get(
                AccessDecision, "/v1/access/decisions", **{name: visit.asked(name) for name in ASKED}
            )
        except ApiProblem as refused:
            status, why["misfits"] = _misfits(visit, refused)
    return visit.html(
        "access/access.html", status, keys=keys, state=state_of, roles=tuple(Role), rights=tuple(Right),
        accounts_shown=ACCOUNTS_SHOWN, once=visit.new_key(), **why,
    )  # fmt: skip


ASKED = ("principal", "right", "account")


async def change_access(visit: Visit) -> Response:
    """Do what the form says: make a key, rotate one, or revoke it."""
    key_id = visit.form_text("key") or ""
    if key_id and not _KEY_ID.fullmatch(key_id):
        raise NothingHere
    match visit.form_text("deed"):
        case "rotate":
            body = {"overlap_minutes": visit.form_text("overlap") or OVERLAPS[0]} | _credential(visit, key_id)
            rotated = await visit.api.send(f"{KEYS}/{key_id}/rotation", body)
            return visit.html("access/credential.html", made=MadeKey.model_validate(rotated))
        case "revoke":
            await visit.api.send(f"{KEYS}/{key_id}/revocation", {"reason": visit.form_text("reason") or ""})
            return visit.go_to(f"/access?key={key_id}")
        case _:
            return await _make_key(visit)


async def _make_key(visit: Visit) -> Response:
    """A key by the form; its credential is in this answer and nowhere else."""
    ends_on = visit.form_text("ends_on")
    body = {
        "name": visit.form_text("name") or "",
        "roles": [role.value for role in Role if visit.form_text(f"role_{role.value}")],
        "accounts": (visit.form_text("accounts") or "").replace(",", " ").split() or None,
        "ends_at": _end_of(ends_on) if ends_on else None,
    } | _credential(visit)
    try:
        made = MadeKey.model_validate(await visit.api.send(KEYS, body))
    except ApiProblem as refused:
        status, misfits = _misfits(visit, refused)
        return await _list_page(visit, status, misfits=misfits)
    return visit.html("access/credential.html", made=made)


async def _key_page(visit: Visit) -> Response:
    """One key, and what can be done with it."""
    keys = (await visit.api.get(KeyList, KEYS)).keys
    key = next((each for each in keys if each.key_id == visit.asked("key")), None)
    if key is None:
        raise NothingHere
    return visit.html("access/key.html", key=key, state=state_of, overlaps=OVERLAPS, once=visit.new_key())


def _credential(visit: Visit, key_id: str | None = None) -> dict[str, str]:
    """What the form makes, and nothing else however often it is sent: so it is shown whichever answer is seen.

    It follows from the form and the person's own credential, so that neither gives it away alone.
    """
    once = visit.form_text("once")
    if not once:
        return {}
    made = hmac.digest((visit.session.credential or "").encode(), f"{once} {key_id or ''}".encode(), "sha512")
    named = key_id or b32encode(made[:10]).decode().lower()
    return {"credential": f"{KEY_PREFIX}{named}_{urlsafe_b64encode(made[10:42]).decode().rstrip('=')}"}


def state_of(key: KeyView) -> str:
    """Whether a key works now: `works`, `ended` or `revoked`."""
    if key.revoked_at:
        return "revoked"
    return "ended" if key.ends_at and key.ends_at <= datetime.now(UTC) else "works"


def _end_of(day: str) -> str:
    """The end of a last day, as the route wants it; what is no day is for the route to refuse."""
    try:
        after = date.fromisoformat(day) + timedelta(days=1)
    except (ValueError, OverflowError):
        return day
    return datetime.combine(after, time(), SELLER_ZONE).isoformat()


def _misfits(visit: Visit, refused: ApiProblem) -> tuple[int, list[str]]:
    """What of the form does not fit; anything else is a page of its own."""
    if refused.problem.status != UNFIT:
        raise refused
    return UNFIT, visit.lines_of(refused.problem)


PAGES = (Page("/access", show=show_access, receive=change_access, right=Right.ACCESS, whole=True, menu="menu_access"),)
