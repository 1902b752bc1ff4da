"""Questions to a running Hourbook, however slow the machine is."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx

from infra.data_folder import free_port
from services.operating.up import Hourbook, another_service

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


@contextmanager
def unhurried(hourbook: Hourbook) -> Iterator[httpx.Client]:
    """A client of a second service, whose test clock moves on without waiting for the projections each time."""
    service = hourbook.parts[0]
    environment = {name: value for name, value in service.environment.items() if name != "HOURBOOK_PROJECTIONS_URL"}
    alone = replace(hourbook, parts=[replace(service, environment=environment)])
    with another_service(alone, free_port()) as url, client_of(url) as connected:
        yield connected
