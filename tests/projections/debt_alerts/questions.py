"""Alerts as they are asked for: once everything in the log is known and everything due by now has come."""

from typing import Any

import httpx

from tests.projections.vocabulary import Log


class Alerts:
    """The routes of alerts, asked by one client."""

    def __init__(self, client: httpx.AsyncClient, log: Log) -> None:
        self._client = client
        self._log = log

    async def settled(self) -> None:
        """As the test clock does: wait until all projections and the alerts' time are there."""
        headers = {"Hourbook-Min-Position": str(self._log.position)}
        while (await self._client.get("/v1/projections", headers=headers)).status_code == 503:
            pass

    async def __call__(self, path: str = "", **asked: Any) -> Any:
        await self.settled()
        answer = await self._client.get(f"/v1/alerts{path}", params=asked)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def open(self) -> list[str]:
        """Account, kind and episode of those that are open."""
        page = await self(open=True)
        return sorted(f"{alert['account_id']} {alert['kind']} {alert['episode']}" for alert in page["alerts"])
