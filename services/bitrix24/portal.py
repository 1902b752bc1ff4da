"""The portal's methods, called by its inbound webhook. The webhook's address is a secret: no message repeats it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx
import orjson
from pydantic import SecretStr

from services.bitrix24.pace import Pace
from services.process.outside import NotAsked

CALLS_MAX = 25
"""So many calls are sent in one batch; the portal takes 50."""

ANSWER_SECONDS_MAX = 70
"""The portal ends a request of its own after 60 seconds."""

ATTEMPTS_MAX = 6
REST_SECONDS = 1.0
REST_SECONDS_MAX = 60.0
TOLD_SECONDS_MAX = 3600.0
"""Where the portal says to wait for longer, it is asked again all the same, so that it is known to be unavailable."""

BLOCKED_SECONDS = 60.0
"""How long a blocked method rests where the portal does not say: its count goes by minutes."""

BUSY = {"QUERY_LIMIT_EXCEEDED", "OPERATION_TIME_LIMIT", "OVERLOAD_LIMIT"}
_REFUSED = {
    *("INVALID_CREDENTIALS", "NO_AUTH_FOUND", "ACCESS_DENIED", "expired_token", "invalid_token"),
    *("insufficient_scope", "user_access_error"),
}


_USER = re.compile(r"/rest/([0-9]+)/")


class PortalFault(Exception):
    """Nothing can be decided from this reading of the portal."""


class PortalUnavailable(PortalFault):
    """The portal does not answer, or has too much to do."""


class WebhookRefused(PortalFault):
    """The portal does not know this webhook any more, or it may not call a method."""


class WrongAnswer(PortalFault):
    """The portal has answered what its documentation does not describe."""


@dataclass(frozen=True)
class Answer:
    """What a method has answered: its result, and how many records there are in all where it counts them."""

    result: Any
    total: int | None = None


@dataclass(frozen=True)
class Call:
    """A method and its parameters, in the order in which the portal wants them."""

    method: str
    params: Mapping[str, Any]

    @property
    def line(self) -> str:
        """As a batch has it."""
        return f"{self.method}?{'&'.join(_pairs(self.params))}"


class Portal:
    """One portal, asked at its own pace."""

    def __init__(self, webhook: SecretStr, client: httpx.AsyncClient, pace: Pace) -> None:
        self._webhook = webhook
        self._client = client
        self._pace = pace

    def waited_seconds(self) -> float:
        """For how long it was waited for the portal since this was asked last."""
        waited, self._pace.waited_seconds = self._pace.waited_seconds, 0.0
        return waited

    @property
    def user_id(self) -> int | None:
        """Whose webhook it is, as its address says: https://…/rest/<user>/<secret>/."""
        user = _USER.search(self._webhook.get_secret_value())
        return int(user[1]) if user else None

    async def call(self, method: str, params: Mapping[str, Any], *, attempts: int = ATTEMPTS_MAX) -> Answer:
        """The answer of one method; raises a PortalFault. `attempts`: 1 for what must not be done twice."""
        said = await self._said(method, params, (method,), attempts)
        self._pace.took(method, said.get("time"))
        return Answer(said["result"], _total(method, said.get("total")))

    async def batch(self, calls: Sequence[Call]) -> list[Answer]:
        """The answers of many calls, in their order, all of them; raises a PortalFault."""
        found: dict[int, Answer] = {}
        waiting = list(range(len(calls)))
        attempts = 0
        while waiting:
            some = waiting[:CALLS_MAX]
            answered = await self._batch({f"c{number}": calls[number] for number in some})
            found |= {int(name[1:]): answer for name, answer in answered.items()}
            attempts = 0 if answered else attempts + 1
            if attempts >= ATTEMPTS_MAX:
                raise PortalUnavailable(f"the portal has had too much to do {ATTEMPTS_MAX} times in a row")
            waiting = [number for number in waiting if number not in found]
        return [found[number] for number in range(len(calls))]

    async def _batch(self, calls: Mapping[str, Call]) -> dict[str, Answer]:
        """The answers of those that were answered; the others were refused because the portal is busy."""
        lines = {name: call.line for name, call in calls.items()}
        methods = {call.method for call in calls.values()}
        said = await self._said("batch", {"halt": 0, "cmd": lines}, methods)
        parts = said["result"] if isinstance(said["result"], dict) else {}
        results, errors, totals, times = (
            _named(parts.get(name)) for name in ("result", "result_error", "result_total", "result_time")
        )
        answered: dict[str, Answer] = {}
        for name, call in calls.items():
            self._pace.took(call.method, times.get(name))
            if name in results:
                answered[name] = Answer(results[name], _total(call.method, totals.get(name)))
            elif _code(errors.get(name)) in BUSY:
                self._pace.hold(call.method, BLOCKED_SECONDS)
            elif name in errors:
                raise _fault(call.method, errors[name])
            else:
                raise WrongAnswer(f"batch: there is no answer to {call.method}")
        return answered

    async def _said(
        self, method: str, params: Mapping[str, Any], methods: Sequence[str] | set[str], attempts: int = ATTEMPTS_MAX
    ) -> dict[str, Any]:
        """The whole answer, asked again while the portal is busy or does not answer."""
        rest = REST_SECONDS
        for _ in range(attempts):
            await self._pace.turn(*methods)
            try:
                answer = await self._client.post(f"{self._webhook.get_secret_value()}{method}", json=params)
            except NotAsked as forbidden:
                raise PortalUnavailable(f"{method}: {forbidden}") from None
            except httpx.RequestError:
                await self._pace.wait(rest)
            else:
                said = _read(method, answer)
                if _code(said) not in BUSY and answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
                    return _result(method, said, answer)
                await self._pace.wait(_told_rest(answer) or (BLOCKED_SECONDS if _blocked(said) else rest))
            rest = min(2 * rest, REST_SECONDS_MAX)
        raise PortalUnavailable(f"{method}: the portal has not answered {attempts} times in a row")


