"""Hourbook with its pages, full of data, and a browser."""

from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import orjson
import pytest
from playwright.async_api import Browser

from services.operating.demo import NOT_OF_THE_COMMAND, sample_lines
from services.projections import read_models
from tests.databases import Databases
from tests.end_to_end.guarded_service import Guarded, Holder, guarded_service
from tests.end_to_end.joined import at_work
from tests.pages.browser import chromium
from tests.pages.people import logged_in
from tests.projections.questions import caught_up

SAMPLE = Path(__file__).parents[1] / "sample_trade"
LATE_SECONDS_MAX = 25
"""Less than browsers and clients wait here."""


class Counter(NamedTuple):
    """The service, and the cookie of everybody who may look at its pages: holders of one role, and the owner."""

    url: str
    owner: str
    sessions: Mapping[Holder, str]
    guarded: Guarded
    folder: Path
    """With the file `owner.key`, and the folder `pages` of its settings."""


@pytest.fixture(scope="module", autouse=True)
def patience() -> Iterator[None]:
    """A page that is to show what was just recorded waits for it, however slow this machine is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(read_models, "LATE_SECONDS_MAX", LATE_SECONDS_MAX)
        yield


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    """Chromium, for the tests of a file."""
    async with chromium() as found:
        yield found


@pytest.fixture(scope="module")
async def counter(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Counter]:
    """Everything at work, with two customers."""
    folder = tmp_path_factory.mktemp("pages")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOURBOOK_PAGES_FOLDER", str(folder / "pages"))
        async with (
            databases.empty() as database_url,
            guarded_service(database_url, folder) as guarded,
            at_work(guarded.url),
        ):
            sessions = {holder: await logged_in(guarded.url, key) for holder, key in guarded.keys.items()}
            yield Counter(guarded.url, await logged_in(guarded.url, guarded.owner), sessions, guarded, folder)


@pytest.fixture(scope="module")
async def played(counter: Counter) -> Counter:
    """With the whole trade sample in it, too: for who needs many customers, as it takes ten seconds."""
    await play(counter.guarded)
    return counter


async def play(guarded: Guarded) -> None:
    """The commands of the sample, all at once: their days lie in the past, so they come to the same balances."""
    beside = {*NOT_OF_THE_COMMAND, "planned_minutes"}
    lines = [{name: line[name] for name in line.keys() - beside} for line in sample_lines(SAMPLE)]
    async with guarded.client(guarded.owner) as client:
        content = b"\n".join(map(orjson.dumps, lines))
        answer = await client.post("/v1/commands", content=content, headers={"Content-Type": "application/x-ndjson"})
        recorded = [
            each["position"] for each in map(orjson.loads, answer.content.splitlines()) if each["status"] == 201
        ]
        assert len(recorded) > 1000
        (await caught_up(client, "/v1/projections", max(recorded))).raise_for_status()
