"""The public HTTP routes, asked with a person's own credential."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, TypeAdapter

from contracts.problems import PROBLEM_MEDIA_TYPE, Problem, problem
from services.process import tracing
from services.process.in_process import STREAMED
from services.process.logs import REQUEST_ID

Transport = Callable[[tuple[str, int]], httpx.AsyncBaseTransport]
"""How the routes are reached for a browser at that address and port."""

Model = TypeVar("Model")
SECONDS_MAX = 30
_UNASKABLE = problem("invalid-request", "Something is too long, or has letters that cannot stand there: shorten it.")
_UNAVAILABLE = problem("ledger-unavailable", "The service does not answer.")


class ApiProblem(Exception):
    """What a route refused."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


class Api:
    """Asks the routes; what they refuse is raised as an `ApiProblem`."""

    def __init__(self, transport: httpx.AsyncBaseTransport, credential: str | None) -> None:
        self._transport = transport
        headers = {"Authorization": f"Bearer {credential}"} if credential else {}
        self._client = httpx.AsyncClient(
            base_url="http://localhost", transport=transport, headers=headers, trust_env=False, timeout=SECONDS_MAX
        )

    def showing(self, credential: str | None) -> "Api":
        """The same routes, asked with another credential."""
        return Api(self._transport, credential)

    async def get(self, model: type[Model], path: str, **asked: Any) -> Model:
        """What a query answers, as a model of the contracts; parameters that are None are not asked."""
        return _adapter(model).validate_json((await self.ask("GET", path, params=_given(asked))).content)

    async def send(self, path: str, body: Any, *, method: str = "POST", key: str | None = None, **asked: Any) -> Any:
        """What a command or another request with a body answers. `key`: its idempotency key."""
        headers = {"Idempotency-Key": key} if key else {}
        return (await self.ask(method, path, params=_given(asked), json=body, headers=headers)).json()

    async def ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        accepted: Collection[int] = (),
        **more: Any,
    ) -> httpx.Response:
        """Any request. `accepted`: errors that are an answer here."""
        return await self._answer(method, path, headers=headers, accepted=accepted, **more)

    async def stream(self, path: str, **asked: Any) -> httpx.Response:
        """A query's answer whose content is read as it comes; the one who has it closes it."""
        return await self._answer("GET", path, streamed=True, params=_given(asked), extensions=STREAMED)

    async def _answer(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        accepted: Collection[int] = (),
        streamed: bool = False,
        **more: Any,
    ) -> httpx.Response:
        """What is answered to a request with the id of the one that it is made for."""
        named = {"X-Request-ID": REQUEST_ID.get()} | tracing.told_on() | dict(headers or {})
        try:
            request = self._client.build_request(method, path, headers=named, **more)
        except (httpx.InvalidURL, UnicodeEncodeError) as unaskable:
            raise ApiProblem(_UNASKABLE) from unaskable
        try:
            answer = await self._client.send(request, stream=streamed)
        except httpx.TransportError as unavailable:
            raise ApiProblem(_UNAVAILABLE) from unavailable
        if answer.is_error and answer.status_code not in accepted:
            await answer.aread()
            raise ApiProblem(_problem_in(answer))
        return answer


async def if_there(asked: Awaitable[Model]) -> Model | None:
    """What a route answers; None where there is nothing, or it cannot say now, and the page goes without."""
    try:
        return await asked
    except ApiProblem as refused:
        if refused.problem.status in {404, 503}:
            return None
        raise


def _given(asked: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.model_dump(mode="json") if isinstance(value, BaseModel) else value
        for name, value in asked.items()
        if value is not None
    }


def _adapter(model: type[Model]) -> TypeAdapter[Model]:
    if model not in _ADAPTERS:
        _ADAPTERS[model] = TypeAdapter(model)
    return _ADAPTERS[model]


_ADAPTERS: dict[Any, TypeAdapter[Any]] = {}


def _problem_in(answer: httpx.Response) -> Problem:
    if answer.headers.get("Content-Type", "").startswith(PROBLEM_MEDIA_TYPE):
        return Problem.model_validate_json(answer.content)
    return problem("internal-error", f"The service answered {answer.status_code} {answer.reason_phrase}.")
