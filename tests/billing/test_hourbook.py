"""How billing asks Hourbook's other routes: as its caller, and in the words of what is answered."""

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from contracts.problems import InvalidField, Problem, problem
from services.billing.hourbook import Hourbook
from services.process.problem_responses import ProblemError, problem_response
from tests.ledger.serving import serving

REFUSED = problem("unknown-plan", "There is no plan x.", (InvalidField(field="plan", remedy="choose another"),))


def _application() -> FastAPI:
    """An address where everything is answered that another server can answer."""
    app = FastAPI()

    @app.get("/shown")
    async def shown(request: Request) -> JSONResponse:
        return JSONResponse(request.headers.get("authorization"))

    @app.get("/refused")
    async def refused() -> Response:
        return problem_response(REFUSED)

    @app.get("/busy")
    async def busy() -> Response:
        return problem_response(problem("too-many-requests", "Too many."), {"Retry-After": "7"})

    @app.get("/strange")
    async def strange() -> Response:
        known = REFUSED.model_dump(mode="json")
        return problem_response(Problem(**known | {"type": "urn:hourbook:problem:of-a-newer-version"}))

    @app.get("/proxy")
    async def proxy() -> Response:
        return Response("<html>Bad gateway</html>", 502)

    return app


def _asked_by(authorization: str | None) -> Request:
    headers = [(b"authorization", authorization.encode())] if authorization else []
    return Request({"type": "http", "headers": headers})


@pytest.mark.parametrize("authorization", ["Bearer hb1_of_somebody", None])
async def test_the_credential_of_the_caller_is_shown_and_no_other(authorization: str | None):
    async with httpx.AsyncClient(transport=httpx.ASGITransport(_application()), base_url="http://localhost") as client:
        billing = Hourbook(client, {"Authorization": "Bearer billings own"})
        assert await billing.get("/shown") == "Bearer billings own"
        assert await billing.as_caller(_asked_by(authorization)).get("/shown") == authorization


async def test_a_problem_is_handed_on_as_it_is_and_anything_else_is_an_outage():
    async with serving(_application) as url, httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as client:
        hourbook = Hourbook(client)
        with pytest.raises(ProblemError) as refused:
            await hourbook.get("/refused")
        assert refused.value.problem == REFUSED
        with pytest.raises(ProblemError) as busy:
            await hourbook.get("/busy")
        assert busy.value.headers == {"Retry-After": "7"}
        for path in ("/strange", "/proxy"):
            with pytest.raises(ProblemError) as strange:
                await hourbook.get(path)
            assert strange.value.problem.slug == "ledger-unavailable"


async def test_an_address_where_nobody_answers_is_an_outage():
    async with httpx.AsyncClient(base_url="http://127.0.0.1:9", trust_env=False) as client:
        with pytest.raises(ProblemError) as nobody:
            await Hourbook(client).get("/v1/me")
    assert nobody.value.problem.slug == "ledger-unavailable"