def _read(method: str, answer: httpx.Response) -> dict[str, Any]:
    try:
        said = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            return {}
        raise WrongAnswer(f"{method}: the answer is no JSON") from None
    if not isinstance(said, dict):
        raise WrongAnswer(f"{method}: the answer is no object")
    return said


def _result(method: str, said: dict[str, Any], answer: httpx.Response) -> dict[str, Any]:
    if "error" in said:
        raise _fault(method, said)
    if not answer.is_success:
        raise WrongAnswer(f"{method}: the portal answers {answer.status_code}")
    if "result" not in said:
        raise WrongAnswer(f"{method}: the answer has no result")
    return said


def _fault(method: str, error: Any) -> PortalFault:
    code = _code(error)
    if code in _REFUSED:
        return WebhookRefused(f"{method}: the portal refuses the webhook ({code}): make a new one with its rights")
    return WrongAnswer(f"{method}: the portal refuses ({code})")


def _code(error: Any) -> str | None:
    return str(error["error"]) if isinstance(error, dict) and "error" in error else None


def _blocked(said: Mapping[str, Any]) -> bool:
    return _code(said) == "OPERATION_TIME_LIMIT"


def _told_rest(answer: httpx.Response) -> float | None:
    """How long the portal says to wait."""
    told = answer.headers.get("Retry-After", "")
    return min(float(told), TOLD_SECONDS_MAX) if told.isascii() and told.isdecimal() else None


def _named(part: Any) -> dict[str, Any]:
    """An object by name: the portal writes an empty one as a list."""
    return part if isinstance(part, dict) else {}


def _total(method: str, total: Any) -> int | None:
    if total is None:
        return None
    try:
        return int(total)
    except (TypeError, ValueError):
        raise WrongAnswer(f"{method}: total is no number") from None


def _pairs(value: Any, name: str = "") -> Iterator[str]:
    """Parameters as a batch has them: `filter[ID]=1`, lists by number."""
    match value:
        case Mapping():
            for key, part in value.items():
                yield from _pairs(part, f"{name}[{key}]" if name else str(key))
        case list() | tuple():
            for number, part in enumerate(value):
                yield from _pairs(part, f"{name}[{number}]")
        case _:
            yield f"{quote(name, safe='')}={quote(str(value), safe='')}"
