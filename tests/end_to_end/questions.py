"""Questions to a running Hourbook, however slow the machine is."""

from typing import Any

import httpx

ANSWER_SECONDS_MAX = 60


def client_of(url: str) -> httpx.Client:
    """A client that waits for its answers."""
    return httpx.Client(base_url=url, timeout=ANSWER_SECONDS_MAX, trust_env=False)


def caught_up(client: httpx.Client, path: str, position: int, **asked: Any) -> httpx.Response:
    """The answer once the projections have come to that position; a service asks for patience after two seconds."""
    headers = {"Hourbook-Min-Position": str(position)}
    while (answer := client.get(path, params=asked, headers=headers)).status_code == 503:
        assert answer.json()["type"].endswith(":projection-behind"), answer.text
    return answer.raise_for_status()
