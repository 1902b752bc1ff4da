"""Where Hourbook is busy, the connector waits as long as it is told to, and goes on where it was."""

import httpx
import pytest

from services.bitrix24.patience import REST_SECONDS_MAX, TRIES_MAX, answered

LATER = httpx.Response(503, headers={"Retry-After": "7"})
TOO_MANY = httpx.Response(429, headers={"Retry-After": "400"})
SOON = httpx.Response(503)


class Answering(httpx.AsyncBaseTransport):
    """Answers as it was told to, one after another, and goes on with the last."""

    def __init__(self, *answers: httpx.Response) -> None:
        self.asked = 0
        self._answers = answers

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._answers[min(self.asked, len(self._answers) - 1)]
        self.asked += 1
        return httpx.Response(answer.status_code, headers=answer.headers)


@pytest.mark.parametrize(
    ("answers", "status", "rested"),
    [
        ([httpx.Response(201)], 201, []),
        ([httpx.Response(422)], 422, []),
        ([LATER, TOO_MANY, SOON, httpx.Response(201)], 201, [7, REST_SECONDS_MAX, 1]),
        ([SOON], 503, [1] * (TRIES_MAX - 1)),
    ],
)
async def test_it_waits_as_long_as_it_is_told_to(answers, status, rested):
    hourbook, rests = Answering(*answers), list[float]()

    async def rest(seconds: float) -> None:
        rests.append(seconds)

    async with httpx.AsyncClient(transport=hourbook, base_url="http://hourbook") as client:
        assert (await answered(client, "GET", "/v1/terms", rest)).status_code == status
    assert (rests, hourbook.asked) == (rested, len(rested) + 1)
